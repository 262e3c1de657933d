//! Creates, changes and removes customers, pools and insights. The core refuses the removal of a thing in use.

use super::command::{Refusal, Reply};
use super::insight::check_mappers;
use super::record::{Customer, Insight, Pool, Write};
use super::state::InsightState;
use super::{Core, Tx};
use crate::ids::{CustomerId, InsightId, PoolId, is_valid_name};
use crate::scheduler::{POLICIES, Setting, is_known};

impl Core {
    pub(super) fn put_customer(&mut self, tx: &mut Tx, config: Customer) -> Result<Reply, Refusal> {
        check_name("customer", &config.id)?;
        check_title(config.title.as_deref())?;
        let pool = PoolId::from(config.pool.as_str());
        self.check_reference(&pool)?;
        let id = CustomerId::from(config.id.as_str());
        tx.writes.push(Write::PutCustomer(config.clone()));
        let Some(known) = self.state.customers.get_mut(&id) else {
            self.state.add_customer(config);
            self.state.configured(tx, Setting::Joined(&id, &pool));
            return Ok(Reply::Created);
        };
        let old_pool = known.pool.clone();
        if old_pool != pool && known.live > 0 {
            tx.writes.pop();
            return Err(Refusal::InUse(format!(
                "cannot move customer `{id}` to another pool: {} agendas have not ended. Cancel them, or \
                    wait",
                known.live
            )));
        }
        known.config = config;
        if old_pool != pool {
            known.pool = pool.clone();
            self.leave(tx, &id, &old_pool);
            if let Some(pool) = self.state.pools.get_mut(&pool) {
                pool.members += 1;
            }
            self.state.configured(tx, Setting::Joined(&id, &pool));
        }
        Ok(Reply::Updated)
    }

    pub(super) fn delete_customer(&mut self, tx: &mut Tx, id: &CustomerId) -> Result<Reply, Refusal> {
        let Some(customer) = self.state.customers.get(id) else {
            return Err(Refusal::NotFound(format!("customer `{id}`")));
        };
        if customer.live > 0 {
            return Err(Refusal::InUse(format!(
                "cannot delete customer `{id}`: {} agendas have not ended. Cancel them, or wait",
                customer.live
            )));
        }
        let pool = customer.pool.clone();
        self.state.customers.remove(id);
        self.delete_templates_of(tx, id);
        self.leave(tx, id, &pool);
        tx.writes.push(Write::DeleteCustomer(id.clone()));
        Ok(Reply::Done)
    }

    fn leave(&mut self, tx: &mut Tx, customer: &CustomerId, pool: &PoolId) {
        if let Some(pool) = self.state.pools.get_mut(pool) {
            pool.members = pool.members.saturating_sub(1);
        }
        self.state.configured(tx, Setting::Left(customer, pool));
    }

    pub(super) fn put_pool(&mut self, tx: &mut Tx, config: Pool) -> Result<Reply, Refusal> {
        check_name("pool", &config.id)?;
        check_title(config.title.as_deref())?;
        let known = self.state.pools.contains_key(config.id.as_str());
        tx.writes.push(Write::PutPool(config.clone()));
        self.state.add_pool(config);
        Ok(if known { Reply::Updated } else { Reply::Created })
    }

    pub(super) fn delete_pool(&mut self, tx: &mut Tx, id: &PoolId) -> Result<Reply, Refusal> {
        let Some(pool) = self.state.pools.get(id) else {
            return Err(Refusal::NotFound(format!("pool `{id}`")));
        };
        if pool.members > 0 || !pool.insights.is_empty() {
            return Err(Refusal::InUse(format!(
                "cannot delete pool `{id}`: the pool still has {} customers and {} insights. Delete them \
                    first",
                pool.members,
                pool.insights.len()
            )));
        }
        self.state.pools.remove(id);
        self.state.configured(tx, Setting::PoolRemoved(id));
        tx.writes.push(Write::DeletePool(id.clone()));
        Ok(Reply::Done)
    }

