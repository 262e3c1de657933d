//! Types as JSON Schema 2020-12, and back.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::{Record, Type, Types};

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
    /// Names whose meaning is still to be written, so that a long chain of them needs no long stack.
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
                schema.insert("additionalProperties".into(), Json::Bool(false));
                Json::Object(schema)
            }
            Type::Named(name) => {
                if !self.defs.contains_key(name.as_ref()) {
                    let types = self.types;
                    let Some(meaning) = types.get(name) else { return json!({}) };
                    self.defs.insert(name.to_string(), Json::Null); // its turn comes; so a recursive type ends
                    self.open.push((name.to_string(), meaning));
                }
                json!({ "$ref": format!("#/$defs/{}", name.replace('~', "~0").replace('/', "~1")) })
            }
        }
    }
}

/// Parts that a schema may have once its references are followed.
const MAX_PARTS: usize = 400_000;

/// So much text, in bytes, counts as a part; so do so many small things that are looked at again.
const TEXT: usize = 64;

/// A schema has more than [`MAX_PARTS`].
#[derive(Debug)]
pub(crate) struct TooLarge;

/// A type, unless the schema is too large: references that fan out would make an endless type of a few lines.
pub(super) fn read(schema: &Json) -> Result<Type, TooLarge> {
    Reader { root: schema, open: vec!["#"], left: MAX_PARTS }.read(schema, 0)
}

struct Reader<'s> {
    root: &'s Json,
    /// References being followed; meeting one again means recursion.
    open: Vec<&'s str>,
    /// Parts that may still be read.
    left: usize,
}

impl<'s> Reader<'s> {
    /// Takes so many parts away from what is left.
    fn spend(&mut self, parts: usize) -> Result<(), TooLarge> {
        self.left = self.left.checked_sub(parts).ok_or(TooLarge)?;
        Ok(())
    }

    fn read(&mut self, schema: &'s Json, depth: usize) -> Result<Type, TooLarge> {
        self.spend(1)?;
        let Json::Object(map) = schema else { return Ok(Type::Any) };
        if depth > 64 {
            return Ok(Type::Any);
        }
        let ty = self.plain(map, depth)?;
        let secret = map.get("x-pop-secret") == Some(&Json::Bool(true));
        Ok(if secret { Type::Secret(Arc::new(ty)) } else { ty })
    }

    fn plain(&mut self, map: &'s Map<String, Json>, depth: usize) -> Result<Type, TooLarge> {
        if let Some(Json::String(reference)) = map.get("$ref") {
            self.spend(reference.len() / TEXT)?; // it is compared and looked up each time
            let Some(target) = reference.strip_prefix('#').and_then(|p| self.root.pointer(p)) else {
                return Ok(Type::Any);
            };
            if self.open.contains(&reference.as_str()) {
                return Ok(Type::Any);
            }
            self.open.push(reference);
            let ty = self.read(target, depth + 1);
            self.open.pop();
            return ty;
        }
        if let Some(value) = map.get("const") {
            self.spend(weight(value))?;
            return Ok(literal(value));
        }
        if let Some(Json::Array(values)) = map.get("enum") {
            self.spend(values.iter().map(|value| 1 + weight(value)).sum())?;
            return Ok(Type::union(values.iter().map(literal)));
        }
        for key in ["anyOf", "oneOf"] {
            if let Some(Json::Array(members)) = map.get(key) {
                return Ok(Type::union(self.all(members, depth)?));
            }
        }
        if let Some(Json::Array(members)) = map.get("allOf") {
            let mut fields = Vec::new();
            let mut read = self.all(members, depth)?;
            if map.contains_key("properties") {
                read.push(self.by_name("object", map, depth)?);
            }
            if let [only] = read.as_slice() {
                return Ok(only.clone());
            }
            for ty in &read {
                match ty {
                    Type::Record(record) => {
                        fields.extend(record.iter().map(|(n, t)| (Arc::from(n), t.clone())));
                    }
                    _ => return Ok(Type::Any),
                }
            }
            return Ok(Type::Record(Arc::new(Record::new(fields))));
        }
        let nullable = map.get("nullable") == Some(&Json::Bool(true));
        let ty = match map.get("type") {
            Some(Json::String(name)) => self.by_name(name, map, depth)?,
            Some(Json::Array(_)) if map.get("format").and_then(Json::as_str) == Some("bytes") => Type::Bytes,
            Some(Json::Array(names)) => {
                self.spend(names.len())?;
                let names = names.iter().filter_map(Json::as_str);
                let members = names.map(|n| self.by_name(n, map, depth)).collect::<Result<Vec<_>, _>>()?;
                Type::union(members)
            }
            _ if map.contains_key("properties") => self.by_name("object", map, depth)?,
            _ => Type::Any,
        };
        Ok(if nullable { ty.optional() } else { ty })
    }

    fn all(&mut self, schemas: &'s [Json], depth: usize) -> Result<Vec<Type>, TooLarge> {
        schemas.iter().map(|schema| self.read(schema, depth + 1)).collect()
    }

    fn by_name(&mut self, name: &str, map: &'s Map<String, Json>, depth: usize) -> Result<Type, TooLarge> {
        Ok(match name {
            "null" => Type::Null,
            "boolean" => Type::Bool,
            "integer" => Type::Int,
            "number" => Type::Float,
            "string" => match map.get("format").and_then(Json::as_str) {
                Some("uri" | "url") => Type::Url,
                Some("path") => Type::Path,
                Some("pop-duration") => Type::Duration,
                Some("date-time") => Type::Datetime,
                _ => Type::String,
            },
            "array" => match map.get("items") {
                Some(items) => self.read(items, depth + 1)?.list(),
                None => Type::Any.list(),
            },
            "object" => self.object(map, depth)?,
            _ => Type::Any,
        })
    }

    fn object(&mut self, map: &'s Map<String, Json>, depth: usize) -> Result<Type, TooLarge> {
        let Some(Json::Object(properties)) = map.get("properties") else {
            return Ok(match map.get("additionalProperties") {
                Some(Json::Bool(false)) => Type::Record(Arc::new(Record::default())),
                Some(item @ Json::Object(_)) => Type::Map(Arc::new(self.read(item, depth + 1)?)),
                _ => Type::Map(Arc::new(Type::Any)),
            });
        };
        let required: HashSet<&str> = match map.get("required") {
            Some(Json::Array(names)) => {
                self.spend(names.len() / TEXT)?;
                names.iter().filter_map(Json::as_str).collect()
            }
            _ => HashSet::new(),
        };
        let mut fields = Vec::with_capacity(properties.len());
        for (name, schema) in properties {
            self.spend(name.len() / TEXT)?;
            let ty = self.read(schema, depth + 1)?;
            let ty = if required.contains(name.as_str()) { ty } else { ty.optional() };
            fields.push((Arc::from(name.as_str()), ty));
        }
        Ok(Type::Record(Arc::new(Record::new(fields))))
    }
}

/// What a literal counts beside itself.
fn weight(value: &Json) -> usize {
    match value {
        Json::String(text) => text.len() / TEXT,
        Json::Number(number) => number.as_str().len() / TEXT,
        _ => 0,
    }
}

fn literal(value: &Json) -> Type {
    match value {
        Json::Null => Type::Null,
        Json::Array(_) | Json::Object(_) => Type::Any,
        scalar => Type::Literal(scalar.clone().into()),
    }
}
