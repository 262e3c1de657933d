//! What can go wrong with the data. No database's own types are named here: an implementation sorts its errors into a
//! [`Fault`] and chains them as causes.

use std::fmt;

/// What went wrong with the data.
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
    #[error("the database holds a `{column}` that can't be read: {why}")]
    Corrupt {
        /// The column.
        column: &'static str,
        /// What is wrong.
        why: String,
    },
    /// The database was written by a newer version.
    #[error("the database has schema version {found}, this program knows {known}; use a newer program")]
    TooNew {
        /// The database's version.
        found: i64,
        /// The newest version that is known.
        known: i64,
    },
    /// Another process writes to it; two would overwrite each other's state.
    #[error("another process uses the database {0}")]
    InUse(std::path::PathBuf),
    /// The file can't be locked.
    #[error("can't lock the database")]
    Lock(#[source] std::io::Error),
    /// The file can't be opened or made.
    #[error("can't open the database {path}")]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is something else.
    #[error("{path} is {what}, so it is left alone; name another file with --database")]
    Foreign {
        /// The file.
        path: std::path::PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// The file has several names.
    #[error(
        "{0} has another name (a hard link), and SQLite's log lies beside one of them only; remove the other name, or use a copy"
    )]
    Linked(std::path::PathBuf),
    /// The file was removed or replaced while it was open.
    #[error(
        "the database file {0} was removed or replaced; nothing can be stored. Put it back, or stop the server"
    )]
    Gone(std::path::PathBuf),
    /// The key of what is encrypted can't be used.
    #[error("can't use the key of the encrypted agendas: {0}. Put the right key there")]
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
