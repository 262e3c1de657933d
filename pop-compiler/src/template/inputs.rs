//! Checks a template's inputs against the JSON Schema that travels with it, and fills in defaults. The schema subset is
//! the one that the compiler emits; keywords that are not known here are ignored.

use std::cell::Cell;

use serde_json::{Map, Value};

use crate::diagnostic::{Diagnostic, Location};
use crate::suggest;

/// How deep values and schemas may nest.
const DEPTH: usize = 64;

/// How many pairs of a value and a schema are compared at most. Alternatives inside alternatives could otherwise double
/// the work at each level.
const MOST_STEPS: usize = 1_000_000;

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
            && expected != value
        {
            self.fault("type-mismatch", at, format!("expected {expected}, got {}", short(value)));
            return;
        }
        if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
            && !allowed.contains(value)
        {
            let list = allowed.iter().map(Value::to_string).collect::<Vec<_>>().join(", ");
            let mut finding = Diagnostic::error(
                "type-mismatch",
                Location::Pointer(at.to_owned()),
                format!("{} is not one of {list}", short(value)),
            );
            let words = allowed.iter().filter_map(Value::as_str);
            if let Some(near) = value.as_str().and_then(|v| suggest::closest(v, words)) {
                finding = finding.help(format!("did you mean `{near}`?"));
            }
            self.faults.push(finding);
            return;
        }
        if !type_fits(schema.get("type"), value) {
            let expected = type_words(schema.get("type"));
            self.fault("type-mismatch", at, format!("expected {expected}, got {}", short(value)));
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
            if !self.resolve(branch).is_some_and(|b| type_fits(b.get("type"), value)) {
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
            .map(|b| self.resolve(b).map_or_else(|| "anything".into(), |s| type_words(s.get("type"))))
            .collect::<Vec<_>>();
        self.fault("type-mismatch", at, format!("expected {}, got {}", words.join(" or "), short(value)));
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

    fn fault(&mut self, rule: &'static str, at: &str, message: String) {
        self.faults.push(Diagnostic::error(rule, Location::Pointer(at.to_owned()), message));
    }
}

fn type_fits(expected: Option<&Value>, value: &Value) -> bool {
    let fits = |name: &str| match (name, value) {
        ("null", Value::Null)
        | ("boolean", Value::Bool(_))
        | ("number", Value::Number(_))
        | ("string", Value::String(_))
        | ("array", Value::Array(_))
        | ("object", Value::Object(_)) => true,
        ("integer", Value::Number(n)) => n.as_f64().is_some_and(|f| f.fract() == 0.0),
        _ => false,
    };
    match expected {
        Some(Value::String(name)) => fits(name),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).any(fits),
        _ => true,
    }
}

fn type_words(expected: Option<&Value>) -> String {
    let word = |name: &str| match name {
        "boolean" => "a boolean",
        "integer" => "an integer",
        "number" => "a number",
        "string" => "a text",
        "array" => "a list",
        "object" => "an object",
        "null" => "null",
        _ => "something else",
    };
    match expected {
        Some(Value::String(name)) => word(name).to_owned(),
        Some(Value::Array(names)) => {
            names.iter().filter_map(Value::as_str).map(word).collect::<Vec<_>>().join(" or ")
        }
        _ => "something else".to_owned(),
    }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(40) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}
