//! Compares a value with the JSON Schema of its type, and inserts defaults. The checker supports the subset of JSON
//! Schema that the compiler emits, and ignores unknown keywords.

use std::cell::Cell;
use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::suggest;
use crate::types::{self, Type, Types};

/// Deepest nesting of values and schemas.
const DEPTH: usize = 64;

/// Most comparisons of a value with a schema, unless one look at each part of the value needs more. Alternatives inside
/// alternatives could otherwise double the work at each level.
const MOST_STEPS: usize = 1_000_000;

/// Most looks at each part of a large value.
const LOOKS: usize = 16;

/// Largest float below which floats have no gaps, so that a whole number has one name.
const LARGE: f64 = 9_007_199_254_740_992.0;

/// Number of faults with a suggestion.
const MOST_GUESSES: usize = 100;

/// A fault of a value.
#[derive(Clone, Debug)]
pub(crate) struct Fault<'s> {
    /// JSON pointer into the value; for an absent field, to the object that lacks it.
    pub(crate) at: String,
    /// Kind of the fault.
    pub(crate) kind: Kind,
    /// Message about an input.
    pub(crate) message: String,
    /// Remedy.
    pub(crate) help: Option<String>,
    /// Schema at that place.
    pub(crate) schema: Option<&'s Value>,
    /// The value at that place, shortened. A secret is never quoted.
    pub(crate) found: String,
}

/// The kind of a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An absent field.
    Missing(String),
    /// A forbidden field.
    Extra(String),
    /// A value of another type.
    Wrong,
    /// A value that is too deep or too large for the comparison.
    Unchecked,
}

/// Compares `value` with `schema`, and inserts defaults. The default of a whole input also replaces null.
pub(crate) fn compare<'s>(schema: &'s Value, value: &mut Value) -> Vec<Fault<'s>> {
    let steps = Cell::new(MOST_STEPS.max(parts(value).saturating_mul(LOOKS)));
    let mut checker = Checker { root: schema, steps: &steps, faults: Vec::new() };
    checker.value(schema, value, "", 0);
    if steps.get() == 0 {
        checker.faults.clear();
        checker.unchecked("", "the value is too large to be checked against its type".to_owned());
    }
    checker.faults
}

/// The target of a schema's reference, or the schema itself.
pub(crate) fn resolved<'s>(root: &'s Value, schema: &'s Value) -> Option<&'s Value> {
    let mut schema = schema;
    for _ in 0..DEPTH {
        match schema.get("$ref").and_then(Value::as_str) {
            None => return Some(schema),
            Some(target) => schema = types::pointed(root, target)?,
        }
    }
    None
}

/// Number of values inside a value, including itself.
fn parts(value: &Value) -> usize {
    let mut open = vec![value];
    let mut count = 0;
    while let Some(value) = open.pop() {
        count += 1;
        match value {
            Value::Array(items) => open.extend(items),
            Value::Object(map) => open.extend(map.values()),
            _ => {}
        }
    }
    count
}

struct Checker<'s, 'c> {
    root: &'s Value,
    /// Steps that are left; at zero the comparison ends.
    steps: &'c Cell<usize>,
    faults: Vec<Fault<'s>>,
}

