//! What the modules that `popc client --lang rust` writes are built on: a client of one workflow that came from a file.

use std::fmt;
use std::marker::PhantomData;

use futures_util::Stream;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Error, RunError};
use crate::api::{AgendaTemplate, AgendaView, Event, Failure, Rerun, Stale, SubmitRequest, WorkflowRef};
pub use crate::places::Place;
pub use crate::values::{Json, Secret, from_any, literals, open, parsed, serde, union};

/// What a generated module knows about its workflow.
pub trait Workflow {
    /// What it takes.
    type Inputs: Serialize + Sync;
    /// What it gives.
    type Outputs: DeserializeOwned;
    /// Its name.
    const NAME: &'static str;
    /// SHA-256 of the template that the module was generated from.
    const DIGEST: &'static str;
    /// Where each operation is written: its name, and `file:line:column`; by name.
    const PLACES: &'static [(&'static str, &'static str)];
    /// The template, as JSON text.
    const TEMPLATE: &'static str;
}

/// Where an operation is written: `encode.0` is an item of `encode`, `qc/probe` a part of `qc`.
pub fn place<W: Workflow>(operation: &str) -> Option<Place> {
    let mut name = operation;
    loop {
        if let Ok(at) = W::PLACES.binary_search_by(|(known, _)| (*known).cmp(name)) {
            let mut parts = W::PLACES[at].1.rsplitn(3, ':');
            let (column, line, file) = (parts.next()?, parts.next()?, parts.next()?);
            return Some(Place {
                file: file.to_owned(),
                line: line.parse().ok()?,
                column: column.parse().ok()?,
            });
        }
        name = &name[..name.rfind(['.', '/'])?];
    }
}

/// What goes with a submission.
#[derive(Clone, Debug, Default)]
pub struct SubmitOptions {
    /// Submitting twice with one key makes one run. Without one, each call makes a new run.
    pub idempotency_key: Option<String>,
    /// Whose work it is.
    pub customer: Option<String>,
}

/// Why nothing was submitted.
#[derive(Debug)]
pub enum SubmitError {
    /// The server has another version of the workflow than this client was generated from: generate it again.
    StaleClient(Box<Stale>),
    /// The inputs can't be written as JSON.
    Inputs(serde_json::Error),
    /// The server refuses, or can't be reached.
    Client(Error),
}

impl fmt::Display for SubmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StaleClient(stale) => f.write_str(&self::stale(stale)),
            Self::Inputs(error) => write!(f, "could not serialize the inputs as JSON: {error}"),
            Self::Client(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SubmitError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::StaleClient(_) => None,
            Self::Inputs(error) => Some(error),
            Self::Client(error) => error.source(),
        }
    }
}

impl From<Error> for SubmitError {
    fn from(error: Error) -> Self {
        Self::Client(error)
    }
}

fn stale(stale: &Stale) -> String {
    let mut text =
        format!("the server has another version of workflow `{}`. Generate the client again", stale.workflow);
    for change in &stale.changes {
        text += &format!("\n  {} {}: {}", change.verdict, change.at, change.message);
    }
    text
}

/// Why a run gave no outputs.
#[derive(Debug)]
pub enum WaitError {
    /// It failed.
    Failed {
        /// Why.
        failure: Box<Failure>,
        /// Where the operation that failed first is written.
        place: Option<Place>,
    },
    /// It was cancelled.
    Cancelled,
    /// It succeeded, but its outputs are not what this client was generated for.
    Outputs(serde_json::Error),
    /// The server can't be asked.
    Client(Error),
}

impl fmt::Display for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { failure, place } => f.write_str(&failed(failure, place.as_ref())),
            Self::Cancelled => f.write_str("the run was cancelled"),
            Self::Outputs(error) => write!(f, "the outputs do not match the generated types: {error}"),
            Self::Client(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for WaitError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Failed { .. } | Self::Cancelled => None,
            Self::Outputs(error) => Some(error),
            Self::Client(error) => error.source(),
        }
    }
}

impl From<Error> for WaitError {
    fn from(error: Error) -> Self {
        Self::Client(error)
    }
}

fn failed(failure: &Failure, place: Option<&Place>) -> String {
    let at = place.map(|place| format!(" ({place})")).unwrap_or_default();
    match &failure.operation {
        Some(operation) => format!("operation `{operation}`{at} failed: {}", failure.message),
        None => failure.message.clone(),
    }
}

/// A client of one workflow.
pub struct Client<W> {
    client: super::Client,
    workflow: PhantomData<fn() -> W>,
}

impl<W> fmt::Debug for Client<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.client).finish()
    }
}

impl<W> Clone for Client<W> {
    fn clone(&self) -> Self {
        Self { client: self.client.clone(), workflow: PhantomData }
    }
}

