//! Each way in which a pod can fail on one node, seen on a real cluster: its class, its code, and what people read.

use pop_compiler::agenda::KubernetesSpec;
use pop_sdk::api::Failure;

use super::*;
use crate::run::Resources;
use crate::runtime::conformance::{Started, attempt_of, begin};

const MIB: u64 = 1 << 20;

fn with(mut spec: RunSpec, settings: Value) -> RunSpec {
    let settings: KubernetesSpec = serde_json::from_value(settings).unwrap();
    spec.kubernetes = Some(Box::new(settings));
    spec
}

fn image(name: &str) -> RunSpec {
    RunSpec { image: Some(name.to_owned()), ..script("true") }
}

async fn failure(runtime: &Kubernetes, spec: RunSpec) -> Failure {
    launch(runtime, "op", 1, spec, json!({})).end().await.failure().clone()
}

#[track_caller]
fn assert_is(failure: &Failure, class: FailureClass, code: &str, text: &str) {
    assert_eq!((failure.class, failure.code.as_str()), (class, code), "{failure:?}");
    assert!(failure.message.contains(text), "{failure:?}");
}

/// The reason of the first signal that says why the attempt waits and holds this text.
async fn waits(started: &mut Started<'_>, text: &str) {
    started.until(|signal| matches!(signal, Signal::Waiting { reason } if reason.contains(text))).await;
}

