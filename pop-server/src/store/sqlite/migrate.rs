//! The migrations of the schema: embedded scripts, applied in order, each in a transaction.

use rusqlite::Connection;

use crate::store::StoreError;

/// Each script brings the schema from the previous version to its own. The version is the script's place in this list,
/// counted from 1.
const SCRIPTS: [&str; 7] = [
    include_str!("../schema.sql"),
    include_str!("../schema-2.sql"),
    include_str!("../schema-3.sql"),
    include_str!("../schema-4.sql"),
    include_str!("../schema-5.sql"),
    include_str!("../schema-6.sql"),
    include_str!("../schema-7.sql"),
];

/// Migrates the database to the newest version.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    migrate_to(connection, SCRIPTS.len())
}

pub(super) fn migrate_to(connection: &mut Connection, newest: usize) -> Result<(), StoreError> {
    connection.execute_batch("CREATE TABLE IF NOT EXISTS migrations (version INTEGER NOT NULL)")?;
    let current: i64 =
        connection.query_row("SELECT coalesce(max(version), 0) FROM migrations", [], |row| row.get(0))?;
    let known = i64::try_from(SCRIPTS.len()).unwrap_or(i64::MAX);
    if current > known {
        return Err(StoreError::TooNew { found: current, known });
    }
    for (version, script) in (1..).zip(SCRIPTS).take(newest) {
        if version > current {
            let transaction = connection.transaction()?;
            transaction.execute_batch(script)?;
            transaction.execute("INSERT INTO migrations (version) VALUES (?1)", [version])?;
            transaction.commit()?;
        }
    }
    Ok(())
}
