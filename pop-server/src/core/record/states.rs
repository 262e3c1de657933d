//! The states of agendas and operations, and the failure classes, with one table of names each. The database and the
//! API use these names.

/// Declares an enum with the one table of its names.
macro_rules! names {
    ($(#[$meta:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$of])* $variant,)*
        }

        impl $name {
            /// All variants.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// The variant of a name.
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
        /// The server accepted the agenda, which waits for its turn in its insight or is on hold.
        Ready = "ready",
        /// The agenda is in its insight's queue.
        Queued = "queued",
        /// A pool has the agenda, and has not started any operation.
        Leased = "leased",
        /// At least one operation has started.
        Executing = "executing",
        /// Every operation succeeded or was skipped by its own condition.
        Succeeded = "succeeded",
        /// At least one operation failed.
        Failed = "failed",
        /// A client cancelled the agenda.
        Cancelled = "cancelled",
    }
);

impl AgendaState {
    /// Whether only a rerun can change the agenda.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

names!(
    /// The states of an operation.
    #[derive(Default)]
    OperationState {
        /// Not all inputs exist yet.
        #[default]
        Waiting = "waiting",
        /// All inputs exist; the operation waits for resources or for its retry delay.
        Ready = "ready",
        /// The pool starts the operation.
        Launching = "launching",
        /// The operation's program runs.
        Executing = "executing",
        /// The operation succeeded; its output is stored.
        Succeeded = "succeeded",
        /// The operation failed, and no attempt is left.
        Failed = "failed",
        /// The operation did not run.
        Skipped = "skipped",
        /// A cancel stopped the operation.
        Cancelled = "cancelled",
    }
);

impl OperationState {
    /// Whether only a rerun can change the operation.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Skipped | Self::Cancelled)
    }
}

names!(
    /// The party that should act on a failure. The server keeps the class without a conclusion; the run machine draws
    /// one.
    FailureClass {
        /// The program's author.
        User = "user",
        /// The program's author; the operation gets no retry.
        UserFatal = "user-fatal",
        /// The program's author: the operation ran longer than its `timeout`.
        UserTimeout = "user-timeout",
        /// The program's author: the operation asked for less than it needed.
        UserResource = "user-resource",
        /// No party; the operation runs again elsewhere.
        Infra = "infra",
        /// No party; the operation waits.
        Capacity = "capacity",
        /// The people who configured the pool or the operation type.
        Config = "config",
        /// The developers of POP.
        Platform = "platform",
        /// The operator.
        Policy = "policy",
    }
);
