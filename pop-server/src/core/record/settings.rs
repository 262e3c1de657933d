//! What an operator has set, as it is stored.

use std::collections::BTreeMap;

use crate::scheduler::POLICIES;

/// A tenant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Customer {
    /// Its id.
    pub id: String,
    /// A label.
    pub title: Option<String>,
    /// The pool that does its work.
    pub pool: String,
}

/// Machines that pull work.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pool {
    /// Its id.
    pub id: String,
    /// A label.
    pub title: Option<String>,
}

/// A rule that matches agendas, and the queue they go to.
#[derive(Clone, Debug, PartialEq)]
pub struct Insight {
    /// Its id.
    pub id: String,
    /// A label; `defaultInsight` may name it.
    pub title: Option<String>,
    /// The pool that serves it.
    pub pool: String,
    /// The values of each mapper.
    pub mappers: BTreeMap<String, Vec<String>>,
    /// Tried in this order, highest first; then by id.
    pub priority: i64,
    /// How many agendas wait in the queue at most, taken in fair order.
    pub queue_size: u32,
    /// The name of the policy that chooses what is next.
    pub algorithm: String,
    /// Customers that may use it; empty = all of the pool's.
    pub allowed_customers: Vec<String>,
}

impl Default for Insight {
    fn default() -> Self {
        Self {
            id: String::new(),
            title: None,
            pool: String::new(),
            mappers: BTreeMap::new(),
            priority: 0,
            queue_size: 4,
            algorithm: POLICIES[0].name.to_owned(),
            allowed_customers: Vec::new(),
        }
    }
}

/// One of the settings.
#[derive(Clone, Debug, PartialEq)]
pub enum Setting {
    /// A tenant.
    Customer(Customer),
    /// Machines.
    Pool(Pool),
    /// A rule.
    Insight(Insight),
}

impl Setting {
    /// Its id.
    pub fn id(&self) -> &str {
        match self {
            Self::Customer(customer) => &customer.id,
            Self::Pool(pool) => &pool.id,
            Self::Insight(insight) => &insight.id,
        }
    }
}
