//! Whether every value of one type is a value of another; if not, a value that proves the difference.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value as Json;

use super::literal::{is_whole, same};
use super::{Record, Type, Types, sample};

/// Why a type does not fit another.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mismatch {
    /// Place inside the value, such as `.video.height`; empty for the value itself.
    pub(crate) path: String,
    /// A possible value of the source that the target rejects; `None` for an absent field.
    pub(crate) witness: Option<Json>,
    /// Type of the target at that place.
    pub(crate) expected: Type,
    /// Whether a secret would be exposed.
    pub(crate) leak: bool,
}

/// Deepest nesting or unrolling; deeper types are assumed to fit.
const MAX_DEPTH: usize = 64;

/// Most comparisons; afterwards types are assumed to fit.
const STEPS: u32 = 1_000_000;

/// As [`STEPS`], for a half of a type.
const STEPS_OF_A_SPLIT: u32 = 10_000;

/// Smallest number of union members that are looked up before a comparison one by one.
const MANY: usize = 16;

impl Types {
    /// Whether every value of `from` is a value of `to`.
    pub(crate) fn assign(&self, from: &Type, to: &Type) -> Result<(), Box<Mismatch>> {
        Assign { types: self, steps: STEPS, known: HashMap::new() }.at(from, to, 0)
    }
}

/// One question whether a type fits another.
struct Assign<'t> {
    types: &'t Types,
    /// Comparisons that are left.
    steps: u32,
    /// Results for pairs of names. A pair under comparison is assumed to fit, so a recursive type fits another one
    /// unless a difference shows.
    known: HashMap<(&'t str, &'t str), Result<(), Box<Mismatch>>>,
}

/// Whether two types are the same without a comparison of their parts.
fn is_same(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::List(a), Type::List(b))
        | (Type::Map(a), Type::Map(b))
        | (Type::Secret(a), Type::Secret(b)) => Arc::ptr_eq(a, b),
        (Type::Record(a), Type::Record(b)) => Arc::ptr_eq(a, b),
        (Type::Union(a), Type::Union(b)) => Arc::ptr_eq(a, b),
        (Type::List(_) | Type::Map(_) | Type::Secret(_) | Type::Record(_) | Type::Union(_), _) => false,
        (a, b) => a == b,
    }
}

impl<'t> Assign<'t> {
    /// Recursion is bounded by [`MAX_DEPTH`].
    fn at(&mut self, from: &'t Type, to: &'t Type, depth: usize) -> Result<(), Box<Mismatch>> {
        self.steps = self.steps.saturating_sub(1);
        if depth > MAX_DEPTH || self.steps == 0 || is_same(from, to) {
            return Ok(());
        }
        let (Type::Named(a), Type::Named(b)) = (from, to) else { return self.compare(from, to, depth) };
        if let Some(known) = self.known.get(&(&**a, &**b)) {
            return known.clone();
        }
        self.known.insert((a, b), Ok(()));
        let found = self.compare(from, to, depth);
        if found.is_err() {
            self.known.insert((a, b), found.clone());
        }
        found
    }

    fn compare(&mut self, from: &'t Type, to: &'t Type, depth: usize) -> Result<(), Box<Mismatch>> {
        let types = self.types;
        let (source, target) = (types.resolve(from), types.resolve(to));
        match (source, target) {
            (Type::Any | Type::Error, _) | (_, Type::Error) => Ok(()),
            (_, Type::Any) => types.shows(source, target),
            (Type::Union(members), _) => self.each_member(members, to, target, depth),
            (_, Type::Secret(inner)) if *types.resolve(inner) == Type::Any => Ok(()),
            (Type::Secret(a), Type::Secret(b)) => self.at(a, b, depth + 1),
            (_, Type::Union(members)) => {
                if types.split_fits(source, to, STEPS_OF_A_SPLIT) {
                    return Ok(());
                }
                let mut nearest = None;
                for member in members.iter() {
                    // most are something else altogether, which needs no reason
                    if types.is_other(source, types.resolve(member)) {
                        self.steps = self.steps.saturating_sub(1);
                        continue;
                    }
                    match self.at(from, member, depth + 1) {
                        Ok(()) => return Ok(()),
                        // the reason inside the only member of the same shape says more than "not one of these"
                        Err(m) if !m.path.is_empty() && nearest.is_none() => nearest = Some(m),
                        Err(_) => {}
                    }
                }
                nearest.map_or_else(|| types.refuse(source, to), Err)
            }
            (Type::Secret(_), _) => types.refuse(source, to),
            (_, Type::Secret(inner)) => self.at(from, inner, depth + 1),
            (Type::List(a), Type::List(b)) => self.at(a, b, depth + 1).map_err(|m| inside("[0]", m)),
            (Type::Map(a), Type::Map(b)) => self.at(a, b, depth + 1).map_err(|m| inside(".*", m)),
            (Type::Record(record), Type::Map(b)) => record
                .parts()
                .try_for_each(|(name, ty)| self.at(ty, b, depth + 1).map_err(|m| inside(&step(name), m))),
            (Type::Map(a), Type::Record(record)) => {
                record.iter().try_for_each(|(name, ty)| self.perhaps(Some(a), name, ty, depth))?;
                self.further(None, a, record, depth)
            }
            (Type::Record(a), Type::Record(b)) => {
                b.iter().try_for_each(|(name, ty)| match a.get(name) {
                    Some(found) => self.at(found, ty, depth + 1).map_err(|m| inside(&step(Some(name)), m)),
                    None => self.perhaps(a.rest(), name, ty, depth),
                })?;
                let others = a.parts().filter(|(name, _)| name.is_none_or(|name| b.get(name).is_none()));
                others.into_iter().try_for_each(|(name, ty)| self.further(name, ty, b, depth))
            }
            (a, b) if types.scalar_fits(a, b) => Ok(()),
            _ => types.refuse(source, to),
        }
    }

