//! The long polls of one pool, the longest wait first. Each new agenda wakes one poll.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

use super::{Wakeups, locked};
use crate::ids::{InsightId, PoolId};

/// The waiting polls.
#[derive(Debug, Default)]
pub(super) struct Polls(VecDeque<Arc<Waiting>>);

#[derive(Debug)]
pub(super) struct Waiting {
    insight: Option<InsightId>,
    notify: Notify,
    /// The insight whose agenda woke the poll; none before a wake-up, or for a wake-up without an agenda.
    woken_for: Mutex<Option<InsightId>>,
}

impl Waiting {
    pub(super) fn notify_one(&self) {
        self.notify.notify_one();
    }
}

impl Polls {
    /// Removes the poll that has waited longest and takes agendas of this insight.
    pub(super) fn pick(&mut self, insight: &InsightId) -> Option<Arc<Waiting>> {
        let takes = |poll: &Arc<Waiting>| poll.insight.as_ref().is_none_or(|only| only == insight);
        let poll = self.0.remove(self.0.iter().position(takes)?)?;
        *locked(&poll.woken_for) = Some(insight.clone());
        Some(poll)
    }

    /// Removes all polls.
    pub(super) fn pick_all(&mut self) -> Vec<Arc<Waiting>> {
        self.0.drain(..).collect()
    }
}

/// One long poll. A dropped poll passes its wake-up on.
#[derive(Debug)]
pub struct Poll {
    wakeups: Arc<Wakeups>,
    pool: PoolId,
    waiting: Arc<Waiting>,
    /// The insight of the wake-up that came before the present look.
    looking_for: Option<InsightId>,
}

impl Poll {
    pub(super) fn new(wakeups: Arc<Wakeups>, pool: PoolId, insight: Option<InsightId>) -> Self {
        let waiting = Waiting { insight, notify: Notify::new(), woken_for: Mutex::default() };
        Self { wakeups, pool, waiting: Arc::new(waiting), looking_for: None }
    }

    /// Call this before looking for work: work that arrives after this call wakes the poll, or another poll that takes
    /// it.
    pub fn wait(&mut self) {
        self.looking_for = locked(&self.waiting.woken_for).take();
        let mut polls = locked(&self.wakeups.polls);
        let waiting = &mut polls.entry(self.pool.clone()).or_default().0;
        if !waiting.iter().any(|other| Arc::ptr_eq(other, &self.waiting)) {
            waiting.push_back(Arc::clone(&self.waiting));
        }
    }

    /// Waits until work may exist.
    pub async fn woken(&mut self) {
        self.waiting.notify.notified().await;
    }

    /// Records a finished look since [`Self::wait`]: this poll or another one has taken the work of the earlier
    /// wake-up.
    pub fn looked(&mut self) {
        self.looking_for = None;
    }

    /// Wakes another poll for the work that this poll has not taken.
    pub fn pass_on(&mut self) {
        let later = locked(&self.waiting.woken_for).take();
        for insight in self.looking_for.take().into_iter().chain(later) {
            self.wakeups.wake_pool(&self.pool, &insight);
        }
    }
}

impl Drop for Poll {
    fn drop(&mut self) {
        let mut polls = locked(&self.wakeups.polls);
        if let Some(pool) = polls.get_mut(&self.pool) {
            pool.0.retain(|other| !Arc::ptr_eq(other, &self.waiting));
            if pool.0.is_empty() {
                polls.remove(&self.pool);
            }
        }
        drop(polls);
        self.pass_on();
    }
}
