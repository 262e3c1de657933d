//! From an attempt to its pod. Pure: the pod says nothing of the input, and holds no secret.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Affinity, Pod};
use pop_compiler::agenda::{KubernetesSpec, RunSpec, Volume};
use pop_sdk::api::{Failure, FailureClass};
use serde_json::{Map, Value, json};

use super::artifacts::{self, Artifacts};
use super::bare;
use super::names::{self, Owner};
use crate::run::fail;
use crate::runtime::Launch;
use crate::runtime::shim::{self, settings, wire};

/// Folder of POP's files in a pod.
const ROOT: &str = "/pop";
/// User of containers whose operation type names none: nobody in particular, and not root.
const USER: u32 = 65_532;
/// Lifetime of a pod's token in seconds; the kubelet renews it. Kubernetes allows no shorter one.
const TOKEN_SECONDS: u32 = 600;
/// Time beyond the program's grace for the delivery of its outcome.
const DELIVERY: Duration = Duration::from_secs(10);

/// What all pods of a pool have in common.
#[derive(Clone, Debug)]
pub(super) struct Common {
    pub(super) owner: Owner,
    pub(super) shim_image: String,
    /// Base of the report endpoint, without a path.
    pub(super) report_url: String,
    /// The endpoint's certificate in PEM.
    pub(super) certificate: String,
    /// Service account of images that report by annotations.
    pub(super) handler_account: String,
    /// Longest time in which a shim waits for its pool after the program's end.
    pub(super) shim_deadline: Duration,
    pub(super) grace: Duration,
    /// Where pods of one agenda share files.
    pub(super) artifacts: Option<Artifacts>,
}

/// Whether an image runs as it is, without the shim.
pub(super) fn is_bare(spec: &RunSpec) -> bool {
    spec.command.is_empty()
}

/// The time between SIGTERM and SIGKILL of a type's programs.
pub(super) fn grace(spec: &RunSpec, default: Duration) -> Duration {
    let own = spec.kubernetes.as_ref().and_then(|kubernetes| kubernetes.grace.as_deref());
    own.and_then(|text| pop_compiler::duration::parse(text).ok()).unwrap_or(default)
}