    /// Whether a further field of the source may serve as the field `name` of the target.
    fn perhaps(
        &mut self,
        rest: Option<&'t Type>,
        name: &str,
        ty: &'t Type,
        depth: usize,
    ) -> Result<(), Box<Mismatch>> {
        if !self.types.accepts_null(ty) {
            return Err(absent(name, ty));
        }
        let Some(rest) = rest else { return Ok(()) };
        self.at(rest, ty, depth + 1).map_err(|m| inside(&step(Some(name)), m))
    }

    /// Whether an undeclared field of the target may arrive there.
    fn further(
        &mut self,
        name: Option<&str>,
        ty: &'t Type,
        to: &'t Record,
        depth: usize,
    ) -> Result<(), Box<Mismatch>> {
        match to.rest() {
            Some(rest) => self.at(ty, rest, depth + 1),
            None => self.types.shows(ty, &Type::Any),
        }
        .map_err(|m| inside(&step(name), m))
    }

    /// Whether each member of a union fits. Members that both unions share need no comparison.
    fn each_member(
        &mut self,
        members: &'t [Type],
        to: &'t Type,
        target: &'t Type,
        depth: usize,
    ) -> Result<(), Box<Mismatch>> {
        let there: HashSet<&Type> = match target {
            Type::Union(others) if others.len() >= MANY && members.len() >= MANY => {
                others.iter().filter(|other| is_scalar(other)).collect()
            }
            _ => HashSet::new(),
        };
        let others = members.iter().filter(|member| !(is_scalar(member) && there.contains(member)));
        others.into_iter().try_for_each(|member| self.at(member, to, depth + 1))
    }
}

/// Whether the type is a literal or a built-in type without parts.
fn is_scalar(ty: &Type) -> bool {
    !matches!(
        ty,
        Type::Any
            | Type::Error
            | Type::List(_)
            | Type::Map(_)
            | Type::Record(_)
            | Type::Union(_)
            | Type::Named(_)
            | Type::Secret(_)
    )
}

/// The fault of an absent required field.
#[expect(clippy::unnecessary_box_returns, reason = "it is handed on in a result, which is to stay small")]
fn absent(name: &str, expected: &Type) -> Box<Mismatch> {
    Box::new(Mismatch { path: format!(".{name}"), witness: None, expected: expected.clone(), leak: false })
}

impl Types {
    fn refuse(&self, source: &Type, to: &Type) -> Result<(), Box<Mismatch>> {
        Err(Box::new(Mismatch {
            path: String::new(),
            witness: Some(sample::witness(source, to, self)),
            expected: to.clone(),
            leak: matches!(source, Type::Secret(_)),
        }))
    }

    /// Whether a type (neither a union nor a secret) obviously fits no member of another one.
    fn is_other(&self, from: &Type, to: &Type) -> bool {
        match (from, to) {
            (_, Type::Any | Type::Error | Type::Union(_) | Type::Secret(_))
            | (Type::List(_), Type::List(_))
            | (Type::Map(_) | Type::Record(_), Type::Map(_) | Type::Record(_)) => false,
            (from, to) => !self.scalar_fits(from, to),
        }
    }

    /// Whether every value of one type without parts is a value of another.
    fn scalar_fits(&self, from: &Type, to: &Type) -> bool {
        match (from, to) {
            (Type::Literal(a), Type::Literal(b)) => same(b, a),
            (Type::Literal(value), target) => literal_fits(self, value, target),
            (Type::Int, Type::Float | Type::Bytes)
            | (Type::Url | Type::Path | Type::Duration | Type::Datetime, Type::String)
            | (Type::String | Type::Url | Type::Duration | Type::Datetime, Type::Path) => true,
            (a, b) => is_scalar(a) && a == b,
        }
    }
}

impl Types {
    /// Whether a type that consists of another's halves fits a union with a place for each half.
    fn split_fits(&self, source: &Type, to: &Type, steps: u32) -> bool {
        let halves = match source {
            Type::Bool => [true, false].map(|half| Type::Literal(Json::Bool(half).into())),
            Type::Bytes => [Type::Int, Type::String],
            _ => return false,
        };
        halves.iter().all(|half| Assign { types: self, steps, known: HashMap::new() }.at(half, to, 0).is_ok())
    }

    /// Rejects a type with a secret.
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

/// The step into a field; `.*` for unnamed fields.
fn step(name: Option<&str>) -> String {
    format!(".{}", name.unwrap_or("*"))
}

#[expect(clippy::unnecessary_box_returns, reason = "it is handed on in a result, which is to stay small")]
fn inside(step: &str, mut mismatch: Box<Mismatch>) -> Box<Mismatch> {
    mismatch.path.insert_str(0, step);
    mismatch
}

/// The narrowest type of a plain JSON value.
pub(crate) fn type_of(value: &Json) -> Type {
    match value {
        Json::Null => Type::Null,
        Json::Bool(_) | Json::String(_) => Type::Literal(value.clone().into()),
        Json::Number(n) if is_whole(n) => Type::Int,
        Json::Number(_) => Type::Float,
        Json::Array(items) => Type::union(items.iter().map(type_of)).list(),
        Json::Object(map) => Type::record(map.iter().map(|(k, v)| (k.as_str(), type_of(v)))),
    }
}
