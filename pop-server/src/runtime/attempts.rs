//! What a program says while its attempt runs: progress, its output, why it fails. The forms are the same whether the
//! program writes a file or sends a request, and the same for every runtime.

mod failure;
pub(crate) mod http;
mod progress;
mod registry;

pub(crate) use self::failure::FailureFile;
pub(crate) use self::progress::{Progress, last_line};
pub(crate) use self::registry::{Entry, Inbox, Registry, ReportError, ReportKind};

/// The longest progress and failure, in bytes. Only an output may be longer.
pub(crate) const SHORT: u64 = 256 << 10;
