//! Submitting a workflow of which the types are known.

use std::marker::PhantomData;
use std::sync::Arc;

use futures_util::Stream;
use pop_compiler::agenda::keys;
use pop_compiler::diagnostic::Severity;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Compiled, Workflow};
use crate::api::{AgendaView, Event, Rerun, SubmitRequest, WorkflowRef};
use crate::client::{Client, Error, Run, RunError, outputs};
use crate::places::{Place, Places};

impl<I: Serialize, O: DeserializeOwned> Workflow<I, O> {
    /// Submits the workflow with these inputs.
    ///
    /// # Errors
    /// The inputs do not fit ([`Error::Findings`]), the server refuses the work, or it can't be reached.
    pub async fn submit(&self, client: &Client, inputs: &I) -> Result<TypedRun<O>, Error> {
        let agenda = self.agenda(inputs).map_err(|found| {
            debug_assert!(found.diagnostics.iter().any(|d| d.severity == Severity::Error));
            Error::Findings(Box::new(found))
        })?;
        // The server has the last word on the inputs, and needs the template to say what another version changed.
        let mut request = match &self.ready {
            Some(_) => SubmitRequest { agenda: Some(agenda), ..SubmitRequest::default() },
            None => SubmitRequest {
                template: Some(self.template.clone()),
                inputs: serde_json::to_value(inputs).ok(),
                ..SubmitRequest::default()
            },
        };
        request.workflow = self.made_for();
        let run = client.submit(request).await?;
        Ok(TypedRun { run, single: self.single, places: Arc::clone(&self.places), result: PhantomData })
    }
}

impl<I, O> Workflow<I, O> {
    /// What the server compares with its own template of that name.
    fn made_for(&self) -> Option<WorkflowRef> {
        let header = self.template.agenda.params.get(keys::WORKFLOW)?;
        let text = |key: &str| header.get(key).and_then(Value::as_str).map(str::to_owned);
        Some(WorkflowRef { name: text("name")?, version: text("version"), digest: text("digest") })
    }
}

/// A client of one workflow.
#[derive(Debug)]
pub struct TypedClient<W: Compiled> {
    client: Client,
    workflow: Workflow<W::Inputs, W::Outputs>,
}

impl<W: Compiled> TypedClient<W>
where
    W::Outputs: DeserializeOwned,
{
    /// A client of the server at `url`. Nothing is sent yet.
    ///
    /// # Errors
    /// Invalid `url`: it does not start with `http://` or `https://`.
    pub fn connect(url: &str) -> Result<Self, Error> {
        Ok(Self { client: Client::connect(url)?, workflow: W::compile() })
    }

    /// Submits the workflow with these inputs.
    ///
    /// # Errors
    /// See [`Workflow::submit`].
    pub async fn submit(&self, inputs: W::Inputs) -> Result<TypedRun<W::Outputs>, Error> {
        self.workflow.submit(&self.client, &inputs).await
    }
}

/// A submitted workflow whose result is an `O`.
#[derive(Debug)]
pub struct TypedRun<O> {
    run: Run,
    single: Option<&'static str>,
    places: Arc<Places>,
    result: PhantomData<fn() -> O>,
}

impl<O: DeserializeOwned> TypedRun<O> {
    /// The agenda's id.
    pub fn id(&self) -> &str {
        self.run.id()
    }

    /// Where an operation of this run was written, fan-outs and workflows inside it included.
    pub fn place(&self, operation: &str) -> Option<&Place> {
        self.places.of(operation)
    }

    /// Streams every event of the agenda; see [`Run::watch`].
    pub fn watch(&self) -> impl Stream<Item = Result<Event, Error>> + Send + use<O> {
        self.run.watch()
    }

    /// Waits for the end of the agenda, and returns the result.
    ///
    /// # Errors
    /// See [`Run::wait`].
    pub async fn wait(&self) -> Result<O, RunError> {
        let mut outputs: Value = self.run.wait().await?;
        let (result, place) = match self.single {
            None => (outputs, "outputs".to_owned()),
            Some(name) => {
                (outputs.get_mut(name).map(Value::take).unwrap_or_default(), format!("outputs.{name}"))
            }
        };
        let missing = result.is_null();
        outputs::read(&result, &place).map_err(|error| match self.single {
            Some(name) if missing => RunError::OutputMissing(name.to_owned()),
            _ => RunError::Outputs(error),
        })
    }

    /// Reruns the ended agenda. The new handle watches and waits for the rerun only.
    ///
    /// # Errors
    /// The agenda has not ended, no operation would rerun, or the server can't be reached.
    pub async fn rerun(&self, what: Rerun) -> Result<Self, Error> {
        let (single, places) = (self.single, Arc::clone(&self.places));
        Ok(Self { run: self.run.rerun(what).await?, single, places, result: PhantomData })
    }

    /// Requests the cancellation of the agenda. Running operations may take a moment to stop.
    ///
    /// # Errors
    /// The server can't be reached.
    pub async fn cancel(&self) -> Result<AgendaView, Error> {
        self.run.cancel().await
    }
}
