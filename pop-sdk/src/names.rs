//! From the names that Rust uses to the names that JSON uses. A workflow's text has the fields' Rust names; what they are
//! called in JSON stands in the types' JSON Schemas, which know serde's `rename_all`, and with `#[record]` every field's own name.

mod fields;
mod result;
mod shape;

use std::cell::RefCell;
use std::collections::HashMap;

use pop_compiler::diagnostic::{Diagnostic, Location};
use pop_compiler::reference;
use serde_json::{Map, Value};

use crate::definition::{InRust, ResultFields};
use crate::operation::Known;
use shape::Shape;

pub use fields::{Fields, Unnamed, constant, fields};

/// What stands as an operation, compiled as far as names are concerned.
pub(crate) enum Named<'d> {
    /// An operation type.
    Operation(&'d Known),
    /// Another workflow: where its text is, what it takes and gives, and the name of an only output that is its result.
    Workflow {
        file: &'d str,
        inputs: Option<&'d Value>,
        outputs: Option<&'d Value>,
        single: Option<&'d str>,
        result: ResultFields,
    },
}

/// The definition's text with the names that JSON and the server know. The operations are the last thing in it.
///
/// The findings are fields of which it is not known what JSON calls them.
pub(crate) fn rename(definition: &InRust, named: &HashMap<&str, Named<'_>>) -> (Value, Vec<Diagnostic>) {
    let Ok(Value::Object(mut document)) = serde_json::from_str(definition.source) else {
        return (Value::from(definition.source), Vec::new()); // never: the macro wrote it
    };
    let inputs: Map<String, Value> =
        document.get("inputs").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut scope = Scope {
        definition,
        named,
        inputs: &inputs,
        uses: HashMap::new(),
        item: None,
        at: None,
        default: false,
        unknown: RefCell::default(),
    };
    let mut operations = match document.shift_remove("operations") {
        Some(Value::Object(operations)) => operations,
        _ => Map::new(),
    };
    for (name, operation) in &operations {
        let uses = operation.get("uses").and_then(Value::as_str).unwrap_or_default();
        let fans_out = operation.get("each").is_some();
        scope.uses.insert(name.clone(), Use { kind: uses.to_owned(), fans_out });
    }
    for (name, operation) in &mut operations {
        if let Value::Object(operation) = operation {
            scope.at = Some(name.clone());
            scope.operation(operation);
        }
    }
    (scope.item, scope.at) = (None, None);
    if let Some(link) = document.get_mut("run").and_then(|run| run.get_mut("link")) {
        scope.value(link, None);
    }
    if let Some(Value::Object(outputs)) = document.get_mut("outputs") {
        let result = result::names(definition.result, outputs.keys().map(String::as_str));
        let result: Vec<Option<String>> = result.into_iter().map(|name| name.map(str::to_owned)).collect();
        *outputs = std::mem::take(outputs)
            .into_iter()
            .zip(result)
            .map(|((rust, mut value), json)| {
                scope.value(&mut value, None);
                if json.is_none() {
                    scope.unknown.borrow_mut().push(result::no_field(&rust, definition.result));
                }
                (json.unwrap_or(rust), value)
            })
            .collect();
    }
    for input in
        document.get_mut("inputs").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut)
    {
        let shape = input.get("type").and_then(Value::as_str).and_then(|text| scope.typed(text));
        if let Some(default) = input.get_mut("default") {
            scope.default = true;
            scope.value(default, shape);
        }
    }
    document.insert("operations".into(), Value::Object(operations));
    (Value::Object(document), scope.unknown.into_inner())
}

struct Scope<'d> {
    definition: &'d InRust,
    named: &'d HashMap<&'d str, Named<'d>>,
    inputs: &'d Map<String, Value>,
    uses: HashMap<String, Use>,
    /// What `${each}` is.
    item: Option<Shape<'d>>,
    /// The operation that is looked at.
    at: Option<String>,
    /// Whether this is a default, which is never read as text with references.
    default: bool,
    unknown: RefCell<Vec<Diagnostic>>,
}

/// An operation, as others refer to it.
struct Use {
    /// The name of its type in the text.
    kind: String,
    fans_out: bool,
}

