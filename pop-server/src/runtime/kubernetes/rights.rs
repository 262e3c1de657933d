//! The rights of a pool in a namespace of its pods: those of the role that `deploy/` installs. A missing right is told
//! when the pool first uses the namespace, not when the first operation happens to need the right.

use std::time::Duration;

use super::cluster::Cluster;
use super::refusal::Refusal;

/// Verbs, resource and subresource.
const RIGHTS: [(&[&str], &str, &str); 4] = [
    (&["create", "get", "list", "watch", "patch", "delete"], "pods", ""),
    (&["get"], "pods", "log"),
    (&["create", "delete"], "secrets", ""),
    (&["get", "list"], "events", ""),
];
/// Pause before a further try, while the API server is away.
const PAUSE: Duration = Duration::from_secs(5);

/// Logs the rights that the pool lacks in a namespace, once.
pub(super) async fn review(cluster: &Cluster, namespace: &str) {
    let mut missing = Vec::new();
    for (verbs, resource, part) in RIGHTS {
        for verb in verbs {
            match ask(cluster, namespace, verb, (resource, part)).await {
                Ok(true) => {}
                Ok(false) if part.is_empty() => missing.push(format!("{verb} {resource}")),
                Ok(false) => missing.push(format!("{verb} {resource}/{part}")),
                Err(why) => {
                    tracing::debug!(namespace, why, "could not ask for the pool's rights");
                    return;
                }
            }
        }
    }
    if !missing.is_empty() {
        let missing = missing.join(", ");
        tracing::warn!(
            namespace,
            missing,
            "the pool lacks rights in the cluster. Add them to the role of the pool's service account"
        );
    }
}

/// Whether the pool has a right. Waits while the API server is away.
async fn ask(cluster: &Cluster, namespace: &str, verb: &str, what: (&str, &str)) -> Result<bool, String> {
    loop {
        match cluster.may(namespace, verb, what).await {
            Ok(may) => return Ok(may),
            Err(Refusal::Later(_, after)) => tokio::time::sleep(after.max(PAUSE)).await,
            Err(refusal) => return Err(refusal.text().to_owned()),
        }
    }
}
