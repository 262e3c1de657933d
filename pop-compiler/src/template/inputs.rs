//! Checks a template's inputs against the JSON Schema that travels with it, and fills in defaults. The schema subset is
//! the one that the compiler emits; keywords that are not known here are ignored.

use std::cell::Cell;

use serde_json::{Map, Value};

use crate::diagnostic::{Diagnostic, Location};
use crate::suggest;
use crate::types::{self, Type, Types};

/// How deep values and schemas may nest.
const DEPTH: usize = 64;

/// How many pairs of a value and a schema are compared at most. Alternatives inside alternatives could otherwise double
/// the work at each level.
const MOST_STEPS: usize = 1_000_000;

/// Up to here floats have no gaps, so a whole number among them can be named.
const LARGE: f64 = 9_007_199_254_740_992.0;

/// How many faults get a guess at what was meant.
const MOST_GUESSES: usize = 100;

/// The inputs with defaults filled in, in the place of null, too; an optional input that is absent becomes null.
pub(super) fn check(schema: &Value, inputs: &Value) -> Result<Value, Vec<Diagnostic>> {
    let steps = Cell::new(MOST_STEPS);
    let mut checker = Checker { root: schema, steps: &steps, faults: Vec::new() };
    let mut inputs = match inputs {
        Value::Null => Value::Object(Map::new()),
        other => other.clone(),
    };
    checker.value(schema, &mut inputs, "", 0);
    if let (Some(properties), Value::Object(map)) =
        (schema.get("properties").and_then(Value::as_object), &mut inputs)
    {
        for name in properties.keys() {
            if !map.contains_key(name) {
                map.insert(name.clone(), Value::Null);
            }
        }
    }
    if steps.get() == 0 {
        checker.faults.clear();
        checker.fault(
            "type-mismatch",
            "",
            "the inputs are too large to be checked against their type".into(),
        );
    }
    if checker.faults.is_empty() { Ok(inputs) } else { Err(checker.faults) }
}

/// The inputs of a workflow that takes none.
pub(super) fn none(inputs: &Value) -> Result<Value, Vec<Diagnostic>> {
    check(&serde_json::json!({ "type": "object", "additionalProperties": false }), inputs)
}

struct Checker<'s, 'c> {
    root: &'s Value,
    /// What is left of [`MOST_STEPS`]; at zero, nothing is looked at any more.
    steps: &'c Cell<usize>,
    faults: Vec<Diagnostic>,
}

