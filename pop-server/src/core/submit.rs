//! Taking an agenda in: its customer, its insight, its place. What depends on the agenda alone is a [`Facts`], made before
//! the command reaches the core, because it takes time in proportion to the agenda.

use pop_compiler::agenda::{Agenda, Operation, keys};
use serde_json::Value;

use super::command::{Refusal, Reply, Submit};
use super::insight::{Features, select};
use super::live::Place;
use super::record::{AgendaHeader, Customer, NewAgenda, OperationName, WorkflowRef, Write};
use super::{Core, Tx};
use crate::ids::{AgendaNo, InsightId, PoolId};

/// The pool of customers that are created on the fly.
const DEFAULT_POOL: &str = "default";

/// What the core must know of an agenda to take it in.
#[derive(Clone, Debug)]
pub struct Facts {
    pub(super) features: Features,
    /// In the agenda's order.
    pub(super) operations: Vec<OperationName>,
    pub(super) title: Option<String>,
    pub(super) link: Option<String>,
    pub(super) workflow: Option<WorkflowRef>,
    pub(super) maximum_attempts: Option<u32>,
    /// Stored, but not to be queued.
    pub(super) on_hold: bool,
    /// A type of its operations takes secrets.
    pub(super) secret: bool,
}

impl Facts {
    /// Those of this agenda. The time is in proportion to its size.
    pub fn of(agenda: &Agenda) -> Self {
        let name = |o: &Operation| OperationName { name: o.name.clone(), kind: o.kind.clone() };
        Self {
            features: Features::of(agenda),
            operations: agenda.operations.iter().map(name).collect(),
            title: agenda.title.clone(),
            link: agenda.link_id.clone(),
            workflow: workflow(agenda),
            maximum_attempts: maximum_attempts(agenda),
            on_hold: agenda.params.contains_key(keys::DO_NOT_RUN),
            secret: has_secrets(agenda),
        }
    }
}

impl Core {
    pub(super) fn submit(&mut self, tx: &mut Tx, submit: Submit) -> Result<Reply, Refusal> {
        let Submit { id, customer, facts, body, idempotency_key, made_for } = submit;
        if let Some(key) = &idempotency_key
            && let Some(seen) = self.state.keys.get(&(customer.clone(), key.clone()))
        {
            return Ok(Reply::Seen(seen.clone()));
        }
        if let Some((workflow, digest)) = made_for {
            self.check_made_for(&customer, workflow, &digest)?;
        }
        let pool = match self.state.customers.get(&customer) {
            Some(known) => known.pool.clone(),
            None if self.settings.auto_customers => PoolId::from(DEFAULT_POOL),
            None => return Err(Refusal::UnknownCustomer(customer)),
        };
        let Some(pool_state) = self.state.pools.get(&pool) else { return Err(Refusal::UnknownPool(pool)) };
        let candidates =
            pool_state.insights.iter().filter_map(|i| self.state.insights.get(i)).map(|i| &i.config);
        let insight = match select(&facts.features, &customer, candidates) {
            Ok(insight) => InsightId::from(insight.id.as_str()),
            Err(tried) => return Err(Refusal::NoInsight { pool, tried }),
        };
        if !self.state.customers.contains_key(&customer) {
            let config = Customer { id: customer.to_string(), title: None, pool: pool.to_string() };
            self.put_customer(tx, config)?;
        }

        let no = AgendaNo(self.state.last_no.0 + 1);
        let Facts { operations, title, link, workflow, maximum_attempts, on_hold, secret, features: _ } =
            facts;
        let header = AgendaHeader {
            no,
            id,
            customer,
            insight: insight.clone(),
            pool: pool.clone(),
            title,
            link,
            workflow,
            submitted_at: tx.now,
            maximum_attempts,
        };
        let place = if on_hold { Place::OnHold } else { Place::Ready };
        let mut live = self.state.new_live(&header, place, idempotency_key.clone(), &operations);
        if on_hold {
            live.reason = Some("on hold: the parameter `doNotRun` is set".to_owned());
        }
        tx.writes.push(Write::NewAgenda(Box::new(NewAgenda {
            header: header.clone(),
            operations,
            body,
            idempotency_key,
            secret,
        })));
        self.state.insert(no, live);
        self.state.emit(tx, no, None);
        if !on_hold {
            // Even a queue of size 0 is filled by a pull.
            tx.work(&pool, &insight);
            self.state.arrived(tx, no);
        }
        match self.state.agendas.get(&no) {
            Some(live) => Ok(Reply::Submitted(Box::new((header, live.row(no))))),
            None => Ok(Reply::NotAlive),
        }
    }
}

/// How often an agenda says that it may be tried; the original POP's clients write numbers as texts, too.
fn maximum_attempts(agenda: &Agenda) -> Option<u32> {
    let given = agenda.params.get(keys::MAXIMUM_ATTEMPTS)?;
    let number = given.as_u64().or_else(|| given.as_str()?.trim().parse().ok())?;
    Some(u32::try_from(number).unwrap_or(u32::MAX))
}

/// Whether a type of its operations takes secrets.
fn has_secrets(agenda: &Agenda) -> bool {
    let types = agenda.params.get(keys::TYPES).and_then(Value::as_object);
    let secrets =
        |run: &Value| run.get("secrets").and_then(Value::as_array).is_some_and(|list| !list.is_empty());
    types.is_some_and(|types| types.values().any(secrets))
}

/// The workflow an agenda says it was compiled from.
fn workflow(agenda: &Agenda) -> Option<WorkflowRef> {
    let stamp = agenda.params.get(keys::WORKFLOW)?;
    let text = |key: &str| stamp.get(key).and_then(Value::as_str).map(str::to_owned);
    Some(WorkflowRef { name: text("name")?, version: text("version"), digest: text("digest") })
}
