//! Who waits for what: long polls for work of a pool, streams for events of an agenda. Only wake-ups pass through here;
//! whoever is woken looks for itself, so nothing can be missed or doubled.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::watch;

use crate::ids::{AgendaId, PoolId};

/// The wake-ups.
#[derive(Debug, Default)]
pub struct Hub {
    pools: Mutex<HashMap<PoolId, watch::Sender<u64>>>,
    agendas: Mutex<HashMap<AgendaId, Weak<watch::Sender<u64>>>>,
}

/// Somebody's wait for changes of one agenda.
#[derive(Debug)]
pub struct Watch {
    sender: Option<Arc<watch::Sender<u64>>>,
    receiver: watch::Receiver<u64>,
    agenda: AgendaId,
    hub: Arc<Hub>,
}

impl Hub {
    /// To be called before one looks for work: a change after this call wakes the receiver.
    pub fn watch_pool(&self, pool: &PoolId) -> watch::Receiver<u64> {
        let mut pools = locked(&self.pools);
        if let Some(sender) = pools.get(pool) {
            return sender.subscribe();
        }
        let (sender, receiver) = watch::channel(0);
        pools.insert(pool.clone(), sender);
        receiver
    }

    /// Work waits in this pool.
    pub fn wake_pool(&self, pool: &PoolId) {
        if let Some(sender) = locked(&self.pools).get(pool) {
            sender.send_modify(|version| *version += 1);
        }
    }

    /// To be called before one reads events: a change after this call wakes the watch.
    pub fn watch_agenda(self: &Arc<Self>, agenda: &AgendaId) -> Watch {
        let mut agendas = locked(&self.agendas);
        let sender = agendas.get(agenda).and_then(Weak::upgrade).unwrap_or_else(|| {
            let sender = Arc::new(watch::Sender::new(0));
            agendas.insert(agenda.clone(), Arc::downgrade(&sender));
            sender
        });
        let receiver = sender.subscribe();
        Watch { sender: Some(sender), receiver, agenda: agenda.clone(), hub: Arc::clone(self) }
    }

    /// The agenda has new events.
    pub fn wake_agenda(&self, agenda: &AgendaId) {
        let sender = locked(&self.agendas).get(agenda).and_then(Weak::upgrade);
        if let Some(sender) = sender {
            sender.send_modify(|version| *version += 1);
        }
    }

    #[cfg(test)]
    fn watched(&self) -> usize {
        locked(&self.agendas).len()
    }
}

impl Watch {
    /// Waits for the next change. It ends only with the watch itself.
    pub async fn changed(&mut self) {
        // The sender lives as long as `self`, so this can't fail.
        let _ = self.receiver.changed().await;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut agendas = locked(&self.hub.agendas);
        self.sender = None;
        if agendas.get(&self.agenda).is_some_and(|sender| sender.strong_count() == 0) {
            agendas.remove(&self.agenda);
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_change_between_watch_and_wait_is_not_missed() {
        let hub = Arc::new(Hub::default());
        let agenda = AgendaId::from("ag_1");
        let mut watch = hub.watch_agenda(&agenda);
        hub.wake_agenda(&agenda);
        watch.changed().await;
        let mut pool = hub.watch_pool(&PoolId::from("p"));
        hub.wake_pool(&PoolId::from("p"));
        pool.changed().await.unwrap();
    }

    #[test]
    fn nothing_is_left_of_watches_that_are_gone() {
        let hub = Arc::new(Hub::default());
        let agenda = AgendaId::from("ag_1");
        let (one, two) = (hub.watch_agenda(&agenda), hub.watch_agenda(&agenda));
        drop(one);
        assert_eq!(hub.watched(), 1);
        drop(two);
        assert_eq!(hub.watched(), 0);
    }
}
