//! What a pod's state means for its attempt: why it waits, and why it failed. A pod is evidence; the outcome is what its
//! shim has reported.

use std::time::Duration;

use pop_sdk::api::{Failure, FailureClass};

use super::digest::{Digest, Phase};
use super::names::{self, MAIN};
use crate::run::fail;

/// An image may not be pulled for this many times the pool's patience, unless the registry says that it does not exist.
const PULLS: u32 = 5;

/// Why a pod does not run yet.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pending {
    /// The reason, for people.
    pub(super) reason: String,
    /// The failure of an attempt whose pod stays in this state for this time; none if only the time limit of all
    /// waiting pods counts.
    pub(super) limit: Option<(Duration, Failure)>,
}

/// Why a pod does not run yet. `mount` is the newest event about a volume that could not be mounted. `patience` is the
/// time for which a fault of the configuration may last: what is missing may be on its way.
pub(super) fn pending(digest: &Digest, mount: Option<&str>, patience: Duration) -> Pending {
    let config = |code: &str, message: String| fail(FailureClass::Config, code, message);
    if let Some(message) = &digest.unschedulable {
        let reason = unschedulable(message);
        let limit = (!passes(message)).then(|| {
            let text = format!(
                "no node fits the pod: {reason}. Correct `node_selector`, `affinity` or `tolerations` of the operation type, or add a node."
            );
            (patience, config("Unschedulable", text))
        });
        return Pending { reason, limit };
    }
    if let Some((reason, message)) = &digest.blocked {
        let text = if message.is_empty() { reason.clone() } else { format!("{reason}: {message}") };
        let limit = match reason.as_str() {
            _ if message.contains("invalid reference format") || reason == "InvalidImageName" => Some((
                Duration::ZERO,
                config("InvalidImageName", format!("invalid image name: {message}. Correct `image`.")),
            )),
            "ErrImageNeverPull" => Some((
                Duration::ZERO,
                config(
                    "ImageNotPresent",
                    format!("{message}. Load the image onto the node, or correct `image_pull_policy`."),
                ),
            )),
            "ErrImagePull" | "ImagePullBackOff" => {
                let time = if is_final(message) { patience } else { patience * PULLS };
                let text = format!(
                    "could not pull the image: {message}. Correct `image`, or add `image_pull_secrets` to the operation type."
                );
                Some((time, config("ImagePull", text)))
            }
            "CreateContainerConfigError" | "CreateContainerError" => Some((
                patience,
                config(
                    "ContainerConfig",
                    format!(
                        "could not create the container: {message}. Create what is missing, or correct the operation type."
                    ),
                ),
            )),
            _ => None,
        };
        return Pending { reason: text, limit };
    }
    if let Some(mount) = mount {
        let text =
            format!("could not mount a volume: {mount}. Create what is missing, or correct `volumes`.");
        // The kubelet asks for the pod's token again; on a busy cluster the first request may come too early.
        let is_own = mount.contains(&format!("for volume \"{}\"", names::TOKEN_VOLUME));
        let limit = (!is_own).then(|| (patience, config("FailedMount", text)));
        return Pending { reason: format!("FailedMount: {mount}"), limit };
    }
    let reason = match (&digest.node, digest.scheduled.is_some()) {
        (Some(node), _) => format!("the pod's containers are being created on node {node}"),
        (None, true) => "the pod's containers are being created".to_owned(),
        (None, false) => "the pod waits for a node".to_owned(),
    };
    Pending { reason, limit: None }
}

/// Whether the cluster may take the pod later as it is: others' pods end, and a node that is drained or not ready comes
/// back. A selector that fits no node stays as it is.
fn passes(message: &str) -> bool {
    ["Insufficient", "Too many pods", "were unschedulable", "taint {node.kubernetes.io/"]
        .iter()
        .any(|sign| message.contains(sign))
}

/// The failure of an attempt whose pod has waited for too long.
pub(super) fn waited(reason: &str, limit: Duration) -> Failure {
    let message = format!(
        "the pod did not start within {}: {reason}. Lower `resources`, or give the pool more room.",
        pop_compiler::duration::print(limit)
    );
    fail(FailureClass::Capacity, "PodPending", message)
}

