//! Whether every value of one type is a value of another; if not, a value that shows it.

use std::cell::Cell;

use serde_json::{Map, Value as Json};

use super::literal::{is_whole, same};
use super::{Type, Types};

/// Why a type does not fit another.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mismatch {
    /// Where inside the value, such as `.video.height`; empty for the value itself.
    pub(crate) path: String,
    /// A value the source may give there that the target refuses; `None` when a field is missing altogether.
    pub(crate) witness: Option<Json>,
    /// What the target takes there.
    pub(crate) expected: Type,
    /// A secret would go where it shows.
    pub(crate) leak: bool,
}

/// Types nested or unrolled further than this are taken to fit.
const MAX_DEPTH: usize = 64;

/// Comparisons that are made before types are taken to fit; see [`MAX_DEPTH`].
const STEPS: u32 = 100_000;

impl Types {
    /// Whether every value of `from` is a value of `to`.
    pub(crate) fn assign(&self, from: &Type, to: &Type) -> Result<(), Box<Mismatch>> {
        self.assign_at(from, to, &Cell::new(STEPS), 0)
    }

    /// Recursion is bounded by [`MAX_DEPTH`]: a recursive type that fits that far is taken to fit.
    fn assign_at(
        &self,
        from: &Type,
        to: &Type,
        steps: &Cell<u32>,
        depth: usize,
    ) -> Result<(), Box<Mismatch>> {
        steps.set(steps.get().saturating_sub(1));
        if depth > MAX_DEPTH || steps.get() == 0 || from == to {
            return Ok(());
        }
        let (source, target) = (self.resolve(from), self.resolve(to));
        let refuse = || {
            Err(Box::new(Mismatch {
                path: String::new(),
                witness: Some(sample(source, self)),
                expected: to.clone(),
                leak: matches!(source, Type::Secret(_)),
            }))
        };
        match (source, target) {
            (Type::Any | Type::Error, _) | (_, Type::Error) => Ok(()),
            (_, Type::Any) => self.shows(source, target),
            (Type::Union(members), _) => {
                members.iter().try_for_each(|m| self.assign_at(m, to, steps, depth + 1))
            }
            (_, Type::Secret(inner)) if *self.resolve(inner) == Type::Any => Ok(()),
            (Type::Secret(a), Type::Secret(b)) => self.assign_at(a, b, steps, depth + 1),
            (_, Type::Union(members)) => {
                let whole_bool = *source == Type::Bool
                    && [true, false].iter().all(|b| members.contains(&Type::Literal(Json::Bool(*b))));
                if whole_bool {
                    return Ok(());
                }
                let mut nearest = None;
                for member in members.iter() {
                    match self.assign_at(from, member, steps, depth + 1) {
                        Ok(()) => return Ok(()),
                        // the reason inside the only member of the same shape says more than "not one of these"
                        Err(m) if !m.path.is_empty() && nearest.is_none() => nearest = Some(m),
                        Err(_) => {}
                    }
                }
                nearest.map_or_else(refuse, Err)
            }
            (Type::Secret(_), _) => refuse(),
            (_, Type::Secret(inner)) => self.assign_at(from, inner, steps, depth + 1),
            (Type::Literal(a), Type::Literal(b)) if same(a, b) => Ok(()),
            (Type::Literal(value), target) if literal_fits(self, value, target) => Ok(()),
            (a, b) if a == b => Ok(()),
            (Type::Int, Type::Float | Type::Bytes)
            | (Type::Url | Type::Path | Type::Duration | Type::Datetime, Type::String)
            | (Type::String | Type::Url, Type::Path) => Ok(()),
            (Type::List(a), Type::List(b)) => {
                self.assign_at(a, b, steps, depth + 1).map_err(|m| inside("[0]", m))
            }
            (Type::Map(a), Type::Map(b)) => {
                self.assign_at(a, b, steps, depth + 1).map_err(|m| inside(".*", m))
            }
            (Type::Record(record), Type::Map(b)) => record.iter().try_for_each(|(name, ty)| {
                self.assign_at(ty, b, steps, depth + 1).map_err(|m| inside(&format!(".{name}"), m))
            }),
            (Type::Map(a), Type::Record(record)) => record.iter().try_for_each(|(name, ty)| {
                let path = format!(".{name}");
                if !self.accepts_null(ty) {
                    return Err(Box::new(Mismatch {
                        path,
                        witness: None,
                        expected: ty.clone(),
                        leak: false,
                    }));
                }
                self.assign_at(a, ty, steps, depth + 1).map_err(|m| inside(&path, m))
            }),
            (Type::Record(a), Type::Record(b)) => {
                b.iter().try_for_each(|(name, ty)| {
                    let path = format!(".{name}");
                    match a.get(name) {
                        Some(found) => {
                            self.assign_at(found, ty, steps, depth + 1).map_err(|m| inside(&path, m))
                        }
                        None if self.accepts_null(ty) => Ok(()),
                        None => {
                            Err(Box::new(Mismatch { path, witness: None, expected: ty.clone(), leak: false }))
                        }
                    }
                })?;
                // a field that is not asked for arrives all the same
                let others = a.iter().filter(|(name, _)| b.get(name).is_none());
                others.into_iter().try_for_each(|(name, ty)| {
                    self.shows(ty, &Type::Any).map_err(|m| inside(&format!(".{name}"), m))
                })
            }
            _ => refuse(),
        }
    }
}

