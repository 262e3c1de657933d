//! What can go wrong with the data. No database's own types are named here: an implementation sorts its errors into a
//! [`Fault`] and chains them as causes.

use std::fmt;

/// Why the store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or failed.
    #[error("the database failed{fault}")]
    Database {
        /// What kind of failure it is.
        fault: Fault,
        /// The database's own error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A newer claim of the right to write exists.
    #[error(
        "the right to write to the database was lost: claim {newest} came after this server's claim {held}. Only one server \
         can use a database; end one of them"
    )]
    Fenced {
        /// The claim of the fence that was shown.
        held: u64,
        /// The newest claim.
        newest: u64,
    },
    /// What is stored can't be understood.
    #[error("invalid `{column}` in the database: {why}")]
    Corrupt {
        /// The column.
        column: &'static str,
        /// What is wrong.
        why: String,
    },
    /// The database was written by a newer version.
    #[error(
        "unsupported schema version {found} of the database: this program supports up to {known}. Use a \
        newer program"
    )]
    TooNew {
        /// The database's version.
        found: i64,
        /// The newest version that is known.
        known: i64,
    },
    /// Another process writes to it; two would overwrite each other's state.
    #[error(
        "database {0} is in use by another process. Stop that process, or name another file with \
        --database"
    )]
    InUse(std::path::PathBuf),
    /// The file can't be locked.
    #[error("could not lock the database")]
    Lock(#[source] std::io::Error),
    /// The file can't be opened or made.
    #[error("could not open database {path}")]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is something else.
    #[error("cannot use {path} as the database: the file is {what}. Name another file with --database")]
    Foreign {
        /// The file.
        path: std::path::PathBuf,
        /// What it is.
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
    /// The key of what is encrypted can't be used.
    #[error("could not use the encryption key of the database: {0}. Restore the right key file")]
    Key(String),
    /// A fault that a test asked for.
    #[cfg(test)]
    #[error("a fault was injected")]
    Injected,
}

/// The kinds of failure of a database that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A write violates a key or another rule of the schema.
    Violated,
    /// No space is left for it.
    Full,
    /// Another program keeps it locked.
    Busy,
    /// What is in the file is no longer a sound database.
    Damaged,
    /// Anything else; the cause says what.
    Other,
}

/// What follows "the database failed" in a message.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Violated => ": the write contradicts what is stored",
            Self::Full => ": no space is left. Free some",
            Self::Busy => ": another program keeps it locked. End that program",
            Self::Damaged => ": its file is damaged. Restore a backup",
            Self::Other => "",
        })
    }
}