/// The scheduler's message in short: `Insufficient cpu (0/3 nodes)`.
fn unschedulable(message: &str) -> String {
    let Some((nodes, rest)) = message.split_once(" nodes are available: ") else { return message.to_owned() };
    let rest = rest.split(". ").next().unwrap_or(rest).trim_end_matches('.');
    let reasons: Vec<&str> = rest
        .split(", ")
        .map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' '))
        .collect();
    format!("{} ({nodes} nodes)", reasons.join(", "))
}

/// Whether a registry's answer will not change by itself.
fn is_final(message: &str) -> bool {
    let text = message.to_ascii_lowercase();
    ["not found", "unauthorized", "authorization failed", "denied", "manifest unknown", "forbidden"]
        .iter()
        .any(|word| text.contains(word))
}

/// Why an attempt failed whose shim did not report an outcome, or that has no shim. `idempotent` is the operation
/// type's word that a second start does no harm. `gone` means that the pod does not exist any more.
pub(super) fn lost(digest: &Digest, idempotent: bool, gone: bool) -> Failure {
    let node = digest.node.as_deref().map(|node| format!(" on node {node}")).unwrap_or_default();
    if let Some(failure) = disrupted(digest) {
        return failure;
    }
    if let Some((reason, message)) = &digest.status {
        return of_status(reason, message, &node);
    }
    if let Some(ended) = &digest.ended {
        let base = |class, code: &str, message: String| Failure {
            exit_code: Some(ended.exit_code),
            ..fail(class, code, message)
        };
        if ended.container != MAIN {
            let message = format!(
                "the pod's init container `{}` ended with code {}{node}. {}",
                ended.container, ended.exit_code, ended.message
            );
            return base(FailureClass::Infra, "InitFailed", message.trim_end().to_owned());
        }
        match (ended.reason.as_str(), ended.exit_code) {
            ("OOMKilled", _) => {
                let message =
                    "the container was killed for lack of memory. Raise `resources.memory`.".to_owned();
                return base(FailureClass::UserResource, "OutOfMemory", message);
            }
            ("StartError" | "ContainerCannotRun", _) | (_, 128) => {
                let message = format!(
                    "could not start the container: {}. Correct `command` or `image`.",
                    ended.message.trim_end_matches('.')
                );
                return base(FailureClass::Config, "ProgramNotFound", message);
            }
            _ if !gone && !digest.deleting => {
                let message = format!(
                    "the container ended with code {}{node} and reported no outcome",
                    ended.exit_code
                );
                return base(FailureClass::Infra, "NoOutcome", message);
            }
            _ => {}
        }
    }
    deleted(digest, idempotent)
}

/// Whether the pod's state tells that, and perhaps why, it ends.
pub(super) fn is_ending(digest: &Digest) -> bool {
    digest.deleting || digest.disruption.is_some() || digest.status.is_some()
}

/// Why a program was asked to end although its pool did not ask for it.
pub(super) fn interrupted(digest: &Digest, idempotent: bool) -> Failure {
    if let Some(failure) = disrupted(digest) {
        return failure;
    }
    match &digest.status {
        Some((reason, message)) => {
            let node = digest.node.as_deref().map(|node| format!(" on node {node}")).unwrap_or_default();
            of_status(reason, message, &node)
        }
        None if digest.deleting => deleted(digest, idempotent),
        None => {
            let message =
                "the program's container was asked to end, and nothing tells by whom. POP tries again.";
            fail(FailureClass::Infra, "Terminated", message)
        }
    }
}