/// The pod of an attempt.
///
/// # Errors
/// The operation type has no image, or its settings make no pod.
pub(super) fn pod(
    common: &Common,
    namespace: &str,
    name: &str,
    launch: &Launch,
    spec: &RunSpec,
) -> Result<Pod, Failure> {
    let kind = &launch.kind;
    let Some(image) = &spec.image else {
        let message = format!(
            "operation type `{kind}` has no image, and this pool runs pods only. Add `image` to the type, or to the pool's own catalog."
        );
        return Err(fail(FailureClass::Config, "NoImage", message));
    };
    let default = KubernetesSpec::default();
    let own = spec.kubernetes.as_deref().unwrap_or(&default);
    let bare = is_bare(spec);
    let grace = grace(spec, common.grace) + if bare { Duration::ZERO } else { DELIVERY };
    let mut labels: BTreeMap<String, String> = own.labels.clone();
    labels.extend(names::labels(&common.owner, launch));
    let mut annotations = own.annotations.clone();
    annotations.insert(names::OPERATION_NAME.to_owned(), launch.operation.clone());

    let mut mounts: Vec<Value> = own.volumes.iter().map(mount).collect();
    let mut volumes: Vec<Value> = own.volumes.iter().map(volume).collect();
    let mut env: Vec<Value> = spec.secret_env.iter().map(|(variable, entry)| {
        json!({"name": variable, "valueFrom": {"secretKeyRef": {"name": entry.secret(), "key": entry.key()}}})
    }).collect();
    let mut main = Map::new();
    let mut inits = Vec::new();
    main.insert("name".into(), names::MAIN.into());
    main.insert("image".into(), image.as_str().into());
    if let Some(policy) = own.image_pull_policy {
        main.insert("imagePullPolicy".into(), json!(policy));
    }
    if bare {
        let arguments = bare::arguments(spec, &launch.payload)?;
        if !arguments.is_empty() {
            let names = (0..arguments.len()).map(|i| format!("$({})", bare::argument(i)));
            main.insert("args".into(), names.collect::<Vec<_>>().into());
        }
        env.push(json!({"name": "MY_POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}));
        env.push(json!({"name": "MY_POD_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}}));
        // The input comes in a secret that the pod owns; the container starts once it exists.
        main.insert("envFrom".into(), json!([{"secretRef": {"name": name}}]));
    } else {
        main.insert("command".into(), json!([format!("{ROOT}/bin/{}", shim::FILE), "run"]));
        let set = |name: &str, value: String| json!({"name": name, "value": value});
        env.extend([
            set(settings::URL, format!("{}{}", common.report_url, wire::PATH)),
            set(settings::CERTIFICATE, common.certificate.clone()),
            set(settings::TOKEN_FILE, format!("{ROOT}/token/token")),
            set(
                settings::WORK,
                match &common.artifacts {
                    // A program's files have the same path in every pod of the agenda.
                    Some(_) => format!("{}/{name}", artifacts::PLACE),
                    None => format!("{ROOT}/work"),
                },
            ),
            set(settings::DEADLINE, common.shim_deadline.as_secs().to_string()),
        ]);
        volumes.extend([
            json!({"name": "pop-bin", "emptyDir": {}}),
            json!({"name": "pop-work", "emptyDir": {}}),
            json!({"name": names::TOKEN_VOLUME, "projected": {"defaultMode": 0o444, "sources": [{"serviceAccountToken": {
                "audience": wire::AUDIENCE, "expirationSeconds": TOKEN_SECONDS, "path": "token",
            }}]}}),
        ]);
        mounts.extend([
            json!({"name": "pop-bin", "mountPath": format!("{ROOT}/bin"), "readOnly": true}),
            json!({"name": "pop-work", "mountPath": format!("{ROOT}/work")}),
            json!({"name": names::TOKEN_VOLUME, "mountPath": format!("{ROOT}/token"), "readOnly": true}),
        ]);
        inits.push(json!({
            "name": names::SHIM,
            "image": common.shim_image,
            "args": ["install", format!("{ROOT}/bin")],
            "volumeMounts": [{"name": "pop-bin", "mountPath": format!("{ROOT}/bin")}],
            "securityContext": security(&default, USER),
            "resources": {"requests": {"memory": "16Mi"}, "limits": {"memory": "64Mi"}},
        }));
    }
    if let Some(artifacts) = &common.artifacts {
        volumes.push(artifacts.volume());
        mounts.push(Artifacts::part(launch));
        let folder = format!("{}/{}", artifacts::WHOLE, artifacts::folder(launch));
        match inits.first_mut() {
            Some(init) => {
                init["args"] = json!(["install", format!("{ROOT}/bin"), folder]);
                init["volumeMounts"]
                    .as_array_mut()
                    .into_iter()
                    .for_each(|mounts| mounts.push(Artifacts::whole()));
            }
            None => inits.push(json!({
                "name": names::SHIM,
                "image": common.shim_image,
                "args": ["folder", folder],
                "volumeMounts": [Artifacts::whole()],
                "securityContext": security(&default, USER),
            })),
        }
    }
    let user = own.run_as_user.unwrap_or(USER);
    main.insert("env".into(), env.into());
    main.insert("volumeMounts".into(), mounts.into());
    main.insert("resources".into(), resources(launch, own));
    main.insert("securityContext".into(), security(own, user));
    let account = own.service_account.clone().or_else(|| bare.then(|| common.handler_account.clone()));
    let affinity: Option<Affinity> =
        own.affinity.clone().map(serde_json::from_value).transpose().map_err(|error| {
            fail(
                FailureClass::Config,
                "PodInvalid",
                format!("invalid `affinity` of operation type `{kind}`: {error}"),
            )
        })?;
    let pod = json!({
        "metadata": {"name": name, "namespace": namespace, "labels": labels, "annotations": annotations},
        "spec": {
            "restartPolicy": "Never",
            "enableServiceLinks": false,
            // Only an image that reports by annotations talks to the API server.
            "automountServiceAccountToken": bare,
            "serviceAccountName": account,
            "terminationGracePeriodSeconds": grace.as_secs().max(1),
            "securityContext": {"fsGroup": user, "seccompProfile": {"type": "RuntimeDefault"}},
            "nodeSelector": own.node_selector,
            "tolerations": own.tolerations,
            "priorityClassName": own.priority_class,
            "runtimeClassName": own.runtime_class,
            "imagePullSecrets": own.image_pull_secrets.iter().map(|name| json!({"name": name})).collect::<Vec<_>>(),
            "initContainers": inits,
            "containers": [main],
            "volumes": volumes,
        },
    });
    let mut pod: Pod = serde_json::from_value(pod).map_err(|error| {
        fail(
            FailureClass::Platform,
            "PodInvalid",
            format!("could not make the pod of operation type `{kind}`: {error}"),
        )
    })?;
    if let Some(spec) = &mut pod.spec {
        spec.affinity = affinity;
    }
    Ok(pod)
}

/// The pod that removes the folders of agendas that nobody has used for `keep`.
pub(super) fn sweeper(
    common: &Common,
    artifacts: &Artifacts,
    namespace: &str,
    name: &str,
    keep: Duration,
) -> Pod {
    let pod = json!({
        "metadata": {"name": name, "namespace": namespace, "labels": {
            names::MANAGED_BY: "pop",
            names::POOL: names::label_value(&common.owner.pool),
            names::AGENT: names::label_value(&common.owner.agent),
        }},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": false,
            "activeDeadlineSeconds": 3600,
            "securityContext": {"fsGroup": USER, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{
                "name": names::SHIM,
                "image": common.shim_image,
                "args": ["sweep", artifacts::WHOLE, keep.as_secs().to_string()],
                "volumeMounts": [Artifacts::whole()],
                "securityContext": security(&KubernetesSpec::default(), USER),
            }],
            "volumes": [artifacts.volume()],
        },
    });
    serde_json::from_value(pod).unwrap_or_default()
}

fn mount(volume: &Volume) -> Value {
    let mut mount =
        json!({"name": volume.name, "mountPath": volume.mount_path, "readOnly": volume.read_only});
    if let Some(path) = &volume.sub_path {
        mount["subPath"] = path.as_str().into();
    }
    mount
}

fn volume(volume: &Volume) -> Value {
    let mut made = json!({"name": volume.name});
    let source = match volume {
        Volume { claim: Some(claim), .. } => {
            ("persistentVolumeClaim", json!({"claimName": claim, "readOnly": volume.read_only}))
        }
        Volume { config_map: Some(name), .. } => ("configMap", json!({"name": name})),
        Volume { secret: Some(name), .. } => ("secret", json!({"secretName": name})),
        Volume { host_path: Some(path), .. } => ("hostPath", json!({"path": path})),
        Volume { empty_dir, .. } => ("emptyDir", json!(empty_dir.clone().unwrap_or_default())),
    };
    made[source.0] = source.1;
    made
}

/// The "restricted" profile of the Pod Security Standards, unless the type asks for more.
fn security(own: &KubernetesSpec, user: u32) -> Value {
    if own.privileged {
        return json!({"privileged": true, "runAsUser": user, "runAsNonRoot": user != 0});
    }
    let mut capabilities = json!({"drop": ["ALL"]});
    if !own.capabilities.is_empty() {
        capabilities["add"] = json!(own.capabilities);
    }
    json!({
        "allowPrivilegeEscalation": false,
        "capabilities": capabilities,
        "readOnlyRootFilesystem": own.read_only_root,
        "runAsUser": user,
        "runAsNonRoot": user != 0,
        "seccompProfile": {"type": "RuntimeDefault"},
    })
}

/// Requests equal limits, except for CPU: a program may use processors that nobody needs.
fn resources(launch: &Launch, own: &KubernetesSpec) -> Value {
    let mut both = Map::new();
    if launch.resources.memory > 0 {
        both.insert("memory".into(), launch.resources.memory.to_string().into());
    }
    if let Some(storage) = &own.ephemeral_storage {
        both.insert("ephemeral-storage".into(), storage.as_str().into());
    }
    if let Some(gpu) = own.gpu {
        both.insert("nvidia.com/gpu".into(), gpu.to_string().into());
    }
    both.extend(own.resources.iter().map(|(name, quantity)| (name.clone(), quantity.as_str().into())));
    let mut requests = both.clone();
    if launch.resources.cpu_millis > 0 {
        requests.insert("cpu".into(), format!("{}m", launch.resources.cpu_millis).into());
    }
    json!({"requests": requests, "limits": both})
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::run::Resources;
    use crate::runtime::AttemptKey;

    pub(crate) fn common() -> Common {
        Common {
            owner: Owner { pool: "media".into(), agent: "a1".into() },
            shim_image: "pop-shim:1".into(),
            report_url: "https://10.0.0.1:7071".into(),
            certificate: "PEM".into(),
            handler_account: "pop-handler".into(),
            shim_deadline: Duration::from_mins(30),
            grace: Duration::from_secs(30),
            artifacts: None,
        }
    }

    fn made(spec: RunSpec) -> Result<Value, Failure> {
        made_with(&common(), spec)
    }

    fn made_with(common: &Common, spec: RunSpec) -> Result<Value, Failure> {
        let launch = Launch {
            key: AttemptKey { run: 0, op: 0, attempt: 2 },
            agenda: "ag_1".into(),
            epoch: 1,
            customer: None,
            cid: None,
            operation: "encode.0".into(),
            operation_id: None,
            kind: "media.encode".into(),
            spec: Some(Arc::new(spec.clone())),
            fan_out: None,
            resources: Resources { cpu_millis: 1500, memory: 1 << 30 },
            payload: json!({"token": "s3cr3t"}),
        };
        Ok(serde_json::to_value(pod(common, "media", "p", &launch, &spec)?).unwrap())
    }

    #[test]
    fn pods_see_only_the_folder_of_their_agenda() {
        let common = Common { artifacts: Some(Artifacts::Claim("films".into())), ..common() };
        let image = || Some("r/encode:7".to_owned());
        let shimmed = RunSpec { image: image(), command: vec!["encode".into()], ..RunSpec::default() };
        let pod = made_with(&common, shimmed).unwrap();
        let (init, main) = (&pod["spec"]["initContainers"][0], &pod["spec"]["containers"][0]);
        assert_eq!(init["args"], json!(["install", "/pop/bin", "/pop/volume/-/ag_1"]));
        let mount = |container: &Value, path: &str| {
            container["volumeMounts"]
                .as_array()
                .unwrap()
                .iter()
                .find(|mount| mount["mountPath"] == path)
                .cloned()
        };
        assert_eq!(mount(init, "/pop/volume").unwrap().get("subPath"), None);
        assert_eq!(mount(main, "/pop/artifacts").unwrap()["subPath"], "-/ag_1");
        assert_eq!(mount(main, "/pop/volume"), None);
        let work = main["env"].as_array().unwrap().iter().find(|env| env["name"] == settings::WORK).unwrap();
        assert_eq!(work["value"], "/pop/artifacts/p");
        let bare = made_with(&common, RunSpec { image: image(), ..RunSpec::default() }).unwrap();
        assert_eq!(bare["spec"]["initContainers"][0]["args"], json!(["folder", "/pop/volume/-/ag_1"]));
    }

    #[test]
    fn a_pod_with_the_shim_is_restricted_and_says_nothing_of_the_input() {
        let spec = RunSpec {
            image: Some("r/encode:7".into()),
            command: vec!["encode".into(), "${with.token}".into()],
            ..RunSpec::default()
        };
        let pod = made(spec).unwrap();
        insta::with_settings!({snapshot_path => "../../../../tests/snapshots", prepend_module_to_snapshot => false}, {
            insta::assert_json_snapshot!("pod", pod);
        });
        assert!(!pod.to_string().contains("s3cr3t"));
    }

    #[test]
    fn settings_of_the_type_reach_the_pod() {
        let kubernetes: KubernetesSpec = serde_json::from_value(json!({
            "serviceAccount": "encoder", "nodeSelector": {"disk": "ssd"}, "gpu": 1, "ephemeralStorage": "2Gi",
            "resources": {"amd.com/gpu": "2"}, "volumes": [{"name": "media", "mountPath": "/media", "claim": "films"}],
            "labels": {"team": "x"}, "grace": "2m", "runAsUser": 0, "capabilities": ["SYS_NICE"],
            "tolerations": [{"key": "gpu", "operator": "Exists"}], "imagePullSecrets": ["registry"],
        }))
        .unwrap();
        let spec = RunSpec {
            image: Some("r/encode:7".into()),
            args: vec!["-x".into()],
            secret_env: BTreeMap::from([("KEY".to_owned(), "vault/key".parse().unwrap())]),
            kubernetes: Some(Box::new(kubernetes)),
            ..RunSpec::default()
        };
        let pod = made(spec).unwrap();
        let (spec, main) = (&pod["spec"], &pod["spec"]["containers"][0]);
        assert_eq!(main["resources"]["limits"]["nvidia.com/gpu"], "1");
        assert_eq!(main["resources"]["requests"]["cpu"], "1500m");
        assert_eq!(main["resources"]["limits"].get("cpu"), None);
        assert_eq!(main["env"][0]["valueFrom"]["secretKeyRef"], json!({"name": "vault", "key": "key"}));
        assert_eq!(main["securityContext"]["runAsNonRoot"], false);
        assert_eq!(main["args"], json!(["$(POP_ARGUMENT_0)"]), "the words are in a secret");
        assert_eq!(main.get("command"), None);
        assert_eq!(spec["volumes"][0]["persistentVolumeClaim"]["claimName"], "films");
        assert_eq!(
            (&spec["serviceAccountName"], &spec["terminationGracePeriodSeconds"]),
            (&json!("encoder"), &json!(120))
        );
        assert_eq!(spec["tolerations"][0]["operator"], "Exists");
        assert_eq!(pod["metadata"]["labels"]["team"], "x");
        assert_eq!(pod["metadata"]["labels"]["pop.dev/attempt"], "2");
    }

    #[test]
    fn a_type_without_an_image_is_refused() {
        let failure = made(RunSpec { command: vec!["x".into()], ..RunSpec::default() }).unwrap_err();
        assert_eq!((failure.class, &*failure.code), (FailureClass::Config, "NoImage"));
    }
}
