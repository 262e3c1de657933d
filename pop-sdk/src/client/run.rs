//! A submitted agenda: watch it, wait for it, cancel it.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::{Stream, stream};
use reqwest::{Method, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Client, Error, RunError, outputs};
use crate::api::{self, AgendaState, AgendaView, Event, Rerun};
use crate::sse::Parser;

/// How often a broken stream is opened again before giving up, without an event in between.
const STREAM_TRIES: u32 = 60;
const MIN_PAUSE: Duration = Duration::from_millis(50);
const MAX_PAUSE: Duration = Duration::from_secs(2);
/// A stream without a single byte for this long is dead: the server sends a comment every 15 seconds.
const SILENCE: Duration = Duration::from_mins(1);
/// Answers to the opening of a stream come at once.
const OPENING: Duration = Duration::from_secs(30);

/// A submitted agenda.
#[derive(Clone, Debug)]
pub struct Run {
    client: Client,
    id: String,
    /// Events up to this one belong to what was before a rerun.
    after: u64,
}

impl Run {
    pub(super) fn new(client: Client, view: AgendaView) -> Self {
        Self { client, id: view.id, after: 0 }
    }

    /// The agenda's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The agenda as it is now.
    ///
    /// # Errors
    /// The server can't be reached.
    pub async fn view(&self) -> Result<AgendaView, Error> {
        self.client.get(&self.id).await
    }

    /// Requests the cancellation of the agenda. Running operations may take a moment to stop.
    ///
    /// # Errors
    /// The server can't be reached.
    pub async fn cancel(&self) -> Result<AgendaView, Error> {
        self.client.cancel(&self.id).await
    }

    /// Reruns the ended agenda. The new handle watches and waits for the rerun only.
    ///
    /// # Errors
    /// The agenda has not ended, no operation would rerun, or the server can't be reached.
    pub async fn rerun(&self, what: Rerun) -> Result<Self, Error> {
        let answer = self.client.rerun(&self.id, what).await?;
        Ok(Self { client: self.client.clone(), id: self.id.clone(), after: answer.after })
    }

    /// Streams every event of the agenda, from the first to the last. The stream resumes after a broken connection or a
    /// restart of the server: no event is missing, and none comes twice.
    pub fn watch(&self) -> impl Stream<Item = Result<Event, Error>> + Send + use<> {
        let watch = Watch::new(self.client.clone(), self.id.clone(), self.after);
        stream::unfold(watch, |mut watch| async move { watch.next().await.map(|event| (event, watch)) })
    }

    /// Waits for the end, and returns the outputs.
    ///
    /// # Errors
    /// The agenda failed or was cancelled, its outputs do not fit `T`, or the server can't be reached.
    pub async fn wait<T: DeserializeOwned>(&self) -> Result<T, RunError> {
        let view = loop {
            let view = self.patient_view().await?;
            if view.has_ended() {
                break view;
            }
            // Only what happens from now on matters, however long the history is. Behind the end it may have been run again.
            let after = self.after.max(view.last_event);
            let mut watch = Watch::new(self.client.clone(), self.id.clone(), after);
            while let Some(event) = watch.next().await {
                event?;
            }
        };
        match view.state {
            AgendaState::Succeeded => {
                outputs::read(&view.outputs.unwrap_or(Value::Null), "outputs").map_err(RunError::Outputs)
            }
            AgendaState::Cancelled => Err(RunError::Cancelled),
            _ => Err(match view.failure {
                Some(failure) => RunError::Failed(Box::new(failure)),
                None => RunError::Client(Error::Answer { reason: "the ended agenda has no failure".into() }),
            }),
        }
    }
}

impl Run {
    /// The agenda as it is now. A server that restarts at this moment is asked again, as a watch does it.
    async fn patient_view(&self) -> Result<AgendaView, Error> {
        let mut tries = 0;
        loop {
            let error = match self.view().await {
                Ok(view) => return Ok(view),
                Err(error) => error,
            };
            tries += 1;
            if tries > STREAM_TRIES || !passes(&error) {
                return Err(error);
            }
            tokio::time::sleep((MIN_PAUSE * tries).min(MAX_PAUSE)).await;
        }
    }
}

/// Whether it may be otherwise in a moment. A server that refuses for good says so; one that restarts refuses the connection.
fn passes(error: &Error) -> bool {
    match error {
        Error::Answer { .. } | Error::Address { .. } | Error::Findings(_) => false,
        Error::Problem(problem) => problem.status >= 500,
        Error::Unreachable { .. } | Error::Silent { .. } => true,
    }
}

struct Watch {
    client: Client,
    id: String,
    body: Option<Response>,
    parser: Parser,
    waiting: VecDeque<Event>,
    last: u64,
    tries: u32,
    /// The last event was the end of the agenda; it may have been run again.
    ended: bool,
    finished: bool,
}

impl Watch {
    fn new(client: Client, id: String, after: u64) -> Self {
        Self {
            client,
            id,
            body: None,
            parser: Parser::default(),
            waiting: VecDeque::new(),
            last: after,
            tries: 0,
            ended: false,
            finished: false,
        }
    }

    async fn next(&mut self) -> Option<Result<Event, Error>> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                self.last = event.seq;
                self.tries = 0;
                self.ended = event.operation.is_none() && event.state.is_terminal();
                return Some(Ok(event));
            }
            if self.finished || (self.ended && self.tries > 0) {
                return None;
            }
            if let Err(error) = self.read().await {
                self.body = None;
                self.tries += 1;
                if self.tries > STREAM_TRIES || !passes(&error) {
                    self.finished = true;
                    return Some(Err(error));
                }
                tokio::time::sleep((MIN_PAUSE * self.tries).min(MAX_PAUSE)).await;
            }
        }
    }

    /// Reads one piece of the stream; opens it first when needed.
    async fn read(&mut self) -> Result<(), Error> {
        if self.body.is_none() {
            let mut request = self.client.request(Method::GET, &["v1", "agendas", &self.id, "events"])?;
            if self.last > 0 {
                request = request.header("Last-Event-ID", self.last);
            }
            let opening = self.client.send(request.header("Accept", "text/event-stream"));
            let response =
                tokio::time::timeout(OPENING, opening).await.map_err(|_| self.client.silent(OPENING))??;
            self.parser = Parser::default();
            self.body = Some(response);
        }
        let Some(body) = &mut self.body else { return Ok(()) };
        let piece =
            tokio::time::timeout(SILENCE, body.chunk()).await.map_err(|_| self.client.silent(SILENCE))?;
        match piece {
            Ok(Some(bytes)) => {
                for message in self.parser.push(&bytes) {
                    if message.event == api::END {
                        // What was read before it is given first.
                        self.finished = true;
                        break;
                    }
                    let event: Event = serde_json::from_str(&message.data)
                        .map_err(|e| Error::Answer { reason: e.to_string() })?;
                    // What was seen already is not told twice.
                    if event.seq > self.last && self.waiting.back().is_none_or(|w| w.seq < event.seq) {
                        self.waiting.push_back(event);
                    }
                }
                Ok(())
            }
            Err(error) => Err(self.client.broken(error)),
            Ok(None) => {
                // Ended without a last event: the server went away politely. It is opened again.
                self.body = None;
                self.tries += 1;
                tokio::time::sleep(Duration::from_millis(50)).await;
                if self.tries > STREAM_TRIES {
                    return Err(Error::Answer {
                        reason: "the event stream ended early several times".into(),
                    });
                }
                Ok(())
            }
        }
    }
}
