//! Connects the core with the scheduler: the core reports changes of agendas, and carries out the scheduler's
//! decisions.

use super::Tx;
use super::lifecycle::{Next, Transition, next};
use super::live::{Live, Place};
use super::record::{AgendaState, Write};
use super::state::State;
use crate::ids::AgendaNo;
use crate::scheduler::{Decision, Destination, Entry, Event, Restored, Setting};
use jiff::Timestamp;

impl State {
    /// Reports that an agenda waits for its turn.
    pub(super) fn arrived(&mut self, tx: &mut Tx, no: AgendaNo) {
        let Some(live) = self.agendas.get(&no) else { return };
        let decisions = self.scheduler.on(tx.now, Event::Arrived(entry(no, live)));
        self.enqueue_all(tx, &decisions);
    }

    /// Reports that an agenda has ended and left the memory; `live` has its last place.
    pub(super) fn gone(&mut self, tx: &mut Tx, no: AgendaNo, live: &Live) {
        let entry = entry(no, live);
        let event = match &live.place {
            Place::OnHold => return,
            Place::Ready | Place::Queued(_) => Event::Withdrawn(entry),
            Place::Leased(lease) => {
                let cost = tx.now.duration_since(lease.since).try_into().unwrap_or_default();
                Event::Ended { entry, cost }
            }
        };
        let decisions = self.scheduler.on(tx.now, event);
        self.enqueue_all(tx, &decisions);
    }

    /// Reports that a lease ended before its agenda. The agenda goes to the head of its queue; the caller emits the
    /// event.
    pub(super) fn returned(&mut self, tx: &mut Tx, no: AgendaNo, reason: &str) {
        let Some(live) = self.agendas.get(&no) else { return };
        let decisions = self.scheduler.on(tx.now, Event::Returned(entry(no, live)));
        let (own, others): (Vec<_>, Vec<_>) = decisions.into_iter().partition(|d| d.agenda == no);
        for decision in own {
            if let Destination::Queue(at) = decision.to {
                self.relocate(no, Place::Queued(at), Some(reason.to_owned()));
            }
        }
        self.enqueue_all(tx, &others);
    }

    /// Reports a change of a setting.
    pub(super) fn configured(&mut self, tx: &mut Tx, setting: Setting<'_>) {
        let decisions = self.scheduler.on(tx.now, Event::Configured(setting));
        self.enqueue_all(tx, &decisions);
    }

    /// Restores an agenda at its place before the stop of the server.
    pub(super) fn restore_place(&mut self, now: Timestamp, no: AgendaNo) {
        let Some(live) = self.agendas.get(&no) else { return };
        let place = match &live.place {
            Place::OnHold => return,
            Place::Ready => Restored::Waiting,
            Place::Queued(at) => Restored::Queued(*at),
            Place::Leased(_) => Restored::Started,
        };
        self.scheduler.restore(now, entry(no, live), place);
    }

    /// Puts an agenda into its queue.
    pub(super) fn enqueue(&mut self, tx: &mut Tx, no: AgendaNo, at: i64) {
        let Some(live) = self.agendas.get_mut(&no) else { return };
        if next(live.state(), false, Transition::Enqueue) == Next::To(AgendaState::Queued) {
            live.place = Place::Queued(at);
            live.reason = None;
            self.emit(tx, no, None);
        }
    }

    fn enqueue_all(&mut self, tx: &mut Tx, decisions: &[Decision]) {
        for decision in decisions {
            if let Destination::Queue(at) = decision.to {
                self.enqueue(tx, decision.agenda, at);
            }
        }
    }

    /// Writes the changed rows of the policies.
    pub(super) fn flush_policies(&mut self, tx: &mut Tx) {
        tx.writes.extend(self.scheduler.take_changes().into_iter().map(Write::Policy));
    }
}

fn entry(no: AgendaNo, live: &Live) -> Entry<'_> {
    Entry { agenda: no, insight: &live.insight, customer: &live.customer }
}
