//! Progress on its way out. Telling is a short lock and nothing more; a task of its own writes the newest state, ten times
//! a second at most, so a handler may tell as often as it likes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Notify;

use super::contract::Reached;
use super::report::Desk;

/// The least time between two writes.
const INTERVAL: Duration = Duration::from_millis(100);

/// Where progress goes.
#[derive(Debug)]
pub(super) enum Sink {
    /// The pool's file, replaced as a whole.
    File(PathBuf),
    /// The pool, over HTTP.
    Desk(Desk),
    /// A person's terminal, a line each.
    Terminal,
    /// Nobody wants it.
    Nobody,
}

/// The newest progress, and how it gets out.
#[derive(Debug)]
pub(super) struct Progress {
    state: Mutex<State>,
    sink: Mutex<Sink>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    now: Reached,
    /// It has not been written.
    fresh: bool,
}

impl Progress {
    /// Nothing reached yet, but for what an earlier attempt saved: that lasts until it is replaced.
    pub(super) fn new(sink: Sink, saved: Option<Value>) -> Self {
        let now = Reached { saved, ..Reached::default() };
        Self {
            state: Mutex::new(State { now, fresh: false }),
            sink: Mutex::new(sink),
            changed: Notify::new(),
        }
    }

    /// Changes the newest progress.
    pub(super) fn update(&self, change: impl FnOnce(&mut Reached)) {
        let mut state = lock(&self.state);
        change(&mut state.now);
        state.fresh = true;
        drop(state);
        self.changed.notify_one();
    }

    /// The newest progress.
    pub(super) fn reached(&self) -> Reached {
        lock(&self.state).now.clone()
    }

    /// Writes what has not been written. What can't be written costs the progress, not the work.
    pub(super) fn flush(&self) {
        // The sink first: of two that write, the later one has the newer state.
        let sink = lock(&self.sink);
        let mut state = lock(&self.state);
        if !std::mem::take(&mut state.fresh) {
            return;
        }
        let now = state.now.clone();
        drop(state);
        match &*sink {
            Sink::File(path) => {
                if let Ok(line) = serde_json::to_vec(&now) {
                    let _ = replace(path, &line);
                }
            }
            Sink::Desk(desk) => {
                if let Ok(line) = serde_json::to_vec(&now) {
                    let _ = desk.say("progress", &line);
                }
            }
            Sink::Terminal => {
                eprintln!("{:>5.1} %  {}", now.percent, now.message.as_deref().unwrap_or_default());
            }
            Sink::Nobody => {}
        }
    }

    /// Writes whenever there is something new, until dropped.
    pub(super) async fn keep_flushing(&self) {
        loop {
            self.changed.notified().await;
            self.flush();
            tokio::time::sleep(INTERVAL).await;
        }
    }
}

/// Replaces a file as a whole: who reads it sees the old text or the new one.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    fs::write(&new, bytes)?;
    fs::rename(&new, path)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_coalesced_and_the_last_word_gets_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("progress.json");
        let progress = Arc::new(Progress::new(Sink::File(path.clone()), None));
        let writer = Arc::clone(&progress);
        let task = tokio::spawn(async move { writer.keep_flushing().await });
        let mut seen = std::collections::BTreeSet::new();
        for i in 0..10_000_u32 {
            progress.update(|now| now.percent = f64::from(i) / 100.0);
            tokio::time::advance(Duration::from_millis(1)).await;
            seen.extend(fs::read_to_string(&path));
        }
        // Ten seconds of the paused clock, a thousand words in each.
        assert_eq!(seen.len(), 100);
        task.abort();
        progress.update(|now| now.message = Some("done".into()));
        progress.flush();
        assert_eq!(fs::read_to_string(&path).unwrap(), r#"{"percent":99.99,"message":"done"}"#);
    }

    #[test]
    fn what_was_saved_lasts_until_it_is_replaced() {
        let progress = Progress::new(Sink::Nobody, Some(Value::from(7)));
        progress.update(|now| now.percent = 50.0);
        assert_eq!(progress.reached().saved, Some(Value::from(7)));
    }
}
