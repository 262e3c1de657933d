//! A program's reports during its attempt: progress, output, failure. Their formats are the same in files and requests,
//! and for every runtime.

mod failure;
pub(crate) mod http;
mod progress;
mod registry;

pub(crate) use self::failure::FailureFile;
pub(crate) use self::progress::{Progress, last_line};
pub(crate) use self::registry::{Entry, Inbox, Registry, ReportError, ReportKind};

/// Largest size of progress and failure in bytes. Only an output may be larger.
pub(crate) const SHORT: u64 = 256 << 10;
