//! An operation of a resolved workflow, what it waits for, and what references stand for.

use super::Unit;
use crate::ast;
use crate::catalog::OperationType;
use crate::source::Span;
use crate::types::Type;

/// An operation whose names are bound.
pub(crate) struct Operation<'a> {
    pub(crate) ast: &'a ast::Operation,
    /// Its operation type, unless that is unknown.
    pub(crate) kind: Option<&'a OperationType>,
    /// The workflow that stands here, if it is one.
    pub(crate) sub: Option<&'a Unit>,
    /// What it waits for; never itself.
    pub(crate) edges: Vec<Edge>,
    /// With `each`: the type of an item.
    pub(crate) item: Option<Type>,
    /// The type of the output of one item.
    pub(crate) output: Type,
    /// Whether it may be skipped.
    pub(crate) conditional: bool,
}

/// "Waits for".
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    pub(crate) to: usize,
    /// Where that is said.
    pub(crate) span: Span,
    /// Goes on when the other one is skipped.
    pub(crate) soft: bool,
    /// Said by `after`, not by a reference.
    pub(crate) order: bool,
}

/// What a reference starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// Already reported.
    Unknown,
    Operation(usize),
    /// The output of an item of a fan-out, as a native token names it: `encode.0`.
    Item(usize, u64),
    /// The outputs of all items of a fan-out: `encode.*`.
    Items(usize),
    /// All inputs as one object.
    Inputs,
    Input(usize),
    Each,
    EachIndex,
    RunId,
    RunCustomer,
}

impl Target {
    /// The operation whose output it is.
    pub(crate) fn operation(self) -> Option<usize> {
        match self {
            Self::Operation(i) | Self::Item(i, _) | Self::Items(i) => Some(i),
            _ => None,
        }
    }
}