impl<W: Workflow> Client<W> {
    /// A client of the server at `url`, such as `http://127.0.0.1:7070`. Nothing is sent yet.
    ///
    /// # Errors
    /// Invalid `url`: it does not start with `http://` or `https://`.
    pub fn connect(url: &str) -> Result<Self, Error> {
        Ok(super::Client::connect(url)?.into())
    }

    /// Submits the workflow; each call creates one run. A retry after a broken connection creates no second run.
    ///
    /// # Errors
    /// The server has another version of the workflow, refuses the inputs, or can't be reached.
    pub async fn submit(&self, inputs: W::Inputs) -> Result<Run<W>, SubmitError> {
        self.submit_with(inputs, SubmitOptions::default()).await
    }

    /// As [`Client::submit`], with a key or for a customer.
    ///
    /// # Errors
    /// See [`Client::submit`].
    pub async fn submit_with(
        &self,
        inputs: W::Inputs,
        options: SubmitOptions,
    ) -> Result<Run<W>, SubmitError> {
        let template: AgendaTemplate = serde_json::from_str(W::TEMPLATE).map_err(|e| Error::Answer {
            reason: format!("invalid generated module: {e}. Generate the client again"),
        })?;
        let request = SubmitRequest {
            template: Some(template),
            inputs: Some(serde_json::to_value(&inputs).map_err(SubmitError::Inputs)?),
            workflow: Some(WorkflowRef {
                name: W::NAME.to_owned(),
                version: None,
                digest: Some(W::DIGEST.to_owned()),
            }),
            customer: options.customer,
            idempotency_key: options.idempotency_key,
            ..SubmitRequest::default()
        };
        match self.client.submit(request).await {
            Ok(run) => Ok(Run { run, workflow: PhantomData }),
            Err(Error::Problem(mut problem)) => match problem.stale.take() {
                Some(stale) => Err(SubmitError::StaleClient(stale)),
                None => Err(Error::Problem(problem).into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// Attaches to a run that was submitted earlier, perhaps by another program.
    ///
    /// # Errors
    /// No run has that id, or the server can't be reached.
    pub async fn attach(&self, id: &str) -> Result<Run<W>, Error> {
        Ok(Run { run: self.client.attach(id).await?, workflow: PhantomData })
    }
}

impl<W> From<super::Client> for Client<W> {
    fn from(client: super::Client) -> Self {
        Self { client, workflow: PhantomData }
    }
}

/// A submitted workflow.
pub struct Run<W> {
    run: super::Run,
    workflow: PhantomData<fn() -> W>,
}

impl<W> fmt::Debug for Run<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Run").field(&self.run).finish()
    }
}

impl<W: Workflow> Run<W> {
    /// The run's id.
    pub fn id(&self) -> &str {
        self.run.id()
    }

    /// Streams every event of the run, from the first to the last. The stream resumes after a broken connection or a
    /// restart of the server: no event is missing, and none comes twice.
    pub fn watch(&self) -> impl Stream<Item = Result<Event, Error>> + Send + use<W> {
        self.run.watch()
    }

    /// Where an operation that an event or a failure names is written.
    pub fn place(&self, operation: &str) -> Option<Place> {
        place::<W>(operation)
    }

    /// Waits for the end, and returns the outputs.
    ///
    /// # Errors
    /// The run failed or was cancelled, or the server can't be asked.
    pub async fn wait(&self) -> Result<W::Outputs, WaitError> {
        let outputs: Json = self.run.wait().await.map_err(|error| match error {
            RunError::Failed(failure) => {
                let place = failure.operation.as_deref().and_then(place::<W>);
                WaitError::Failed { failure, place }
            }
            RunError::Cancelled => WaitError::Cancelled,
            RunError::Outputs(error) => WaitError::Outputs(error),
            RunError::OutputMissing(name) => {
                WaitError::Outputs(serde::de::Error::custom(format_args!("`{name}` is missing")))
            }
            RunError::Client(error) => WaitError::Client(error),
        })?;
        let outputs = if outputs.is_null() { Json::Object(serde_json::Map::new()) } else { outputs };
        super::outputs::read(&outputs, "outputs").map_err(WaitError::Outputs)
    }

    /// Requests the cancellation of the run. Running operations may take a moment to stop.
    ///
    /// # Errors
    /// The server can't be reached.
    pub async fn cancel(&self) -> Result<AgendaView, Error> {
        self.run.cancel().await
    }

    /// Reruns the ended agenda. The new handle watches and waits for the rerun only.
    ///
    /// # Errors
    /// The agenda has not ended, no operation would rerun, or the server can't be reached.
    pub async fn rerun(&self, what: Rerun) -> Result<Self, Error> {
        Ok(Self { run: self.run.rerun(what).await?, workflow: PhantomData })
    }
}
