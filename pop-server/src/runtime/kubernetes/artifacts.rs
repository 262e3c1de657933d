//! Files that pods of one agenda share: a claim or a folder of the node. Each agenda has a folder of its own below its
//! customer's, and its pods see only that one.

use std::str::FromStr;

use serde_json::{Value, json};

use super::names;
use crate::runtime::Launch;

/// Where an agenda's folder is in each of its pods.
pub(super) const PLACE: &str = "/pop/artifacts";
/// Where the whole volume is, in containers of the shim alone.
pub(super) const WHOLE: &str = "/pop/volume";
/// Name of the volume in a pod.
const VOLUME: &str = "pop-artifacts";

/// The place of artifacts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Artifacts {
    /// A persistent volume claim in the namespace of the pods. With several nodes, it must allow many writers.
    Claim(String),
    /// A folder of every node, which the operators keep the same.
    HostPath(String),
}

impl FromStr for Artifacts {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("claim", name)) if !name.is_empty() => Ok(Self::Claim(name.to_owned())),
            Some(("host", path)) if path.starts_with('/') => Ok(Self::HostPath(path.to_owned())),
            _ => Err("expected `claim:NAME` or `host:/PATH`".to_owned()),
        }
    }
}

impl Artifacts {
    /// The volume of a pod.
    pub(super) fn volume(&self) -> Value {
        match self {
            Self::Claim(name) => json!({"name": VOLUME, "persistentVolumeClaim": {"claimName": name}}),
            Self::HostPath(path) => json!({"name": VOLUME, "hostPath": {"path": path}}),
        }
    }

    /// The mount of the whole volume, for containers of the shim.
    pub(super) fn whole() -> Value {
        json!({"name": VOLUME, "mountPath": WHOLE})
    }

    /// The mount of the agenda's folder.
    pub(super) fn part(launch: &Launch) -> Value {
        json!({"name": VOLUME, "mountPath": PLACE, "subPath": folder(launch)})
    }
}

/// The folder of an agenda in the volume: `CUSTOMER/AGENDA`.
pub(super) fn folder(launch: &Launch) -> String {
    let customer = names::label_value(launch.customer.as_deref().unwrap_or_default());
    // No customer's name starts with a dash, so no customer shares this folder.
    let customer = if customer.is_empty() { "-" } else { &customer };
    format!("{customer}/{}", names::label_value(&launch.agenda))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_claim_or_a_path() {
        assert_eq!("claim:films".parse(), Ok(Artifacts::Claim("films".into())));
        assert_eq!("host:/srv/pop".parse(), Ok(Artifacts::HostPath("/srv/pop".into())));
        for text in ["films", "claim:", "host:srv", ""] {
            assert!(text.parse::<Artifacts>().is_err(), "{text}");
        }
    }
}
