//! Places in a JSON Schema.

use pop_compiler::types::pointed;
use serde_json::Value;

/// A place in a JSON Schema.
#[derive(Clone, Copy)]
pub(super) struct Shape<'d> {
    /// The document, for `$ref`.
    root: &'d Value,
    at: &'d Value,
    /// How many lists there are around it that the document does not show.
    lists: usize,
}

impl<'d> Shape<'d> {
    pub(super) fn new(schema: &'d Value) -> Self {
        Self { root: schema, at: schema, lists: 0 }
    }

    /// Behind references and `null`, as far as those hide nothing.
    fn open(self) -> Self {
        let mut shape = self;
        for _ in 0..16 {
            let next = if let Some(Value::String(reference)) = shape.at.get("$ref") {
                pointed(shape.root, reference)
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

    pub(super) fn list(self) -> Self {
        Self { lists: self.lists + 1, ..self }
    }

    pub(super) fn item(self) -> Option<Self> {
        if self.lists > 0 {
            return Some(Self { lists: self.lists - 1, ..self });
        }
        let shape = self.open();
        Some(Self { at: shape.at.get("items")?, ..shape })
    }

    /// What a key of a map leads to.
    pub(super) fn value(self) -> Option<Self> {
        if self.lists > 0 {
            return None;
        }
        let shape = self.open();
        let at = shape.at.get("additionalProperties").filter(|at| at.is_object())?;
        Some(Self { at, ..shape })
    }

    /// The same type behind this many lists.
    pub(super) fn behind(self, lists: usize) -> Self {
        Self { lists, ..self }
    }

    /// A field by its name in JSON.
    pub(super) fn property(self, json: &str) -> Option<Self> {
        if self.lists > 0 {
            return None;
        }
        let shape = self.open();
        Some(Self { at: shape.at.get("properties")?.get(json)?, ..shape })
    }

    /// Whether its fields are known.
    pub(super) fn is_record(self) -> bool {
        self.lists == 0 && self.open().at.get("properties").is_some_and(Value::is_object)
    }

    /// What the type is called in Rust, as far as the document says.
    pub(super) fn name(self) -> Option<&'d str> {
        let mut shape = self;
        for _ in 0..16 {
            if let Some(name) = shape.at.get("title").and_then(Value::as_str) {
                return Some(name);
            }
            let reference = shape.at.get("$ref").and_then(Value::as_str)?;
            if let Some(name) = reference.strip_prefix("#/$defs/") {
                return Some(name);
            }
            shape.at = pointed(shape.root, reference)?;
        }
        None
    }

    /// A field by its Rust name: what JSON calls it, and what it is.
    pub(super) fn field(self, rust: &str) -> Option<(&'d str, Self)> {
        if self.lists > 0 {
            return None;
        }
        let shape = self.open();
        let fields = shape.at.get("properties")?.as_object()?;
        // What `#[record]` says.
        let named = |at: &'d Value| at.get("x-rust").and_then(Value::as_str);
        let exact = fields.get_key_value(rust).filter(|(_, at)| named(at).is_none_or(|name| name == rust));
        let found = exact.or_else(|| fields.iter().find(|(_, at)| named(at) == Some(rust))).or_else(|| {
            let mut alike = fields.iter().filter(|(json, at)| named(at).is_none() && alike(json, rust));
            alike.next().filter(|_| alike.next().is_none())
        });
        found.map(|(json, at)| (json.as_str(), Self { at, ..shape }))
    }
}

/// Whether a name in JSON and one in Rust differ in nothing but what `rename_all` changes (letter case, `_` and `-`), or what
/// a name in Rust can't have.
pub(super) fn alike(json: &str, rust: &str) -> bool {
    let plain = |name: &str| -> String {
        name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let (json, rust) = (plain(json), plain(rust));
    // Types that are made of schemas write `n2_pass` for `2-pass`.
    json == rust || (json.starts_with(|c: char| c.is_ascii_digit()) && rust.strip_prefix('n') == Some(&json))
}
