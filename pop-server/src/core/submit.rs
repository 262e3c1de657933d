//! Accepts agendas: customer, insight, place. [`Facts`] holds the properties of the agenda alone. The caller computes
//! [`Facts`] before the core runs, because the time grows with the agenda's size.

use pop_compiler::agenda::{Agenda, Operation, keys};
use serde_json::Value;

use super::command::{Refusal, Reply, Submit};
use super::insight::{Features, select};
use super::live::Place;
use super::record::{AgendaHeader, Customer, NewAgenda, OperationName, WorkflowRef, Write};
use super::{Core, Tx};
use crate::ids::{AgendaNo, InsightId, PoolId};

/// The pool of automatically created customers.
const DEFAULT_POOL: &str = "default";

/// The properties of an agenda that the core needs.
#[derive(Clone, Debug)]
pub struct Facts {
    pub(super) features: Features,
    /// Operations in the agenda's order.
    pub(super) operations: Vec<OperationName>,
    pub(super) title: Option<String>,
    pub(super) link: Option<String>,
    pub(super) workflow: Option<WorkflowRef>,
    pub(super) maximum_attempts: Option<u32>,
    /// Whether the agenda is stored but not queued.
    pub(super) on_hold: bool,
    /// Whether an operation type of the agenda takes secrets.
    pub(super) secret: bool,
}

impl Facts {
    /// The facts of an agenda. The time is in proportion to the agenda's size.
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
            // The wake-up comes for every agenda: a pull takes agendas even from an insight with a queue of size 0.
            tx.work(&pool, &insight);
            self.state.arrived(tx, no);
        }
        match self.state.agendas.get(&no) {
            Some(live) => Ok(Reply::Submitted(Box::new((header, live.row(no))))),
            None => Ok(Reply::NotAlive),
        }
    }
}

/// The agenda's own `maximum_attempts`. Clients of the original POP also write numbers as texts.
fn maximum_attempts(agenda: &Agenda) -> Option<u32> {
    let given = agenda.params.get(keys::MAXIMUM_ATTEMPTS)?;
    let number = given.as_u64().or_else(|| given.as_str()?.trim().parse().ok())?;
    Some(u32::try_from(number).unwrap_or(u32::MAX))
}

/// Whether an operation type of the agenda takes secrets.
fn has_secrets(agenda: &Agenda) -> bool {
    let types = agenda.params.get(keys::TYPES).and_then(Value::as_object);
    let secrets =
        |run: &Value| run.get("secrets").and_then(Value::as_array).is_some_and(|list| !list.is_empty());
    types.is_some_and(|types| types.values().any(secrets))
}

/// The workflow from which the agenda was compiled, by the agenda's parameters.
fn workflow(agenda: &Agenda) -> Option<WorkflowRef> {
    let stamp = agenda.params.get(keys::WORKFLOW)?;
    let text = |key: &str| stamp.get(key).and_then(Value::as_str).map(str::to_owned);
    Some(WorkflowRef { name: text("name")?, version: text("version"), digest: text("digest") })
}
