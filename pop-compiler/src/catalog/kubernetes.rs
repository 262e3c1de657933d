//! The table `kubernetes` of an operation type, as files write it. The decoder, the language's JSON Schema and the
//! printer of catalogs share these tables; a test compares them with the data model.

use serde_json::{Map, Value as Json};

use crate::agenda::KubernetesSpec;

/// A key of the table: name in files, form of its value, and purpose.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    pub(crate) about: &'static str,
}

/// Form of a key's value.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    Text,
    /// A boolean.
    Flag,
    /// A whole number from 0.
    Number,
    /// A list of strings, or one string.
    Texts,
    /// Strings by name.
    TextMap,
    /// A string or a number.
    Quantity,
    /// Strings or numbers by name.
    QuantityMap,
    Duration,
    OneOf(&'static [&'static str]),
    /// Any table: Kubernetes' own form.
    Object,
    Table(&'static Group),
    /// A list of tables.
    Tables(&'static Group),
}

/// A table with keys of its own.
pub(crate) struct Group {
    /// Name in the JSON Schema of the language.
    pub(crate) name: &'static str,
    /// Name in messages.
    pub(crate) what: &'static str,
    pub(crate) keys: &'static [Key],
    pub(crate) required: &'static [&'static str],
    /// Keys of which exactly one is present.
    pub(crate) one_of: &'static [&'static str],
}

const fn key(name: &'static str, form: Form, about: &'static str) -> Key {
    Key { name, form, about }
}

/// The table `kubernetes`.
pub(crate) static KUBERNETES: Group = Group {
    name: "kubernetes",
    what: "`kubernetes`",
    keys: &[
        key("service_account", Form::Text, "Service account of the pod."),
        key("node_selector", Form::TextMap, "Labels that a node must have."),
        key("tolerations", Form::Tables(&TOLERATION), "Taints of nodes that the pod tolerates."),
        key("affinity", Form::Object, "Affinity of the pod, in the form of a pod's `spec.affinity`."),
        key("volumes", Form::Tables(&VOLUME), "Volumes, and their places in the container."),
        key("priority_class", Form::Text, "Priority class of the pod."),
        key("runtime_class", Form::Text, "Runtime class of the pod."),
        key("image_pull_secrets", Form::Texts, "Secrets for the registry of the image."),
        key(
            "image_pull_policy",
            Form::OneOf(&["Always", "IfNotPresent", "Never"]),
            "When a node pulls the image.",
        ),
        key("labels", Form::TextMap, "More labels of the pod."),
        key("annotations", Form::TextMap, "More annotations of the pod."),
        key("ephemeral_storage", Form::Quantity, "Space on the node's disk, such as \"20Gi\"."),
        key("gpu", Form::Number, "Number of GPUs: the resource `nvidia.com/gpu`."),
        key("resources", Form::QuantityMap, "Extended resources, such as `\"amd.com/gpu\" = 1`."),
        key("grace", Form::Duration, "Duration between SIGTERM and SIGKILL."),
        key("run_as_user", Form::Number, "Numeric user of the container's processes."),
        key("privileged", Form::Flag, "Whether the container has all rights on its node."),
        key("read_only_root", Form::Flag, "Whether the container's own file system is read-only."),
        key("capabilities", Form::Texts, "Linux capabilities that the container gets, such as \"SYS_NICE\"."),
    ],
    required: &[],
    one_of: &[],
};

static TOLERATION: Group = Group {
    name: "toleration",
    what: "a toleration",
    keys: &[
        key("key", Form::Text, "Key of the taint; every taint when absent."),
        key(
            "operator",
            Form::OneOf(&["Exists", "Equal"]),
            "`Equal` compares the taint's value; `Exists` accepts any value.",
        ),
        key("value", Form::Text, "Value of the taint."),
        key(
            "effect",
            Form::OneOf(&["NoSchedule", "PreferNoSchedule", "NoExecute"]),
            "Effect of the taint; every effect when absent.",
        ),
        key("toleration_seconds", Form::Number, "Seconds on a node after the taint appears."),
    ],
    required: &[],
    one_of: &[],
};

