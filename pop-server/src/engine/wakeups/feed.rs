//! The newest events of one agenda, read once for all watchers. A watcher far behind reads from the store instead.

use std::collections::VecDeque;
use std::sync::Arc;

/// Number of kept events, for watchers that are a little behind.
const RECENT: usize = 256;

/// The number of an event, and the event as JSON.
pub type Told = (u64, Arc<str>);

/// The events that a watcher has read for all watchers.
#[derive(Debug, Default)]
pub struct Feed {
    recent: VecDeque<Told>,
    /// Number of the last event that was read.
    head: u64,
    /// The count of changes before the last read; none before the first read.
    version: Option<u64>,
    ended: bool,
}

/// The next action of a watcher.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Send these events.
    Tell(VecDeque<Told>),
    /// Read a page of older events from the store.
    CatchUp,
    /// Read the events after this one for all watchers. None: read only the number of the agenda's last event.
    Refresh(Option<u64>),
    /// Wait for a change.
    Wait,
    /// End the stream: no event follows.
    End,
}

impl Feed {
    /// The next action of a watcher whose client has the events up to `last`, after `version` changes.
    pub fn step(&self, last: u64, version: u64) -> Step {
        if last < self.head {
            let known = self.recent.front().is_some_and(|(first, _)| *first <= last.saturating_add(1));
            if !known {
                return Step::CatchUp;
            }
            return Step::Tell(self.recent.iter().filter(|(seq, _)| *seq > last).cloned().collect());
        }
        match self.version {
            None => Step::Refresh(None),
            Some(read) if read < version => Step::Refresh(Some(self.head)),
            Some(_) if self.ended => Step::End,
            Some(_) => Step::Wait,
        }
    }

    /// Takes the result of a read that began after `version` changes. The first read gives the number of the last
    /// event, the later ones give the new events.
    pub fn read(&mut self, version: u64, seq: u64, ended: bool, events: Vec<(u64, String)>, complete: bool) {
        let first = self.version.is_none();
        self.recent.extend(events.into_iter().map(|(seq, text)| (seq, Arc::from(text))));
        while self.recent.len() > RECENT {
            self.recent.pop_front();
        }
        self.head = if first { seq } else { self.recent.back().map_or(self.head, |(seq, _)| *seq) };
        if complete {
            self.version = Some(version);
        }
        self.ended = ended;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_read_is_for_all() {
        let mut feed = Feed::default();
        let text = |seq: u64| (seq, format!("{{{seq}}}"));
        let told = |seq: u64| (seq, Arc::from(format!("{{{seq}}}")));
        assert_eq!(feed.step(0, 0), Step::Refresh(None));
        feed.read(0, 3, false, Vec::new(), true);
        assert_eq!(
            (feed.step(0, 0), feed.step(3, 0), feed.step(9, 0)),
            (Step::CatchUp, Step::Wait, Step::Wait)
        );
        assert_eq!(feed.step(3, 1), Step::Refresh(Some(3)));
        feed.read(1, 5, false, vec![text(4), text(5)], true);
        assert_eq!(feed.step(3, 1), Step::Tell([told(4), told(5)].into()));
        assert_eq!(feed.step(4, 2), Step::Tell([told(5)].into()));
        assert_eq!((feed.step(2, 1), feed.step(5, 1)), (Step::CatchUp, Step::Wait));
        feed.read(2, 6, true, vec![text(6)], true);
        assert_eq!((feed.step(5, 2), feed.step(6, 2)), (Step::Tell([told(6)].into()), Step::End));
        assert_eq!(feed.step(6, 3), Step::Refresh(Some(6)), "it may have been run again");
        feed.read(3, 9, false, (7..7 + RECENT as u64).map(text).collect(), false);
        assert_eq!(feed.step(6 + RECENT as u64, 3), Step::Refresh(Some(6 + RECENT as u64)));
        assert_eq!(feed.step(5, 3), Step::CatchUp);
    }
}
