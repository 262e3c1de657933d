//! How an agenda says that its operation types run, read with tolerance: the agenda may have been stored or compiled by a
//! newer program. What a client submits is checked before, and there an unknown key is a finding. Settings for Kubernetes
//! are read strictly, because an unknown one may restrict the pod.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use pop_compiler::agenda::{Agenda, KubernetesSpec, Params, RunSpec, SecretKey, Stdout, keys};
use serde::Deserialize;
use serde_json::Value;

use super::plan::invalid;
use crate::api::Failure;

/// The form in which a [`RunSpec`] is read. The compiler holds the two together: it makes one of the other.
#[derive(Deserialize)]
#[serde(remote = "RunSpec", rename_all = "camelCase", default = "RunSpec::default")]
struct Stored {
    command: Vec<String>,
    stdin: Option<String>,
    stdout: Stdout,
    image: Option<String>,
    args: Vec<String>,
    env: Params,
    secret_env: BTreeMap<String, SecretKey>,
    kubernetes: Option<Box<KubernetesSpec>>,
    idempotent: bool,
    secrets: Vec<String>,
    output: Option<Value>,
}

/// How the types of an agenda run, by type.
pub(super) fn specs(agenda: &Agenda) -> Result<HashMap<String, Arc<RunSpec>>, Failure> {
    let Some(types) = agenda.params.get(keys::TYPES).and_then(Value::as_object) else {
        return Ok(HashMap::new());
    };
    let mut specs = HashMap::with_capacity(types.len());
    for (kind, spec) in types {
        let spec = Stored::deserialize(spec)
            .map_err(|e| invalid(format!("invalid `{}` of type `{kind}`: {e}", keys::TYPES)))?;
        specs.insert(kind.clone(), Arc::new(spec));
    }
    Ok(specs)
}
