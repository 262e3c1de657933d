//! Errors of the store. They name no types of a database: an implementation sorts its errors into a [`Fault`] and
//! chains them as causes.

use std::fmt;

/// Reasons why the store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused the request or failed.
    #[error("the database failed{fault}")]
    Database {
        /// The kind of failure.
        fault: Fault,
        /// The database's own error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Another server holds a newer claim.
    #[error(
        "the right to write to the database was lost: claim {newest} came after this server's claim {held}. Only one server \
         can use a database; end one of them"
    )]
    Fenced {
        /// The claim of the caller's fence.
        held: u64,
        /// The newest claim.
        newest: u64,
    },
    /// Stored data is unreadable.
    #[error("invalid `{column}` in the database: {why}")]
    Corrupt {
        /// The column.
        column: &'static str,
        /// The reason.
        why: String,
    },
    /// A newer version wrote the database.
    #[error(
        "unsupported schema version {found} of the database: this program supports up to {known}. Use a \
        newer program"
    )]
    TooNew {
        /// The database's schema version.
        found: i64,
        /// The newest supported version.
        known: i64,
    },
    /// Another process uses the database. Two processes would overwrite each other's state.
    #[error(
        "database {0} is in use by another process. Stop that process, or name another file with \
        --database"
    )]
    InUse(std::path::PathBuf),
    /// The file can't be locked.
    #[error("could not lock the database")]
    Lock(#[source] std::io::Error),
    /// The file can't be opened or created.
    #[error("could not open database {path}")]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// The file is no database of POP.
    #[error("cannot use {path} as the database: the file is {what}. Name another file with --database")]
    Foreign {
        /// The file.
        path: std::path::PathBuf,
        /// The file's actual content.
        what: &'static str,
    },
    /// The file has several names.
    #[error(
        "cannot use {0} as the database: the file has a second name (a hard link), and SQLite's log belongs \
            to one name only. Remove the other name, or use a copy"
    )]
    Linked(std::path::PathBuf),
    /// The file was removed or replaced while it was open.
    #[error(
        "database file {0} was removed or replaced, so nothing can be stored. Put the file back, or stop the \
            server"
    )]
    Gone(std::path::PathBuf),
    /// The key of the encrypted texts can't be used.
    #[error("could not use the encryption key of the database: {0}. Restore the right key file")]
    Key(String),
    /// A test injected the fault.
    #[cfg(test)]
    #[error("a fault was injected")]
    Injected,
}

/// The kinds of failure that callers distinguish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A write violates a key or another rule of the schema.
    Violated,
    /// The disk has no space left.
    Full,
    /// Another program keeps the database locked.
    Busy,
    /// The file is no valid database any more.
    Damaged,
    /// Any other failure; the cause has the details.
    Other,
}

/// The text after "the database failed" in a message.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Violated => ": the write contradicts what is stored",
            Self::Full => ": no space is left on the disk. Free some space",
            Self::Busy => ": another program keeps the file locked. End that program",
            Self::Damaged => ": the file is damaged. Restore a backup",
            Self::Other => "",
        })
    }
}
