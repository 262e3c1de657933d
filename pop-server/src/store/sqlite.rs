//! The SQLite store: one connection writes, a few connections read. The files below hold the statements.

mod fault;
mod file;
mod migrate;
mod read;
mod row;
mod seal;
mod write;

use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use self::file::DatabaseFile;
use self::seal::Seal;
use super::{Fence, Filter, Kind, Record, Store, StoreError};
use crate::core::record::{
    Event, LiveRow, LogChunk, OperationName, OperationRow, Setting, Snapshot, TemplateHeader, Write,
};
use crate::ids::{AgendaId, AgendaNo, CustomerId};

/// Number of reads that may run at the same time.
const READERS: usize = 4;
/// Number of prepared statements that a connection keeps.
const CACHED_STATEMENTS: usize = 64;
/// Longest wait for the lock of another connection.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A database in a file, or in memory.
#[derive(Debug)]
pub struct SqliteStore {
    writer: Mutex<Connection>,
    /// None for a database in memory, which has only one connection: reads use the writer's.
    readers: Option<Readers>,
    seal: Seal,
    /// None for a database in memory. Last in order, because the connections must close first.
    file: Option<DatabaseFile>,
}

#[derive(Debug)]
struct Readers {
    idle: Mutex<Vec<Connection>>,
    returned: Condvar,
}

impl SqliteStore {
    /// Opens or creates the database file, and migrates it to the newest schema. Only one store at a time may open a
    /// file.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let file = DatabaseFile::open(path)?;
        let path = file.path.as_path();
        let mut writer = Connection::open(path)?;
        file.claim(&writer)?;
        writer.pragma_update(None, "journal_mode", "WAL")?;
        writer.pragma_update(None, "synchronous", "FULL")?;
        prepare(&writer)?;
        migrate::migrate(&mut writer)?;
        let seal = Seal::open(path, &writer)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut idle = Vec::with_capacity(READERS);
        for _ in 0..READERS {
            let reader = Connection::open_with_flags(path, flags)?;
            prepare(&reader)?;
            idle.push(reader);
        }
        let readers = Readers { idle: Mutex::new(idle), returned: Condvar::new() };
        Ok(Self { writer: Mutex::new(writer), readers: Some(readers), seal, file: Some(file) })
    }

    /// A database in memory, lost at the end of the program.
    pub fn in_memory() -> Result<Self, StoreError> {
        let mut writer = Connection::open_in_memory()?;
        prepare(&writer)?;
        migrate::migrate(&mut writer)?;
        Ok(Self { writer: Mutex::new(writer), readers: None, seal: Seal::default(), file: None })
    }

    /// Fails if the database file was removed or replaced.
    fn check_file(&self) -> Result<(), StoreError> {
        self.file.as_ref().map_or(Ok(()), DatabaseFile::check)
    }

    /// Runs `work` on a reading connection.
    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let Some(readers) = &self.readers else { return work(&locked(&self.writer)) };
        let mut idle = locked(&readers.idle);
        let connection = loop {
            if let Some(connection) = idle.pop() {
                break connection;
            }
            idle = readers.returned.wait(idle).unwrap_or_else(PoisonError::into_inner);
        };
        drop(idle);
        let lent = Lent { connection: Some(connection), readers };
        match &lent.connection {
            Some(connection) => work(connection),
            None => Err(StoreError::Corrupt { column: "connection", why: "it is gone".to_owned() }),
        }
    }
}

/// A borrowed connection, which returns even after a panic.
struct Lent<'a> {
    connection: Option<Connection>,
    readers: &'a Readers,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            locked(&self.readers.idle).push(connection);
            self.readers.returned.notify_one();
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // SQLite rolled back the transaction of a panic, so the connection is usable.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn prepare(connection: &Connection) -> Result<(), StoreError> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    Ok(())
}

fn check_fence(connection: &Connection, fence: &Fence) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached("SELECT claim FROM writer")?;
    let newest = statement.query_row([], |row| row.get(0))?;
    if newest == fence.claim { Ok(()) } else { Err(StoreError::Fenced { held: fence.claim, newest }) }
}

impl Store for SqliteStore {
    fn claim(&self) -> Result<Fence, StoreError> {
        self.check_file()?;
        let claim = "UPDATE writer SET claim = claim + 1 RETURNING claim";
        let claim = locked(&self.writer).query_row(claim, [], |row| row.get(0))?;
        Ok(Fence { claim })
    }

    fn load(&self) -> Result<Snapshot, StoreError> {
        read::load(&locked(&self.writer), &self.seal)
    }

    fn commit(&self, fence: &Fence, writes: &[Write]) -> Result<(), StoreError> {
        self.check_file()?;
        let mut connection = locked(&self.writer);
        if writes.is_empty() {
            return check_fence(&connection, fence);
        }
        // The transaction locks the database, so no other store can claim between the check and the end.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        check_fence(&transaction, fence)?;
        for write in writes {
            write::apply(&transaction, &self.seal, write)?;
        }
        transaction.commit()?;
        Ok(())
    }

    fn agenda(&self, id: &AgendaId) -> Result<Option<Record>, StoreError> {
        self.read(|c| read::agenda(c, &self.seal, id))
    }

    fn operations(&self, agenda: AgendaNo) -> Result<Vec<(OperationName, Option<OperationRow>)>, StoreError> {
        self.read(|c| read::operations(c, &self.seal, agenda))
    }

    fn body(&self, agenda: AgendaNo) -> Result<Option<String>, StoreError> {
        self.read(|c| read::body(c, &self.seal, agenda))
    }

    fn generated(&self, agenda: AgendaNo) -> Result<Vec<String>, StoreError> {
        self.read(|c| read::generated(c, &self.seal, agenda))
    }

    fn agendas(&self, filter: &Filter) -> Result<Vec<Record>, StoreError> {
        self.read(|c| read::agendas(c, &self.seal, filter))
    }

    fn by_key(&self, customer: &CustomerId, key: &str) -> Result<Option<AgendaId>, StoreError> {
        self.read(|c| read::by_key(c, customer, key))
    }

    fn events(&self, agenda: AgendaNo, after: u64, limit: usize) -> Result<Vec<Event>, StoreError> {
        self.read(|c| read::events(c, agenda, after, limit))
    }

    fn logs(
        &self,
        agenda: AgendaNo,
        operation: Option<&str>,
        after: i64,
        limit: usize,
    ) -> Result<Vec<(i64, LogChunk)>, StoreError> {
        self.read(|c| read::logs(c, agenda, operation, after, limit))
    }

    fn settings(&self, kind: Kind, after: &str, limit: usize) -> Result<Vec<Setting>, StoreError> {
        self.read(|c| read::settings(c, kind, after, limit))
    }

    fn setting(&self, kind: Kind, id: &str) -> Result<Option<Setting>, StoreError> {
        self.read(|c| read::setting(c, kind, id))
    }

    fn live(&self, id: &AgendaId) -> Result<Option<LiveRow>, StoreError> {
        self.read(|c| read::live(c, &self.seal, id))
    }

    fn templates(
        &self,
        customer: Option<&CustomerId>,
        after: &str,
        limit: usize,
    ) -> Result<Vec<TemplateHeader>, StoreError> {
        self.read(|c| read::templates(c, customer, after, limit))
    }

    fn template(&self, customer: Option<&CustomerId>, name: &str) -> Result<Option<String>, StoreError> {
        self.read(|c| read::template(c, customer, name))
    }
}

#[cfg(test)]
mod tests;