impl<'d> Scope<'d> {
    fn operation(&mut self, operation: &mut Map<String, Value>) {
        self.item = None;
        if let Some(each) = operation.get_mut("each") {
            self.item = self.value(each, None).and_then(Shape::item);
        }
        if let Some(when) = operation.get_mut("when") {
            self.value(when, None);
        }
        let uses = operation.get("uses").and_then(Value::as_str).unwrap_or_default();
        let Some(named) = self.named.get(uses) else { return };
        let input = match named {
            Named::Operation(known) => {
                operation.insert("uses".into(), Value::from(known.name()));
                Some(Shape::new(known.input()))
            }
            Named::Workflow { file, inputs, .. } => {
                operation.shift_remove("uses");
                operation.insert("workflow".into(), Value::from(*file));
                inputs.map(Shape::new)
            }
        };
        let Some(Value::Object(with)) = operation.get_mut("with") else { return };
        *with = std::mem::take(with)
            .into_iter()
            // An input that is left out has its default; null would take its place.
            .filter(|(_, value)| matches!(named, Named::Operation(_)) || !value.is_null())
            .map(|(rust, mut value)| {
                let field = input.and_then(|shape| shape.field(&rust));
                let json = match named {
                    Named::Operation(known) => known.json_name(&rust),
                    Named::Workflow { .. } => field.map_or(rust.as_str(), |(json, _)| json),
                };
                let shape = input.and_then(|shape| shape.property(json)).or(field.map(|(_, shape)| shape));
                self.value(&mut value, shape);
                (json.to_owned(), value)
            })
            .collect();
    }

