//! A workflow that stands as an operation of others.

use serde_json::Value as Json;

use crate::agenda::AgendaTemplate;
use crate::catalog::{Catalog, OperationType};
use crate::source::Places;
use crate::types::Types;

/// A compiled workflow as others see it.
pub(crate) struct Unit {
    /// Its inputs and outputs, in terms of its own types.
    pub(crate) kind: OperationType,
    pub(crate) types: Types,
    pub(crate) catalog: Catalog,
    /// None when it has errors.
    pub(crate) template: Option<AgendaTemplate>,
    /// What its inputs are when nothing, or null, is given.
    pub(crate) inputs: Vec<(String, Json)>,
    /// Where each of its operations was named.
    pub(crate) places: Places,
    pub(crate) operations: usize,
}