static VOLUME: Group = Group {
    name: "volume",
    what: "a volume",
    keys: &[
        key("name", Form::Text, "Identity of the volume inside the pod."),
        key("mount_path", Form::Text, "Absolute path in the container."),
        key("sub_path", Form::Text, "Path inside the volume that is mounted."),
        key("read_only", Form::Flag, "Whether the program cannot write to the volume."),
        key("claim", Form::Text, "Source: a persistent volume claim."),
        key("config_map", Form::Text, "Source: a config map."),
        key("secret", Form::Text, "Source: a secret."),
        key("empty_dir", Form::Table(&EMPTY_DIR), "Source: an empty directory, which ends with the pod."),
        key("host_path", Form::Text, "Source: a path of the node."),
    ],
    required: &["name", "mount_path"],
    one_of: &["claim", "config_map", "secret", "empty_dir", "host_path"],
};

static EMPTY_DIR: Group = Group {
    name: "empty_dir",
    what: "`empty_dir`",
    keys: &[
        key("medium", Form::OneOf(&["Memory"]), "Where the files are; on the node's disk when absent."),
        key("size_limit", Form::Quantity, "Largest size, such as \"1Gi\"."),
    ],
    required: &[],
    one_of: &[],
};

impl Group {
    /// Names of the keys.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.keys.iter().map(|key| key.name).collect()
    }

    /// This group and all inside.
    pub(crate) fn all(&'static self) -> Vec<&'static Self> {
        let mut all = vec![self];
        for key in self.keys {
            if let Form::Table(group) | Form::Tables(group) = key.form {
                all.extend(group.all());
            }
        }
        all
    }
}

/// Name of a key in agendas: `nodeSelector` for `node_selector`.
pub(crate) fn in_agenda(name: &str) -> String {
    let mut parts = name.split('_');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (first, rest) = part.split_at(part.len().min(1));
        out += &first.to_uppercase();
        out += rest;
    }
    out
}

/// The settings with the keys of files, for a printer of catalogs.
pub fn as_written(spec: &KubernetesSpec) -> Json {
    let json = serde_json::to_value(spec).unwrap_or_default();
    written(&KUBERNETES, &json)
}

/// Recursion is bounded by the depth of the groups.
fn written(group: &Group, json: &Json) -> Json {
    let mut table = Map::new();
    for Key { name, form, .. } in group.keys {
        let Some(value) = json.get(in_agenda(name)) else { continue };
        let value = match (form, value) {
            (Form::Table(group), value) => written(group, value),
            (Form::Tables(group), Json::Array(items)) => {
                items.iter().map(|item| written(group, item)).collect()
            }
            (_, value) => value.clone(),
        };
        table.insert((*name).to_owned(), value);
    }
    Json::Object(table)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn same(group: &'static Group, root: &Json, model: &Json) {
        let properties = model["properties"].as_object().unwrap();
        let mut ours: Vec<String> = group.keys.iter().map(|key| in_agenda(key.name)).collect();
        let mut theirs: Vec<String> = properties.keys().cloned().collect();
        ours.sort();
        theirs.sort();
        assert_eq!(ours, theirs, "{}", group.what);
        for key in group.keys {
            let (Form::Table(inner) | Form::Tables(inner)) = key.form else { continue };
            let text = properties[&in_agenda(key.name)].to_string();
            let name = text.split("#/$defs/").nth(1).unwrap().split('"').next().unwrap();
            same(inner, root, &root["$defs"][name]);
        }
    }

    #[test]
    fn files_and_agendas_have_the_same_keys() {
        let model = schemars::schema_for!(KubernetesSpec).to_value();
        same(&KUBERNETES, &model, &model);
    }

    #[test]
    fn settings_are_printed_with_the_keys_of_files() {
        let agenda = json!({
            "nodeSelector": { "someKey": "v" },
            "affinity": { "nodeAffinity": {} },
            "volumes": [{ "name": "a", "mountPath": "/a", "emptyDir": { "sizeLimit": "1Gi" } }],
        });
        let spec: KubernetesSpec = serde_json::from_value(agenda).unwrap();
        let expected = json!({
            "node_selector": { "someKey": "v" },
            "affinity": { "nodeAffinity": {} },
            "volumes": [{ "name": "a", "mount_path": "/a", "empty_dir": { "size_limit": "1Gi" } }],
        });
        assert_eq!(as_written(&spec), expected);
    }
}
