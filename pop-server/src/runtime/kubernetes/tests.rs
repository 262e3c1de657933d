//! The suite of all runtimes, and the failures of pods, on a real cluster: the one of `POP_TEST_KUBECONFIG`.

mod failures;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};

use pop_compiler::agenda::RunSpec;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use super::*;
use crate::runtime::conformance::{Place, check, launch};

/// Images that `tests/cluster` puts into its cluster.
const SHELL: &str = "pop.local/busybox:1";
const SHIM: &str = "pop.local/pop-shim:test";

const POD: Place = Place { image: Some(SHELL), here: false };

/// A cluster with a new namespace.
struct Farm {
    access: Access,
    namespace: String,
    folder: tempfile::TempDir,
}

impl Farm {
    /// None, with a note, without a cluster.
    #[expect(clippy::disallowed_methods, reason = "the tests' cluster is named by a variable")]
    async fn new(test: &str) -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let Ok(file) = std::env::var("POP_TEST_KUBECONFIG") else {
            eprintln!("skipped: {test} needs a cluster, named by POP_TEST_KUBECONFIG");
            return None;
        };
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let access = Access { kubeconfig: Some(file.into()), context: None };
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let namespace = format!("pop-{test}-{}-{number}", std::process::id()).replace('_', "-");
        let farm = Self { access, namespace, folder: tempfile::tempdir().unwrap() };
        farm.kubectl(&["create", "namespace", &farm.namespace]).await;
        // The account of pods comes a moment later.
        farm.kubectl(&[
            "wait",
            "--for=create",
            "serviceaccount/default",
            "-n",
            &farm.namespace,
            "--timeout=30s",
        ])
        .await;
        Some(farm)
    }

    fn config(&self) -> Config {
        Config {
            access: self.access.clone(),
            pool: "test".into(),
            agent: "a1".into(),
            namespace: Some(self.namespace.clone()),
            shim_image: SHIM.into(),
            report_listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            report_url: None,
            report_tls: self.folder.path().join("tls"),
            make_certificate: true,
            handler_account: "default".into(),
            keep_failed: Duration::ZERO,
            patience: Duration::from_secs(3),
            pending_timeout: Duration::from_mins(2),
            shim_deadline: Duration::from_mins(1),
            orphan_age: Duration::from_mins(10),
            grace: Duration::from_mins(1),
            output_limit: 1 << 20,
            log_limit: 1 << 20,
            capacity: Capacity::unlimited(),
            policy: Policy::default(),
            clock: crate::env::Env::system().clock,
        }
    }

    async fn open(&self) -> Kubernetes {
        Kubernetes::open(self.config()).await.unwrap()
    }

    async fn kubectl(&self, arguments: &[&str]) -> String {
        self.kubectl_with(arguments, "").await
    }

    /// Runs `kubectl` with this standard input.
    async fn kubectl_with(&self, arguments: &[&str], input: &str) -> String {
        let file: &Path = self.access.kubeconfig.as_deref().unwrap();
        let mut command = tokio::process::Command::new("kubectl");
        command.arg("--kubeconfig").arg(file).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("kubectl is on the PATH");
        let mut pipe = child.stdin.take().unwrap();
        pipe.write_all(input.as_bytes()).await.unwrap();
        drop(pipe);
        let output = child.wait_with_output().await.unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Creates objects in the farm's namespace.
    async fn apply(&self, objects: &Value) {
        self.kubectl_with(&["apply", "-n", &self.namespace, "-f", "-"], &objects.to_string()).await;
    }

    /// The name of the only pod.
    async fn pod(&self) -> String {
        self.kubectl(&["get", "pods", "-n", &self.namespace, "-o", "jsonpath={.items[0].metadata.name}"])
            .await
    }

    async fn end(self) {
        self.kubectl(&["delete", "namespace", &self.namespace, "--wait=false"]).await;
    }
}

fn script(text: &str) -> RunSpec {
    RunSpec { image: Some(SHELL.to_owned()), ..crate::runtime::conformance::script(text) }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_conforms() {
    let Some(farm) = Farm::new("conforms").await else { return };
    check(POD, async || farm.open().await).await;
    // Every pod is being deleted.
    farm.kubectl(&["wait", "--for=delete", "pods", "--all", "-n", &farm.namespace, "--timeout=60s"]).await;
    farm.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_in_a_pod_gives_its_output() {
    let Some(farm) = Farm::new("output").await else { return };
    let runtime = farm.open().await;
    let told = launch(&runtime, "op", 1, script("echo \"$PAYLOAD\" > $POP_OUTPUT_FILE"), json!({"a": 1}))
        .end()
        .await;
    assert_eq!(told.outcome, Ok(json!({"a": 1})));
    runtime.idle().await;
    farm.end().await;
}
