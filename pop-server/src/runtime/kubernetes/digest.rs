//! What a pool remembers of a pod: a few hundred bytes of the thousands that the API server sends.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

use super::names;

/// POP's annotation with a handler's progress.
pub(super) const PROGRESS: &str = "pop.report.progress";
/// POP's annotation with a handler's result.
pub(super) const PAYLOAD: &str = "pop.report.payload";

/// The state of a pod, as far as POP needs it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Digest {
    pub(super) name: String,
    pub(super) uid: String,
    pub(super) agenda: String,
    pub(super) operation: String,
    pub(super) attempt: u32,
    /// The agent that created the pod, as a label value.
    pub(super) agent: String,
    pub(super) phase: Phase,
    pub(super) node: Option<String>,
    pub(super) created: Option<Timestamp>,
    pub(super) scheduled: Option<Timestamp>,
    /// The scheduler's message while no node takes the pod.
    pub(super) unschedulable: Option<String>,
    /// Whether the pod is being deleted.
    pub(super) deleting: bool,
    /// The condition `DisruptionTarget`: reason and message.
    pub(super) disruption: Option<(String, String)>,
    /// Reason and message of the status, such as `Evicted`.
    pub(super) status: Option<(String, String)>,
    /// Reason and message of the first container that can't start.
    pub(super) blocked: Option<(String, String)>,
    /// When the first container started.
    pub(super) pulled: Option<Timestamp>,
    /// When the operation's container started.
    pub(super) started: Option<Timestamp>,
    /// The end of the operation's container, or of a failed init container.
    pub(super) ended: Option<Ended>,
    /// POP's annotations, of a handler that reports with them.
    pub(super) reported: Reported,
}

/// POP's two annotations.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Reported {
    pub(super) progress: Option<String>,
    pub(super) payload: Option<String>,
}

/// The phase of a pod.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    #[default]
    Pending,
    Running,
    Succeeded,
    Failed,
    Unknown,
}

/// The end of a container.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Ended {
    pub(super) container: String,
    pub(super) exit_code: i32,
    pub(super) reason: String,
    /// The termination message.
    pub(super) message: String,
    pub(super) at: Option<Timestamp>,
}

impl Digest {
    /// Reduces a pod; none for a pod that is not POP's.
    pub(super) fn of(pod: Pod) -> Option<Self> {
        let mut labels = pod.metadata.labels.unwrap_or_default();
        let mut annotations = pod.metadata.annotations.unwrap_or_default();
        let status = pod.status.unwrap_or_default();
        let condition = |kind: &str| {
            let mut conditions = status.conditions.iter().flatten();
            conditions.find(|condition| condition.type_ == kind)
        };
        let scheduled = condition("PodScheduled");
        let disruption = condition("DisruptionTarget").filter(|c| c.status == "True");
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let main = status.container_statuses.iter().flatten().find(|status| status.name == names::MAIN);
        let inits: Vec<&ContainerStatus> = status.init_container_statuses.iter().flatten().collect();
        let failed_init = inits.iter().filter_map(|init| ended(init)).find(|ended| ended.exit_code != 0);
        Some(Self {
            name: pod.metadata.name?,
            uid: pod.metadata.uid?,
            agenda: labels.remove(names::AGENDA)?,
            operation: annotations.remove(names::OPERATION_NAME)?,
            attempt: labels.remove(names::ATTEMPT)?.parse().ok()?,
            agent: labels.remove(names::AGENT).unwrap_or_default(),
            phase: match status.phase.as_deref() {
                Some("Running") => Phase::Running,
                Some("Succeeded") => Phase::Succeeded,
                Some("Failed") => Phase::Failed,
                Some("Unknown") => Phase::Unknown,
                _ => Phase::Pending,
            },
            node: pod.spec.and_then(|spec| spec.node_name),
            created: pod.metadata.creation_timestamp.map(|time| time.0),
            scheduled: scheduled
                .filter(|condition| condition.status == "True")
                .and_then(|condition| condition.last_transition_time.as_ref())
                .map(|time| time.0),
            unschedulable: scheduled
                .filter(|condition| condition.status == "False")
                .map(|condition| text(&condition.message)),
            deleting: pod.metadata.deletion_timestamp.is_some(),
            disruption: disruption.map(|condition| (text(&condition.reason), text(&condition.message))),
            status: status.reason.as_ref().map(|reason| (reason.clone(), text(&status.message))),
            blocked: inits.iter().copied().chain(main).find_map(blocked),
            pulled: inits.iter().copied().chain(main).find_map(started),
            started: main.and_then(started),
            ended: failed_init.or_else(|| main.and_then(ended)),
            reported: Reported {
                progress: annotations.remove(PROGRESS),
                payload: annotations.remove(PAYLOAD),
            },
        })
    }