/// A disruption that Kubernetes itself names.
pub(super) fn disrupted(digest: &Digest) -> Option<Failure> {
    let (reason, message) = digest.disruption.as_ref()?;
    // The kubelet evicts a pod that uses more than its own limit, and one whose node has too little.
    if let Some((_, text)) =
        digest.status.as_ref().filter(|(reason, text)| reason == "Evicted" && is_own_limit(text))
    {
        return Some(own_limit(text));
    }
    let node = digest.node.as_deref().unwrap_or("its node");
    let (class, what) = match reason.as_str() {
        "PreemptionByScheduler" => (FailureClass::Capacity, "pods of a higher priority took its place"),
        "EvictionByEvictionAPI" => (FailureClass::Infra, "it was evicted"),
        "DeletionByTaintManager" => (FailureClass::Infra, "its node is silent, or was emptied"),
        "DeletionByPodGC" => (FailureClass::Infra, "its node is gone"),
        "TerminationByKubelet" => (FailureClass::Infra, "its node ended it"),
        _ => (FailureClass::Infra, "it was disrupted"),
    };
    let code = if class == FailureClass::Capacity { "Preempted" } else { "Evicted" };
    let message = message.trim_end_matches('.');
    Some(fail(
        class,
        code,
        format!("the pod ended on {node} because {what} ({reason}: {message}). POP tries again."),
    ))
}

fn of_status(reason: &str, message: &str, node: &str) -> Failure {
    if reason == "Evicted" && is_own_limit(message) {
        return own_limit(message);
    }
    let text =
        format!("the pod failed{node} ({reason}: {}). POP tries again.", message.trim_end_matches('.'));
    fail(FailureClass::Infra, if reason == "Evicted" { "Evicted" } else { "NodeRefused" }, text)
}

fn is_own_limit(message: &str) -> bool {
    message.contains("exceeds the total limit")
        || message.contains("exceeded its local ephemeral storage limit")
        || message.contains("exceeds the limit")
}

fn own_limit(message: &str) -> Failure {
    let text = format!(
        "the pod used more than its limit: {}. Raise `ephemeral_storage`.",
        message.trim().trim_end_matches('.')
    );
    fail(FailureClass::UserResource, "OutOfDisk", text)
}

