//! JSON Schema 2020-12, and equivalent forms of older drafts, as types. Constraints that the type language cannot
//! express are left out, so a type accepts every value of its schema.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::recursion::recursive;
use crate::types::{Record, Type, Types, type_of};

/// Most parts of a schema with all references followed.
const MAX_PARTS: usize = 400_000;

/// So much text, in bytes, counts as a part; so do so many small things that are looked at again.
const TEXT: usize = 64;

/// Most pairs of alternatives that are intersected where two unions meet; of larger unions the first one stays.
const MAX_PAIRS: usize = 256;

/// A schema has more than [`MAX_PARTS`].
#[derive(Debug)]
pub(crate) struct TooLarge;

/// Reads a type, unless the schema is too large: nested references could make an endless type of a few lines. With
/// `open`, an object that does not mention further fields may have them.
pub(in crate::types) fn read(schema: &Json, open: bool) -> Result<Type, TooLarge> {
    let mut reader = Reader { root: schema, followed: vec!["#"], left: MAX_PARTS, open, names: None };
    reader.read(schema, 0, &HashSet::new())
}

/// A type and the named ones in it.
pub(crate) type WithNames = (Type, Vec<(Arc<str>, Type)>);

/// As [`read`], but a recursive part is a named type; `name` returns the name for a reference. A part that refers only
/// to itself, without a list, map or record in between, is `any`.
pub(in crate::types) fn read_with_names(
    schema: &Json,
    name: &mut dyn FnMut(&str) -> Arc<str>,
) -> Result<WithNames, TooLarge> {
    let mut left = 8 * MAX_PARTS; // words and numbers count, too
    let mut spend = |parts| {
        left = usize::checked_sub(left, parts).ok_or(TooLarge)?;
        Ok(())
    };
    let recursive = recursive(schema, &mut spend)?;
    let names = Named { recursive: Some(recursive), name, given: BTreeMap::new(), open: Vec::new() };
    let mut reader =
        Reader { root: schema, followed: vec!["#"], left: MAX_PARTS, open: true, names: Some(names) };
    let ty = reader.read(schema, 0, &HashSet::new())?;
    let mut types = Types::default();
    let mut defined = define(&mut reader, &mut types)?;
    defined.sort();
    let sound = |name: &Arc<str>| types.flaw(name).is_none();
    let meaning = |name: &Arc<str>| types.get(name).filter(|_| sound(name)).cloned().unwrap_or(Type::Any);
    let all = defined.iter().map(|name| (name.clone(), meaning(name))).collect();
    Ok((ty, all))
}

/// Reads a type whose references into `$defs` stay names with the prefix `scope`. Their definitions go to `types`, so a
/// recursive schema keeps its recursion.
pub(in crate::types) fn read_named(schema: &Json, scope: &str, types: &mut Types) -> Result<Type, TooLarge> {
    let mut name = |reference: &str| {
        let last = reference.rsplit('/').next().unwrap_or_default();
        Arc::from(format!("{scope}{}", percent(last).replace("~1", "/").replace("~0", "~")))
    };
    let names = Named { recursive: None, name: &mut name, given: BTreeMap::new(), open: Vec::new() };
    let mut reader =
        Reader { root: schema, followed: vec!["#"], left: MAX_PARTS, open: true, names: Some(names) };
    let ty = reader.read(schema, 0, &HashSet::new())?;
    define(&mut reader, types)?;
    Ok(ty)
}

/// Reads the definitions of names until no new names appear, and returns them.
fn define(reader: &mut Reader<'_, '_>, types: &mut Types) -> Result<Vec<Arc<str>>, TooLarge> {
    let mut defined = Vec::new();
    while let Some((name, reference)) = reader.names.as_mut().and_then(|names| names.open.pop()) {
        reader.followed.truncate(1);
        let meaning = match pointed(reader.root, reference) {
            Some(target) => reader.read(target, 0, &HashSet::new())?,
            None => Type::Any,
        };
        types.define(name.clone(), meaning);
        defined.push(name);
    }
    Ok(defined)
}

