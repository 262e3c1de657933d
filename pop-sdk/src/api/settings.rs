//! What an operator sets: customers, pools and insights.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A tenant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Customer {
    /// Its id, as in the path.
    pub id: String,
    /// A label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The pool that does its work.
    pub pool: String,
}

/// Machines that pull work.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Pool {
    /// Its id, as in the path.
    pub id: String,
    /// A label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// How an insight chooses what is next. As text: `fifo`, `roundRobin`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(from = "String", into = "String")]
#[schemars(with = "String")]
#[non_exhaustive]
pub enum Algorithm {
    /// Oldest first, across all customers.
    Fifo,
    /// One each in turn; a customer without work keeps its turn.
    #[default]
    RoundRobin,
    /// An algorithm of a newer server, by its name: an insight that is read and put back keeps it.
    Unknown(String),
}

impl Algorithm {
    /// The name on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Fifo => "fifo",
            Self::RoundRobin => "roundRobin",
            Self::Unknown(name) => name,
        }
    }
}

impl From<String> for Algorithm {
    fn from(name: String) -> Self {
        match name.as_str() {
            "fifo" => Self::Fifo,
            "roundRobin" => Self::RoundRobin,
            _ => Self::Unknown(name),
        }
    }
}

impl From<Algorithm> for String {
    fn from(algorithm: Algorithm) -> Self {
        algorithm.as_str().to_owned()
    }
}

/// A rule that matches agendas, and the queue they go to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Insight {
    /// Its id, as in the path.
    pub id: String,
    /// A label; `defaultInsight` may name it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The pool that serves it.
    pub pool: String,
    /// `operationName`, `operationType` or `paramMap` (`key=value`) → values; any match of any mapper will do.
    /// The mapper `any` (no values) matches everything.
    pub mappers: BTreeMap<String, Vec<String>>,
    /// Tried in this order, highest first; then by id.
    pub priority: i64,
    /// How many agendas wait in the queue at most, taken in fair order.
    pub queue_size: u32,
    /// The order.
    pub algorithm: Algorithm,
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
            algorithm: Algorithm::default(),
            allowed_customers: Vec::new(),
        }
    }
}
