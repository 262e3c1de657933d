//! Shows an overview while it changes: repainted in place on a terminal, line by line elsewhere. All output goes to
//! standard error, so that standard output holds only the result.

use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pop_sdk::api::{Again, OperationView};
use tokio_util::sync::CancellationToken;

use super::{Overview, added_line, frame, line, rerun_line};
use crate::env::{Clock as _, SystemClock};

const REPAINT: Duration = Duration::from_millis(100);

/// The live view of a run.
#[derive(Debug)]
pub struct Live {
    overview: Arc<Mutex<Overview>>,
    painter: Option<(CancellationToken, tokio::task::JoinHandle<()>)>,
    quiet: bool,
}

impl Live {
    /// Starts showing `overview`. `quiet` shows nothing.
    pub fn start(overview: Overview, quiet: bool) -> Self {
        let overview = Arc::new(Mutex::new(overview));
        let painter = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let stop = CancellationToken::new();
            (stop.clone(), tokio::spawn(paint(Arc::clone(&overview), stop)))
        });
        Self { overview, painter, quiet }
    }

    /// Shows a new state of an operation.
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

    /// Shows the new operations of a generator; each item is the name and the type of an operation.
    pub fn add<'o>(&self, generator: &str, operations: impl ExactSizeIterator<Item = (&'o str, &'o str)>) {
        let mut overview = self.overview.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.quiet && self.painter.is_none() {
            let text = added_line(generator, operations.len(), overview.since, SystemClock.now());
            let _ = writeln!(std::io::stderr(), "{text}");
        }
        overview.add(generator, operations);
    }

    /// Shows a rerun of the agenda.
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
        // The cursor returns to the first line of the last picture. Each line is cleared as it is written, the rest at
        // the end.
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