/// Named types of a schema.
struct Named<'s, 'n> {
    /// Recursive references; none if all references into `$defs` get names.
    recursive: Option<HashSet<&'s str>>,
    name: &'n mut dyn FnMut(&str) -> Arc<str>,
    given: BTreeMap<&'s str, Arc<str>>,
    /// Names whose definitions are not read yet.
    open: Vec<(Arc<str>, &'s str)>,
}

impl<'s> Named<'s, '_> {
    /// Name of a reference's target, if the target is recursive.
    fn get(&mut self, reference: &'s str) -> Option<Arc<str>> {
        let named = match &self.recursive {
            Some(recursive) => recursive.contains(reference),
            None => reference.strip_prefix("#/$defs/").is_some_and(|name| !name.contains('/')),
        };
        if !named {
            return None;
        }
        if let Some(name) = self.given.get(reference) {
            return Some(name.clone());
        }
        let name = (self.name)(reference);
        self.given.insert(reference, name.clone());
        self.open.push((name.clone(), reference));
        Some(name)
    }
}

/// Target of a `$ref` into the same file.
pub fn pointed<'s>(root: &'s Json, reference: &str) -> Option<&'s Json> {
    let pointer = reference.strip_prefix('#')?;
    root.pointer(&if pointer.contains('%') { percent(pointer).into() } else { Cow::Borrowed(pointer) })
}

/// Decodes percent-encoding; an invalid sequence stays.
pub(crate) fn percent(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| *first == b'%');
        let code = code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// The type without parts for a name in `type`.
fn scalar(name: &str, format: Option<&str>) -> Option<Type> {
    Some(match name {
        "null" => Type::Null,
        "boolean" => Type::Bool,
        "integer" => Type::Int,
        "number" => Type::Float,
        "string" => match format {
            Some("uri" | "url") => Type::Url,
            Some("path") => Type::Path,
            Some("pop-duration") => Type::Duration,
            Some("date-time") => Type::Datetime,
            _ => Type::String,
        },
        _ => return None,
    })
}

/// The types without parts that `type` and `format` of a schema allow; none without `type`. Other keywords are ignored.
pub(crate) fn scalars(schema: &Json) -> Option<Type> {
    let names: Vec<&str> = match schema.get("type")? {
        Json::String(name) => vec![name],
        Json::Array(names) => names.iter().filter_map(Json::as_str).collect(),
        _ => return None,
    };
    let format = schema.get("format").and_then(Json::as_str);
    let bytes = is_bytes(format, &names);
    let others = names.iter().filter(|name| !(bytes && matches!(**name, "integer" | "string")));
    let others = others.filter_map(|name| scalar(name, format));
    Some(Type::union(others.chain(bytes.then_some(Type::Bytes))))
}

/// Whether `format` makes one type, an amount of bytes, of a number and a text.
fn is_bytes(format: Option<&str>, names: &[&str]) -> bool {
    format == Some("bytes") && names.contains(&"integer") && names.contains(&"string")
}

struct Reader<'s, 'n> {
    root: &'s Json,
    /// References being followed; a second visit means recursion.
    followed: Vec<&'s str>,
    /// Parts that may still be read.
    left: usize,
    open: bool,
    /// Names of recursive parts.
    names: Option<Named<'s, 'n>>,
}

type Names<'s> = HashSet<&'s str>;

