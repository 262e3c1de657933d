//! The operator's settings, as the store keeps them.

use std::collections::BTreeMap;

use crate::scheduler::POLICIES;

/// A tenant: the owner of agendas.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Customer {
    /// The customer's id.
    pub id: String,
    /// A label for people.
    pub title: Option<String>,
    /// The pool that runs the customer's agendas.
    pub pool: String,
}

/// Machines that pull the agendas of some customers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pool {
    /// The pool's id.
    pub id: String,
    /// A label for people.
    pub title: Option<String>,
}

/// A rule that matches agendas, and the queue of the matching agendas.
#[derive(Clone, Debug, PartialEq)]
pub struct Insight {
    /// The insight's id.
    pub id: String,
    /// A label; `defaultInsight` may name it.
    pub title: Option<String>,
    /// The pool that serves the insight.
    pub pool: String,
    /// The values of each mapper.
    pub mappers: BTreeMap<String, Vec<String>>,
    /// Order of the insights: the highest is tried first, then by id.
    pub priority: i64,
    /// Largest number of agendas in the queue, in the policy's order.
    pub queue_size: u32,
    /// Name of the policy.
    pub algorithm: String,
    /// Customers that may use the insight; empty means all customers of the pool.
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
    /// A customer.
    Customer(Customer),
    /// A pool.
    Pool(Pool),
    /// An insight.
    Insight(Insight),
}

impl Setting {
    /// The setting's id.
    pub fn id(&self) -> &str {
        match self {
            Self::Customer(customer) => &customer.id,
            Self::Pool(pool) => &pool.id,
            Self::Insight(insight) => &insight.id,
        }
    }
}
