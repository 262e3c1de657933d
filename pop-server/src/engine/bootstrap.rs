//! The first settings of an empty database: a pool, an insight that takes every agenda, and a customer.

use std::collections::BTreeMap;

use super::{StartError, Writer};
use crate::core::access::Actor;
use crate::core::command::Command;
use crate::core::record::{Customer, Insight, Pool};
use crate::store::{Kind, Store};

const NAME: &str = "default";

/// Creates the first settings, unless a pool exists.
pub(super) async fn bootstrap(writer: &Writer, store: &dyn Store) -> Result<(), StartError> {
    if !store.settings(Kind::Pool, "", 1).map_err(StartError::Load)?.is_empty() {
        return Ok(());
    }
    let pool = Pool { id: NAME.to_owned(), title: None };
    let insight = Insight {
        id: NAME.to_owned(),
        pool: NAME.to_owned(),
        mappers: BTreeMap::from([("any".to_owned(), Vec::new())]),
        ..Insight::default()
    };
    let customer = Customer { id: NAME.to_owned(), title: None, pool: NAME.to_owned() };
    for command in [Command::PutPool(pool), Command::PutInsight(insight), Command::PutCustomer(customer)] {
        writer.call(Actor::Server, command).await.map_err(|e| StartError::Bootstrap(e.to_string()))?;
    }
    Ok(())
}
