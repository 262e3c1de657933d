//! The resolved workflow: every name is bound. `resolve` builds the model, `check` adds the order and the types, and
//! the rules and `lower` read it.

mod operation;
mod unit;

use std::cell::{Cell, RefCell};
use std::collections::HashSet;

use crate::ast::{Input, Workflow};
use crate::catalog::Catalog;
use crate::source::{Mention, Span};
use crate::suggest::Guesses;
use crate::types::{Type, Types};
pub(crate) use operation::{Edge, Operation, Target};
pub(crate) use unit::Unit;

/// A workflow whose names are bound. `check` fills in the order and the types.
pub(crate) struct Model<'a> {
    pub(crate) workflow: &'a Workflow,
    pub(crate) catalog: &'a Catalog,
    pub(crate) inputs: &'a [Input],
    pub(crate) operations: Vec<Operation<'a>>,
    /// Operations whose outputs the workflow's outputs read.
    pub(crate) outputs: Vec<usize>,
    /// Names of types that other parts use.
    pub(crate) used_types: &'a HashSet<String>,
    /// For each input, whether a reference uses it.
    pub(crate) used_inputs: Vec<bool>,
    /// Operations that unknown names probably stand for.
    pub(crate) meant: Vec<usize>,
    /// Whether an unknown name may stand for any operation.
    pub(crate) unclear: bool,
    /// First bytes of each operation's name. Comparing these avoids most reads of the names, which lie far apart in
    /// memory.
    pub(crate) beginnings: Vec<u128>,
    /// Placeholders of other languages for known values: place, written form, and POP's form.
    pub(crate) foreign: Vec<Meant>,
    /// Whether the workflow needs expansion: inputs, native tokens, fan-outs or sub-workflows.
    pub(crate) fills: bool,
    /// Place of each reference.
    pub(crate) mentions: Vec<Mention>,
    /// Target of each reference, by its number.
    pub(crate) targets: Vec<Target>,
    /// The type of each reference, by its number.
    pub(crate) references: Vec<Type>,
    /// Numbers of the references to a field of any type that may be absent.
    pub(crate) perhaps: RefCell<HashSet<u32>>,
    /// Alternatives of unions that may still be tried; a bound for hostile files.
    pub(crate) tries: Cell<u32>,
    /// Comparisons of names that are left for suggestions.
    pub(crate) guesses: Guesses,
}

impl Model<'_> {
    pub(crate) fn types(&self) -> &Types {
        &self.catalog.types
    }
}

/// A placeholder of another language for a known value.
pub(crate) struct Meant {
    pub(crate) span: Span,
    pub(crate) shown: String,
    pub(crate) right: String,
    /// Whether an edit may replace the placeholder.
    pub(crate) certain: bool,
}
