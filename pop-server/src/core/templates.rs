//! The workflow templates of customers and of the server, and the check whether a client matches them.

use super::command::{PutTemplate, Refusal, Reply};
use super::record::Write;
use super::{Core, Tx};
use crate::ids::CustomerId;

impl Core {
    pub(super) fn put_template(&mut self, tx: &mut Tx, template: PutTemplate) -> Result<Reply, Refusal> {
        let PutTemplate { header, body } = template;
        if let Some(customer) = header.customer.as_ref().filter(|c| !self.state.customers.contains_key(*c)) {
            return Err(Refusal::UnknownCustomer(customer.clone()));
        }
        let key = (header.customer.clone(), header.name.clone());
        let known = self.state.templates.insert(key, header.digest.clone());
        tx.writes.push(Write::PutTemplate(header, body));
        Ok(if known.is_some() { Reply::Updated } else { Reply::Created })
    }

    pub(super) fn delete_template(
        &mut self,
        tx: &mut Tx,
        customer: Option<CustomerId>,
        name: String,
    ) -> Result<Reply, Refusal> {
        let key = (customer, name);
        if self.state.templates.remove(&key).is_none() {
            return Err(Refusal::NotFound(format!("template `{}`", key.1)));
        }
        tx.writes.push(Write::DeleteTemplate(key.0, key.1));
        Ok(Reply::Done)
    }

    /// Removes the templates of a removed customer.
    pub(super) fn delete_templates_of(&mut self, tx: &mut Tx, customer: &CustomerId) {
        let owner = Some(customer.clone());
        let templates = &mut self.state.templates;
        for ((owner, name), _) in templates.extract_if(.., |(of, _), _| *of == owner) {
            tx.writes.push(Write::DeleteTemplate(owner, name));
        }
    }

    /// Refuses a client with another digest than the server's template. Without a template, every client is accepted. A
    /// customer's own template comes before the template of all customers; templates of other customers do not matter.
    pub(super) fn check_made_for(
        &self,
        customer: &CustomerId,
        workflow: String,
        digest: &str,
    ) -> Result<(), Refusal> {
        let (own, all) = ((Some(customer.clone()), workflow.clone()), (None, workflow));
        let meant =
            self.state.templates.get_key_value(&own).or_else(|| self.state.templates.get_key_value(&all));
        match meant {
            Some(((owner, workflow), known)) if known != digest => Err(Refusal::Stale {
                customer: owner.clone(),
                workflow: workflow.clone(),
                digest: known.clone(),
            }),
            _ => Ok(()),
        }
    }
}
