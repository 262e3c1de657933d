//! SQLite: one connection that writes, a few that read. The statements lie in the files below.

mod file;
mod migrate;
mod read;
mod row;
mod seal;
mod write;

use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pop_sdk::api::{LogChunk, TemplateView};
use rusqlite::{Connection, OpenFlags};

use self::file::DatabaseFile;
use self::seal::Seal;
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
    seal: Seal,
    /// None for a database in memory. Closed last.
    file: Option<DatabaseFile>,
}

#[derive(Debug)]
struct Readers {
    idle: Mutex<Vec<Connection>>,
    returned: Condvar,
}

impl SqliteStore {
    /// Opens or creates the database file, and brings it to the newest schema. One store at a time may have it open.
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

    /// A database that is gone when the program ends.
    pub fn in_memory() -> Result<Self, StoreError> {
        let mut writer = Connection::open_in_memory()?;
        prepare(&writer)?;
        migrate::migrate(&mut writer)?;
        Ok(Self { writer: Mutex::new(writer), readers: None, seal: Seal::default(), file: None })
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

fn prepare(connection: &Connection) -> Result<(), StoreError> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    Ok(())
}

impl Store for SqliteStore {
    fn load(&self) -> Result<Snapshot, StoreError> {
        read::load(&locked(&self.writer), &self.seal)
    }

    fn commit(&self, writes: &[Write]) -> Result<(), StoreError> {
        if let Some(file) = &self.file {
            file.check()?;
        }
        if writes.is_empty() {
            return Ok(());
        }
        let mut connection = locked(&self.writer);
        let transaction = connection.transaction()?;
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

    fn made(&self, agenda: AgendaNo) -> Result<Vec<String>, StoreError> {
        self.read(|c| read::made(c, &self.seal, agenda))
    }

    fn agendas(&self, filter: &Filter) -> Result<Vec<Record>, StoreError> {
        self.read(|c| read::agendas(c, &self.seal, filter))
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
        self.read(|c| read::live(c, &self.seal, id))
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
    use std::os::unix::fs::PermissionsExt as _;

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
        assert!(
            matches!(SqliteStore::open(&path), Err(StoreError::InUse(at)) if at == path.canonicalize().unwrap())
        );
        drop(first);
        // A child process that another test starts just now holds a copy of the lock until it has become its program.
        let again = (0..100_000).find_map(|_| {
            std::thread::yield_now();
            SqliteStore::open(&path).ok()
        });
        assert!(again.is_some());
    }

    #[test]
    fn other_names_of_a_file_are_the_same_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("folder/pop.db");
        let store = SqliteStore::open(&path).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        assert_eq!(mode(&directory.path().join("folder/pop.db-wal")), 0o600);
        let (link, hard) = (directory.path().join("link.db"), directory.path().join("hard.db"));
        std::os::unix::fs::symlink(&path, &link).unwrap();
        std::fs::hard_link(&path, &hard).unwrap();
        for other in [&link, &hard] {
            assert!(matches!(SqliteStore::open(other), Err(StoreError::InUse(_))), "{}", other.display());
        }
        store.commit(&[]).unwrap();
        drop(store);
        let refused = (0..100_000).find_map(|_| {
            std::thread::yield_now();
            SqliteStore::open(&hard).err().filter(|e| !matches!(e, StoreError::InUse(_)))
        });
        assert!(matches!(refused, Some(StoreError::Linked(_))), "its log lies beside the other name");
    }

    #[test]
    fn files_of_other_programs_are_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("other.db");
        std::fs::write(&path, "a text").unwrap();
        assert!(matches!(SqliteStore::open(&path), Err(StoreError::Foreign { .. })));
        assert_eq!(std::fs::read(&path).unwrap(), b"a text");
        std::fs::remove_file(&path).unwrap();
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
        assert!(matches!(SqliteStore::open(&path), Err(StoreError::Foreign { .. })));
        let tables = "SELECT count(*) FROM sqlite_schema";
        let count: i64 = Connection::open(&path).unwrap().query_row(tables, [], |r| r.get(0)).unwrap();
        assert_eq!(count, 1);
    }

    #[test]
    fn nothing_is_stored_in_a_file_that_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pop.db");
        let store = SqliteStore::open(&path).unwrap();
        store.commit(&[]).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(store.commit(&[]), Err(StoreError::Gone(_))));
        std::fs::write(&path, "").unwrap();
        assert!(matches!(store.commit(&[]), Err(StoreError::Gone(_))), "another file");
    }

    #[test]
    fn secrets_are_encrypted_and_need_their_key() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pop.db");
        let key = directory.path().join("pop.db.key");
        let store = SqliteStore::open(&path).unwrap();
        conformance::a_secret(&store, "S3CR3T");
        for entry in std::fs::read_dir(directory.path()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            assert!(!bytes.windows(6).any(|window| window == b"S3CR3T"));
        }
        assert_eq!(key.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        drop(store);
        let open = || {
            (0..100_000).find_map(|_| {
                std::thread::yield_now();
                match SqliteStore::open(&path) {
                    Err(StoreError::InUse(_)) => None,
                    result => Some(result.map(|store| store.body(AgendaNo(1)).unwrap())),
                }
            })
        };
        assert!(open().unwrap().unwrap().unwrap().contains("S3CR3T"));
        let right = std::fs::read(&key).unwrap();
        std::fs::write(&key, [7; 32]).unwrap();
        assert!(matches!(open(), Some(Err(StoreError::Key(why))) if why.contains("another key")));
        std::fs::remove_file(&key).unwrap();
        assert!(matches!(open(), Some(Err(StoreError::Key(why))) if why.contains("not there")));
        std::fs::write(&key, right).unwrap();
        assert!(open().unwrap().is_ok());
    }

    #[test]
    fn a_key_names_one_agenda() {
        let store = SqliteStore::in_memory().unwrap();
        store.commit(&conformance::new(1, "a", Some("k"))).unwrap();
        assert!(store.commit(&conformance::new(2, "a", Some("k"))).is_err());
        assert_eq!(store.by_key(&CustomerId::from("a"), "k").unwrap(), Some(AgendaId::from("ag_1")));
    }

    #[test]
    fn agendas_that_had_lost_leases_are_interrupted() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate::migrate_to(&mut connection, 4).unwrap();
        let insert = "INSERT INTO agendas (no, id, customer, insight, pool, total, submitted_at, lost) \
            VALUES (?1, ?1, 'c', 'i', 'p', 1, 0, ?1 - 1)";
        for no in [1, 2] {
            connection.execute(insert, [no]).unwrap();
        }
        migrate::migrate(&mut connection).unwrap();
        let mut statement = connection.prepare("SELECT interrupted FROM agendas ORDER BY no").unwrap();
        let found: Vec<u32> = statement.query_map([], |r| r.get(0)).unwrap().map(Result::unwrap).collect();
        assert_eq!(found, [0, 1]);
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
