//! The documents that the database holds as JSON text: settings, the headers of templates and workflows, failures,
//! events. This file defines their whole form.
//!
//! **Compatibility.** The schema's version is also the version of the documents. Reading is tolerant: unknown fields
//! are ignored, and absent fields have defaults, so a new field needs no new version.
//!
//! A new name of a state or a class needs a new version of the schema, as does a changed meaning of a field. An older
//! program would misread them, and refuses a newer version ([`TooNew`](super::StoreError::TooNew)). The store keeps
//! every name of a policy; the scheduler defines the meaning of an unknown name.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::de::{Error, IgnoredAny, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::core::record::{
    Added, AgendaState, Customer, Event, Failure, FailureClass, Insight, Ledger, Mismatch, OperationName,
    OperationState, OperationUpdate, Percent, Pool, RerunOperations, TemplateHeader, WorkflowRef,
};
use crate::ids::CustomerId;

/// Writes and reads a record in the form of its document.
macro_rules! stored {
    ($($record:ident as $document:ident,)*) => {
        $(
            impl Serialize for $record {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    $document::serialize(self, serializer)
                }
            }

            impl<'de> Deserialize<'de> for $record {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    $document::deserialize(deserializer)
                }
            }
        )*
    };
}

stored!(
    Customer as CustomerDocument,
    Pool as PoolDocument,
    Insight as InsightDocument,
    TemplateHeader as TemplateDocument,
    WorkflowRef as WorkflowDocument,
    Failure as FailureDocument,
    Mismatch as MismatchDocument,
    Ledger as LedgerDocument,
    Event as EventDocument,
    OperationUpdate as OperationDocument,
    OperationName as OperationNameDocument,
    Added as AddedDocument,
    RerunOperations as RerunDocument,
);

/// Stores a name from a table of names as that name.
macro_rules! named {
    ($($name:ident is $what:literal,)*) => {
        $(
            impl Serialize for $name {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.serialize_str(self.as_str())
                }
            }

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    let name = String::deserialize(deserializer)?;
                    Self::named(&name).ok_or_else(|| D::Error::invalid_value(Unexpected::Str(&name), &$what))
                }
            }
        )*
    };
}

named!(
    AgendaState is "a state of an agenda",
    OperationState is "a state of an operation",
    FailureClass is "a class of failures",
);

#[derive(Serialize, Deserialize)]
#[serde(remote = "Customer", default = "Customer::default")]
struct CustomerDocument {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    pool: String,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Pool", default = "Pool::default")]
struct PoolDocument {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Insight", default = "Insight::default")]
struct InsightDocument {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    pool: String,
    mappers: BTreeMap<String, Vec<String>>,
    priority: i64,
    queue_size: u32,
    algorithm: String,
    allowed_customers: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "TemplateHeader", default = "TemplateHeader::default")]
struct TemplateDocument {
    /// The customer has a column of its own.
    #[serde(skip)]
    customer: Option<CustomerId>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    digest: String,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "WorkflowRef", default = "WorkflowRef::default")]
struct WorkflowDocument {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Failure")]
struct FailureDocument {
    class: FailureClass,
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<i32>,
    #[serde(default, skip_serializing_if = "<[String]>::is_empty")]
    log_tail: Box<[String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mismatch: Option<Box<Mismatch>>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Mismatch", default = "Mismatch::default")]
struct MismatchDocument {
    field: String,
    expected: String,
    found: String,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Ledger", default = "Ledger::default")]
struct LedgerDocument {
    #[serde(skip_serializing_if = "Option::is_none")]
    pod: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ready_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    posted_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scheduled_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pulled_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    container_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spoke_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exited_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reported_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    committed_at: Option<Timestamp>,
}

/// The number also has a column, which decides.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Event")]
struct EventDocument {
    #[serde(default)]
    seq: u64,
    at: Timestamp,
    state: AgendaState,
    #[serde(default, with = "percent")]
    percent: Percent,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<OperationUpdate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    added: Option<Added>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(rename = "again")]
    rerun: Option<RerunOperations>,
}

/// An operation in an event. Outputs have a table of their own.
#[derive(Serialize, Deserialize)]
#[serde(remote = "OperationUpdate", default = "OperationUpdate::default")]
struct OperationDocument {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    state: OperationState,
    attempt: u32,
    #[serde(skip_serializing_if = "is_zero")]
    failures: u32,
    #[serde(with = "percent")]
    percent: Percent,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Timestamp>,
    #[serde(skip)]
    output: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Failure>,
    #[serde(skip)]
    ledger: Option<Box<Ledger>>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "OperationName", default = "OperationName::default")]
struct OperationNameDocument {
    name: String,
    #[serde(rename = "type")]
    kind: String,
}

/// An operation in the list beside its agenda's body: `["a", "media.probe"]`. Lists are long, so they have no keys. A
/// reader ignores further items.
pub(super) struct Listed(pub(super) OperationName);

impl<'de> Deserialize<'de> for Listed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;

