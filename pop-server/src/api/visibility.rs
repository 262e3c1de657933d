//! Who may see what: the one place that decides, before anything is read. There is no authentication yet, so there is
//! one kind of caller, and it sees everything.

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// Whoever runs the server.
    Operator,
}

impl Caller {
    /// Whether the caller may see what belongs to this customer. What it may not see does not exist for it.
    pub(super) fn may_see(self, _customer: &str) -> bool {
        match self {
            Self::Operator => true,
        }
    }

    /// Narrows the customer that a list asks for to what the caller may see.
    pub(super) fn scope(self, asked: Option<String>) -> Option<String> {
        match self {
            Self::Operator => asked,
        }
    }

    /// Whether the caller may see and change customers, pools and insights, and act as a pool.
    pub(super) fn may_operate(self) -> bool {
        match self {
            Self::Operator => true,
        }
    }
}