    pub(super) fn put_insight(&mut self, tx: &mut Tx, config: Insight) -> Result<Reply, Refusal> {
        check_name("insight", &config.id)?;
        check_title(config.title.as_deref())?;
        check_mappers(&config).map_err(Refusal::Invalid)?;
        let pool = PoolId::from(config.pool.as_str());
        self.check_reference(&pool)?;
        let id = InsightId::from(config.id.as_str());
        check_algorithm(&config.algorithm)?;
        let (name, queue_size) = (config.algorithm.clone(), config.queue_size as usize);
        let reply = match self.state.insights.get_mut(&id) {
            None => {
                tx.writes.push(Write::PutInsight(config.clone()));
                self.state.add_insight(InsightState::new(config));
                Reply::Created
            }
            Some(known) if known.pool != pool && known.live > 0 => {
                return Err(Refusal::InUse(format!(
                    "cannot move insight `{id}` to another pool: {} agendas have not ended. Cancel them, or \
                        wait",
                    known.live
                )));
            }
            Some(known) => {
                tx.writes.push(Write::PutInsight(config.clone()));
                known.config = config;
                let old = std::mem::replace(&mut known.pool, pool.clone());
                if let Some(old) = self.state.pools.get_mut(&old) {
                    old.insights.remove(&id);
                }
                if let Some(new) = self.state.pools.get_mut(&pool) {
                    new.insights.insert(id.clone());
                }
                Reply::Updated
            }
        };
        let setting = Setting::Insight { insight: &id, pool: &pool, algorithm: &name, queue_size };
        self.state.configured(tx, setting);
        Ok(reply)
    }

    pub(super) fn delete_insight(&mut self, tx: &mut Tx, id: &InsightId) -> Result<Reply, Refusal> {
        let Some(insight) = self.state.insights.get(id) else {
            return Err(Refusal::NotFound(format!("insight `{id}`")));
        };
        if insight.live > 0 {
            return Err(Refusal::InUse(format!(
                "cannot delete insight `{id}`: {} agendas have not ended. Cancel them, or wait",
                insight.live
            )));
        }
        if let Some(pool) = self.state.pools.get_mut(&insight.pool) {
            pool.insights.remove(id);
        }
        self.state.insights.remove(id);
        self.state.configured(tx, Setting::InsightRemoved(id));
        tx.writes.push(Write::DeleteInsight(id.clone()));
        Ok(Reply::Done)
    }

    /// Checks that the pool of a body exists.
    fn check_reference(&self, pool: &PoolId) -> Result<(), Refusal> {
        if self.state.pools.contains_key(pool) {
            return Ok(());
        }
        if pool.as_str().is_empty() {
            return Err(Refusal::Invalid("`pool` is missing. Name an existing pool".to_owned()));
        }
        Err(Refusal::Invalid(format!(
            "pool `{pool}` does not exist; create it with PUT /v1/pools/{pool} and the body {{}}"
        )))
    }
}

fn check_algorithm(name: &str) -> Result<(), Refusal> {
    if is_known(POLICIES, name) {
        return Ok(());
    }
    let mut known: Vec<String> = POLICIES.iter().map(|policy| format!("`{}`", policy.name)).collect();
    known.sort_unstable();
    Err(Refusal::Invalid(format!("unknown algorithm `{name}`; use one of {}", known.join(", "))))
}

fn check_title(title: Option<&str>) -> Result<(), Refusal> {
    match title.filter(|title| title.chars().any(char::is_control)) {
        None => Ok(()),
        Some(title) => Err(Refusal::Invalid(format!(
            "invalid `title`: `{}` has a control character; remove the character",
            title.escape_debug()
        ))),
    }
}

fn check_name(what: &str, id: &str) -> Result<(), Refusal> {
    if is_valid_name(id) {
        return Ok(());
    }
    Err(Refusal::Invalid(format!(
        "invalid {what} name `{id}`: use 1 to 128 characters without white space, `/`, `?` and `#`"
    )))
}