impl<'s> Checker<'s, '_> {
    fn value(&mut self, schema: &'s Value, value: &mut Value, at: &str, depth: usize) {
        if depth > DEPTH {
            self.fault("type-mismatch", at, format!("values may nest {DEPTH} levels deep at most"));
            return;
        }
        if self.steps.get() == 0 {
            return;
        }
        self.steps.set(self.steps.get() - 1);
        let Some(schema) = self.resolve(schema) else { return };
        let branches = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array);
        if let Some(branches) = branches {
            self.any_of(branches, value, at, depth);
            return;
        }
        if let Some(expected) = schema.get("const")
            && !types::same(expected, value)
        {
            self.fault("type-mismatch", at, format!("expected {expected}, got {}", shown(schema, value)));
            return;
        }
        if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
            && !allowed.iter().any(|allowed| types::same(allowed, value))
        {
            let list = allowed.iter().map(Value::to_string).collect::<Vec<_>>().join(", ");
            let mut finding = Diagnostic::error(
                "type-mismatch",
                Location::Pointer(at.to_owned()),
                format!("{} is not one of {list}", shown(schema, value)),
            );
            let words = allowed.iter().filter_map(Value::as_str);
            if let Some(near) = value.as_str().and_then(|v| suggest::closest(v, words)) {
                finding = finding.help(format!("did you mean `{near}`?"));
            }
            self.faults.push(finding);
            return;
        }
        if !type_fits(schema, value) {
            self.mismatch(&type_words(schema), at, &shown(schema, value), value);
            return;
        }
        match value {
            Value::Object(map) => self.object(schema, map, at, depth),
            Value::Array(items) => {
                if let Some(item) = schema.get("items") {
                    for (i, value) in items.iter_mut().enumerate() {
                        self.value(item, value, &format!("{at}/{i}"), depth + 1);
                    }
                }
            }
            _ => {}
        }
    }

    fn object(&mut self, schema: &'s Value, map: &mut Map<String, Value>, at: &str, depth: usize) {
        let empty = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            // what is null inside an input may be meant
            let absent = map.get(name).is_none_or(|value| value.is_null() && at.is_empty());
            if absent
                && let Some(default) =
                    property.get("default").or_else(|| self.resolve(property).and_then(|p| p.get("default")))
            {
                map.insert(name.clone(), default.clone());
            }
        }
        let required =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        for name in required.filter(|n| !map.contains_key(*n)).collect::<Vec<_>>() {
            let guess = self.faults.len() < MOST_GUESSES;
            let near = guess.then(|| suggest::closest(name, map.keys().map(String::as_str))).flatten();
            let mut finding = Diagnostic::error(
                "missing-input",
                Location::Pointer(at.to_owned()),
                format!("`{name}` is missing"),
            );
            if let Some(near) = near.filter(|n| !properties.unwrap_or(&empty).contains_key(*n)) {
                finding = finding.help(format!("there is a `{near}`; rename it to `{name}`"));
            }
            self.faults.push(finding);
        }
        let rest = schema.get("additionalProperties");
        for (name, value) in map.iter_mut() {
            let place = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
            match (properties.and_then(|p| p.get(name)), rest) {
                (Some(property), _) => self.value(property, value, &place, depth + 1),
                (None, Some(Value::Bool(false))) => {
                    let known = properties.into_iter().flat_map(|p| p.keys()).map(String::as_str);
                    let mut finding = Diagnostic::error(
                        "extra-input",
                        Location::Pointer(place),
                        format!("there is no input `{name}`"),
                    );
                    if self.faults.len() < MOST_GUESSES
                        && let Some(near) = suggest::closest(name, known)
                    {
                        finding = finding.help(format!("did you mean `{near}`?"));
                    }
                    self.faults.push(finding);
                }
                (None, Some(schema @ Value::Object(_))) => self.value(schema, value, &place, depth + 1),
                _ => {}
            }
        }
    }

    /// The first branch without faults is taken, with its defaults; otherwise one finding that lists what would do.
    fn any_of(&mut self, branches: &'s [Value], value: &mut Value, at: &str, depth: usize) {
        let mut best: Option<Vec<Diagnostic>> = None;
        for branch in branches {
            // A branch of another type needs no copy of the value.
            if !self.resolve(branch).is_some_and(|branch| type_fits(branch, value)) {
                continue;
            }
            let mut copy = value.clone();
            let mut inner = Checker { root: self.root, steps: self.steps, faults: Vec::new() };
            inner.value(branch, &mut copy, at, depth + 1);
            if inner.faults.is_empty() {
                *value = copy;
                return;
            }
            // A branch that is wrong only deeper inside is the one that was meant.
            let deeper = inner.faults.iter().all(|f| f.primary.at != Location::Pointer(at.to_owned()));
            if deeper && best.is_none() {
                best = Some(inner.faults);
            }
        }
        if let Some(faults) = best {
            self.faults.extend(faults);
            return;
        }
        let words = branches
            .iter()
            .map(|b| self.resolve(b).map_or_else(|| "anything".into(), type_words))
            .collect::<Vec<_>>();
        let secret =
            branches.iter().filter_map(|b| self.resolve(b)).find(|b| b.get("x-pop-secret").is_some());
        let got = secret.map_or_else(|| short(value), |branch| shown(branch, value));
        self.mismatch(&words.join(" or "), at, &got, value);
    }

    fn resolve(&self, schema: &'s Value) -> Option<&'s Value> {
        let mut schema = schema;
        for _ in 0..DEPTH {
            match schema.get("$ref").and_then(Value::as_str) {
                None => return Some(schema),
                Some(target) => schema = self.root.pointer(target.strip_prefix('#')?)?,
            }
        }
        None
    }

    /// What is given is of another type than what is expected.
    fn mismatch(&mut self, expected: &str, at: &str, got: &str, value: &Value) {
        let message = format!("expected {expected}, got {got}");
        let finding = Diagnostic::error("type-mismatch", Location::Pointer(at.to_owned()), message);
        let whole = value.as_f64().filter(|n| n.fract() == 0.0 && n.abs() < LARGE);
        // the help would tell a secret
        let whole = whole.filter(|_| expected.contains("an integer") && got == short(value));
        self.faults.push(match whole {
            Some(whole) => finding.help(format!("write it without a fraction: `{whole:.0}`")),
            None => finding,
        });
    }

    fn fault(&mut self, rule: &'static str, at: &str, message: String) {
        self.faults.push(Diagnostic::error(rule, Location::Pointer(at.to_owned()), message));
    }
}

/// Whether a value is of the type that a schema names, regardless of what is in it: what an input takes is what a default
/// or a literal of that type takes.
fn type_fits(schema: &Value, value: &Value) -> bool {
    let named = |wanted: &str| match schema.get("type") {
        Some(Value::String(name)) => name == wanted,
        Some(Value::Array(names)) => names.iter().any(|name| name == wanted),
        _ => true,
    };
    match value {
        Value::Array(_) => named("array"),
        Value::Object(_) => named("object"),
        scalar => {
            types::scalars(schema).is_none_or(|ty| ty != Type::Any && Types::default().accepts(&ty, scalar))
        }
    }
}

/// What a schema takes, for people.
fn type_words(schema: &Value) -> String {
    let names: Vec<&str> = match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => return "something else".to_owned(),
    };
    let format = schema.get("format").and_then(Value::as_str);
    let bytes = format == Some("bytes") && names.contains(&"integer") && names.contains(&"string");
    let word = |name: &&str| match (*name, format) {
        ("integer", _) if bytes => "a number of bytes such as `4096` or `\"8Gi\"`",
        ("boolean", _) => "a boolean",
        ("integer", _) => "an integer",
        ("number", _) => "a number",
        ("string", Some("uri" | "url")) => "a URL such as `\"https://example.com\"`",
        ("string", Some("pop-duration")) => "a duration such as `\"90s\"` or `\"1h30m\"`",
        ("string", Some("date-time")) => "a date and time such as `\"2026-01-31T12:00:00Z\"`",
        ("string", _) => "a text",
        ("array", _) => "a list",
        ("object", _) => "an object",
        ("null", _) => "null",
        _ => "something else",
    };
    let names = names.iter().filter(|name| !(bytes && **name == "string"));
    names.map(word).collect::<Vec<_>>().join(" or ")
}

/// A value that is not what a schema takes, cut to what fits in a message; a secret stays one.
fn shown(schema: &Value, value: &Value) -> String {
    if schema.get("x-pop-secret") == Some(&Value::Bool(true)) {
        return "a secret that is something else".to_owned();
    }
    short(value)
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(40) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}
