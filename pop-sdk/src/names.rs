//! From the names that Rust uses to the names that JSON uses. A workflow's text has the fields' Rust names; what they are
//! called in JSON stands in the types' JSON Schemas, which know serde's `rename_all`.

use pop_compiler::diagnostic::{Diagnostic, Location};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::workflow::Definition;

/// The definition's text with the names that JSON and the server know.
///
/// The findings are outputs that the result has no field for.
pub(crate) fn rename(definition: &Definition) -> (Value, Vec<Diagnostic>) {
    let Ok(Value::Object(mut document)) = serde_json::from_str(definition.source) else {
        return (Value::from(definition.source), Vec::new()); // never: the macro wrote it
    };
    let mut unknown = Vec::new();
    let inputs: Map<String, Value> =
        document.get("inputs").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut scope = Scope { definition, inputs: &inputs, uses: Map::new(), item: None };
    let operations = document.get_mut("operations").and_then(Value::as_object_mut);
    for (name, operation) in operations.into_iter().flatten() {
        if let Value::Object(operation) = operation {
            scope.operation(name, operation);
        }
    }
    scope.item = None;
    if let Some(Value::Object(outputs)) = document.get_mut("outputs") {
        *outputs = std::mem::take(outputs)
            .into_iter()
            .map(|(rust, mut value)| {
                scope.value(&mut value, None);
                let json = result_field(definition.result, &rust);
                unknown.extend(json.is_none().then(|| no_field(&rust, definition.result)));
                (json.map_or(rust.clone(), str::to_owned), value)
            })
            .collect();
    }
    for input in
        document.get_mut("inputs").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut)
    {
        let shape = input.get("type").and_then(Value::as_str).and_then(|text| scope.typed(text));
        if let Some(default) = input.get_mut("default") {
            scope.value(default, shape);
        }
    }
    (Value::Object(document), unknown)
}

/// What JSON calls a field of the result.
fn result_field<'n>(fields: &[&'n str], rust: &'n str) -> Option<&'n str> {
    if fields.is_empty() || fields.contains(&rust) {
        return Some(rust);
    }
    let mut alike = fields.iter().filter(|json| alike(json, rust));
    alike.next().copied().filter(|_| alike.next().is_none())
}

fn no_field(rust: &str, fields: &[&str]) -> Diagnostic {
    let at = Location::Pointer(format!("/outputs/{rust}"));
    Diagnostic::error(
        "unknown-field",
        at,
        format!("what `{rust}` of the result is called in JSON is not known"),
    )
    .help(format!("its fields are `{}`: rename with `rename_all`, not field by field", fields.join("`, `")))
}

/// The fields of a type as serde reads it; none when it is no struct, or has flattened fields.
pub fn fields<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    let mut fields: &'static [&'static str] = &[];
    let _ = T::deserialize(Asked(&mut fields)); // always an error: only the question matters
    fields
}

/// Listens to what a type asks for, and gives nothing.
struct Asked<'f>(&'f mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Asked<'_> {
    type Error = de::value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(de::Error::custom("there is no value"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        *self.0 = fields;
        self.deserialize_any(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// A place in a JSON Schema.
#[derive(Clone, Copy)]
struct Shape<'d> {
    /// The document, for `$ref`.
    root: &'d Value,
    at: &'d Value,
    /// How many lists there are around it that the document does not show.
    lists: usize,
}

impl<'d> Shape<'d> {
    fn new(schema: &'d Value) -> Self {
        Self { root: schema, at: schema, lists: 0 }
    }

    /// Behind references and `null`, as far as those hide nothing.
    fn open(self) -> Self {
        let mut shape = self;
        for _ in 0..16 {
            let next = if let Some(Value::String(reference)) = shape.at.get("$ref") {
                reference.strip_prefix('#').and_then(|pointer| shape.root.pointer(pointer))
            } else if let Some(Value::Array(members)) =
                shape.at.get("anyOf").or_else(|| shape.at.get("oneOf"))
            {
                let mut real =
                    members.iter().filter(|m| m.get("type").and_then(Value::as_str) != Some("null"));
                real.next().filter(|_| real.next().is_none())
            } else {
                None
            };
            let Some(at) = next else { break };
            shape.at = at;
        }
        shape
    }

    fn list(self) -> Self {
        Self { lists: self.lists + 1, ..self }
    }

    fn item(self) -> Option<Self> {
        if self.lists > 0 {
            return Some(Self { lists: self.lists - 1, ..self });
        }
        let shape = self.open();
        Some(Self { at: shape.at.get("items")?, ..shape })
    }

    /// A field by its Rust name: what JSON calls it, and what it is.
    fn field(self, rust: &str) -> Option<(&'d str, Self)> {
        if self.lists > 0 {
            return None;
        }
        let shape = self.open();
        let fields = shape.at.get("properties")?.as_object()?;
        let found = fields.get_key_value(rust).or_else(|| {
            let mut alike = fields.iter().filter(|(json, _)| alike(json, rust));
            alike.next().filter(|_| alike.next().is_none())
        });
        found.map(|(json, at)| (json.as_str(), Self { at, ..shape }))
    }
}

/// Whether two names differ in nothing but what `rename_all` changes: letter case, `_` and `-`.
fn alike(a: &str, b: &str) -> bool {
    let plain = |name: &str| -> Vec<char> {
        name.chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase).collect()
    };
    plain(a) == plain(b)
}

struct Scope<'d> {
    definition: &'d Definition,
    inputs: &'d Map<String, Value>,
    /// Operation → the name of its type in the text.
    uses: Map<String, Value>,
    /// What `${each}` is.
    item: Option<Shape<'d>>,
}