impl Types {
    /// Refuses a type with a secret in it.
    fn shows(&self, ty: &Type, expected: &Type) -> Result<(), Box<Mismatch>> {
        match self.secret_in(ty) {
            None => Ok(()),
            Some(path) => {
                Err(Box::new(Mismatch { path, witness: None, expected: expected.clone(), leak: true }))
            }
        }
    }
}

fn literal_fits(types: &Types, value: &Json, target: &Type) -> bool {
    !matches!(target, Type::Record(_) | Type::Map(_) | Type::List(_)) && types.accepts(target, value)
}

fn inside(step: &str, mut mismatch: Box<Mismatch>) -> Box<Mismatch> {
    mismatch.path.insert_str(0, step);
    mismatch
}

/// A value of the type, the plainest there is.
pub(crate) fn sample(ty: &Type, types: &Types) -> Json {
    sample_at(ty, types, 0)
}

fn sample_at(ty: &Type, types: &Types, depth: usize) -> Json {
    if depth > 4 {
        return Json::Null;
    }
    match types.resolve(ty) {
        Type::Any | Type::Error | Type::Null | Type::Named(_) => Json::Null,
        Type::Bool => Json::Bool(true),
        Type::Int | Type::Bytes => Json::from(1),
        Type::Float => Json::from(0.5),
        Type::String => Json::from("some text"),
        Type::Url => Json::from("https://example.com"),
        Type::Path => Json::from("some/file"),
        Type::Duration => Json::from("1m"),
        Type::Datetime => Json::from("2026-01-01T00:00:00Z"),
        Type::Literal(value) => value.clone(),
        Type::List(item) => Json::Array(vec![sample_at(item, types, depth + 1)]),
        Type::Map(item) => {
            Json::Object(Map::from_iter([("key".to_owned(), sample_at(item, types, depth + 1))]))
        }
        Type::Record(record) => Json::Object(
            record
                .iter()
                .filter(|(_, t)| !types.accepts_null(t))
                .map(|(n, t)| (n.to_owned(), sample_at(t, types, depth + 1)))
                .collect(),
        ),
        Type::Union(members) => members.first().map_or(Json::Null, |m| sample_at(m, types, depth + 1)),
        Type::Secret(inner) => sample_at(inner, types, depth + 1),
    }
}

/// The type of a plain JSON value, as narrow as the language can say.
pub(crate) fn type_of(value: &Json) -> Type {
    match value {
        Json::Null => Type::Null,
        Json::Bool(_) | Json::String(_) => Type::Literal(value.clone()),
        Json::Number(n) if is_whole(n) => Type::Int,
        Json::Number(_) => Type::Float,
        Json::Array(items) => Type::union(items.iter().map(type_of)).list(),
        Json::Object(map) => Type::record(map.iter().map(|(k, v)| (k.as_str(), type_of(v)))),
    }
}
