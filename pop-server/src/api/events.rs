//! Streams the events of an agenda. One read of new events serves all watchers of the agenda; a watcher far behind
//! reads pages of its own. Each step continues after the last sent event, so the stream has neither gaps nor
//! repetitions.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use futures_util::stream::{self, Stream};
use pop_sdk::api::END;

use super::access::Principal;
use super::agendas::find;
use super::view;
use crate::api::AppState;
use crate::engine::{Step, Told, Watch};
use crate::http::path::Id;
use crate::http::problem::{Error, Kind};
use crate::ids::{AgendaId, AgendaNo};
use crate::store::{Store, StoreError};

/// Largest number of events in one read.
const CHUNK: usize = 256;
/// Time without an event after which a comment goes out.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// `GET /v1/agendas/{id}/events`
pub(super) async fn stream(
    State(app): State<AppState>,
    principal: Principal,
    Id(id): Id,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<SseEvent, Infallible>>>, Error> {
    let last = match headers.get("last-event-id") {
        None => 0,
        Some(value) => {
            let seq = value.to_str().ok().and_then(|v| v.trim().parse::<u64>().ok());
            seq.ok_or_else(|| {
                Error::new(
                    Kind::InvalidQuery,
                    "invalid `Last-Event-ID`; use the `id` of the last event received, a whole number",
                )
            })?
        }
    };
    let id = AgendaId::from(id);
    let record = find(&app, &principal.scope, &id).await?;
    let follow = Follow {
        watch: app.engine.wakeups.watch_agenda(&id),
        app,
        id,
        no: record.header.no,
        last,
        read: VecDeque::new(),
        over: false,
    };
    let events = stream::unfold(follow, |mut follow| async move {
        let event = match follow.next().await? {
            Next::Event((seq, text)) => SseEvent::default().id(seq.to_string()).data(text),
            Next::End => SseEvent::default().event(END).data("{}"),
        };
        Some((Ok(event), follow))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

enum Next {
    /// The number of an event, and the event as JSON.
    Event(Told),
    /// No event follows. A stream that ends without this message was interrupted, and the client resumes.
    End,
}

struct Follow {
    watch: Watch,
    app: AppState,
    id: AgendaId,
    no: AgendaNo,
    /// Number of the last sent event.
    last: u64,
    /// Events that were read and not sent yet.
    read: VecDeque<Told>,
    /// Whether the end was sent.
    over: bool,
}

impl Follow {
    /// The next event or the end of the agenda. None after the end, on an error, and when the server stops.
    async fn next(&mut self) -> Option<Next> {
        while !self.over {
            if let Some((seq, text)) = self.read.pop_front() {
                self.last = seq;
                return Some(Next::Event((seq, text)));
            }
            let version = self.watch.version();
            let mut feed = self.watch.feed().await?;
            let step = feed.step(self.last, version);
            match step {
                Step::Tell(events) => self.read = events,
                Step::CatchUp => {
                    drop(feed);
                    let (no, last) = (self.no, self.last);
                    let id = self.id.clone();
                    let page = self.app.read(move |store| told(store, &id, no, last)).await.ok()?;
                    self.read = page.into_iter().map(|(seq, text)| (seq, text.into())).collect();
                    if self.read.is_empty() {
                        // The missing events are no longer stored.
                        return None;
                    }
                }
                Step::Refresh(after) => {
                    let (no, id) = (self.no, self.id.clone());
                    let read = self.app.read(move |store| {
                        // The order matters: if this row shows the end, the later read finds all events.
                        let row = store.agenda(&id)?.map(|record| record.row);
                        let (seq, ended) = row.map_or((0, true), |row| (row.seq, row.state.is_terminal()));
                        let events = after.map(|after| told(store, &id, no, after)).transpose()?;
                        Ok((seq, ended, events.unwrap_or_default()))
                    });
                    // On an error the stream ends, and the client resumes.
                    let (seq, ended, events) = read.await.ok()?;
                    let complete = events.len() < CHUNK;
                    feed.read(version, seq, ended, events, complete);
                }
                Step::Wait => {
                    drop(feed);
                    tokio::select! {
                        () = self.watch.changed() => {}
                        () = self.app.shutdown.cancelled() => return None,
                    }
                }
                Step::End => {
                    self.over = true;
                    return Some(Next::End);
                }
            }
        }
        None
    }
}

/// The next chunk of events after `after`, each as JSON.
fn told(
    store: &dyn Store,
    id: &AgendaId,
    no: AgendaNo,
    after: u64,
) -> Result<Vec<(u64, String)>, StoreError> {
    let events = store.events(no, after, CHUNK)?;
    view::events(id, events).map_err(|e| StoreError::Corrupt { column: "event", why: e.to_string() })
}
