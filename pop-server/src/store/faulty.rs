//! A store with injected faults, for tests.

use std::sync::{Mutex, PoisonError};

use super::{Fence, Filter, Kind, Record, Store, StoreError};
use crate::core::record::{
    Event, LiveRow, LogChunk, OperationName, OperationRow, Setting, Snapshot, TemplateHeader, Write,
};
use crate::ids::{AgendaId, AgendaNo, CustomerId};

/// The faults of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// Commits and loads fail.
    Error,
    PanicInCommit,
    PanicInLoad,
}

/// A store with the faults of a test.
#[derive(Debug)]
pub(crate) struct Faulty<S> {
    inner: S,
    fault: Mutex<Fault>,
}

impl<S> Faulty<S> {
    pub(crate) fn new(inner: S) -> Self {
        Self { inner, fault: Mutex::new(Fault::None) }
    }

    /// Switches failing commits and loads on or off.
    pub(crate) fn set_broken(&self, broken: bool) {
        self.set(if broken { Fault::Error } else { Fault::None });
    }

    /// Sets the fault of all later calls.
    pub(crate) fn set(&self, fault: Fault) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    fn check(&self, panics: Fault) -> Result<(), StoreError> {
        let fault = *self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(fault != panics, "as a test asked for");
        if fault == Fault::Error { Err(StoreError::Injected) } else { Ok(()) }
    }
}

impl<S: Store> Store for Faulty<S> {
    fn claim(&self) -> Result<Fence, StoreError> {
        self.inner.claim()
    }

    fn load(&self) -> Result<Snapshot, StoreError> {
        self.check(Fault::PanicInLoad)?;
        self.inner.load()
    }

    fn commit(&self, fence: &Fence, writes: &[Write]) -> Result<(), StoreError> {
        self.check(Fault::PanicInCommit)?;
        self.inner.commit(fence, writes)
    }

    fn agenda(&self, id: &AgendaId) -> Result<Option<Record>, StoreError> {
        self.inner.agenda(id)
    }

    fn operations(&self, agenda: AgendaNo) -> Result<Vec<(OperationName, Option<OperationRow>)>, StoreError> {
        self.inner.operations(agenda)
    }

    fn body(&self, agenda: AgendaNo) -> Result<Option<String>, StoreError> {
        self.inner.body(agenda)
    }

    fn generated(&self, agenda: AgendaNo) -> Result<Vec<String>, StoreError> {
        self.inner.generated(agenda)
    }

    fn agendas(&self, filter: &Filter) -> Result<Vec<Record>, StoreError> {
        self.inner.agendas(filter)
    }

    fn by_key(&self, customer: &CustomerId, key: &str) -> Result<Option<AgendaId>, StoreError> {
        self.inner.by_key(customer, key)
    }

    fn events(&self, agenda: AgendaNo, after: u64, limit: usize) -> Result<Vec<Event>, StoreError> {
        self.inner.events(agenda, after, limit)
    }

    fn logs(
        &self,
        agenda: AgendaNo,
        operation: Option<&str>,
        after: i64,
        limit: usize,
    ) -> Result<Vec<(i64, LogChunk)>, StoreError> {
        self.inner.logs(agenda, operation, after, limit)
    }

    fn settings(&self, kind: Kind, after: &str, limit: usize) -> Result<Vec<Setting>, StoreError> {
        self.inner.settings(kind, after, limit)
    }

    fn setting(&self, kind: Kind, id: &str) -> Result<Option<Setting>, StoreError> {
        self.inner.setting(kind, id)
    }

    fn live(&self, id: &AgendaId) -> Result<Option<LiveRow>, StoreError> {
        self.inner.live(id)
    }

    fn templates(
        &self,
        customer: Option<&CustomerId>,
        after: &str,
        limit: usize,
    ) -> Result<Vec<TemplateHeader>, StoreError> {
        self.inner.templates(customer, after, limit)
    }

    fn template(&self, customer: Option<&CustomerId>, name: &str) -> Result<Option<String>, StoreError> {
        self.inner.template(customer, name)
    }
}