impl<'d> Scope<'d> {
    fn operation(&mut self, name: &str, operation: &mut Map<String, Value>) {
        self.item = None;
        if let Some(each) = operation.get_mut("each") {
            self.item = self.value(each, None).and_then(Shape::item);
        }
        if let Some(when) = operation.get_mut("when") {
            self.value(when, None);
        }
        let uses = operation.get("uses").and_then(Value::as_str).unwrap_or_default();
        let known = self.definition.operations.iter().find(|(rust, _)| *rust == uses).map(|(_, known)| known);
        let Some(known) = known else { return };
        self.uses.insert(name.to_owned(), Value::from(uses));
        operation.insert("uses".into(), Value::from(known.name()));
        if let Some(Value::Object(with)) = operation.get_mut("with") {
            let input = Shape::new(known.input());
            *with = std::mem::take(with)
                .into_iter()
                .map(|(rust, mut value)| {
                    let json = known.json_name(&rust);
                    self.value(&mut value, input.field(json).map(|(_, shape)| shape));
                    (json.to_owned(), value)
                })
                .collect();
        }
    }

    /// Renames inside a value. `expected` is what the place of the value wants; what the value itself is comes back, where
    /// that can be said.
    fn value(&self, value: &mut Value, expected: Option<Shape<'d>>) -> Option<Shape<'d>> {
        match value {
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
                *fields = std::mem::take(fields)
                    .into_iter()
                    .map(|(rust, mut value)| {
                        let field = expected.and_then(|shape| shape.field(&rust));
                        self.value(&mut value, field.map(|(_, shape)| shape));
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
            } else if let Some((inner, behind)) = after.strip_prefix("${").and_then(|a| a.split_once('}')) {
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

    /// `probe.video[0].codec`, as the macro writes it.
    fn reference(&self, inner: &str, out: &mut String) -> Option<Shape<'d>> {
        let mut steps = inner.split('.');
        let mut shape = None;
        let (mut first, mut all) = (true, false);
        while let Some(step) = steps.next() {
            let (name, brackets) = step.split_at(step.find('[').unwrap_or(step.len()));
            if first {
                out.push_str(name);
                shape = match name {
                    "each" => self.item,
                    "inputs" => {
                        let input = steps.next().unwrap_or_default();
                        let (input, brackets) = input.split_at(input.find('[').unwrap_or(input.len()));
                        out.push('.');
                        out.push_str(input);
                        out.push_str(brackets);
                        let ty = self.inputs.get(input).and_then(|i| i.get("type")).and_then(Value::as_str);
                        let shape = ty.and_then(|text| self.typed(text));
                        indexed(shape, brackets)
                    }
                    operation => self.output(operation),
                };
                // Behind a fan-out `[2]` is one of its operations and `[*]` all of them; the shape is that of each.
                all = brackets == "[*]";
            } else {
                let field = shape.and_then(|s| s.field(name));
                out.push('.');
                out.push_str(field.map_or(name, |(json, _)| json));
                shape = indexed(field.map(|(_, shape)| shape), brackets);
            }
            out.push_str(brackets);
            first = false;
        }
        if all { shape.map(Shape::list) } else { shape }
    }

    fn output(&self, operation: &str) -> Option<Shape<'d>> {
        let uses = self.uses.get(operation)?.as_str()?;
        let (_, known) = self.definition.operations.iter().find(|(rust, _)| *rust == uses)?;
        Some(Shape::new(known.output()))
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
        Some(Shape { lists, ..Shape::new(schema) })
    }
}

/// A step into a list for each bracket.
fn indexed<'d>(shape: Option<Shape<'d>>, brackets: &str) -> Option<Shape<'d>> {
    brackets.matches('[').try_fold(shape?, |shape, _| shape.item())
}
