//! The type language. The modules below parse, print and assign types, and convert them to JSON Schema. This file holds
//! the types themselves.

mod assign;
mod formats;
mod index;
mod literal;
mod parse;
mod print;
mod sample;
mod schema;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use serde_json::Value as Json;

use crate::source::Spanned;

pub(crate) use assign::{Mismatch, type_of};
pub(crate) use index::Flaw;
use index::{Index, Known};
pub(crate) use literal::same;
pub use schema::pointed;
pub(crate) use schema::{TooLarge, WithNames, percent, scalars};

/// A type of the workflow language.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// Any value, without a check.
    Any,
    /// The type of a value with a reported fault. It fits everything, so one fault gives one finding.
    Error,
    /// Only null.
    Null,
    /// true or false.
    Bool,
    /// A whole number.
    Int,
    /// Any number.
    Float,
    /// Text.
    String,
    /// An absolute URL, as text.
    Url,
    /// A file path, as text.
    Path,
    /// A duration such as `1h30m`, as text.
    Duration,
    /// An amount of bytes: a whole number, or text such as `8Gi`.
    Bytes,
    /// An RFC 3339 date and time, as text.
    Datetime,
    /// Exactly this string, number or boolean.
    Literal(Arc<Json>),
    /// A list of one item type.
    List(Arc<Type>),
    /// An object with any keys and one value type.
    Map(Arc<Type>),
    /// An object with known fields.
    Record(Arc<Record>),
    /// One of these types. [`Type::union`] keeps the list flat, without duplicates, with null last, and two or more
    /// long.
    Union(Arc<[Type]>),
    /// A named type; [`Types`] has its definition.
    Named(Arc<str>),
    /// A value that POP never shows.
    Secret(Arc<Type>),
}

/// The fields of a record, sorted by name, and the type of further fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Record {
    fields: Vec<(Arc<str>, Type)>,
    rest: Option<Type>,
}

/// Written form of further fields, in place of a field's name.
pub(crate) const REST: &str = "...";

impl Record {
    /// A record of these fields. Of two fields with one name, the first one stays.
    pub fn new(fields: impl IntoIterator<Item = (Arc<str>, Type)>) -> Self {
        let mut fields: Vec<_> = fields.into_iter().collect();
        fields.sort_by(|a, b| a.0.cmp(&b.0));
        fields.dedup_by(|later, first| later.0 == first.0);
        Self { fields, rest: None }
    }

    /// The same record with further fields of this type, or without further fields.
    #[must_use]
    pub fn with_rest(self, rest: Option<Type>) -> Self {
        Self { rest, ..self }
    }

    /// Type of further fields; none for a closed record.
    pub fn rest(&self) -> Option<&Type> {
        self.rest.as_ref()
    }

    /// The record as a type. A record without named fields, but with further ones, is a map.
    pub fn into_type(self) -> Type {
        match self.rest {
            Some(item) if self.fields.is_empty() => Type::Map(Arc::new(item)),
            _ => Type::Record(Arc::new(self)),
        }
    }

    /// The types of the fields, each with the field's name; none for further fields.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (Option<&str>, &Type)> {
        self.iter().map(|(name, ty)| (Some(name), ty)).chain(self.rest().map(|ty| (None, ty)))
    }

    /// Type of a named field.
    pub fn get(&self, name: &str) -> Option<&Type> {
        self.fields.binary_search_by(|(n, _)| n.as_ref().cmp(name)).ok().map(|i| &self.fields[i].1)
    }

    /// The named fields in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Type)> {
        self.fields.iter().map(|(n, t)| (n.as_ref(), t))
    }

    /// Number of named fields.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether the record allows no field.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.rest.is_none()
    }
}

/// The named types in scope.
#[derive(Clone, Debug, Default)]
pub struct Types {
    named: HashMap<Arc<str>, Type>,
    /// Facts about the names, computed on the first lookup.
    index: OnceLock<Index>,
    /// Whether any type holds a secret; a search for secrets is only needed then.
    pub(crate) secrets: bool,
}