/// A pod that a client of the cluster deleted. A new start could do harm if the program had begun.
pub(super) fn deleted(digest: &Digest, idempotent: bool) -> Failure {
    let begun = digest.started.is_some() || matches!(digest.phase, Phase::Running);
    let pod = &digest.name;
    if !begun {
        return fail(
            FailureClass::Infra,
            "PodDeleted",
            format!("a client of the cluster deleted pod {pod} before its program started. POP tries again."),
        );
    }
    if idempotent {
        return fail(
            FailureClass::Infra,
            "PodDeleted",
            format!(
                "a client of the cluster deleted pod {pod} while its program ran. POP tries again, because the operation type is idempotent."
            ),
        );
    }
    fail(
        FailureClass::Config,
        "PodDeleted",
        format!(
            "a client of the cluster deleted pod {pod} while its program ran. Rerun the agenda, or declare the operation type `idempotent` so that POP tries again."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::super::digest::Ended;
    use super::*;

    const GRACE: Duration = Duration::from_mins(1);

    fn digest() -> Digest {
        Digest { name: "p".into(), node: Some("n1".into()), ..Digest::default() }
    }

    fn blocked(reason: &str, message: &str) -> Pending {
        pending(&Digest { blocked: Some((reason.into(), message.into())), ..digest() }, None, GRACE)
    }

    #[test]
    fn pending_pods_have_a_reason_and_a_limit() {
        let cpu = "0/3 nodes are available: 3 Insufficient cpu. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful.";
        let waiting = pending(&Digest { unschedulable: Some(cpu.into()), ..digest() }, None, GRACE);
        assert_eq!((waiting.reason.as_str(), waiting.limit), ("Insufficient cpu (0/3 nodes)", None));
        for passing in [
            "0/1 nodes are available: 1 node(s) were unschedulable. preemption: none.",
            "0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }. no new claims.",
        ] {
            let waiting = pending(&Digest { unschedulable: Some(passing.into()), ..digest() }, None, GRACE);
            assert_eq!(waiting.limit, None, "a drained or silent node may come back");
        }
        let selector =
            "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. preemption: none.";
        let waiting = pending(&Digest { unschedulable: Some(selector.into()), ..digest() }, None, GRACE);
        let (after, failure) = waiting.limit.unwrap();
        assert_eq!((after, failure.class), (GRACE, FailureClass::Config));
        assert!(
            failure.message.contains("node(s) didn't match Pod's node affinity/selector (0/1 nodes)"),
            "{failure:?}"
        );

        let drained = "0/1 nodes are available: 1 node(s) were unschedulable. preemption: none.";
        let waiting = pending(&Digest { unschedulable: Some(drained.into()), ..digest() }, None, GRACE);
        assert_eq!(waiting.limit, None, "the node comes back, or another one");

        let limit = |reason, message| {
            let (after, failure) = blocked(reason, message).limit.unwrap();
            (after, failure.class, failure.code)
        };
        let config = FailureClass::Config;
        assert_eq!(limit("InvalidImageName", "x"), (Duration::ZERO, config, "InvalidImageName".into()));
        assert_eq!(limit("ErrImageNeverPull", "x"), (Duration::ZERO, config, "ImageNotPresent".into()));
        assert_eq!(limit("ImagePullBackOff", "x: not found"), (GRACE, config, "ImagePull".into()));
        assert_eq!(limit("ErrImagePull", "dial tcp: timeout"), (GRACE * PULLS, config, "ImagePull".into()));
        assert_eq!(
            limit("CreateContainerConfigError", "secret \"x\" not found"),
            (GRACE, config, "ContainerConfig".into())
        );
        assert_eq!(
            pending(&digest(), Some("secret \"s\" not found"), GRACE).limit.unwrap().1.code,
            "FailedMount"
        );
        let early = "MountVolume.SetUp failed for volume \"pop-token\" : failed to fetch token: serviceaccounts \"default\" is forbidden: node requested token bound to a pod scheduled on a different node";
        assert_eq!(pending(&digest(), Some(early), GRACE).limit, None, "nothing that a person could correct");
        assert_eq!(pending(&digest(), None, GRACE).limit, None);
    }

    #[test]
    fn an_end_has_a_class() {
        let of = |digest: &Digest| {
            let failure = lost(digest, false, false);
            (failure.class, failure.code)
        };
        let disruption = |reason: &str| Digest { disruption: Some((reason.into(), "m".into())), ..digest() };
        assert_eq!(of(&disruption("PreemptionByScheduler")), (FailureClass::Capacity, "Preempted".into()));
        assert_eq!(of(&disruption("EvictionByEvictionAPI")), (FailureClass::Infra, "Evicted".into()));
        let status = |reason: &str, message: &str| Digest {
            status: Some((reason.into(), message.into())),
            ..digest()
        };
        let disk = "Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. ";
        assert_eq!(of(&status("Evicted", disk)), (FailureClass::UserResource, "OutOfDisk".into()));
        assert_eq!(
            of(&status("Evicted", "The node was low on resource: memory.")),
            (FailureClass::Infra, "Evicted".into())
        );
        assert_eq!(of(&status("UnexpectedAdmissionError", "m")), (FailureClass::Infra, "NodeRefused".into()));
        let ended = |container: &str, exit_code, reason: &str| Digest {
            ended: Some(Ended {
                container: container.into(),
                exit_code,
                reason: reason.into(),
                ..Ended::default()
            }),
            phase: Phase::Failed,
            ..digest()
        };
        assert_eq!(of(&ended(MAIN, 137, "OOMKilled")), (FailureClass::UserResource, "OutOfMemory".into()));
        assert_eq!(of(&ended(MAIN, 128, "StartError")), (FailureClass::Config, "ProgramNotFound".into()));
        assert_eq!(of(&ended(MAIN, 75, "Error")), (FailureClass::Infra, "NoOutcome".into()));
        assert_eq!(of(&ended("shim", 1, "Error")), (FailureClass::Infra, "InitFailed".into()));
    }

    #[test]
    fn a_deleted_pod_is_tried_again_only_without_harm() {
        let running = Digest { phase: Phase::Running, deleting: true, ..digest() };
        assert_eq!(lost(&running, false, true).class, FailureClass::Config);
        assert_eq!(lost(&running, true, true).class, FailureClass::Infra);
        assert_eq!(lost(&Digest { deleting: true, ..digest() }, false, true).class, FailureClass::Infra);
    }
}
