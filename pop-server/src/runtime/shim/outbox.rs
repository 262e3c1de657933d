//! The signals that the pool has not confirmed. Neighbours are joined, so a chatty program costs few requests.

use std::collections::VecDeque;

use super::wire::{Batch, Told};
use crate::runtime::Signal;

/// Largest text of one request, in bytes.
const LARGEST: usize = 256 << 10;

/// Signals in their order. [`batch`](Self::batch) gives the first ones, and [`confirm`](Self::confirm) removes them.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: VecDeque<Told>,
    /// Number of the first waiting signal.
    first: u64,
    /// Number of signals in the last batch. They must not change, because the pool may have them.
    sent: usize,
}

impl Outbox {
    /// Adds a signal; an exit is no signal of the outbox.
    pub(super) fn push(&mut self, signal: Signal) {
        let told = match signal {
            Signal::Waiting { reason } => Told::Waiting { reason },
            Signal::Started => Told::Started,
            Signal::Progress { percent, message } => Told::Progress { percent, message },
            Signal::Log { stream, offset, text } => Told::Log { stream: stream.to_owned(), offset, text },
            Signal::Moments(_) | Signal::Exited(_) => return,
        };
        let last = if self.waiting.len() > self.sent { self.waiting.back_mut() } else { None };
        match (last, told) {
            (
                Some(Told::Log { stream, offset, text }),
                Told::Log { stream: same, offset: next, text: more },
            ) if *stream == same && *offset + text.len() as u64 == next && text.len() < LARGEST => {
                text.push_str(&more);
            }
            // Only the newest progress counts.
            (Some(old @ Told::Progress { .. }), told @ Told::Progress { .. }) => *old = told,
            (_, told) => self.waiting.push_back(told),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The first waiting signals, up to a size. Without a confirmation, the next call returns the same signals.
    pub(super) fn batch(&mut self) -> Batch {
        if self.sent == 0 {
            let mut size = 0;
            let fits = |told: &&Told| {
                let before = size;
                size += length(told);
                before == 0 || size <= LARGEST
            };
            self.sent = self.waiting.iter().take_while(fits).count();
        }
        Batch { first: self.first, signals: self.waiting.iter().take(self.sent).cloned().collect() }
    }

    /// The pool has the last batch.
    pub(super) fn confirm(&mut self) {
        self.waiting.drain(..self.sent);
        self.first += self.sent as u64;
        self.sent = 0;
    }
}

fn length(told: &Told) -> usize {
    64 + match told {
        Told::Log { text, .. } => text.len(),
        Told::Waiting { reason } => reason.len(),
        Told::Progress { message, .. } => message.as_ref().map_or(0, String::len),
        Told::Started => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(offset: u64, text: &str) -> Signal {
        Signal::Log { stream: "stdout", offset, text: text.to_owned() }
    }

    #[test]
    fn neighbours_join_but_a_sent_batch_stays_as_it_is() {
        let mut outbox = Outbox::default();
        outbox.push(Signal::Started);
        outbox.push(log(0, "a"));
        outbox.push(log(1, "b"));
        outbox.push(log(5, "gap"));
        let batch = outbox.batch();
        assert_eq!((batch.first, batch.signals.len()), (0, 3));
        outbox.push(log(8, "later"));
        assert_eq!(outbox.batch().signals, batch.signals, "a repetition is equal");
        outbox.confirm();
        let next = outbox.batch();
        assert_eq!((next.first, next.signals.len()), (3, 1));
        outbox.confirm();
        assert!(outbox.is_empty());
    }

    #[test]
    fn only_the_newest_progress_is_sent() {
        let mut outbox = Outbox::default();
        for percent in [1.0, 2.0, 3.0] {
            outbox.push(Signal::Progress { percent, message: None });
        }
        assert_eq!(outbox.batch().signals, [Told::Progress { percent: 3.0, message: None }]);
    }

    #[test]
    fn a_batch_is_bounded_but_never_empty() {
        let mut outbox = Outbox::default();
        for i in 0..3 {
            outbox.push(log(i * 1_000_000, &"x".repeat(LARGEST)));
        }
        assert_eq!(outbox.batch().signals.len(), 1);
    }
}