impl<'s> Reader<'s, '_> {
    /// Reduces the number of parts that are left.
    fn spend(&mut self, parts: usize) -> Result<(), TooLarge> {
        self.left = self.left.checked_sub(parts).ok_or(TooLarge)?;
        Ok(())
    }

    /// `needed` are fields that a schema around this one requires.
    fn read(&mut self, schema: &'s Json, depth: usize, needed: &Names<'s>) -> Result<Type, TooLarge> {
        self.spend(1)?;
        let Json::Object(map) = schema else { return Ok(Type::Any) };
        if depth > 64 {
            return Ok(Type::Any);
        }
        let ty = self.all_at_once(map, depth, needed)?;
        let ty = if map.get("nullable") == Some(&Json::Bool(true)) { ty.optional() } else { ty };
        let secret = map.get("x-pop-secret") == Some(&Json::Bool(true));
        Ok(if secret { Type::Secret(Arc::new(ty)) } else { ty })
    }

    fn inner(&mut self, schema: &'s Json, depth: usize) -> Result<Type, TooLarge> {
        self.read(schema, depth + 1, &HashSet::new())
    }

    /// Intersects the keywords: a value must satisfy all of them.
    fn all_at_once(
        &mut self,
        map: &'s Map<String, Json>,
        depth: usize,
        needed: &Names<'s>,
    ) -> Result<Type, TooLarge> {
        let list = |key: &str| map.get(key).and_then(Json::as_array).map(Vec::as_slice);
        let all_of = list("allOf").unwrap_or_default();
        let mut required = needed.clone();
        for map in all_of.iter().filter_map(Json::as_object).chain([map]) {
            let names = map.get("required").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
            required.extend(names.iter().filter_map(Json::as_str));
        }
        self.spend(required.len() / TEXT)?;
        let mut ty = Type::Any;
        if let Some(Json::String(reference)) = map.get("$ref") {
            ty = self.reference(reference, depth, &required)?;
        }
        if let Some(value) = map.get("const") {
            self.spend(weight(value))?;
            ty = self.meet(ty, type_of_constant(value))?;
        }
        if let Some(values) = list("enum") {
            self.spend(values.iter().map(|value| 1 + weight(value)).sum())?;
            ty = self.meet(ty, Type::union(values.iter().map(type_of_constant)))?;
        }
        for schema in all_of {
            let other = self.read(schema, depth + 1, &required)?;
            ty = self.meet(ty, other)?;
        }
        let own = self.own(map, depth, &required)?;
        ty = self.meet(ty, own)?;
        for members in ["anyOf", "oneOf"].into_iter().filter_map(list) {
            let mut types = Vec::with_capacity(members.len());
            for schema in members.iter().filter(|schema| **schema != Json::Bool(false)) {
                types.push(self.read(schema, depth + 1, &required)?);
            }
            ty = self.meet(Type::union(types), ty)?;
        }
        Ok(ty)
    }

    fn reference(&mut self, to: &'s str, depth: usize, needed: &Names<'s>) -> Result<Type, TooLarge> {
        self.spend(to.len() / TEXT)?; // it is compared and looked up each time
        if let Some(name) = self.names.as_mut().and_then(|names| names.get(to)) {
            return Ok(Type::Named(name));
        }
        let Some(target) = pointed(self.root, to).filter(|_| !self.followed.contains(&to)) else {
            return Ok(Type::Any);
        };
        self.followed.push(to);
        let ty = self.read(target, depth + 1, needed);
        self.followed.pop();
        ty
    }

    /// The type from `type` and its related keywords.
    fn own(
        &mut self,
        map: &'s Map<String, Json>,
        depth: usize,
        required: &Names<'s>,
    ) -> Result<Type, TooLarge> {
        match map.get("type") {
            Some(Json::String(name)) => self.by_name(name, map, depth, required),
            Some(Json::Array(names)) => {
                self.spend(names.len())?;
                let mut names: Vec<&str> = names.iter().filter_map(Json::as_str).collect();
                let mut members = Vec::with_capacity(names.len());
                if is_bytes(map.get("format").and_then(Json::as_str), &names) {
                    names.retain(|name| !matches!(*name, "integer" | "string"));
                    members.push(Type::Bytes);
                }
                for name in names {
                    members.push(self.by_name(name, map, depth, required)?);
                }
                Ok(Type::union(members))
            }
            _ if map.contains_key("properties") => self.object(map, depth, required),
            _ => Ok(Type::Any),
        }
    }

    fn by_name(
        &mut self,
        name: &str,
        map: &'s Map<String, Json>,
        depth: usize,
        required: &Names<'s>,
    ) -> Result<Type, TooLarge> {
        if let Some(ty) = scalar(name, map.get("format").and_then(Json::as_str)) {
            return Ok(ty);
        }
        Ok(match name {
            "array" => self.array(map, depth)?,
            "object" => self.object(map, depth, required)?,
            _ => Type::Any,
        })
    }

    /// A list of the types at all positions.
    fn array(&mut self, map: &'s Map<String, Json>, depth: usize) -> Result<Type, TooLarge> {
        // before 2020-12, a list of `items` was what is `prefixItems` now
        let (first, others) = match map.get("items") {
            Some(Json::Array(first)) => (Some(first), map.get("additionalItems")),
            items => (map.get("prefixItems").and_then(Json::as_array), items),
        };
        let first = first.map(Vec::as_slice).unwrap_or_default();
        let mut members = Vec::with_capacity(first.len() + 1);
        for schema in first {
            members.push(self.inner(schema, depth)?);
        }
        let most = map.get("maxItems").and_then(Json::as_u64).and_then(|n| usize::try_from(n).ok());
        let full = !first.is_empty() && most.is_some_and(|most| most <= first.len());
        match others {
            Some(Json::Bool(false)) => {}
            _ if full => {}
            Some(schema) => members.push(self.inner(schema, depth)?),
            None => members.push(Type::Any),
        }
        Ok(Type::union(members).list())
    }

    fn object(
        &mut self,
        map: &'s Map<String, Json>,
        depth: usize,
        required: &Names<'s>,
    ) -> Result<Type, TooLarge> {
        let table = |key: &str| map.get(key).and_then(Json::as_object);
        let (properties, patterns) = (table("properties"), table("patternProperties"));
        let mut further = Vec::new();
        for schema in patterns.into_iter().flat_map(Map::values) {
            further.push(self.inner(schema, depth)?);
        }
        match map.get("additionalProperties") {
            Some(Json::Bool(false)) => {}
            Some(schema) => further.push(self.inner(schema, depth)?),
            None if self.open || properties.is_none() && patterns.is_none() => further.push(Type::Any),
            None => {}
        }
        let rest = (!further.is_empty()).then(|| Type::union(further));
        let mut fields = Vec::with_capacity(properties.map_or(0, Map::len));
        for (name, schema) in properties.into_iter().flatten() {
            self.spend(name.len() / TEXT)?;
            // what may not be there is as good as null
            let ty = if *schema == Json::Bool(false) { Type::Null } else { self.inner(schema, depth)? };
            let ty = if required.contains(name.as_str()) { ty } else { ty.optional() };
            fields.push((Arc::from(name.as_str()), ty));
        }
        Ok(Record::new(fields).with_rest(rest).into_type())
    }

    /// A type of the values in both types, and perhaps of more values of the first.
    fn meet(&mut self, a: Type, b: Type) -> Result<Type, TooLarge> {
        let (a, b) = match (a, b) {
            (Type::Any, other) | (other, Type::Any) => return Ok(other),
            both => both,
        };
        self.spend(1)?;
        Ok(match (a, b) {
            (a, b) if a == b => a,
            (Type::Secret(a), b) | (b, Type::Secret(a)) => {
                Type::Secret(Arc::new(self.meet(Arc::unwrap_or_clone(a), b)?))
            }
            (Type::Union(a), b) | (b, Type::Union(a)) => {
                let others = if let Type::Union(others) = &b { others.len() } else { 1 };
                if a.len().saturating_mul(others) > MAX_PAIRS {
                    return Ok(Type::Union(a));
                }
                let mut members = Vec::new();
                for member in a.iter().filter(|member| kinds(member) & kinds(&b) != 0) {
                    members.push(self.meet(member.clone(), b.clone())?);
                }
                if members.is_empty() { Type::Union(a) } else { Type::union(members) }
            }
            (Type::List(a), Type::List(b)) => {
                self.meet(Arc::unwrap_or_clone(a), Arc::unwrap_or_clone(b))?.list()
            }
            (Type::Map(a), Type::Map(b)) => {
                Type::Map(Arc::new(self.meet(Arc::unwrap_or_clone(a), Arc::unwrap_or_clone(b))?))
            }
            (Type::Record(record), Type::Map(item)) | (Type::Map(item), Type::Record(record)) => {
                let every = Record::default().with_rest(Some(Arc::unwrap_or_clone(item)));
                self.both(&record, &every)?
            }
            (Type::Record(a), Type::Record(b)) => self.both(&a, &b)?,
            (a, b) => {
                let types = Types::default();
                if types.fits(&b, &a) && !types.fits(&a, &b) { b } else { a }
            }
        })
    }

    /// The fields of both records. A field of only one record may be a further field of the other.
    fn both(&mut self, a: &Record, b: &Record) -> Result<Type, TooLarge> {
        self.spend(a.len() + b.len())?;
        let mut fields: BTreeMap<&str, Type> = BTreeMap::new();
        for (own, other) in [(a, b), (b, a)] {
            for (name, ty) in own.iter().filter(|(name, _)| !fields.contains_key(name)).collect::<Vec<_>>() {
                let met = match (other.get(name), other.rest()) {
                    (Some(found), _) => self.meet(ty.clone(), found.clone())?,
                    (None, Some(rest)) if Types::default().accepts_null(ty) => {
                        self.meet(ty.clone(), rest.clone().optional())?
                    }
                    (None, Some(rest)) => self.meet(ty.clone(), rest.clone())?,
                    (None, None) => ty.clone(),
                };
                fields.insert(name, met);
            }
        }
        let rest = match (a.rest(), b.rest()) {
            (Some(a), Some(b)) => Some(self.meet(a.clone(), b.clone())?),
            _ => None,
        };
        Ok(Record::new(fields.into_iter().map(|(n, t)| (Arc::from(n), t))).with_rest(rest).into_type())
    }
}

