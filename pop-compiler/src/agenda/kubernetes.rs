//! Settings of an operation type for Kubernetes: what a pool puts into the pods of its operations. Names and values are
//! those of Kubernetes; `validate` checks them.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

/// How the operations of a type run on Kubernetes. Every field is optional.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct KubernetesSpec {
    /// Service account of the pod. The pod gets no token of the account from POP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account: Option<String>,
    /// Labels that a node must have.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub node_selector: BTreeMap<String, String>,
    /// Taints of nodes that the pod tolerates.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tolerations: Vec<Toleration>,
    /// Affinity of the pod, in the form of a pod's `spec.affinity`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub affinity: Option<Value>,
    /// Volumes, and their places in the container.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<Volume>,
    /// Priority class of the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority_class: Option<String>,
    /// Runtime class of the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime_class: Option<String>,
    /// Secrets for the registry of the image.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub image_pull_secrets: Vec<String>,
    /// When a node pulls the image; none means the default of Kubernetes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_pull_policy: Option<ImagePullPolicy>,
    /// More labels of the pod.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// More annotations of the pod.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Space on the node's disk for one attempt, as a quantity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ephemeral_storage: Option<String>,
    /// Number of GPUs of one attempt: the resource `nvidia.com/gpu`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu: Option<u32>,
    /// Extended resources of one attempt: name, such as `amd.com/gpu`, to quantity.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub resources: BTreeMap<String, String>,
    /// Duration between SIGTERM and SIGKILL; none means the pool's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grace: Option<String>,
    /// Numeric user of the container's processes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_as_user: Option<u32>,
    /// Whether the container has all rights on its node.
    #[serde(skip_serializing_if = "is_false")]
    pub privileged: bool,
    /// Whether the container cannot write to its own file system.
    #[serde(skip_serializing_if = "is_false")]
    pub read_only_root: bool,
    /// Linux capabilities that the container gets; POP drops all others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
}

/// A taint that a pod tolerates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Toleration {
    /// Key of the taint; none means every taint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Relation of the taint's value to `value`; none means `Equal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<TolerationOperator>,
    /// Value of the taint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Effect of the taint; none means every effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<TaintEffect>,
    /// Seconds on a node after the taint appears; none means no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub toleration_seconds: Option<u32>,
}

/// Relation of a taint's value to a toleration's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TolerationOperator {
    /// Any value.
    Exists,
    /// The same value.
    Equal,
}

/// Effect of a taint on pods that do not tolerate it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TaintEffect {
    /// New pods go to other nodes.
    NoSchedule,
    /// New pods go to other nodes where that is possible.
    PreferNoSchedule,
    /// Running pods leave the node, too.
    NoExecute,
}

/// A volume in the container of an attempt, with exactly one source: `claim`, `config_map`, `secret`, `empty_dir` or
/// `host_path`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Volume {
    /// Identity inside the pod.
    pub name: String,
    /// Absolute path in the container.
    pub mount_path: String,
    /// Path inside the volume that is mounted; none means the whole volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_path: Option<String>,
    /// Whether the program cannot write to the volume.
    #[serde(skip_serializing_if = "is_false")]
    pub read_only: bool,
    /// Source: a persistent volume claim of the namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// Source: a config map of the namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_map: Option<String>,
    /// Source: a secret of the namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Source: an empty directory, which ends with the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub empty_dir: Option<EmptyDir>,
    /// Source: a path of the node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_path: Option<String>,
}

/// An empty directory of a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct EmptyDir {
    /// Where the files are; none means the node's disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub medium: Option<Medium>,
    /// Largest size, as a quantity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_limit: Option<String>,
}

/// Where the files of an empty directory are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Medium {
    /// Memory, which counts as memory of the attempt.
    Memory,
}

/// When a node pulls an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ImagePullPolicy {
    /// Before each start of a container.
    Always,
    /// Unless the node has the image.
    IfNotPresent,
    /// Never: the node must have the image.
    Never,
}

