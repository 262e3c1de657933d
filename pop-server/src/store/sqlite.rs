//! SQLite: one connection that writes, a few that read. The statements lie in the files below.

mod migrate;
mod read;
mod row;
mod write;

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pop_sdk::api::{LogChunk, TemplateView};
use rusqlite::{Connection, OpenFlags};

use super::{Filter, Kind, Record, Store, StoreError};
use crate::core::record::{LiveRow, OperationName, OperationRow, Snapshot, Write};
use crate::ids::{AgendaId, AgendaNo, CustomerId};

/// How many reads may run at the same time.
const READERS: usize = 4;
/// Statements that a connection keeps prepared.
const CACHED_STATEMENTS: usize = 64;
/// How long one connection waits for another one's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A database in a file, or in memory.
#[derive(Debug)]
pub struct SqliteStore {
    writer: Mutex<Connection>,
    /// None: reads use the writer's connection, for a database in memory has only one.
    readers: Option<Readers>,
    /// Held as long as the store is open; the system lets go of it when the process dies.
    _lock: Option<File>,
}

#[derive(Debug)]
struct Readers {
    idle: Mutex<Vec<Connection>>,
    returned: Condvar,
}

impl SqliteStore {
    /// Opens or creates the database file, and brings it to the newest schema. One store at a time may have it open.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let lock = lock(path)?;
        let mut writer = Connection::open(path)?;
        writer.pragma_update(None, "journal_mode", "WAL")?;
        writer.pragma_update(None, "synchronous", "FULL")?;
        prepare(&writer)?;
        migrate::migrate(&mut writer)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut idle = Vec::with_capacity(READERS);
        for _ in 0..READERS {
            let reader = Connection::open_with_flags(path, flags)?;
            prepare(&reader)?;
            idle.push(reader);
        }
        let readers = Readers { idle: Mutex::new(idle), returned: Condvar::new() };
        Ok(Self { writer: Mutex::new(writer), readers: Some(readers), _lock: Some(lock) })
    }

    /// A database that is gone when the program ends.
    pub fn in_memory() -> Result<Self, StoreError> {
        let mut writer = Connection::open_in_memory()?;
        prepare(&writer)?;
        migrate::migrate(&mut writer)?;
        Ok(Self { writer: Mutex::new(writer), readers: None, _lock: None })
    }

    /// Runs `work` on a connection that reads.
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

/// A connection that goes back, even when the work panics.
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
    // A transaction that panicked was rolled back, so the connection is sound.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the file `<database>.lock`. It stays behind; only the lock on it counts.
fn lock(database: &Path) -> Result<File, StoreError> {
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    let file =
        File::options().create(true).truncate(false).write(true).open(path).map_err(StoreError::Lock)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(database.to_owned())),
        Err(TryLockError::Error(error)) => Err(StoreError::Lock(error)),
    }
}

fn prepare(connection: &Connection) -> Result<(), StoreError> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    Ok(())
}

impl Store for SqliteStore {
    fn load(&self) -> Result<Snapshot, StoreError> {
        read::load(&locked(&self.writer))
    }

    fn commit(&self, writes: &[Write]) -> Result<(), StoreError> {
        if writes.is_empty() {
            return Ok(());
        }
        let mut connection = locked(&self.writer);
        let transaction = connection.transaction()?;
        for write in writes {
            write::apply(&transaction, write)?;
        }
        transaction.commit()?;
        Ok(())
    }

    fn agenda(&self, id: &AgendaId) -> Result<Option<Record>, StoreError> {
        self.read(|c| read::agenda(c, id))
    }

    fn operations(&self, agenda: AgendaNo) -> Result<Vec<(OperationName, Option<OperationRow>)>, StoreError> {
        self.read(|c| read::operations(c, agenda))
    }

    fn body(&self, agenda: AgendaNo) -> Result<Option<String>, StoreError> {
        self.read(|c| read::body(c, agenda))
    }

    fn made(&self, agenda: AgendaNo) -> Result<Vec<String>, StoreError> {
        self.read(|c| read::made(c, agenda))
    }

    fn agendas(&self, filter: &Filter) -> Result<Vec<Record>, StoreError> {
        self.read(|c| read::agendas(c, filter))
    }

    fn by_key(&self, customer: &CustomerId, key: &str) -> Result<Option<AgendaId>, StoreError> {
        self.read(|c| read::by_key(c, customer, key))
    }

    fn events(&self, agenda: AgendaNo, after: u64, limit: usize) -> Result<Vec<(u64, String)>, StoreError> {
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

    fn settings(&self, kind: Kind, after: &str, limit: usize) -> Result<Vec<(String, String)>, StoreError> {
        self.read(|c| read::settings(c, kind, after, limit))
    }

    fn setting(&self, kind: Kind, id: &str) -> Result<Option<String>, StoreError> {
        self.read(|c| read::setting(c, kind, id))
    }

    fn live(&self, id: &AgendaId) -> Result<Option<LiveRow>, StoreError> {
        self.read(|c| read::live(c, id))
    }

    fn templates(&self, after: &str, limit: usize) -> Result<Vec<TemplateView>, StoreError> {
        self.read(|c| read::templates(c, after, limit))
    }

    fn template(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.read(|c| read::template(c, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::conformance;

    #[test]
    fn in_memory_conforms() {
        conformance::suite(|| Box::new(SqliteStore::in_memory().unwrap()));
    }

    #[test]
    fn a_file_conforms() {
        let directory = tempfile::tempdir().unwrap();
        let mut count = 0;
        conformance::suite(|| {
            count += 1;
            Box::new(SqliteStore::open(&directory.path().join(format!("{count}.db"))).unwrap())
        });
    }

    #[test]
    fn two_stores_never_share_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pop.db");
        let first = SqliteStore::open(&path).unwrap();
        assert!(matches!(SqliteStore::open(&path), Err(StoreError::InUse(at)) if at == path));
        drop(first);
        // A child process that another test starts just now holds a copy of the lock until it has become its program.
        let again = (0..100_000).find_map(|_| {
            std::thread::yield_now();
            SqliteStore::open(&path).ok()
        });
        assert!(again.is_some());
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pop.db");
        drop(SqliteStore::open(&path).unwrap());
        Connection::open(&path).unwrap().execute("UPDATE migrations SET version = 999", []).unwrap();
        assert!(matches!(SqliteStore::open(&path), Err(StoreError::TooNew { found: 999, .. })));
    }
}
