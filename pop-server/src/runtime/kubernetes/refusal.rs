//! What a refusal of the API server means.

use std::time::Duration;

use kube::Error;
use kube::core::Status;
use kube::runtime::watcher;

/// The meaning of a failed call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The object is not there.
    NotFound(String),
    /// An object of this name is there.
    AlreadyExists,
    /// The object has changed, or has another UID than expected.
    Conflict,
    /// A quota is used up, so the same call may succeed later.
    Quota(String),
    /// A right is missing.
    Right(String),
    /// A policy forbids the object, or the object is invalid.
    Policy(String),
    /// The server is busy or away; the same call may succeed after this time.
    Later(String, Duration),
}

/// Pause before a repetition, if the server names none.
const PAUSE: Duration = Duration::from_millis(500);

impl Refusal {
    /// The meaning of an error of the client.
    pub(super) fn of(error: &Error) -> Self {
        match error {
            Error::Api(status) => Self::of_status(status),
            Error::BuildRequest(_) | Error::SerdeError(_) => Self::Policy(error.to_string()),
            other => Self::Later(chain(other), PAUSE),
        }
    }

    /// The meaning of an error of a watch.
    pub(super) fn of_watch(error: &watcher::Error) -> Self {
        match error {
            watcher::Error::InitialListFailed(error)
            | watcher::Error::WatchStartFailed(error)
            | watcher::Error::WatchFailed(error) => Self::of(error),
            watcher::Error::WatchError(status) => Self::of_status(status),
            watcher::Error::NoResourceVersion => Self::Later(error.to_string(), PAUSE),
        }
    }

    fn of_status(status: &Status) -> Self {
        let text = status.message.clone();
        match (status.code, status.reason.as_str()) {
            (404, _) => Self::NotFound(text),
            (409, "AlreadyExists") => Self::AlreadyExists,
            (409, _) => Self::Conflict,
            // Quotas, rights and policies have one status; only the message tells them apart.
            (403, _) if text.contains("exceeded quota") => Self::Quota(text),
            (403, _) if text.contains(" cannot ") && text.contains(" resource ") => Self::Right(text),
            // A new namespace lacks its account for a moment.
            (403, _) if text.contains("error looking up service account") => Self::Later(text, PAUSE),
            (401, _) => Self::Right(format!("the API server refuses the credentials: {text}")),
            (429 | 500.., _) => {
                let details = status.details.as_ref();
                let after = details.map(|details| details.retry_after_seconds).filter(|seconds| *seconds > 0);
                Self::Later(text, after.map_or(PAUSE, |seconds| Duration::from_secs(u64::from(seconds))))
            }
            _ => Self::Policy(text),
        }
    }

    /// The refusal as a text.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::NotFound(text)
            | Self::Quota(text)
            | Self::Right(text)
            | Self::Policy(text)
            | Self::Later(text, _) => text,
            Self::AlreadyExists => "an object of this name exists",
            Self::Conflict => "the object has changed",
        }
    }
}

/// An error with its causes.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: u16, reason: &str, message: &str) -> Refusal {
        Refusal::of_status(&Status {
            code,
            reason: reason.to_owned(),
            message: message.to_owned(),
            ..Status::default()
        })
    }

    #[test]
    fn one_status_has_several_meanings() {
        let quota =
            "pods \"x\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1";
        assert_eq!(status(403, "Forbidden", quota), Refusal::Quota(quota.to_owned()));
        let right = "pods is forbidden: User \"u\" cannot create resource \"pods\" in API group \"\" in the namespace \"n\"";
        assert_eq!(status(403, "Forbidden", right), Refusal::Right(right.to_owned()));
        let policy =
            "pods \"x\" is forbidden: maximum memory usage per Container is 64Mi, but limit is 128Mi";
        assert_eq!(status(403, "Forbidden", policy), Refusal::Policy(policy.to_owned()));
        let account = "pods \"x\" is forbidden: error looking up service account n/default: serviceaccount \"default\" not found";
        assert!(matches!(status(403, "Forbidden", account), Refusal::Later(..)));
        assert!(matches!(status(422, "Invalid", "bad"), Refusal::Policy(_)));
        assert!(matches!(status(503, "ServiceUnavailable", "away"), Refusal::Later(..)));
        assert_eq!(status(409, "AlreadyExists", ""), Refusal::AlreadyExists);
        assert_eq!(status(409, "Conflict", ""), Refusal::Conflict);
    }
}