        impl<'de> Visitor<'de> for List {
            type Value = Listed;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name and the type of an operation")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Listed, A::Error> {
                let mut next = |at| list.next_element()?.ok_or_else(|| A::Error::invalid_length(at, &self));
                let (name, kind) = (next(0)?, next(1)?);
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Listed(OperationName { name, kind }))
            }
        }

        deserializer.deserialize_seq(List)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Added", default = "Added::default")]
struct AddedDocument {
    generator: String,
    operations: Vec<OperationName>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "RerunOperations", default = "RerunOperations::default")]
struct RerunDocument {
    reset: Vec<String>,
    removed: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// A percentage as a number from 0 to 100.
mod percent {
    use super::{Deserialize, Deserializer, Percent, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
    pub(super) fn serialize<S: Serializer>(percent: &Percent, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(percent.value())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Percent, D::Error> {
        f64::deserialize(deserializer).map(Percent::new)
    }
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;

    use super::*;

    fn of<T: DeserializeOwned>(text: &str) -> T {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn what_is_absent_has_its_default() {
        assert_eq!(of::<Customer>("{}"), Customer::default());
        assert_eq!(of::<Pool>("{}"), Pool::default());
        assert_eq!(of::<Insight>("{}"), Insight::default());
        assert_eq!(of::<Insight>("{}").queue_size, 4);
        assert_eq!(of::<TemplateHeader>("{}"), TemplateHeader::default());
        assert_eq!(of::<WorkflowRef>("{}"), WorkflowRef::default());
        let event: Event = of(
            r#"{"at": "2026-01-02T03:04:05Z", "state": "ready", "operation": {}, "added": {}, "again": {}}"#,
        );
        assert_eq!((event.percent, event.reason), (Percent::default(), None));
        assert_eq!(event.operation, Some(OperationUpdate::default()));
        assert_eq!((event.added, event.rerun), (Some(Added::default()), Some(RerunOperations::default())));
        let failure: Failure = of(r#"{"class": "user", "mismatch": {}}"#);
        assert_eq!((failure.message.as_str(), failure.mismatch), ("", Some(Box::default())));
    }

    #[test]
    fn a_name_that_is_not_known_is_told() {
        let read = serde_json::from_str::<Event>(r#"{"state": "melted"}"#).unwrap_err().to_string();
        assert!(
            read.starts_with("invalid value: string \"melted\", expected a state of an agenda"),
            "{read}"
        );
    }

    /// The scheduler knows the policies, so the store accepts every name.
    #[test]
    fn the_name_of_a_policy_is_kept_whatever_it_is() {
        assert_eq!(of::<Insight>(r#"{"algorithm": "lottery"}"#).algorithm, "lottery");
    }

    #[test]
    fn a_percent_is_the_same_after_each_round() {
        for hundredths in 0..=10_000 {
            let percent = Percent::from_hundredths(hundredths);
            let update = OperationUpdate { percent, ..OperationUpdate::default() };
            assert_eq!(of::<OperationUpdate>(&serde_json::to_string(&update).unwrap()), update);
        }
    }
}