    /// Whether nothing of the pod runs any more.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Succeeded | Phase::Failed)
    }
}

fn started(status: &ContainerStatus) -> Option<Timestamp> {
    let state = status.state.as_ref()?;
    let running = state.running.as_ref().and_then(|running| running.started_at.as_ref());
    let ended = state.terminated.as_ref().and_then(|ended| ended.started_at.as_ref());
    running.or(ended).map(|time| time.0)
}

fn ended(status: &ContainerStatus) -> Option<Ended> {
    let ended = status.state.as_ref()?.terminated.as_ref()?;
    Some(Ended {
        container: status.name.clone(),
        exit_code: ended.exit_code,
        reason: ended.reason.clone().unwrap_or_default(),
        message: ended.message.clone().unwrap_or_default(),
        at: ended.finished_at.as_ref().map(|time| time.0),
    })
}

fn blocked(status: &ContainerStatus) -> Option<(String, String)> {
    let waiting = status.state.as_ref()?.waiting.as_ref()?;
    let reason = waiting.reason.clone()?;
    let usual = matches!(reason.as_str(), "ContainerCreating" | "PodInitializing");
    (!usual).then(|| (reason, waiting.message.clone().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(status: serde_json::Value) -> Option<Digest> {
        Digest::of(
            serde_json::from_value(json!({
                "metadata": {
                    "name": "p", "uid": "u", "creationTimestamp": "2026-11-30T12:00:00Z",
                    "labels": {"pop.dev/agenda": "ag_1", "pop.dev/attempt": "3", "pop.dev/agent": "a"},
                    "annotations": {"pop.dev/operation-name": "encode.0", "pop.report.progress": "{}"},
                },
                "spec": {"containers": [], "nodeName": "n1"},
                "status": status,
            }))
            .unwrap(),
        )
    }

    #[test]
    fn a_pod_of_somebody_else_is_none() {
        let foreign = json!({"metadata": {"name": "p", "uid": "u"}, "spec": {"containers": []}});
        assert_eq!(Digest::of(serde_json::from_value(foreign).unwrap()), None);
    }

    #[test]
    fn the_states_of_containers_are_read() {
        let digest = pod(json!({
            "phase": "Pending",
            "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"}],
        }))
        .unwrap();
        assert_eq!(
            (digest.agenda.as_str(), digest.operation.as_str(), digest.attempt),
            ("ag_1", "encode.0", 3)
        );
        assert_eq!(
            (digest.unschedulable.as_deref(), digest.node.as_deref()),
            (Some("0/1 nodes"), Some("n1"))
        );
        assert_eq!(digest.reported.progress.as_deref(), Some("{}"));

        let waiting = |name: &str, reason: &str| {
            json!({"name": name, "ready": false, "restartCount": 0, "image": "", "imageID": "",
            "state": {"waiting": {"reason": reason, "message": "m"}}})
        };
        let digest = pod(json!({
            "phase": "Pending",
            "initContainerStatuses": [waiting("shim", "ErrImagePull")],
            "containerStatuses": [waiting("main", "PodInitializing")],
        }))
        .unwrap();
        assert_eq!(digest.blocked, Some(("ErrImagePull".into(), "m".into())));

        let digest = pod(json!({
            "phase": "Failed",
            "containerStatuses": [{"name": "main", "ready": false, "restartCount": 0, "image": "", "imageID": "",
                "state": {"terminated": {"exitCode": 137, "reason": "OOMKilled", "startedAt": "2026-11-30T12:00:01Z"}}}],
        }))
        .unwrap();
        let ended = digest.ended.clone().unwrap();
        assert_eq!(
            (ended.exit_code, ended.reason.as_str(), ended.container.as_str()),
            (137, "OOMKilled", "main")
        );
        assert!(digest.started.is_some() && digest.is_over());
    }
}
