//! Types as JSON Schema 2020-12; `read` converts back.

mod read;
mod recursion;

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::{Type, Types};
pub use read::pointed;
pub(crate) use read::{TooLarge, WithNames, percent, scalars};
pub(super) use read::{read, read_named, read_with_names};

pub(super) fn write(ty: &Type, types: &Types) -> Json {
    let mut writer = Writer { types, defs: BTreeMap::new(), open: Vec::new() };
    let mut schema = writer.write(ty);
    while let Some((name, meaning)) = writer.open.pop() {
        let schema = writer.write(meaning);
        writer.defs.insert(name, schema);
    }
    if !writer.defs.is_empty()
        && let Json::Object(map) = &mut schema
    {
        map.insert("$defs".into(), Json::Object(writer.defs.into_iter().collect()));
    }
    schema
}

struct Writer<'t> {
    types: &'t Types,
    defs: BTreeMap<String, Json>,
    /// Names whose definition is not printed yet, so that a long chain needs no deep stack.
    open: Vec<(String, &'t Type)>,
}

impl Writer<'_> {
    fn write(&mut self, ty: &Type) -> Json {
        match ty {
            Type::Any | Type::Error => json!({}),
            Type::Null => json!({ "type": "null" }),
            Type::Bool => json!({ "type": "boolean" }),
            Type::Int => json!({ "type": "integer" }),
            Type::Float => json!({ "type": "number" }),
            Type::String => json!({ "type": "string" }),
            Type::Url => json!({ "type": "string", "format": "uri" }),
            Type::Path => json!({ "type": "string", "format": "path" }),
            Type::Duration => json!({ "type": "string", "format": "pop-duration" }),
            Type::Bytes => json!({ "type": ["integer", "string"], "format": "bytes" }),
            Type::Datetime => json!({ "type": "string", "format": "date-time" }),
            Type::Literal(value) => json!({ "const": **value }),
            Type::List(item) => json!({ "type": "array", "items": self.write(item) }),
            Type::Map(item) => json!({ "type": "object", "additionalProperties": self.write(item) }),
            Type::Secret(inner) => {
                let mut schema = self.write(inner);
                if let Json::Object(map) = &mut schema {
                    map.insert("x-pop-secret".into(), Json::Bool(true));
                }
                schema
            }
            Type::Union(members) => {
                let literals: Option<Vec<&Json>> = members
                    .iter()
                    .map(|m| match m {
                        Type::Literal(value) => Some(&**value),
                        _ => None,
                    })
                    .collect();
                match literals {
                    Some(values) => json!({ "enum": values }),
                    None => {
                        json!({ "anyOf": members.iter().map(|m| self.write(m)).collect::<Vec<_>>() })
                    }
                }
            }
            Type::Record(record) => {
                let mut properties = Map::new();
                let mut required = Vec::new();
                for (name, ty) in record.iter() {
                    properties.insert(name.to_owned(), self.write(ty));
                    if !self.types.accepts_null(ty) {
                        required.push(Json::from(name));
                    }
                }
                let mut schema = Map::new();
                schema.insert("type".into(), "object".into());
                schema.insert("properties".into(), Json::Object(properties));
                if !required.is_empty() {
                    schema.insert("required".into(), Json::Array(required));
                }
                let rest = match record.rest() {
                    None => Json::Bool(false),
                    Some(Type::Any) => Json::Bool(true),
                    Some(ty) => self.write(ty),
                };
                schema.insert("additionalProperties".into(), rest);
                Json::Object(schema)
            }
            Type::Named(name) => {
                if !self.defs.contains_key(name.as_ref()) {
                    let types = self.types;
                    let Some(meaning) = types.get(name) else { return json!({}) };
                    self.defs.insert(name.to_string(), Json::Null); // its turn comes; so a recursive type ends
                    self.open.push((name.to_string(), meaning));
                }
                json!({ "$ref": format!("#/$defs/{}", fragment(name)) })
            }
        }
    }
}

/// A name as the last part of a reference: a URI has only ASCII letters.
fn fragment(name: &str) -> String {
    let mut made = String::with_capacity(name.len());
    for byte in name.replace('~', "~0").replace('/', "~1").bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte) {
            made.push(char::from(byte));
        } else {
            made.push_str(&format!("%{byte:02X}"));
        }
    }
    made
}

#[cfg(test)]
mod tests;
