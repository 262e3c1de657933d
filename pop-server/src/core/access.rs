//! On whose behalf something happens, and whose things may be seen.

use std::collections::BTreeSet;
use std::fmt;

use crate::ids::{CustomerId, PoolId};

/// Who asks for a change.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Actor {
    /// The server itself: time has passed, or the database is new.
    Server,
    /// The operator of the server. Without authentication every caller is one.
    Operator,
    /// A pool's agent.
    Agent {
        /// Its pool.
        pool: PoolId,
        /// Its stable name.
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

/// Whose things a caller may see and change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everybody's.
    All,
    /// Those of these customers.
    Customers(BTreeSet<CustomerId>),
}

impl Scope {
    /// Whether something of this customer is inside. What is outside does not exist for the caller.
    pub fn contains(&self, customer: &str) -> bool {
        match self {
            Self::All => true,
            Self::Customers(customers) => customers.contains(customer),
        }
    }

    /// What is left of the scope where one customer is asked for.
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
