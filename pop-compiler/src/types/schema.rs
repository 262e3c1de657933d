//! Types as JSON Schema 2020-12, and back.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::{Record, Type, Types};

pub(super) fn write(ty: &Type, types: &Types) -> Json {
    let mut writer = Writer { types, defs: BTreeMap::new() };
    let mut schema = writer.write(ty);
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
            Type::Literal(value) => json!({ "const": value }),
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
                        Type::Literal(value) => Some(value),
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
                    self.defs.insert(name.to_string(), Json::Null); // so that a recursive type ends
                    let schema = self.write(meaning);
                    self.defs.insert(name.to_string(), schema);
                }
                json!({ "$ref": format!("#/$defs/{}", name.replace('~', "~0").replace('/', "~1")) })
            }
        }
    }
}

pub(super) fn read(schema: &Json) -> Type {
    Reader { root: schema, open: vec!["#"] }.read(schema, 0)
}

struct Reader<'s> {
    root: &'s Json,
    /// References being followed; meeting one again means recursion.
    open: Vec<&'s str>,
}

impl<'s> Reader<'s> {
    fn read(&mut self, schema: &'s Json, depth: usize) -> Type {
        let Json::Object(map) = schema else { return Type::Any };
        if depth > 64 {
            return Type::Any;
        }
        if map.get("x-pop-secret") == Some(&Json::Bool(true)) {
            return Type::Secret(Arc::new(self.plain(map, depth)));
        }
        self.plain(map, depth)
    }

    fn plain(&mut self, map: &'s Map<String, Json>, depth: usize) -> Type {
        if let Some(Json::String(reference)) = map.get("$ref") {
            let Some(target) = reference.strip_prefix('#').and_then(|p| self.root.pointer(p)) else {
                return Type::Any;
            };
            if self.open.contains(&reference.as_str()) {
                return Type::Any;
            }
            self.open.push(reference);
            let ty = self.read(target, depth + 1);
            self.open.pop();
            return ty;
        }
        if let Some(value) = map.get("const") {
            return literal(value);
        }
        if let Some(Json::Array(values)) = map.get("enum") {
            return Type::union(values.iter().map(literal));
        }
        for key in ["anyOf", "oneOf"] {
            if let Some(Json::Array(members)) = map.get(key) {
                return Type::union(members.iter().map(|m| self.read(m, depth + 1)).collect::<Vec<_>>());
            }
        }
        if let Some(Json::Array(members)) = map.get("allOf") {
            let mut fields = Vec::new();
            let mut read: Vec<Type> = members.iter().map(|m| self.read(m, depth + 1)).collect();
            if map.contains_key("properties") {
                read.push(self.by_name("object", map, depth));
            }
            if let [only] = read.as_slice() {
                return only.clone();
            }
            for ty in &read {
                match ty {
                    Type::Record(record) => {
                        fields.extend(record.iter().map(|(n, t)| (Arc::from(n), t.clone())));
                    }
                    _ => return Type::Any,
                }
            }
            return Type::Record(Arc::new(Record::new(fields)));
        }
        let nullable = map.get("nullable") == Some(&Json::Bool(true));
        let ty = match map.get("type") {
            Some(Json::String(name)) => self.by_name(name, map, depth),
            Some(Json::Array(_)) if map.get("format").and_then(Json::as_str) == Some("bytes") => Type::Bytes,
            Some(Json::Array(names)) => Type::union(
                names
                    .iter()
                    .filter_map(Json::as_str)
                    .map(|n| self.by_name(n, map, depth))
                    .collect::<Vec<_>>(),
            ),
            _ if map.contains_key("properties") => self.by_name("object", map, depth),
            _ => Type::Any,
        };
        if nullable { ty.optional() } else { ty }
    }

    fn by_name(&mut self, name: &str, map: &'s Map<String, Json>, depth: usize) -> Type {
        match name {
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
            "array" => map.get("items").map_or(Type::Any, |items| self.read(items, depth + 1)).list(),
            "object" => self.object(map, depth),
            _ => Type::Any,
        }
    }

    fn object(&mut self, map: &'s Map<String, Json>, depth: usize) -> Type {
        let Some(Json::Object(properties)) = map.get("properties") else {
            return match map.get("additionalProperties") {
                Some(Json::Bool(false)) => Type::Record(Arc::new(Record::default())),
                Some(item @ Json::Object(_)) => Type::Map(Arc::new(self.read(item, depth + 1))),
                _ => Type::Map(Arc::new(Type::Any)),
            };
        };
        let required: Vec<&str> = match map.get("required") {
            Some(Json::Array(names)) => names.iter().filter_map(Json::as_str).collect(),
            _ => Vec::new(),
        };
        let fields = properties.iter().map(|(name, schema)| {
            let ty = self.read(schema, depth + 1);
            let ty = if required.contains(&name.as_str()) { ty } else { ty.optional() };
            (Arc::from(name.as_str()), ty)
        });
        Type::Record(Arc::new(Record::new(fields.collect::<Vec<_>>())))
    }
}

fn literal(value: &Json) -> Type {
    match value {
        Json::Null => Type::Null,
        Json::Array(_) | Json::Object(_) => Type::Any,
        scalar => Type::Literal(scalar.clone()),
    }
}