impl Types {
    /// Defines `name`, and returns its earlier definition.
    pub fn define(&mut self, name: impl Into<Arc<str>>, ty: Type) -> Option<Type> {
        self.index.take();
        self.named.insert(name.into(), ty)
    }

    /// Definition of `name`.
    pub fn get(&self, name: &str) -> Option<&Type> {
        self.named.get(name)
    }

    /// All names, in no particular order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.named.keys().map(AsRef::as_ref)
    }

    /// Facts about a name. A definition discards all facts, so define every type before the first lookup.
    fn known(&self, name: &str) -> Option<&Known> {
        self.index.get_or_init(|| index::index(&self.named)).get(name)
    }

    /// The type behind a name. An unknown name, or a circular one, is [`Type::Error`].
    pub fn resolve<'t>(&'t self, ty: &'t Type) -> &'t Type {
        match ty {
            Type::Named(name) => self.known(name).map_or(&Type::Error, |known| &known.meaning),
            other => other,
        }
    }

    /// Whether every value of `from` is a value of `to`, as far as the checker can tell: `any` fits everything.
    pub fn fits(&self, from: &Type, to: &Type) -> bool {
        self.assign(from, to).is_ok()
    }

    /// Fault of a name's definition, if there is one.
    pub(crate) fn flaw(&self, name: &str) -> Option<Flaw> {
        self.known(name)?.flaw
    }

    /// Path of a secret in a value of this type, such as `.login.token`; empty for a value that is itself secret.
    pub(crate) fn secret_in(&self, ty: &Type) -> Option<String> {
        enum Step<'t> {
            Same,
            Item,
            Key,
            Field(&'t str),
        }
        if !self.secrets {
            return None;
        }
        let mut seen: HashSet<&str> = HashSet::new();
        // each with the step that led there, and from where
        let mut walked: Vec<(usize, Step<'_>)> = Vec::new();
        let mut open: Vec<(&Type, usize, Step<'_>)> = vec![(ty, usize::MAX, Step::Same)];
        while let Some((ty, from, step)) = open.pop() {
            let here = walked.len();
            walked.push((from, step));
            match ty {
                Type::Secret(_) => {
                    let mut steps = Vec::new();
                    let mut at = here;
                    while let Some((from, step)) = walked.get(at) {
                        steps.push(match step {
                            Step::Same => String::new(),
                            Step::Item => "[0]".to_owned(),
                            Step::Key => ".*".to_owned(),
                            Step::Field(name) => format!(".{name}"),
                        });
                        at = *from;
                    }
                    steps.reverse();
                    return Some(steps.concat());
                }
                Type::Named(name)
                    if self.known(name).is_some_and(|known| known.secret) && seen.insert(name) =>
                {
                    open.extend(self.get(name).map(|ty| (ty, here, Step::Same)));
                }
                Type::List(item) => open.push((item, here, Step::Item)),
                Type::Map(item) => open.push((item, here, Step::Key)),
                Type::Union(members) => open.extend(members.iter().map(|m| (m, here, Step::Same))),
                Type::Record(record) => {
                    open.extend(
                        record.parts().map(|(name, ty)| (ty, here, name.map_or(Step::Key, Step::Field))),
                    );
                }
                _ => {}
            }
        }
        None
    }

    /// Places of secrets in a value of this type: ordered JSON pointers, with `*` for each item of a list or map. A
    /// recursive type with a secret counts as secret as a whole below itself.
    pub(crate) fn secret_pointers(&self, ty: &Type) -> Vec<String> {
        let mut found = BTreeSet::new();
        let mut open: Vec<(&Type, String, Vec<&str>)> = vec![(ty, String::new(), Vec::new())];
        while let Some((ty, at, within)) = open.pop() {
            if found.len() + open.len() > MOST_SECRETS {
                return vec![String::new()];
            }
            match ty {
                Type::Secret(_) => {
                    found.insert(at);
                }
                Type::Named(name) if self.known(name).is_some_and(|known| known.secret) => {
                    if within.contains(&name.as_ref()) || within.len() >= DEEPEST_SECRET {
                        found.insert(at);
                    } else if let Some(ty) = self.get(name) {
                        let within = within.into_iter().chain([name.as_ref()]).collect();
                        open.push((ty, at, within));
                    }
                }
                Type::List(item) | Type::Map(item) => open.push((item, format!("{at}/*"), within)),
                Type::Union(members) => {
                    open.extend(members.iter().map(|ty| (ty, at.clone(), within.clone())));
                }
                Type::Record(record) => {
                    let escape = |name: &str| name.replace('~', "~0").replace('/', "~1");
                    let step = |name: Option<&str>| name.map_or("*".to_owned(), escape);
                    open.extend(
                        record.parts().map(|(name, ty)| (ty, format!("{at}/{}", step(name)), within.clone())),
                    );
                }
                _ => {}
            }
        }
        found.into_iter().collect()
    }

    /// Whether null is a value of this type, or the value may be absent.
    pub fn accepts_null(&self, ty: &Type) -> bool {
        match ty {
            Type::Any | Type::Error | Type::Null => true,
            Type::Named(name) => self.known(name).is_none_or(|known| known.null),
            Type::Union(members) => members.iter().any(|m| self.accepts_null(m)),
            Type::Secret(inner) => self.accepts_null(inner),
            _ => false,
        }
    }
}

/// A type as written, with the names in it.
#[derive(Clone, Debug)]
pub(crate) struct TypeExpr {
    pub(crate) ty: Type,
    pub(crate) names: Vec<Spanned<Arc<str>>>,
}

/// Deepest nesting of named types in a search for secrets; below, everything counts as secret.
const DEEPEST_SECRET: usize = 8;
/// Most places of secrets in a type; a type with more counts as secret as a whole.
const MOST_SECRETS: usize = 1000;

/// Most members of a union that are compared one by one; more are looked up.
const FEW: usize = 16;

impl Type {
    /// A union of these types, in normal form.
    pub fn union(members: impl IntoIterator<Item = Self>) -> Self {
        let mut flat: Vec<Self> = Vec::new();
        let mut many: HashSet<Self> = HashSet::new();
        let mut null = false;
        for member in members {
            let inner: &[Self] = match &member {
                Self::Union(inner) => inner,
                other => std::slice::from_ref(other),
            };
            for ty in inner {
                if *ty == Self::Null {
                    null = true;
                    continue;
                }
                if flat.len() == FEW && many.is_empty() {
                    many.extend(flat.iter().cloned());
                }
                let new = if flat.len() < FEW { !flat.contains(ty) } else { many.insert(ty.clone()) };
                if new {
                    flat.push(ty.clone());
                }
            }
        }
        if let Some(all) = flat.iter().find(|t| matches!(t, Self::Any | Self::Error)) {
            return all.clone();
        }
        // a literal says nothing beside the type it belongs to
        let has = |ty: &Self| flat.contains(ty);
        let (text, number, boolean) = (has(&Self::String), has(&Self::Float), has(&Self::Bool));
        flat.retain(|ty| match ty {
            Self::Literal(value) => match **value {
                Json::String(_) => !text,
                Json::Number(_) => !number,
                Json::Bool(_) => !boolean,
                _ => true,
            },
            _ => true,
        });
        if null {
            flat.push(Self::Null);
        }
        match flat.len() {
            0 => Self::Any,
            1 => flat.remove(0),
            _ => Self::Union(flat.into()),
        }
    }

    /// This type, or null.
    #[must_use]
    pub fn optional(self) -> Self {
        Self::union([self, Self::Null])
    }

    /// Whether the type is this name, or has the name as a member of a union or inside a secret.
    pub(crate) fn names_directly(&self, name: &str) -> bool {
        let mut open = vec![self];
        while let Some(ty) = open.pop() {
            match ty {
                Self::Named(other) if other.as_ref() == name => return true,
                Self::Union(members) => open.extend(members.iter()),
                Self::Secret(inner) => open.push(inner),
                _ => {}
            }
        }
        false
    }

    /// Whether the type has at most this many parts, nested at most 32 deep.
    pub(crate) fn is_small(&self, parts: usize) -> bool {
        let mut open: Vec<(&Self, u8)> = vec![(self, 0)];
        let mut left = parts;
        while let Some((ty, depth)) = open.pop() {
            if left == 0 || depth > 32 {
                return false;
            }
            left -= 1;
            match ty {
                Self::List(inner) | Self::Map(inner) | Self::Secret(inner) => open.push((inner, depth + 1)),
                Self::Union(members) => open.extend(members.iter().map(|m| (m, depth + 1))),
                Self::Record(record) => open.extend(record.parts().map(|(_, t)| (t, depth + 1))),
                _ => {}
            }
        }
        true
    }

    /// A list of this type.
    #[must_use]
    pub fn list(self) -> Self {
        Self::List(Arc::new(self))
    }

    /// A record of these fields.
    pub fn record<'n>(fields: impl IntoIterator<Item = (&'n str, Self)>) -> Self {
        Self::Record(Arc::new(Record::new(fields.into_iter().map(|(n, t)| (n.into(), t)))))
    }

    /// The type of a JSON Schema (2020-12). A constraint that the type language cannot express becomes a wider type,
    /// perhaps [`Type::Any`]. References into `$defs` are followed. A recursive reference becomes [`Type::Any`], and so
    /// does a schema of more than 400,000 parts. An object without `additionalProperties: false` may have further
    /// fields.
    pub fn from_schema(schema: &Json) -> Self {
        schema::read(schema, true).unwrap_or(Self::Any)
    }

    /// As [`Type::from_schema`], for a schema derived from a program's own type, as schemars does. An object has only
    /// its named fields, unless the schema declares others.
    pub fn from_derived_schema(schema: &Json) -> Self {
        schema::read(schema, false).unwrap_or(Self::Any)
    }

    /// As [`Type::from_schema`], but a schema that is too large is an error, and a recursive part is a named type.
    /// `name` returns the name for a reference.
    pub(crate) fn read_schema(
        schema: &Json,
        name: &mut dyn FnMut(&str) -> Arc<str>,
    ) -> Result<WithNames, TooLarge> {
        schema::read_with_names(schema, name)
    }

    /// As [`Type::from_schema`], but references into `$defs` stay names with the prefix `scope`. Their definitions go
    /// to `types`.
    pub(crate) fn from_schema_named(schema: &Json, scope: &str, types: &mut Types) -> Self {
        schema::read_named(schema, scope, types).unwrap_or(Self::Any)
    }

    /// The JSON Schema (2020-12) of the type without `$schema`; named types go to `$defs`.
    pub fn to_schema(&self, types: &Types) -> Json {
        schema::write(self, types)
    }

    /// Reads a type expression such as `list<Rung>?`.
    ///
    /// # Errors
    /// The range of bytes and the reason of the fault.
    pub fn parse(text: &str) -> Result<Self, (std::ops::Range<usize>, String)> {
        parse::parse(text).map(|(ty, _)| ty)
    }
}

/// Names of the built-in scalar types.
pub(crate) fn scalar_names() -> impl Iterator<Item = &'static str> {
    parse::SCALARS.iter().map(|(name, _)| *name)
}

/// Reads a type expression, and returns the places of its names.
pub(crate) use parse::parse as parse_expr;

#[cfg(test)]
mod tests;
