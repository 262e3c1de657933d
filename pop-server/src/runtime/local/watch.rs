//! One thread that checks the progress files of all attempts, and ends orphans. The thread is separate from the tasks
//! of attempts, so a slow disk delays no attempt. Many attempts cost one check each and no tasks.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::capture::Log;
use super::children::Children;
use super::plain_file::{self, Content};
use crate::runtime::attempts::{Progress, SHORT, last_line};
use crate::runtime::{Reporter, Signal};

/// Interval of the checks of progress files.
const INTERVAL: Duration = Duration::from_millis(250);
/// Number of checks between two sweeps without a request, because helpers of long programs become orphans, too.
const SWEEP_EVERY: u32 = 4;

/// The watching thread, which starts with the first attempt and ends with the drop of this value.
#[derive(Debug)]
pub(super) struct Watch {
    shared: Arc<Shared>,
    children: Arc<Children>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    files: HashMap<u64, Arc<ProgressFile>>,
    next: u64,
    sweep: bool,
    begun: bool,
    over: bool,
}

/// One attempt's entry in the list, while this value lives.
#[derive(Debug)]
pub(super) struct Watched {
    shared: Arc<Shared>,
    number: u64,
    pub(super) file: Arc<ProgressFile>,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.shared.lock().files.remove(&self.number);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch {
    pub(super) fn new(children: Arc<Children>) -> Self {
        Self { shared: Arc::default(), children }
    }

    /// Adds a progress file to the checks.
    pub(super) fn add(&self, file: Arc<ProgressFile>) -> Watched {
        let mut state = self.shared.lock();
        let number = state.next;
        state.next += 1;
        state.files.insert(number, Arc::clone(&file));
        self.begin(&mut state);
        Watched { shared: Arc::clone(&self.shared), number, file }
    }

    /// Requests a sweep of orphans. Several requests are one sweep.
    pub(super) fn sweep_soon(&self) {
        let mut state = self.shared.lock();
        state.sweep = true;
        self.begin(&mut state);
    }

    fn begin(&self, state: &mut State) {
        self.shared.changed.notify_one();
        if !state.begun {
            let (shared, children) = (Arc::clone(&self.shared), Arc::clone(&self.children));
            let thread = std::thread::Builder::new().name("pop-watch".into());
            // If no thread can start, the next attempt tries again.
            state.begun = thread.spawn(move || watch(&shared, &children)).is_ok();
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.lock().over = true;
        self.shared.changed.notify_one();
    }
}

fn watch(shared: &Shared, children: &Children) {
    let mut looks = 0u32;
    loop {
        let idle = |state: &mut State| state.files.is_empty() && !state.sweep && !state.over;
        let state = shared.changed.wait_while(shared.lock(), idle).unwrap_or_else(PoisonError::into_inner);
        let pause = shared.changed.wait_timeout_while(state, INTERVAL, |state| !state.over);
        let (mut state, _) = pause.unwrap_or_else(PoisonError::into_inner);
        if state.over {
            return;
        }
        let files: Vec<Arc<ProgressFile>> = state.files.values().cloned().collect();
        looks = looks.wrapping_add(1);
        let sweep = std::mem::take(&mut state.sweep) || looks.is_multiple_of(SWEEP_EVERY);
        drop(state);
        for file in &files {
            file.look();
        }
        if sweep {
            children.sweep();
        }
    }
}

/// The file `$POP_PROGRESS_FILE`: a number, or `{"percent": …, "message": …}`. The last line counts.
#[derive(Debug)]
pub(super) struct ProgressFile {
    path: PathBuf,
    reporter: Reporter,
    log: Arc<Log>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// Modification time in seconds and nanoseconds, length and inode of the file. `reads` counts the reads with this
    /// stamp. A file system's clock is coarse, so a second read finds a change within the same tick.
    stamp: Option<(i64, i64, u64, u64)>,
    reads: u8,
    last: Option<Progress>,
    complained: bool,
    closed: bool,
}

impl ProgressFile {
    pub(super) fn new(path: PathBuf, reporter: Reporter, log: Arc<Log>) -> Self {
        Self { path, reporter, log, seen: Mutex::default() }
    }

    /// Reads the file if it may have changed.
    fn look(&self) {
        let Ok(there) = fs::symlink_metadata(&self.path) else { return };
        let stamp = Some((there.mtime(), there.mtime_nsec(), there.len(), there.ino()));
        let mut seen = self.lock();
        if seen.stamp != stamp {
            (seen.stamp, seen.reads) = (stamp, 0);
        }
        if seen.reads < 2 {
            seen.reads += 1;
            self.read(&mut seen);
        }
    }

    /// Reads the file.
    pub(super) fn look_now(&self) {
        self.read(&mut self.lock());
    }

    /// Reads the file for the last time. Later changes are ignored.
    pub(super) fn close(&self) {
        let mut seen = self.lock();
        self.read(&mut seen);
        seen.closed = true;
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, seen: &mut Seen) {
        if seen.closed {
            return;
        }
        let text = match plain_file::read(&self.path, SHORT) {
            Ok(Content::Bytes(bytes)) => bytes,
            Ok(Content::NotAFile(what)) => {
                return self.complain(seen, &format!("POP_PROGRESS_FILE is {what}, not a file"));
            }
            Ok(Content::TooLarge(size)) => {
                let what = format!("POP_PROGRESS_FILE has {size} bytes, over the limit of {SHORT}");
                return self.complain(seen, &what);
            }
            Ok(Content::Absent) | Err(_) => return,
        };
        let text = String::from_utf8_lossy(&text);
        // An incomplete line is complete at the next check.
        let Some(mut now) = last_line(&text).and_then(Progress::parse) else { return };
        now.message = now.message.map(|message| self.log.masker.mask(&message).into_owned());
        if seen.last.as_ref() != Some(&now) {
            seen.last = Some(now.clone());
            self.reporter.send(Signal::Progress { percent: now.percent, message: now.message });
        }
    }

    fn complain(&self, seen: &mut Seen, what: &str) {
        if !std::mem::replace(&mut seen.complained, true) {
            self.log.say(&format!("progress is ignored: {what}"));
        }
    }
}
