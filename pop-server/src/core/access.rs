//! The actor of a command, and the scope of visible customers.

use std::collections::BTreeSet;
use std::fmt;

use crate::ids::{CustomerId, PoolId};

/// The actor behind a command.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Actor {
    /// The server itself, after some time or with a new database.
    Server,
    /// The operator of the server. Without authentication every caller is an operator.
    Operator,
    /// An agent of a pool.
    Agent {
        /// The agent's pool.
        pool: PoolId,
        /// The agent's stable name.
        worker: String,
    },
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server => f.write_str("server"),
            Self::Operator => f.write_str("operator"),
            Self::Agent { pool, worker } => write!(f, "agent {worker} of pool {pool}"),
        }
    }
}

/// The customers whose things a caller may see and change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All customers.
    All,
    /// These customers.
    Customers(BTreeSet<CustomerId>),
}

impl Scope {
    /// Whether the scope contains a customer. A thing outside the scope does not exist for the caller.
    pub fn contains(&self, customer: &str) -> bool {
        match self {
            Self::All => true,
            Self::Customers(customers) => customers.contains(customer),
        }
    }

    /// The scope restricted to one customer.
    #[must_use]
    pub fn narrowed(self, customer: Option<&str>) -> Self {
        match customer {
            None => self,
            Some(customer) if self.contains(customer) => {
                Self::Customers(BTreeSet::from([CustomerId::from(customer)]))
            }
            Some(_) => Self::Customers(BTreeSet::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_never_grows() {
        let some = Scope::Customers(["a", "b"].map(CustomerId::from).into());
        assert!(some.contains("a") && !some.contains("c"));
        assert_eq!(some.clone().narrowed(None), some);
        assert_eq!(some.clone().narrowed(Some("a")), Scope::Customers([CustomerId::from("a")].into()));
        assert_eq!(some.narrowed(Some("c")), Scope::Customers(BTreeSet::new()));
        assert_eq!(Scope::All.narrowed(Some("c")), Scope::Customers([CustomerId::from("c")].into()));
    }
}
