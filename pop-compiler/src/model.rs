//! The resolved workflow: every name in it is bound. `resolve` makes it, `check` adds the order and the types, and the
//! rules and `lower` read it.

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
    /// Names of types that something names.
    pub(crate) used_types: &'a HashSet<String>,
    /// For each input, whether something refers to it.
    pub(crate) used_inputs: Vec<bool>,
    /// Operations that names which mean nothing were probably meant to name.
    pub(crate) meant: Vec<usize>,
    /// Whether such a name may have meant any of them.
    pub(crate) unclear: bool,
    /// How the name of each operation begins; comparing these spares nearly all looks at the names, which lie far apart.
    pub(crate) beginnings: Vec<u128>,
    /// Placeholders of other languages that name something: where, as written, and what to write.
    pub(crate) foreign: Vec<Meant>,
    /// Whether something is filled in before it runs: inputs, POP's own tokens, fan-outs, sub-workflows.
    pub(crate) fills: bool,
    /// Where each reference stands.
    pub(crate) mentions: Vec<Mention>,
    /// What each reference stands for, by its number.
    pub(crate) targets: Vec<Target>,
    /// The type of each reference, by its number.
    pub(crate) references: Vec<Type>,
    /// References to a field of any type that need not be there, by their numbers.
    pub(crate) perhaps: RefCell<HashSet<u32>>,
    /// How many more alternatives of unions are tried; a bound for hostile files.
    pub(crate) tries: Cell<u32>,
    /// How many more names are compared to guess what was meant.
    pub(crate) guesses: Guesses,
}

impl Model<'_> {
    pub(crate) fn types(&self) -> &Types {
        &self.catalog.types
    }
}

/// A placeholder of another language that names something which is known here.
pub(crate) struct Meant {
    pub(crate) span: Span,
    pub(crate) shown: String,
    pub(crate) right: String,
    /// Whether it could be replaced by that.
    pub(crate) certain: bool,
}
