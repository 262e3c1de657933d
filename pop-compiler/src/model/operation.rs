//! An operation of a resolved workflow, its dependencies, and the targets of references.

use super::Unit;
use crate::ast;
use crate::catalog::OperationType;
use crate::source::Span;
use crate::types::Type;

/// An operation whose names are bound.
pub(crate) struct Operation<'a> {
    pub(crate) ast: &'a ast::Operation,
    /// The operation type; none if unknown.
    pub(crate) kind: Option<&'a OperationType>,
    /// The sub-workflow, if the operation is one.
    pub(crate) sub: Option<&'a Unit>,
    /// Dependencies; never the operation itself.
    pub(crate) edges: Vec<Edge>,
    /// With `each`: type of an item.
    pub(crate) item: Option<Type>,
    /// Type of one item's output.
    pub(crate) output: Type,
    /// Whether it may be skipped.
    pub(crate) conditional: bool,
}

/// A dependency.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    pub(crate) to: usize,
    /// Place of the mention.
    pub(crate) span: Span,
    /// Whether the operation runs even if the other one is skipped.
    pub(crate) soft: bool,
    /// Whether `after` causes the dependency, and not a reference.
    pub(crate) order: bool,
}

/// Start of a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// Already reported.
    Unknown,
    Operation(usize),
    /// Output of a fan-out's item, as a native token names it: `encode.0`.
    Item(usize, u64),
    /// Outputs of all items of a fan-out: `encode.*`.
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
    /// The operation that gives the output.
    pub(crate) fn operation(self) -> Option<usize> {
        match self {
            Self::Operation(i) | Self::Item(i, _) | Self::Items(i) => Some(i),
            _ => None,
        }
    }
}