    /// Renames inside a value. `expected` is what the place of the value wants; what the value itself is comes back, where
    /// that can be said.
    fn value(&self, value: &mut Value, expected: Option<Shape<'d>>) -> Option<Shape<'d>> {
        match value {
            Value::String(text) if text.starts_with(CONSTANT) => {
                let known = self.definition.constants.iter().find(|(mark, _)| mark == text);
                *value = known.map(|(_, constant)| constant.clone()).unwrap_or_default();
                if !self.default {
                    escape(value);
                }
                None
            }
            Value::String(text) => {
                let (renamed, shape) = self.text(text);
                *text = renamed;
                shape
            }
            Value::Array(items) => {
                let expected = expected.and_then(Shape::item);
                let shapes = items.iter_mut().map(|item| self.value(item, expected));
                let first = shapes.fold(None, |first: Option<Shape<'d>>, shape| first.or(shape));
                first.map(Shape::list)
            }
            Value::Object(fields) => {
                let of_map = expected.and_then(Shape::value);
                *fields = std::mem::take(fields)
                    .into_iter()
                    .map(|(rust, mut value)| {
                        let field = expected.and_then(|shape| shape.field(&rust));
                        self.must_be_known(field, of_map.xor(expected), &rust);
                        self.value(&mut value, field.map(|(_, shape)| shape).or(of_map));
                        (field.map_or(rust.clone(), |(json, _)| json.to_owned()), value)
                    })
                    .collect();
                None
            }
            _ => None,
        }
    }

    /// Renames the references of a text; the shape is that of the last one.
    fn text(&self, text: &str) -> (String, Option<Shape<'d>>) {
        let mut out = String::with_capacity(text.len());
        let mut shape = None;
        let mut rest = text;
        while let Some(dollar) = rest.find('$') {
            let (before, after) = rest.split_at(dollar);
            out += before;
            if let Some(escaped) = after.strip_prefix("$$") {
                out += "$$";
                rest = escaped;
            } else if let Some((inner, behind)) = after.strip_prefix("${").and_then(closed) {
                out += "${";
                shape = self.reference(inner, &mut out);
                out.push('}');
                rest = behind;
            } else {
                out.push('$');
                rest = &after[1..];
            }
        }
        out += rest;
        (out, shape)
    }

    /// `probe.video[0].codec ?? 'none'`, as the macro writes it.
    fn reference(&self, inner: &str, out: &mut String) -> Option<Shape<'d>> {
        let end = outside_quotes(inner).find(|(_, c)| *c == ' ').map_or(inner.len(), |(at, _)| at);
        let (path, fallback) = inner.split_at(end);
        let mut steps = steps(path).into_iter().peekable();
        let first = steps.next().unwrap_or_default();
        out.push_str(first);
        let mut all = false;
        let mut named = None;
        let mut shape = match first {
            "each" => self.item,
            "inputs" => {
                let input = steps.next().unwrap_or_default();
                out.push_str(input);
                let ty =
                    self.inputs.get(key(input).as_ref()).and_then(|i| i.get("type")).and_then(Value::as_str);
                ty.and_then(|text| self.typed(text))
            }
            operation => {
                let used = self.uses.get(key(operation).as_ref());
                // Behind a fan-out `[2]` is one of its operations and `[*]` all of them; the shape is that of each.
                if used.is_some_and(|used| used.fans_out) {
                    let of_all = steps.next().unwrap_or_default();
                    out.push_str(of_all);
                    all = of_all == "[*]";
                }
                match used.and_then(|used| self.named.get(used.kind.as_str())) {
                    Some(Named::Operation(known)) => Some(Shape::new(known.output())),
                    Some(Named::Workflow { outputs, single, result, .. }) => {
                        let shape = outputs.map(Shape::new);
                        if let Some(name) = single {
                            out.push_str(&segment(name));
                            shape.and_then(|shape| shape.property(name))
                        } else {
                            named = Some(*result);
                            shape
                        }
                    }
                    None => None,
                }
            }
        };
        for step in steps {
            if let Some(rust) = step.strip_prefix('.') {
                let given = named.take().and_then(|result| result::given(result, rust));
                let field = shape.and_then(|shape| match given {
                    Some(json) => shape.property(json).map(|shape| (json, shape)),
                    None => shape.field(rust),
                });
                self.must_be_known(field, shape, rust);
                out.push_str(&segment(field.map_or(rust, |(json, _)| json)));
                shape = field.map(|(_, shape)| shape);
            } else {
                out.push_str(step);
                shape =
                    shape.and_then(|shape| if step.starts_with("['") { shape.value() } else { shape.item() });
            }
        }
        out.push_str(fallback);
        if all { shape.map(Shape::list) } else { shape }
    }

    /// Remembers that a field is none of those that its struct has in JSON.
    fn must_be_known(&self, field: Option<(&str, Shape<'d>)>, of: Option<Shape<'d>>, rust: &str) {
        let Some(of) = of.filter(|of| field.is_none() && of.is_record()) else { return };
        let name = of.name().map(|name| format!(" of `{name}`")).unwrap_or_default();
        let at =
            Location::Pointer(self.at.as_ref().map(|at| format!("/operations/{at}")).unwrap_or_default());
        let message = format!("unknown JSON name of field `{rust}`{name}");
        let help =
            "put `#[pop_sdk::record]` above the `#[derive(…)]` of its struct: then serde's `rename` counts";
        self.unknown.borrow_mut().push(Diagnostic::error("unknown-field", at, message).help(help));
    }

    /// The shape of a type of the type language, for named types and lists of them.
    fn typed(&self, text: &str) -> Option<Shape<'d>> {
        let mut text = text.trim_end_matches('?');
        let mut lists = 0;
        while let Some(item) = text.strip_prefix("list<").and_then(|t| t.strip_suffix('>')) {
            lists += 1;
            text = item.trim_end_matches('?');
        }
        let (_, schema) = self.definition.types.iter().find(|(name, _)| *name == text)?;
        Some(Shape::new(schema).behind(lists))
    }
}

/// What the text has in front of a constant.
const CONSTANT: char = '\u{e000}';

/// Makes each text in a constant one that holds no references.
fn escape(value: &mut Value) {
    match value {
        Value::String(text) => *text = reference::escape(text).replace("${", "$${"),
        Value::Array(items) => items.iter_mut().for_each(escape),
        Value::Object(fields) => fields.values_mut().for_each(escape),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A further step, as it is written inside `${…}`.
fn segment(name: &str) -> String {
    let written = pop_compiler::write_name(name);
    if written.starts_with('[') { written } else { format!(".{written}") }
}

/// What is before the `}` that closes a reference, and what is behind it.
fn closed(text: &str) -> Option<(&str, &str)> {
    let end = outside_quotes(text).find(|(_, c)| *c == '}')?.0;
    Some((&text[..end], &text[end + 1..]))
}

/// The steps of a path, each with its dot or its brackets.
fn steps(path: &str) -> Vec<&str> {
    let mut starts: Vec<usize> =
        outside_quotes(path).filter(|(_, c)| matches!(c, '.' | '[')).map(|(at, _)| at).collect();
    starts.insert(0, 0);
    starts.dedup();
    starts.push(path.len());
    starts.windows(2).map(|pair| &path[pair[0]..pair[1]]).collect()
}

/// The characters that are not inside single quotes; in there a backslash keeps a quote from being one.
fn outside_quotes(text: &str) -> impl Iterator<Item = (usize, char)> {
    let (mut quoted, mut escaped) = (false, false);
    text.char_indices().filter(move |(_, c)| {
        if std::mem::take(&mut escaped) {
            return false;
        }
        match c {
            '\\' if quoted => escaped = true,
            '\'' => quoted = !quoted,
            _ => return !quoted,
        }
        false
    })
}

/// The name that a step stands for.
fn key(step: &str) -> std::borrow::Cow<'_, str> {
    let step = step.strip_prefix('.').unwrap_or(step);
    let Some(quoted) = step.strip_prefix("['").and_then(|s| s.strip_suffix("']")) else { return step.into() };
    let mut name = String::with_capacity(quoted.len());
    let mut escaped = false;
    for c in quoted.chars() {
        if c == '\\' && !escaped {
            escaped = true;
        } else {
            name.push(c);
            escaped = false;
        }
    }
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_cut_where_its_steps_begin() {
        assert_eq!(steps("probe.video[0].codec"), ["probe", ".video", "[0]", ".codec"]);
        assert_eq!(steps("['a.b [1]']['it\\'s].x'].y"), ["['a.b [1]']", "['it\\'s].x']", ".y"]);
        assert_eq!(key("['it\\'s \\\\']"), "it's \\");
        assert_eq!(closed("a['}'] ?? '}\\'}'}rest"), Some(("a['}'] ?? '}\\'}'", "rest")));
        assert_eq!(closed("open"), None);
    }
}
