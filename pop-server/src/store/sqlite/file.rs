//! The database file: one name, one owner, and a check whether the file is still present. The lock is on the file
//! itself, so it protects the file under every name.

use std::fs::{DirBuilder, File, Metadata, OpenOptions, TryLockError};
use std::io::Read as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::store::StoreError;

/// The first bytes of every SQLite file that is not empty.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// `POP1` in the header marks a database of POP.
const APPLICATION: i32 = 0x504f_5031;
/// Only the owner may read and write.
const PRIVATE_FILE: u32 = 0o600;
const PRIVATE_FOLDER: u32 = 0o700;

/// The locked database file. Close this file after all connections: closing any handle of a file drops the locks that
/// SQLite has on the file. The system releases the lock when the process dies.
#[derive(Debug)]
pub(super) struct DatabaseFile {
    /// Path without symbolic links, so that SQLite's files beside the database are the same for every process.
    pub(super) path: PathBuf,
    file: File,
}

impl DatabaseFile {
    /// Opens or creates the file, and locks it.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let unusable = |source| StoreError::File { path: path.to_owned(), source };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            DirBuilder::new().recursive(true).mode(PRIVATE_FOLDER).create(folder).map_err(unusable)?;
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(PRIVATE_FILE);
        let mut file = options.open(path).map_err(unusable)?;
        let path = path.canonicalize().map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::InUse(path)),
            Err(TryLockError::Error(error)) => return Err(StoreError::Lock(error)),
        }
        let mut start = Vec::new();
        (&mut file).take(MAGIC.len() as u64).read_to_end(&mut start).map_err(unusable)?;
        if !start.is_empty() && start != MAGIC {
            return Err(StoreError::Foreign { path, what: "not a SQLite database" });
        }
        if file.metadata().map_err(unusable)?.nlink() > 1 {
            return Err(StoreError::Linked(path));
        }
        Ok(Self { path, file })
    }

    /// Marks a new database as POP's, and refuses a database of another program.
    pub(super) fn claim(&self, connection: &Connection) -> Result<(), StoreError> {
        let id: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
        if id == APPLICATION {
            return Ok(());
        }
        let count = "SELECT count(*), count(*) FILTER (WHERE name = 'migrations') FROM sqlite_schema";
        let (all, ours): (i64, i64) =
            connection.query_row(count, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        // Databases of the first versions have no mark.
        if id != 0 || (all > 0 && ours == 0) {
            return Err(StoreError::Foreign {
                path: self.path.clone(),
                what: "the database of another program",
            });
        }
        connection.pragma_update(None, "application_id", APPLICATION)?;
        Ok(())
    }

    /// Fails if the file was removed or replaced: later writes would vanish with the process.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let same = |a: &Metadata, b: &Metadata| a.dev() == b.dev() && a.ino() == b.ino();
        match (self.file.metadata(), self.path.metadata()) {
            (Ok(own), Ok(named)) if same(&own, &named) => Ok(()),
            _ => Err(StoreError::Gone(self.path.clone())),
        }
    }
}