impl<'s> Checker<'s, '_> {
    fn value(&mut self, schema: &'s Value, value: &mut Value, at: &str, depth: usize) {
        if depth > DEPTH {
            self.unchecked(at, format!("the value nests more than {DEPTH} levels deep"));
            return;
        }
        if self.steps.get() == 0 {
            return;
        }
        self.steps.set(self.steps.get() - 1);
        let declared = schema;
        let Some(schema) = self.resolve(schema) else { return };
        let branches = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array);
        if let Some(branches) = branches {
            self.any_of(declared, branches, value, at, depth);
            return;
        }
        if let Some(expected) = schema.get("const")
            && !types::same(expected, value)
        {
            let found = self.shown(schema, value);
            self.wrong(declared, at, format!("expected {expected}, got {found}"), found, None);
            return;
        }
        if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
            && !allowed.iter().any(|allowed| types::same(allowed, value))
        {
            let list = allowed.iter().map(Value::to_string).collect::<Vec<_>>().join(", ");
            let words = allowed.iter().filter_map(Value::as_str);
            let near = value.as_str().and_then(|v| suggest::closest(v, words));
            let found = self.shown(schema, value);
            let help = near.map(|near| format!("did you mean `{near}`?"));
            self.wrong(declared, at, format!("expected one of {list}, got {found}"), found, help);
            return;
        }
        if !type_fits(schema, value) {
            let found = self.shown(schema, value);
            self.mismatch(declared, &type_words(schema), at, found, value);
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
            let near = near.filter(|n| !properties.unwrap_or(&empty).contains_key(*n));
            self.faults.push(Fault {
                at: at.to_owned(),
                message: format!("`{name}` is missing"),
                help: near.map(|near| format!("rename `{near}` to `{name}`")),
                schema: properties.and_then(|properties| properties.get(name)),
                found: "nothing".to_owned(),
                kind: Kind::Missing(name.to_owned()),
            });
        }
        let rest = schema.get("additionalProperties");
        for (name, value) in map.iter_mut() {
            let place = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
            match (properties.and_then(|p| p.get(name)), rest) {
                (Some(property), _) => self.value(property, value, &place, depth + 1),
                (None, Some(Value::Bool(false))) => {
                    let known = properties.into_iter().flat_map(|p| p.keys()).map(String::as_str);
                    let guess = self.faults.len() < MOST_GUESSES;
                    let near = guess.then(|| suggest::closest(name, known)).flatten();
                    self.faults.push(Fault {
                        at: place,
                        message: format!("unknown input `{name}`"),
                        help: near.map(|near| format!("did you mean `{near}`?")),
                        schema: None,
                        found: kind_of(value).to_owned(),
                        kind: Kind::Extra(name.clone()),
                    });
                }
                (None, Some(schema @ Value::Object(_))) => self.value(schema, value, &place, depth + 1),
                _ => {}
            }
        }
    }

    /// Takes the first branch without faults, with its defaults. Otherwise the result is one finding that lists the
    /// expected types.
    fn any_of(
        &mut self,
        schema: &'s Value,
        branches: &'s [Value],
        value: &mut Value,
        at: &str,
        depth: usize,
    ) {
        let mut best: Option<Vec<Fault<'s>>> = None;
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
            let deeper = inner.faults.iter().all(|f| f.at != at);
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
        let found = self.shown(schema, value);
        self.mismatch(schema, &words.join(" or "), at, found, value);
    }

    fn resolve(&self, schema: &'s Value) -> Option<&'s Value> {
        resolved(self.root, schema)
    }

    /// Adds a fault: the value is of another type than expected.
    fn mismatch(&mut self, schema: &'s Value, expected: &str, at: &str, found: String, value: &Value) {
        let whole = value.as_f64().filter(|n| n.fract() == 0.0 && n.abs() < LARGE);
        // the help would tell a secret
        let whole = whole.filter(|_| expected.contains("an integer") && found == short(value));
        let help = whole.map(|whole| format!("write it without a fraction: `{whole:.0}`"));
        self.wrong(schema, at, format!("expected {expected}, got {found}"), found, help);
    }

    fn wrong(&mut self, schema: &'s Value, at: &str, message: String, found: String, help: Option<String>) {
        let (at, schema, kind) = (at.to_owned(), Some(schema), Kind::Wrong);
        self.faults.push(Fault { at, kind, message, help, schema, found });
    }

    fn unchecked(&mut self, at: &str, message: String) {
        let (at, found, kind) = (at.to_owned(), "more".to_owned(), Kind::Unchecked);
        self.faults.push(Fault { at, kind, message, help: None, schema: None, found });
    }

    /// A wrong value for a message, shortened. If the schema may hold a secret, the text does not show the value.
    fn shown(&self, schema: &'s Value, value: &Value) -> String {
        if self.holds_secret(schema) { "another secret value".to_owned() } else { short(value) }
    }

    /// Whether a schema has a secret anywhere inside.
    fn holds_secret(&self, schema: &'s Value) -> bool {
        let (mut open, mut seen) = (vec![schema], HashSet::new());
        while let Some(schema) = open.pop() {
            match schema {
                Value::Array(items) => open.extend(items),
                Value::Object(map) if map.get("x-pop-secret") == Some(&Value::Bool(true)) => return true,
                Value::Object(map) => {
                    open.extend(map.values());
                    if let Some(target) = map.get("$ref").and_then(Value::as_str)
                        && seen.insert(target)
                    {
                        open.extend(types::pointed(self.root, target));
                    }
                }
                _ => {}
            }
        }
        false
    }
}

/// Whether a value has the type of a schema, regardless of its parts. An input accepts the same values as a default or
/// a literal of its type.
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

/// Types of a schema, for people.
fn type_words(schema: &Value) -> String {
    let names: Vec<&str> = match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => return "another value".to_owned(),
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
        _ => "another value",
    };
    let names = names.iter().filter(|name| !(bytes && **name == "string"));
    names.map(word).collect::<Vec<_>>().join(" or ")
}

/// Kind of a JSON value, for people.
pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A value, shortened for a message.
fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(40) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}
