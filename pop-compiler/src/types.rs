//! The type language. Parsing, printing, JSON Schema and assignability are in the modules below; this file holds the
//! types themselves.

mod assign;
mod formats;
mod literal;
mod parse;
mod print;
mod schema;

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::source::Spanned;

pub(crate) use assign::{Mismatch, type_of};

/// A type of the workflow language.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// Anything; nothing is checked.
    Any,
    /// The type of something that has already been reported; it fits everything, so one fault gives one finding.
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
    Literal(Json),
    /// A list of one item type.
    List(Arc<Type>),
    /// An object with any keys and one value type.
    Map(Arc<Type>),
    /// An object with known fields.
    Record(Arc<Record>),
    /// One of these; made by [`Type::union`], so flat, without doubles, null last, two or more.
    Union(Arc<[Type]>),
    /// A type by its name; what it is stands in [`Types`].
    Named(Arc<str>),
    /// A value that must not be shown.
    Secret(Arc<Type>),
}

/// The fields of a record, sorted by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    fields: Vec<(Arc<str>, Type)>,
}

impl Record {
    /// A record of these fields; of two with the same name the first stays.
    pub fn new(fields: impl IntoIterator<Item = (Arc<str>, Type)>) -> Self {
        let mut fields: Vec<_> = fields.into_iter().collect();
        fields.sort_by(|a, b| a.0.cmp(&b.0));
        fields.dedup_by(|later, first| later.0 == first.0);
        Self { fields }
    }

    /// The type of a field.
    pub fn get(&self, name: &str) -> Option<&Type> {
        self.fields.binary_search_by(|(n, _)| n.as_ref().cmp(name)).ok().map(|i| &self.fields[i].1)
    }

    /// The fields, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Type)> {
        self.fields.iter().map(|(n, t)| (n.as_ref(), t))
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}

/// The named types that are in scope.
#[derive(Clone, Debug, Default)]
pub struct Types {
    named: HashMap<Arc<str>, Type>,
    /// Whether a secret is anywhere; what has none need not be searched for them.
    pub(crate) secrets: bool,
}

impl Types {
    /// Defines `name`, and gives back what it meant before.
    pub fn define(&mut self, name: impl Into<Arc<str>>, ty: Type) -> Option<Type> {
        self.named.insert(name.into(), ty)
    }

    /// What `name` means.
    pub fn get(&self, name: &str) -> Option<&Type> {
        self.named.get(name)
    }

    /// All names, in no particular order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.named.keys().map(AsRef::as_ref)
    }

    /// `ty` without a name in front; an unknown name, or a name that only means itself, is [`Type::Error`].
    pub fn resolve<'t>(&'t self, ty: &'t Type) -> &'t Type {
        let mut ty = ty;
        for _ in 0..=self.named.len() {
            match ty {
                Type::Named(name) => match self.get(name) {
                    Some(meaning) => ty = meaning,
                    None => return &Type::Error,
                },
                other => return other,
            }
        }
        &Type::Error
    }

    /// Whether a name means itself without a list, a map or a record in between, so that it means nothing.
    pub(crate) fn is_circular(&self, name: &str) -> bool {
        let mut seen: Vec<&str> = Vec::new();
        let mut open: Vec<&Type> = self.get(name).into_iter().collect();
        while let Some(ty) = open.pop() {
            match ty {
                Type::Named(other) if other.as_ref() == name => return true,
                Type::Named(other) if !seen.contains(&other.as_ref()) => {
                    seen.push(other);
                    open.extend(self.get(other));
                }
                Type::Union(members) => open.extend(members.iter()),
                Type::Secret(inner) => open.push(inner),
                _ => {}
            }
        }
        false
    }

    /// Where in a value of this type a secret is, such as `.login.token`; empty when the value itself is one.
    pub(crate) fn secret_in(&self, ty: &Type) -> Option<String> {
        let mut seen: Vec<&str> = Vec::new();
        let mut open: Vec<(&Type, String)> = vec![(ty, String::new())];
        while self.secrets
            && let Some((ty, path)) = open.pop()
        {
            match ty {
                Type::Secret(_) => return Some(path),
                Type::Named(name) if !seen.contains(&name.as_ref()) => {
                    seen.push(name);
                    open.extend(self.get(name).map(|ty| (ty, path)));
                }
                Type::List(item) => open.push((item, format!("{path}[0]"))),
                Type::Map(item) => open.push((item, format!("{path}.*"))),
                Type::Union(members) => open.extend(members.iter().map(|m| (m, path.clone()))),
                Type::Record(record) => {
                    open.extend(record.iter().map(|(name, ty)| (ty, format!("{path}.{name}"))));
                }
                _ => {}
            }
        }
        None
    }

    /// Whether null is a value of this type, or its absence is allowed.
    pub fn accepts_null(&self, ty: &Type) -> bool {
        match self.resolve(ty) {
            Type::Any | Type::Error | Type::Null => true,
            Type::Union(members) => members.iter().any(|m| self.accepts_null(m)),
            Type::Secret(inner) => self.accepts_null(inner),
            _ => false,
        }
    }
}

/// A type as it was written, with the names in it.
#[derive(Clone, Debug)]
pub(crate) struct TypeExpr {
    pub(crate) ty: Type,
    pub(crate) names: Vec<Spanned<Arc<str>>>,
}

impl Type {
    /// One of these types, in normal form.
    pub fn union(members: impl IntoIterator<Item = Self>) -> Self {
        let mut flat: Vec<Self> = Vec::new();
        let mut null = false;
        for member in members {
            let inner: &[Self] = match &member {
                Self::Union(inner) => inner,
                other => std::slice::from_ref(other),
            };
            for ty in inner {
                if *ty == Self::Null {
                    null = true;
                } else if !flat.contains(ty) {
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
            Self::Literal(Json::String(_)) => !text,
            Self::Literal(Json::Number(_)) => !number,
            Self::Literal(Json::Bool(_)) => !boolean,
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

    /// This type without null.
    #[must_use]
    pub fn required(&self) -> Self {
        match self {
            Self::Union(members) => Self::union(members.iter().filter(|m| **m != Self::Null).cloned()),
            other => other.clone(),
        }
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
                Self::Record(record) => open.extend(record.fields.iter().map(|(_, t)| (t, depth + 1))),
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

    /// The type as a JSON Schema (2020-12) takes it, such as schemars makes. What the type language can't say becomes
    /// [`Type::Any`]. References into `$defs` are followed; recursive ones become [`Type::Any`].
    pub fn from_schema(schema: &Json) -> Self {
        schema::read(schema)
    }

    /// The type as a JSON Schema (2020-12) without `$schema`; named types go to `$defs`.
    pub fn to_schema(&self, types: &Types) -> Json {
        schema::write(self, types)
    }

    /// Reads a type expression such as `list<Rung>?`.
    ///
    /// # Errors
    /// Where (in bytes) and why it is not a type.
    pub fn parse(text: &str) -> Result<Self, (std::ops::Range<usize>, String)> {
        parse::parse(text).map(|(ty, _)| ty)
    }
}

/// The names of the built-in scalar types.
pub(crate) fn scalar_names() -> impl Iterator<Item = &'static str> {
    parse::SCALARS.iter().map(|(name, _)| *name)
}

/// Reads a type expression and the places of the names in it.
pub(crate) use parse::parse as parse_expr;

#[cfg(test)]
mod tests;
