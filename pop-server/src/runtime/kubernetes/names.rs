//! The names and labels of pods. All follow from the attempt, so a repeated create finds the pod of the first one.

use std::collections::BTreeMap;

use crate::runtime::Launch;

/// Label with the value `pop` on everything that a pool creates.
pub(super) const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// Label: the pool.
pub(super) const POOL: &str = "pop.dev/pool";
/// Label: the agent that created the pod.
pub(super) const AGENT: &str = "pop.dev/agent";
/// Label: the agenda's id.
pub(super) const AGENDA: &str = "pop.dev/agenda";
/// Label: the number of the attempt.
pub(super) const ATTEMPT: &str = "pop.dev/attempt";
/// Label: the operation's name, as far as a label can hold it.
pub(super) const OPERATION: &str = "pop.dev/operation";
/// Annotation: the operation's whole name.
pub(super) const OPERATION_NAME: &str = "pop.dev/operation-name";
/// The container that runs the operation.
pub(super) const MAIN: &str = "main";
/// The container that brings the shim.
pub(super) const SHIM: &str = "shim";

/// The volume with the pod's token.
pub(super) const TOKEN_VOLUME: &str = "pop-token";

/// Longest name of a pod that is also its host name.
const LONGEST: usize = 63;

/// The owner of pods: a pool and one of its agents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) pool: String,
    pub(super) agent: String,
}

/// The pod's name: `AGENDA-OPERATION-HASH-aATTEMPT`. The hash keeps operations apart whose names differ only in what a
/// pod's name can't hold.
pub(super) fn pod(agenda: &str, operation: &str, attempt: u32) -> String {
    let hash = fnv(&[agenda, "\0", operation]);
    let end = format!("-{hash:08x}-a{attempt}");
    // Ids of agendas end with random digits, so the end tells them apart.
    let id = plain(agenda);
    let id = &id[id.len().saturating_sub(20)..];
    let room = LONGEST - end.len() - id.len() - 1;
    let mut operation = plain(operation);
    operation.truncate(room);
    let text = format!("{}-{}{end}", id.trim_matches('-'), operation.trim_matches('-'));
    text.replace("--", "-").trim_matches('-').to_owned()
}

/// The labels of an attempt's pod.
pub(super) fn labels(owner: &Owner, launch: &Launch) -> BTreeMap<String, String> {
    let label = |key: &str, value: &str| (key.to_owned(), label_value(value));
    BTreeMap::from([
        label(MANAGED_BY, "pop"),
        label(POOL, &owner.pool),
        label(AGENT, &owner.agent),
        label(AGENDA, &launch.agenda),
        label(OPERATION, &launch.operation),
        label(ATTEMPT, &launch.key.attempt.to_string()),
    ])
}

/// A selector of all pods of a pool.
pub(super) fn selector(owner: &Owner) -> String {
    format!("{MANAGED_BY}=pop,{POOL}={}", label_value(&owner.pool))
}

/// The value of a label: at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends.
pub(super) fn label_value(text: &str) -> String {
    let fits = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' };
    let mut value: String = text.chars().map(fits).collect();
    value.truncate(LONGEST);
    value.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned()
}

/// Lower-case letters, digits and dashes.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect()
}

/// FNV-1a, 32 bits: equal in every version.
fn fnv(parts: &[&str]) -> u32 {
    let bytes = parts.iter().flat_map(|part| part.bytes());
    bytes.fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_dns_label(name: &str) -> bool {
        let ends = name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.ends_with(|c: char| c.is_ascii_alphanumeric());
        ends && name.len() <= 63
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    }

    #[test]
    fn names_tell_what_runs() {
        let name = pod("ag_018f3a6b7c8d4e2f9a1b2c3d4e5f6a7b", "encode.0", 2);
        assert!(is_dns_label(&name) && name.contains("encode-0-") && name.ends_with("-a2"), "{name}");
        assert_eq!(name, pod("ag_018f3a6b7c8d4e2f9a1b2c3d4e5f6a7b", "encode.0", 2));
    }

    #[test]
    fn names_differ_and_fit_whatever_the_operation_is_called() {
        let names = ["a.b", "a-b", "A.B", "é", "", "-", "..", &"x".repeat(300), &"x".repeat(301)];
        let mut pods: Vec<String> = names.iter().map(|name| pod("ag_1", name, 4_000_000_000)).collect();
        assert!(pods.iter().all(|name| is_dns_label(name)), "{pods:?}");
        pods.sort();
        pods.dedup();
        assert_eq!(pods.len(), names.len());
    }

    #[test]
    fn label_values_are_valid() {
        assert_eq!(label_value("_a b/c_"), "a_b_c");
        assert_eq!(label_value("…"), "");
        assert_eq!(label_value(&"x".repeat(100)).len(), 63);
    }
}
