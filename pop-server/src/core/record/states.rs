//! The states of agendas and operations, and the classes of failures: each with the one table of its names, which stand in
//! the database and on the wire.

/// An enum of names. The table is said once.
macro_rules! names {
    ($(#[$meta:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$of])* $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// What has this name.
            pub fn named(name: &str) -> Option<Self> {
                match name {
                    $($text => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

names!(
    /// The states of an agenda.
    AgendaState {
        /// Accepted; waits for its turn in its insight, or is held.
        Ready = "ready",
        /// In its insight's queue.
        Queued = "queued",
        /// Handed to a pool that has not started it yet.
        Leased = "leased",
        /// At least one operation has started.
        Executing = "executing",
        /// Every operation ended well or was skipped by its own condition.
        Succeeded = "succeeded",
        /// At least one operation failed.
        Failed = "failed",
        /// Cancelled by a client.
        Cancelled = "cancelled",
    }
);

impl AgendaState {
    /// Whether nothing can happen any more, short of a rerun.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

names!(
    /// The states of an operation.
    #[derive(Default)]
    OperationState {
        /// Its inputs do not all exist yet.
        #[default]
        Waiting = "waiting",
        /// Its inputs exist; it waits for resources or for its retry delay.
        Ready = "ready",
        /// Being started.
        Launching = "launching",
        /// Runs.
        Executing = "executing",
        /// Ended well; its output is stored.
        Succeeded = "succeeded",
        /// Ended badly, and no attempt is left.
        Failed = "failed",
        /// Did not run.
        Skipped = "skipped",
        /// Stopped by a cancel.
        Cancelled = "cancelled",
    }
);

impl OperationState {
    /// Whether the operation will not run (again) by itself.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Skipped | Self::Cancelled)
    }
}

names!(
    /// Who should act on a failure. The server keeps the class and draws no conclusion from it; the run machine does.
    FailureClass {
        /// The program's author.
        User = "user",
        /// The program's author; the operation is not tried again.
        UserFatal = "user-fatal",
        /// The program's author: the operation ran longer than its `timeout`.
        UserTimeout = "user-timeout",
        /// The program's author: the operation asked for less than it needed.
        UserResource = "user-resource",
        /// Nobody; the operation is tried again elsewhere.
        Infra = "infra",
        /// Nobody; the operation waits.
        Capacity = "capacity",
        /// The people who configured the pool or the operation type.
        Config = "config",
        /// POP's own fault.
        Platform = "platform",
        /// The operator.
        Policy = "policy",
    }
);
