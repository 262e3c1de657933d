//! The states of agendas and operations, and why something failed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The states of an agenda.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum AgendaState {
    /// Accepted; waits for its turn in its insight (or is held by `doNotRun`).
    Ready,
    /// In its insight's queue; the next pull takes it.
    Queued,
    /// Handed to a pool that has not started it yet.
    Leased,
    /// At least one operation has started.
    Executing,
    /// Every operation ended well or was skipped by its own condition.
    Succeeded,
    /// At least one operation failed.
    Failed,
    /// A client cancelled the operation or its agenda.
    Cancelled,
    /// A state of a newer server. It is neither an end nor a place to act on: go on watching.
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

impl AgendaState {
    /// Whether the state is final, short of a rerun. For an unknown state see
    /// [`AgendaView::has_ended`](super::AgendaView::has_ended).
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Queued => "queued",
            Self::Leased => "leased",
            Self::Executing => "executing",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Unknown => "unknown",
        }
    }
}

/// The states of an operation.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum OperationState {
    /// Its inputs do not all exist yet.
    #[default]
    Waiting,
    /// Its inputs exist; it waits for resources or for its retry delay.
    Ready,
    /// Being started.
    Launching,
    /// Runs.
    Executing,
    /// Ended well; its output is stored.
    Succeeded,
    /// Ended badly, and no attempt is left.
    Failed,
    /// Did not run: its condition was false, or something it needs did not succeed.
    Skipped,
    /// Stopped by a cancel.
    Cancelled,
    /// A state of a newer server. It is neither an end nor a place to act on: go on watching.
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

impl OperationState {
    /// Whether the operation will not run (again) by itself.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Skipped | Self::Cancelled)
    }

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Ready => "ready",
            Self::Launching => "launching",
            Self::Executing => "executing",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
            Self::Unknown => "unknown",
        }
    }
}

/// Who should act on a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FailureClass {
    /// The program failed by its own doing: its author.
    User,
    /// The program failed by its own doing, and says that it would fail again: its author. It is not tried again.
    UserFatal,
    /// The program ran longer than its `timeout`: its author.
    UserTimeout,
    /// It asked for less than it needed: its author.
    UserResource,
    /// The machine, node or network failed: nobody, it is tried again elsewhere.
    Infra,
    /// There was no room: nobody, it waits.
    Capacity,
    /// A missing program, image or setting: the people who configured the pool or the operation type.
    Config,
    /// An internal error of POP.
    Platform,
    /// A rule forbids it: the operator.
    Policy,
    /// A class of a newer server. The failure's message says what to do.
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

impl FailureClass {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::UserFatal => "user-fatal",
            Self::UserTimeout => "user-timeout",
            Self::UserResource => "user-resource",
            Self::Infra => "infra",
            Self::Capacity => "capacity",
            Self::Config => "config",
            Self::Platform => "platform",
            Self::Policy => "policy",
            Self::Unknown => "unknown",
        }
    }

    /// The word by which an operation's `retry.on` names a failure of this class. No setting says `fatal`.
    pub fn cause(self) -> &'static str {
        match self {
            Self::User | Self::UserResource => "error",
            Self::UserFatal | Self::Unknown => "fatal",
            Self::UserTimeout => "timeout",
            Self::Infra | Self::Capacity => "evicted",
            Self::Config | Self::Policy | Self::Platform => "config",
        }
    }
}

/// Why an operation or an agenda failed, with the evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// Who should act.
    pub class: FailureClass,
    /// A name for the case, such as `ExitCode`, `ProgramNotFound`, `Timeout`, `OutputInvalid`.
    pub code: String,
    /// Why the operation failed and what to do, for people.
    pub message: String,
    /// The operation that failed first, for a failed agenda.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The program's exit code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// The signal that ended the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// The last lines of standard error (of the log, if there was none), ten at most.
    #[serde(default, skip_serializing_if = "<[String]>::is_empty")]
    pub log_tail: Box<[String]>,
    /// What is wrong with an output that its type does not allow (`OutputMissing`, `OutputInvalid`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mismatch: Option<Box<Mismatch>>,
}

/// A value that is not of its declared type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mismatch {
    /// Where in the output: `n`, `list[3].name`; empty for the output as a whole.
    pub field: String,
    /// The declared type, as the workflow language writes it, such as `int`.
    pub expected: String,
    /// The value at that place as JSON, shortened; `nothing` for an absent field. A secret is never quoted.
    pub found: String,
}
