//! Converts SQLite's errors into the store's.

use rusqlite::{Error, ErrorCode};

use crate::store::{Fault, StoreError};

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        let fault = match error.sqlite_error_code() {
            Some(ErrorCode::ConstraintViolation) => Fault::Violated,
            Some(ErrorCode::DiskFull) => Fault::Full,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Fault::Busy,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Fault::Damaged,
            _ => Fault::Other,
        };
        // The error of a script quotes the whole script.
        let source: Box<dyn std::error::Error + Send + Sync> = match error {
            Error::SqlInputError { error, msg, .. } => format!("{msg} ({error})").into(),
            other => Box::new(other),
        };
        Self::Database { fault, source }
    }
}
