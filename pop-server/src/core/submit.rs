//! Taking an agenda in: its customer, its insight, its place.

use pop_compiler::agenda::{Agenda, keys};
use serde_json::Value;

use super::command::{Refusal, Reply, Submit};
use super::insight::{Features, select};
use super::live::Place;
use super::record::{AgendaHeader, Customer, NewAgenda, OperationName, WorkflowRef, Write};
use super::{Core, Tx};
use crate::ids::{AgendaNo, InsightId, PoolId};

/// The pool of customers that are created on the fly.
const DEFAULT_POOL: &str = "default";

impl Core {
    pub(super) fn submit(&mut self, tx: &mut Tx, submit: Submit) -> Result<Reply, Refusal> {
        let Submit { id, customer, agenda, body, idempotency_key, made_for } = submit;
        if let Some(key) = &idempotency_key
            && let Some(seen) = self.state.keys.get(&(customer.clone(), key.clone()))
        {
            return Ok(Reply::Seen(seen.clone()));
        }
        if let Some((workflow, digest)) = made_for {
            self.check_made_for(workflow, &digest)?;
        }
        let pool = match self.state.customers.get(&customer) {
            Some(known) => known.pool.clone(),
            None if self.settings.auto_customers => PoolId::from(DEFAULT_POOL),
            None => return Err(Refusal::UnknownCustomer(customer)),
        };
        let Some(pool_state) = self.state.pools.get(&pool) else { return Err(Refusal::UnknownPool(pool)) };
        let candidates =
            pool_state.insights.iter().filter_map(|i| self.state.insights.get(i)).map(|i| &i.config);
        let insight = match select(&Features::of(&agenda), &customer, candidates) {
            Ok(insight) => InsightId::from(insight.id.as_str()),
            Err(tried) => return Err(Refusal::NoInsight { pool, tried }),
        };
        if !self.state.customers.contains_key(&customer) {
            let config = Customer { id: customer.to_string(), title: None, pool: pool.to_string() };
            self.put_customer(tx, config)?;
        }

        let no = AgendaNo(self.state.last_no.0 + 1);
        let operations: Vec<OperationName> = agenda
            .operations
            .iter()
            .map(|o| OperationName { name: o.name.clone(), kind: o.kind.clone() })
            .collect();
        let header = AgendaHeader {
            no,
            id,
            customer,
            insight: insight.clone(),
            pool: pool.clone(),
            title: agenda.title.clone(),
            link: agenda.link_id.clone(),
            workflow: workflow(&agenda),
            submitted_at: tx.now,
            maximum_attempts: maximum_attempts(&agenda),
        };
        let held = agenda.params.contains_key(keys::DO_NOT_RUN);
        let place = if held { Place::Held } else { Place::Ready };
        let mut live = self.state.new_live(&header, place, idempotency_key.clone(), &operations);
        if held {
            live.reason = Some("held: its parameter `doNotRun` is set".to_owned());
        }
        tx.writes.push(Write::NewAgenda(Box::new(NewAgenda {
            header: header.clone(),
            operations,
            body,
            idempotency_key,
            secret: has_secrets(&agenda),
        })));
        self.state.insert(no, live);
        self.state.emit(tx, no, None);
        if !held {
            // Even a queue of size 0 is filled by a pull.
            tx.work(&pool, &insight);
        }
        self.state.top_up(tx, &insight);
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
