//! A workflow used as an operation of others.

use serde_json::Value as Json;

use crate::agenda::AgendaTemplate;
use crate::catalog::{Catalog, OperationType};
use crate::source::Places;
use crate::types::Types;

/// A compiled workflow from the view of others.
pub(crate) struct Unit {
    /// Inputs and outputs, with the workflow's own types.
    pub(crate) kind: OperationType,
    pub(crate) types: Types,
    pub(crate) catalog: Catalog,
    /// None for a workflow with errors.
    pub(crate) template: Option<AgendaTemplate>,
    /// Values of inputs that are absent or null.
    pub(crate) inputs: Vec<(String, Json)>,
    /// Places of its operations' names.
    pub(crate) places: Places,
    pub(crate) operations: usize,
}
