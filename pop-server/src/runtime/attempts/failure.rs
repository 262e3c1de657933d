//! A program's own failure in `$POP_FAILURE_FILE`: `{"class": …, "code": …, "message": …}`.

use pop_sdk::api::{Failure, FailureClass};
use serde::Deserialize;

use crate::run::fail;

/// Longest message and code that are kept, in bytes.
const LIMIT: usize = 16 * 1024;

/// The content of a failure file.
#[derive(Debug, Deserialize)]
pub(crate) struct FailureFile {
    #[serde(default)]
    class: Option<FailureClass>,
    #[serde(default)]
    code: Option<String>,
    message: String,
    /// Written before the work, in case the program writes no other failure. Such a failure counts only for a program
    /// that exits.
    #[serde(default)]
    provisional: bool,
}

impl FailureFile {
    /// The failure of a program that ended by itself. `killed` means that a signal ended the program. None for an
    /// unreadable text.
    pub(crate) fn parse(text: &[u8], killed: bool) -> Option<Failure> {
        let file: Self = serde_json::from_slice(text).ok()?;
        (!(killed && file.provisional)).then(|| file.failure())
    }

    fn failure(self) -> Failure {
        // A program cannot blame other parties than these.
        let class = match self.class {
            Some(
                class @ (FailureClass::UserFatal
                | FailureClass::UserResource
                | FailureClass::Config
                | FailureClass::Infra),
            ) => class,
            _ => FailureClass::User,
        };
        fail(class, &cut(self.code.as_deref().unwrap_or("Failed")), cut(&self.message))
    }
}

fn cut(text: &str) -> String {
    if text.len() <= LIMIT {
        return text.to_owned();
    }
    let end = (0..=LIMIT).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
    format!("{}…", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, killed: bool) -> Option<Failure> {
        FailureFile::parse(text.as_bytes(), killed)
    }

    #[test]
    fn a_program_names_its_failure() {
        let failure = read(r#"{"class": "config", "code": "NoKey", "message": "set it"}"#, false).unwrap();
        assert_eq!(
            (failure.class, &*failure.code, &*failure.message),
            (FailureClass::Config, "NoKey", "set it")
        );
        let failure = read(r#"{"message": "m"}"#, true).unwrap();
        assert_eq!((failure.class, &*failure.code), (FailureClass::User, "Failed"));
    }

    #[test]
    fn it_can_not_speak_for_others() {
        let failure = read(r#"{"class": "platform", "message": "m"}"#, false).unwrap();
        assert_eq!(failure.class, FailureClass::User);
        let long = format!(r#"{{"message": "{}"}}"#, "é".repeat(LIMIT));
        assert!(read(&long, false).unwrap().message.len() < LIMIT + 4);
    }

    #[test]
    fn what_was_written_beforehand_counts_only_for_an_exit() {
        let text = r#"{"message": "no output", "provisional": true}"#;
        assert!(read(text, false).is_some());
        assert!(read(text, true).is_none());
        assert!(read("{\"mess", false).is_none());
    }
}
