//! `pop pool manifests`: the objects of a namespace for operations' pods. They are those of `deploy/kustomize`.

use anyhow::Result;
use clap::Args;

use super::exit::Exit;

const RIGHTS: &str = include_str!("../../../deploy/kustomize/base/pods/rights.yaml");
const NETWORK: &str = include_str!("../../../deploy/kustomize/base/pods/network.yaml");
const QUOTAS: &str = include_str!("../../../deploy/kustomize/components/quotas/quotas.yaml");

/// Arguments of `pop pool manifests`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  pop pool manifests --customer acme | kubectl apply -f -

A pool creates neither namespaces nor rights. Change the quota before you apply the objects.")]
pub struct ManifestsArgs {
    /// The customer whose pods run in the namespace.
    #[arg(long)]
    customer: String,
    /// Name of the namespace, the same as the pool's `--namespace`.
    #[arg(long, value_name = "NAME", default_value = "pop-{customer}")]
    namespace: String,
    /// Service account of the pool's agent.
    #[arg(long, value_name = "NAME", default_value = "pop-pool")]
    agent_account: String,
    /// Namespace of the pool's agent.
    #[arg(long, value_name = "NAME", default_value = "pop")]
    agent_namespace: String,
}

/// Prints the objects.
pub fn print(args: &ManifestsArgs) -> Result<Exit> {
    for (what, name) in [
        ("customer", &args.customer),
        ("agent-account", &args.agent_account),
        ("agent-namespace", &args.agent_namespace),
    ] {
        anyhow::ensure!(is_name(name), "invalid --{what} `{name}`: use lower-case letters, digits and `-`");
    }
    let namespace = args.namespace.replace("{customer}", &args.customer);
    anyhow::ensure!(
        is_name(&namespace),
        "invalid --namespace `{namespace}`: use lower-case letters, digits and `-`"
    );
    anstream::print!("{}", objects(&namespace, &args.agent_account, &args.agent_namespace));
    Ok(Exit::Success)
}

/// A DNS label, as names of namespaces are.
fn is_name(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty()
        && text.len() <= 63
        && text.chars().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn objects(namespace: &str, account: &str, agent_namespace: &str) -> String {
    let mut text = format!(
        "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {namespace}\n  labels:\n    pod-security.kubernetes.io/enforce: restricted\n"
    );
    for file in [RIGHTS, NETWORK, QUOTAS] {
        text.push_str("---\n");
        for line in file.lines() {
            // The objects name the agent's account and namespace as in the base.
            let line = line
                .replace(
                    "name: pop-pool, namespace: pop}",
                    &format!("name: {account}, namespace: {agent_namespace}}}"),
                )
                .replace(
                    "kubernetes.io/metadata.name: pop}",
                    &format!("kubernetes.io/metadata.name: {agent_namespace}}}"),
                );
            text.push_str(&line);
            text.push('\n');
            if line == "metadata:" {
                text.push_str(&format!("  namespace: {namespace}\n"));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_objects_are_those_of_the_deployment_in_another_namespace() {
        let text = objects("pop-acme", "pop-pool-acme", "brain");
        insta::with_settings!({snapshot_path => "../../../tests/snapshots", prepend_module_to_snapshot => false}, {
            insta::assert_snapshot!("pool-manifests", text);
        });
        assert_eq!(
            text.matches("\nmetadata:").count(),
            text.matches("\n  namespace: pop-acme\n").count() + 1
        );
    }

    #[test]
    fn names_are_checked_before_they_are_printed() {
        for name in ["", "A", "-a", "a-", "a b", "a\nkind: Role"] {
            assert!(!is_name(name), "{name:?}");
        }
        assert!(is_name("acme-2"));
    }
}