/// One entry of an existing secret of the namespace, written `secret/key`. POP never reads its value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretKey {
    secret: String,
    key: String,
}

impl SecretKey {
    /// Name of the secret.
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// Key of the entry in the secret.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// Reason why a text is not a [`SecretKey`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretKeyError(String);

impl fmt::Display for SecretKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid entry of a secret `{}`: write `secret/key`", self.0)
    }
}

impl std::error::Error for SecretKeyError {}

impl FromStr for SecretKey {
    type Err = SecretKeyError;

    /// Reads `secret/key`. The names themselves may still be invalid in Kubernetes.
    fn from_str(text: &str) -> Result<Self, SecretKeyError> {
        let parts = text.split_once('/').filter(|(secret, key)| {
            let part = |name: &str| !name.is_empty() && !name.contains('/');
            part(secret) && part(key)
        });
        match parts {
            Some((secret, key)) => Ok(Self { secret: secret.to_owned(), key: key.to_owned() }),
            None => Err(SecretKeyError(text.chars().take(200).collect())),
        }
    }
}

impl fmt::Display for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.secret, self.key)
    }
}

impl Serialize for SecretKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SecretKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for SecretKey {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SecretKey".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[^/]+/[^/]+$" })
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
pub(super) fn is_false(value: &bool) -> bool {
    !*value
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::agenda::RunSpec;

    #[test]
    fn settings_are_read_and_written_as_they_are() {
        let full = json!({
            "image": "registry.example.com/encode:7",
            "secretEnv": { "TOKEN": "registry/token" },
            "idempotent": true,
            "kubernetes": {
                "serviceAccount": "encoder",
                "nodeSelector": { "disk": "ssd" },
                "tolerations": [{ "key": "gpu", "operator": "Exists", "effect": "NoSchedule", "tolerationSeconds": 60 }],
                "affinity": { "nodeAffinity": {} },
                "volumes": [
                    { "name": "media", "mountPath": "/media", "subPath": "in", "readOnly": true, "claim": "media" },
                    { "name": "scratch", "mountPath": "/scratch", "emptyDir": { "medium": "Memory", "sizeLimit": "1Gi" } }
                ],
                "priorityClass": "high",
                "runtimeClass": "gvisor",
                "imagePullSecrets": ["registry"],
                "imagePullPolicy": "IfNotPresent",
                "labels": { "team": "media" },
                "annotations": { "example.com/note": "any text" },
                "ephemeralStorage": "20Gi",
                "gpu": 1,
                "resources": { "amd.com/gpu": "1" },
                "grace": "30s",
                "runAsUser": 1000,
                "readOnlyRoot": true,
                "capabilities": ["SYS_NICE"]
            }
        });
        let spec: RunSpec = serde_json::from_value(full.clone()).unwrap();
        assert_eq!(serde_json::to_value(&spec).unwrap(), full);
        let empty = RunSpec { kubernetes: Some(Box::default()), ..RunSpec::default() };
        assert_eq!(serde_json::to_value(&empty).unwrap(), json!({ "kubernetes": {} }));
        for unknown in [
            json!({ "kubernetes": { "nodeselector": {} } }),
            json!({ "kubernetes": { "volumes": [{ "name": "a", "path": "/a" }] } }),
            json!({ "kubernetes": { "imagePullPolicy": "Sometimes" } }),
        ] {
            assert!(serde_json::from_value::<RunSpec>(unknown.clone()).is_err(), "{unknown}");
        }
    }

    #[test]
    fn an_entry_of_a_secret_has_two_parts() {
        let entry: SecretKey = "registry/token".parse().unwrap();
        assert_eq!((entry.secret(), entry.key()), ("registry", "token"));
        assert_eq!(entry.to_string(), "registry/token");
        for text in ["", "registry", "/token", "registry/", "a/b/c", "//"] {
            assert!(text.parse::<SecretKey>().is_err(), "{text}");
        }
    }
}