/// Waits until the attempt's program has said something.
async fn speaks(started: &mut Started<'_>) {
    started.until(|signal| matches!(signal, Signal::Log { .. })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn images_that_can_not_run() {
    let Some(farm) = Farm::new("images").await else { return };
    let runtime = farm.open().await;
    let config = FailureClass::Config;
    assert_is(&failure(&runtime, image("UPPER/case:1")).await, config, "InvalidImageName", "UPPER/case:1");
    let never = with(image("pop.local/none:1"), json!({"imagePullPolicy": "Never"}));
    assert_is(&failure(&runtime, never).await, config, "ImageNotPresent", "pop.local/none:1");
    assert_is(&failure(&runtime, image("pop.local/none:2")).await, config, "ImagePull", "pop.local/none:2");
    let bare = RunSpec { image: Some("pop.local/shell-less:1".into()), ..RunSpec::default() };
    assert_is(&failure(&runtime, with(bare, json!({"imagePullPolicy": "Never"}))).await, config, "ImageNotPresent", "");
    let bare = RunSpec { image: Some(SHELL.into()), args: vec!["no-such-program".into()], ..RunSpec::default() };
    assert_is(&failure(&runtime, bare).await, config, "ProgramNotFound", "no-such-program");
    farm.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_named() {
    let Some(farm) = Farm::new("missing").await else { return };
    let runtime = farm.open().await;
    let config = FailureClass::Config;
    let mut spec = script("true");
    spec.secret_env.insert("TOKEN".into(), "vault/token".parse().unwrap());
    assert_is(&failure(&runtime, spec.clone()).await, config, "ContainerConfig", "secret \"vault\" not found");
    farm.apply(&json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "vault"}, "stringData": {"other": "x"}})).await;
    assert_is(&failure(&runtime, spec).await, config, "ContainerConfig", "couldn't find key token");
    let account = with(script("true"), json!({"serviceAccount": "nobody"}));
    let mut settings = farm.config();
    settings.policy.allowed = vec!["service_account".into()];
    settings.pending_timeout = Duration::from_secs(3);
    let allowed = Kubernetes::open(settings).await.unwrap();
    assert_is(&failure(&allowed, account).await, FailureClass::Capacity, "PodPending", "serviceaccount \"nobody\" not found");
    farm.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_volume_that_can_not_be_mounted() {
    let Some(farm) = Farm::new("mount").await else { return };
    let runtime = farm.open().await;
    let spec = with(script("true"), json!({"volumes": [{"name": "v", "mountPath": "/v", "secret": "absent"}]}));
    assert_is(&failure(&runtime, spec).await, FailureClass::Config, "FailedMount", "secret \"absent\" not found");
    farm.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_reaches_the_program_and_no_pod_spec() {
    let Some(farm) = Farm::new("secret").await else { return };
    let runtime = farm.open().await;
    farm.apply(&json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "vault"}, "stringData": {"token": "s3cr3t-m4rk"}})).await;
    let mut spec = script("test \"$TOKEN\" = s3cr3t-m4rk && test \"$PAYLOAD\" = '{\"in\":\"p4yl04d-m4rk\"}' && sleep 3");
    spec.secret_env.insert("TOKEN".into(), "vault/token".parse().unwrap());
    let mut started = launch(&runtime, "op", 1, spec, json!({"in": "p4yl04d-m4rk"}));
    started.until(|signal| *signal == Signal::Started).await;
    let seen = farm.kubectl(&["get", "pods,events", "-n", &farm.namespace, "-o", "yaml"]).await;
    assert_eq!(started.end().await.outcome, Ok(json!({})));
    assert!(seen.contains("kind: Pod") && !seen.contains("m4rk"), "{seen}");
    farm.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_without_a_place() {
    let Some(farm) = Farm::new("place").await else { return };
    let mut settings = farm.config();
    settings.pending_timeout = Duration::from_secs(4);
    let runtime = Kubernetes::open(settings).await.unwrap();
    let nowhere = with(script("true"), json!({"nodeSelector": {"planet": "mars"}}));
    let text = "didn't match Pod's node affinity/selector (0/1 nodes)";
    assert_is(&failure(&runtime, nowhere).await, FailureClass::Config, "Unschedulable", text);
    let mut large = attempt_of("op", 2, script("true"), json!({}));
    large.resources = Resources { cpu_millis: 1_000_000, memory: 0 };
    let told = begin(&runtime, large).end().await;
    assert_is(told.failure(), FailureClass::Capacity, "PodPending", "Insufficient cpu (0/1 nodes)");
    farm.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_makes_wait_and_a_limit_refuses() {
    let Some(farm) = Farm::new("quota").await else { return };
    let runtime = farm.open().await;
    let quota = |pods: u32| json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {"hard": {"pods": pods.to_string()}}});
    farm.apply(&quota(0)).await;
    farm.kubectl(&["wait", "-n", &farm.namespace, "--for=jsonpath={.status.hard.pods}=0", "resourcequota/q"]).await;
    let mut started = launch(&runtime, "op", 1, script("true"), json!({}));
    waits(&mut started, "exceeded quota: q").await;
    farm.apply(&quota(5)).await;
    assert_eq!(started.end().await.outcome, Ok(json!({})), "the text is the server's own, and the attempt goes on");

    farm.apply(&json!({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "l"}, "spec": {"limits": [{"type": "Container", "max": {"memory": "64Mi"}}]}})).await;
    let mut large = attempt_of("op", 2, script("true"), json!({}));
    large.resources = Resources { cpu_millis: 0, memory: 128 * MIB };
    let told = begin(&runtime, large).end().await;
    assert_is(told.failure(), FailureClass::Policy, "PodRefused", "maximum memory usage per Container is 64Mi");
    farm.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_of_the_cluster_is_quoted() {
    let Some(farm) = Farm::new("policy").await else { return };
    let runtime = farm.open().await;
    let name = &farm.namespace;
    farm.apply(&json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name}, "spec": {
            "matchConstraints": {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]},
            "validations": [{"expression": "!has(object.metadata.labels.team)", "message": "no teams on Mondays"}],
        }},
        {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": name}, "spec": {
            "policyName": name, "validationActions": ["Deny"],
            "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}},
        }},
    ]})).await;
    // A new policy counts after a moment.
    let mut told = failure(&runtime, with(script("exit 1"), json!({"labels": {"team": "a"}}))).await;
    for attempt in 2..30 {
        if told.class == FailureClass::Policy {
            break;
        }
        let spec = with(script("exit 1"), json!({"labels": {"team": "a"}}));
        told = launch(&runtime, "op", attempt, spec, json!({})).end().await.failure().clone();
    }
    assert_is(&told, FailureClass::Policy, "PodRefused", "no teams on Mondays");
    let own = failure(&runtime, with(script("true"), json!({"privileged": true}))).await;
    assert_is(&own, FailureClass::Policy, "Forbidden", "`--allow privileged`");
    farm.kubectl(&["delete", "validatingadmissionpolicy,validatingadmissionpolicybinding", name]).await;
    farm.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_needs_too_much() {
    let Some(farm) = Farm::new("much").await else { return };
    let runtime = farm.open().await;
    let mut greedy = attempt_of("op", 1, script("echo up; head -c 300000000 /dev/zero | tail -n 1 >/dev/null"), json!({}));
    greedy.resources = Resources { cpu_millis: 0, memory: 64 * MIB };
    let told = begin(&runtime, greedy).end().await;
    assert_is(told.failure(), FailureClass::UserResource, "OutOfMemory", "64 MiB");
    let disk = with(script("head -c 30000000 /dev/zero > big; echo up; sleep 1000"), json!({"ephemeralStorage": "2Mi"}));
    assert_is(&failure(&runtime, disk).await, FailureClass::UserResource, "OutOfDisk", "ephemeral");
    farm.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_that_somebody_ends() {
    let Some(farm) = Farm::new("ended").await else { return };
    let runtime = farm.open().await;
    let sleeper = || script("trap 'echo saved; exit 0' TERM; echo up; while :; do sleep 0.1; done");
    let mut evicted = launch(&runtime, "op", 1, sleeper(), json!({}));
    speaks(&mut evicted).await;
    let pod = farm.pod().await;
    let eviction = json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": farm.namespace}});
    let path = format!("/api/v1/namespaces/{}/pods/{pod}/eviction", farm.namespace);
    farm.kubectl_with(&["create", "--raw", &path, "-f", "-"], &eviction.to_string()).await;
    let told = evicted.end().await;
    assert_is(told.failure(), FailureClass::Infra, "Evicted", "EvictionByEvictionAPI");
    assert!(told.log("stdout").contains("saved"), "it has time to save, and its exit code 0 is no success: {told:?}");

    for (attempt, idempotent, class) in [(2, false, FailureClass::Config), (3, true, FailureClass::Infra)] {
        let mut deleted = launch(&runtime, "op", attempt, RunSpec { idempotent, ..sleeper() }, json!({}));
        speaks(&mut deleted).await;
        let pod = farm.pod().await;
        farm.kubectl(&["delete", "pod", "-n", &farm.namespace, &pod]).await;
        assert_is(deleted.end().await.failure(), class, "PodDeleted", &pod);
    }
    farm.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_that_gives_way_to_a_higher_priority() {
    let Some(farm) = Farm::new("preempt").await else { return };
    let runtime = farm.open().await;
    let node = farm.kubectl(&["get", "nodes", "-o", "jsonpath={.items[0].status.allocatable.memory}"]).await;
    let all = node.trim_end_matches("Ki").parse::<u64>().unwrap() * 1024;
    let mut low = attempt_of("op", 1, script("echo up; sleep 1000"), json!({}));
    low.resources = Resources { cpu_millis: 0, memory: all * 6 / 10 };
    let mut low = begin(&runtime, low);
    speaks(&mut low).await;
    farm.apply(&json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": farm.namespace}, "value": 1000},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "high"}, "spec": {
            "priorityClassName": farm.namespace, "terminationGracePeriodSeconds": 1,
            "containers": [{"name": "c", "image": SHELL, "command": ["sleep", "1000"], "resources": {"requests": {"memory": (all * 6 / 10).to_string()}}}],
        }},
    ]})).await;
    let told = low.end().await;
    assert_is(told.failure(), FailureClass::Capacity, "Preempted", "PreemptionByScheduler");
    farm.kubectl(&["delete", "priorityclass", &farm.namespace]).await;
    farm.end().await;
}
