//! The contract, and the behaviour of a database in a file.

use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::store::conformance::{self, Claimed};

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
    // A child process that another test starts at this moment holds a copy of the lock until its `exec`.
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
    let fence = store.claim().unwrap();
    store.commit(&fence, &[]).unwrap();
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
    let fence = store.claim().unwrap();
    store.commit(&fence, &[]).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(store.commit(&fence, &[]), Err(StoreError::Gone(_))));
    std::fs::write(&path, "").unwrap();
    assert!(matches!(store.commit(&fence, &[]), Err(StoreError::Gone(_))), "another file");
}

#[test]
fn secrets_are_encrypted_and_need_their_key() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pop.db");
    let key = directory.path().join("pop.db.key");
    let store = Claimed::new(Box::new(SqliteStore::open(&path).unwrap()));
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
    assert!(matches!(open(), Some(Err(StoreError::Key(why))) if why.contains("does not exist")));
    std::fs::write(&key, right).unwrap();
    assert!(open().unwrap().is_ok());
}

#[test]
fn a_violated_key_is_told_with_its_cause() {
    let store = Claimed::new(Box::new(SqliteStore::in_memory().unwrap()));
    store.commit(&conformance::new(1, "a", Some("k"))).unwrap();
    let refused = store.commit(&conformance::new(2, "a", Some("k"))).unwrap_err();
    assert_eq!(refused.to_string(), "the database failed: the write contradicts what is stored");
    let cause = std::error::Error::source(&refused).unwrap().to_string();
    assert_eq!(cause, "UNIQUE constraint failed: keys.customer, keys.key");
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
    let refused = SqliteStore::open(&path).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "unsupported schema version 999 of the database: this program supports up to 7. Use a newer program"
    );
}

impl SqliteStore {
    /// Adds unknown fields to each stored document, as a newer program may have done.
    pub(crate) fn of_tomorrow(&self) {
        let connection = locked(&self.writer);
        for (table, column, at) in [
            ("settings", "body", "$"),
            ("templates", "view", "$"),
            ("templates", "body", "$"),
            ("templates", "body", "$.agenda"),
            ("agendas", "workflow", "$"),
            ("agendas", "failure", "$"),
            ("agendas", "failure", "$.mismatch"),
            ("operations", "failure", "$"),
            ("events", "body", "$"),
            ("events", "body", "$.operation"),
            ("events", "body", "$.operation.failure"),
            ("events", "body", "$.operation.failure.mismatch"),
            ("events", "body", "$.added"),
            ("events", "body", "$.added.operations[0]"),
            ("events", "body", "$.again"),
            ("bodies", "body", "$"),
            ("bodies", "body", "$.operations[0]"),
            ("bodies", "body", "$.params.\"pop.types\".t"),
            ("made", "body", "$"),
        ] {
            let sql = format!(
                "UPDATE {table} SET {column} = json_set({column}, ?1 || '.of_tomorrow', json('{{\"a\": [1.50]}}')) \
                 WHERE json_type({column}, ?1) = 'object'"
            );
            assert!(connection.execute(&sql, [at]).unwrap() > 0, "no {table}.{column} has {at}");
        }
        let listed = "UPDATE bodies SET operations = json_set(operations, '$[0][2]', 'more')";
        assert!(connection.execute(listed, []).unwrap() > 0);
    }
}
