//! What the workflow of a name is on this server, and whether a client was made for it.

use super::command::{PutTemplate, Refusal, Reply};
use super::record::Write;
use super::{Core, Tx};

impl Core {
    pub(super) fn put_template(&mut self, tx: &mut Tx, template: PutTemplate) -> Reply {
        let PutTemplate { header, body } = template;
        let known = self.state.templates.insert(header.name.clone(), header.digest.clone());
        tx.writes.push(Write::PutTemplate(header, body));
        if known.is_some() { Reply::Updated } else { Reply::Created }
    }

    pub(super) fn delete_template(&mut self, tx: &mut Tx, name: &str) -> Result<Reply, Refusal> {
        if self.state.templates.remove(name).is_none() {
            return Err(Refusal::NotFound(format!("template `{name}`")));
        }
        tx.writes.push(Write::DeleteTemplate(name.to_owned()));
        Ok(Reply::Done)
    }

    /// A client that was made for another version is refused; where there is no template, any version will do.
    pub(super) fn check_made_for(&self, workflow: String, digest: &str) -> Result<(), Refusal> {
        match self.state.templates.get(&workflow) {
            Some(known) if known != digest => Err(Refusal::Stale { workflow, digest: known.clone() }),
            _ => Ok(()),
        }
    }
}
