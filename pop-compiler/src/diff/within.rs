//! Whether all values of one type are values of another, from the view of the server or of a client. The check is
//! stricter than assignability: `any` is only as wide as itself, and a number of bytes is not negative.

use std::collections::HashSet;

use serde_json::Value as Json;

use crate::types::{Record, Type, Types};

/// The reader of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// The server, which rejects undeclared fields of submitted inputs.
    Takes,
    /// A client, which ignores unknown fields.
    Reads,
}

/// Deepest nesting; a deeper type fits nothing.
const MAX_DEPTH: usize = 128;

/// Most comparisons; a larger type fits nothing.
const STEPS: u32 = 1_000_000;

/// Whether all values of `from` are valid for `to`. The answer may be a wrong no where only several alternatives
/// together cover a type in `from`.
pub(super) fn within(from: &Type, to: &Type, types: &Types, who: Who) -> bool {
    Within { types, who, steps: STEPS, known: HashSet::new(), trail: Vec::new() }.at(from, to, 0)
}

struct Within<'t> {
    types: &'t Types,
    who: Who,
    steps: u32,
    /// Pairs assumed to fit during their comparison and after it.
    known: HashSet<(&'t Type, &'t Type)>,
    /// The pairs of `known` in their order.
    trail: Vec<(&'t Type, &'t Type)>,
}

impl<'t> Within<'t> {
    /// Recursion is bounded by [`MAX_DEPTH`].
    fn at(&mut self, from: &'t Type, to: &'t Type, depth: usize) -> bool {
        let Some(left) = self.steps.checked_sub(1).filter(|_| depth <= MAX_DEPTH) else { return false };
        self.steps = left;
        if from == to && !matches!(from, Type::Named(_)) {
            return true;
        }
        let named = matches!(from, Type::Named(_)) || matches!(to, Type::Named(_));
        if named && !self.known.insert((from, to)) {
            return true;
        }
        let before = self.trail.len();
        if named {
            self.trail.push((from, to));
        }
        let fits = self.compare(self.types.resolve(from), self.types.resolve(to), depth + 1);
        if named && !fits {
            // what was found since may lean on this pair
            for pair in self.trail.drain(before..) {
                self.known.remove(&pair);
            }
        }
        fits
    }

    fn compare(&mut self, from: &'t Type, to: &'t Type, depth: usize) -> bool {
        match (from, to) {
            (_, Type::Any | Type::Error) => true,
            (Type::Secret(inner), _) => self.at(inner, to, depth),
            (_, Type::Secret(inner)) => self.at(from, inner, depth),
            (Type::Union(members), _) => members.iter().all(|member| self.at(member, to, depth)),
            (_, Type::Union(members)) => {
                members.iter().any(|member| self.at(from, member, depth)) || self.halves(from, members, depth)
            }
            (Type::List(a), Type::List(b)) | (Type::Map(a), Type::Map(b)) => self.at(a, b, depth),
            (Type::Record(a), Type::Map(b)) => a.parts().all(|(_, ty)| self.at(ty, b, depth)),
            (Type::Map(a), Type::Record(b)) => {
                b.iter().all(|(_, ty)| self.types.accepts_null(ty) && self.at(a, ty, depth))
                    && self.further(a, b, depth)
            }
            (Type::Record(a), Type::Record(b)) => self.record(a, b, depth),
            (Type::Literal(value), _) if !matches!(to, Type::Record(_) | Type::Map(_) | Type::List(_)) => {
                self.types.accepts(to, value)
            }
            _ => from == to || is_wider(from, to),
        }
    }

    fn record(&mut self, a: &'t Record, b: &'t Record, depth: usize) -> bool {
        let known = b.iter().all(|(name, ty)| match a.get(name) {
            Some(found) => self.at(found, ty, depth),
            None => self.types.accepts_null(ty) && a.rest().is_none_or(|rest| self.at(rest, ty, depth)),
        });
        known
            && a.parts()
                .filter(|(name, _)| name.is_none_or(|name| b.get(name).is_none()))
                .all(|(_, ty)| self.further(ty, b, depth))
    }

    /// Whether an undeclared field of `to` may be present.
    fn further(&mut self, ty: &'t Type, to: &'t Record, depth: usize) -> bool {
        match to.rest() {
            Some(rest) => self.at(ty, rest, depth),
            None => self.who == Who::Reads,
        }
    }

    /// Whether a type that consists of another's halves fits a union with a place for each half.
    fn halves(&mut self, from: &'t Type, members: &'t [Type], depth: usize) -> bool {
        let has = |value: bool| members.iter().any(|m| self.types.accepts(m, &Json::Bool(value)));
        match from {
            Type::Bool => has(true) && has(false),
            Type::Bytes => [&Type::Int, &Type::String]
                .iter()
                .all(|half| members.iter().any(|member| self.at(half, member, depth))),
            _ => false,
        }
    }
}

/// Whether a type without parts contains another one with a form.
fn is_wider(from: &Type, to: &Type) -> bool {
    matches!(
        (from, to),
        (Type::Int, Type::Float)
            | (Type::Url | Type::Path | Type::Duration | Type::Datetime, Type::String)
            | (Type::String | Type::Url | Type::Duration | Type::Datetime, Type::Path)
    )
}
