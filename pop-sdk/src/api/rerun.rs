//! Running an ended agenda again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::AgendaView;

/// What runs again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Rerun {
    /// What has not succeeded; what has keeps its output.
    #[default]
    Continue,
    /// Everything.
    All,
    /// These operations, and all that depend on them.
    Operations(Vec<String>),
}

/// What runs again, on the wire.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RerunRequest {
    /// How it is said what runs again.
    pub mode: RerunMode,
    /// The operations to begin with; only for the mode `operations`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<String>,
}

/// How it is said what runs again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RerunMode {
    /// What has not succeeded.
    #[default]
    Continue,
    /// Everything.
    All,
    /// Some operations and all that depend on them.
    Operations,
}

impl From<Rerun> for RerunRequest {
    fn from(rerun: Rerun) -> Self {
        match rerun {
            Rerun::Continue => Self { mode: RerunMode::Continue, operations: Vec::new() },
            Rerun::All => Self { mode: RerunMode::All, operations: Vec::new() },
            Rerun::Operations(operations) => Self { mode: RerunMode::Operations, operations },
        }
    }
}

/// What running an agenda again did to its operations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[non_exhaustive]
pub struct Again {
    /// These begin anew, by name. An event for each follows.
    pub reset: Vec<String>,
    /// These are no longer there: what made them begins anew, and may make others.
    pub removed: Vec<String>,
}

impl Again {
    /// What begins anew, and what is gone.
    pub fn new(reset: Vec<String>, removed: Vec<String>) -> Self {
        Self { reset, removed }
    }
}

/// An agenda that runs again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct RerunResponse {
    /// Events after this number belong to the rerun.
    pub after: u64,
    /// The operations that run again, by name.
    pub reset: Vec<String>,
    /// The agenda now.
    pub agenda: AgendaView,
}

impl RerunResponse {
    /// The agenda now, what of it runs again, and the last event before that.
    pub fn new(after: u64, reset: Vec<String>, agenda: AgendaView) -> Self {
        Self { after, reset, agenda }
    }
}
