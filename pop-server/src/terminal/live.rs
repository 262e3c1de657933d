//! Shows a overview while it changes: repainted in place on a terminal, line by line elsewhere. Everything goes to standard
//! error, so that standard output holds only the result.

use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pop_sdk::api::{Again, OperationView};
use tokio_util::sync::CancellationToken;

use super::{Overview, added_line, frame, line, rerun_line};
use crate::env::{Clock as _, SystemClock};

const REPAINT: Duration = Duration::from_millis(100);

/// A picture that follows a run.
#[derive(Debug)]
pub struct Live {
    overview: Arc<Mutex<Overview>>,
    painter: Option<(CancellationToken, tokio::task::JoinHandle<()>)>,
    quiet: bool,
}

impl Live {
    /// Starts showing `overview`. `quiet` shows nothing at all.
    pub fn start(overview: Overview, quiet: bool) -> Self {
        let overview = Arc::new(Mutex::new(overview));
        let painter = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let stop = CancellationToken::new();
            (stop.clone(), tokio::spawn(paint(Arc::clone(&overview), stop)))
        });
        Self { overview, painter, quiet }
    }

    /// Takes a new state in.
    pub fn update(&self, view: &OperationView) {
        let mut overview = self.overview.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = overview.update(view);
        if changed
            && !self.quiet
            && self.painter.is_none()
            && let Some(text) = line(view, overview.since, SystemClock.now())
        {
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }

    /// Takes in what a generator has made: name and type of each operation.
    pub fn add<'o>(&self, generator: &str, operations: impl ExactSizeIterator<Item = (&'o str, &'o str)>) {
        let mut overview = self.overview.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.quiet && self.painter.is_none() {
            let text = added_line(generator, operations.len(), overview.since, SystemClock.now());
            let _ = writeln!(std::io::stderr(), "{text}");
        }
        overview.add(generator, operations);
    }

    /// Takes in that the agenda is run again.
    pub fn again(&self, again: &Again) {
        let mut overview = self.overview.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.quiet && self.painter.is_none() {
            let _ = writeln!(std::io::stderr(), "{}", rerun_line(again, overview.since, SystemClock.now()));
        }
        overview.remove(&again.removed);
    }

    /// Shows the last picture and stops.
    pub async fn finish(self) -> Overview {
        if let Some((stop, task)) = self.painter {
            stop.cancel();
            let _ = task.await;
        }
        self.overview.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn paint(overview: Arc<Mutex<Overview>>, stop: CancellationToken) {
    let mut painted = 0;
    let mut tick = tokio::time::interval(REPAINT);
    loop {
        let last = tokio::select! {
            _ = tick.tick() => false,
            () = stop.cancelled() => true,
        };
        let (width, height) = terminal_size::terminal_size_of(std::io::stderr())
            .map_or((80, 24), |(w, h)| (usize::from(w.0), usize::from(h.0)));
        let lines = {
            let overview = overview.lock().unwrap_or_else(PoisonError::into_inner);
            frame(&overview, SystemClock.now(), width, height)
        };
        // Back to the first line of the last picture, each line cleared as it is written, the rest below cleared.
        let mut text = String::new();
        if painted > 0 {
            text += &format!("\x1b[{painted}A");
        }
        for line in &lines {
            text += &format!("\r{line}\x1b[K\n");
        }
        text += "\x1b[J";
        painted = lines.len();
        let _ = std::io::stderr().write_all(text.as_bytes());
        if last {
            return;
        }
    }
}