/// JSON kinds of a type's values, as a bit set.
fn kinds(ty: &Type) -> u8 {
    const NULL: u8 = 1;
    const BOOL: u8 = 2;
    const NUMBER: u8 = 4;
    const TEXT: u8 = 8;
    match ty {
        Type::Null => NULL,
        Type::Bool => BOOL,
        Type::Int | Type::Float => NUMBER,
        Type::Bytes => NUMBER | TEXT,
        Type::String | Type::Url | Type::Path | Type::Duration | Type::Datetime => TEXT,
        Type::Literal(value) => match **value {
            Json::Bool(_) => BOOL,
            Json::Number(_) => NUMBER,
            _ => TEXT,
        },
        Type::List(_) => 16,
        Type::Map(_) | Type::Record(_) => 32,
        Type::Union(members) => members.iter().fold(0, |all, member| all | kinds(member)),
        Type::Secret(inner) => kinds(inner),
        Type::Any | Type::Error | Type::Named(_) => u8::MAX,
    }
}

/// Number of parts of a constant.
fn weight(value: &Json) -> usize {
    match value {
        Json::String(text) => text.len() / TEXT,
        Json::Number(number) => number.as_str().len() / TEXT,
        Json::Array(items) => items.iter().map(|item| 1 + weight(item)).sum(),
        Json::Object(map) => map.iter().map(|(name, item)| 1 + name.len() / TEXT + weight(item)).sum(),
        _ => 0,
    }
}

/// The literal type of a scalar; for lists and objects, the narrowest type.
fn type_of_constant(value: &Json) -> Type {
    match value {
        Json::Number(_) => Type::Literal(value.clone().into()),
        other => type_of(other),
    }
}
