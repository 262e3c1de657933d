//! The suite of all runtimes, and the failures of pods, on a real cluster: the one of `POP_TEST_KUBECONFIG`.

mod failures;
mod faulty;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};

use pop_compiler::agenda::RunSpec;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use super::*;
use crate::runtime::conformance::{Place, begin, check, launch};

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
            artifacts: None,
            keep_artifacts: Duration::ZERO,
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

/// Creates a folder of the node that every user may write.
async fn node_folder(farm: &Farm) -> String {
    let path = format!("/var/tmp/{}", farm.namespace);
    farm.apply(&json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "maker"}, "spec": {
        "restartPolicy": "Never",
        "containers": [{"name": "c", "image": SHELL, "command": ["chmod", "1777", "/made"], "volumeMounts": [{"name": "v", "mountPath": "/made"}]}],
        "volumes": [{"name": "v", "hostPath": {"path": path, "type": "DirectoryOrCreate"}}],
    }}))
    .await;
    let done = "--for=jsonpath={.status.phase}=Succeeded";
    farm.kubectl(&["wait", done, "pod/maker", "-n", &farm.namespace, "--timeout=60s"]).await;
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_of_one_agenda_share_files_and_no_others() {
    let Some(farm) = Farm::new("artifacts").await else { return };
    let path = node_folder(&farm).await;
    let config = Config { artifacts: Some(Artifacts::HostPath(path.clone())), ..farm.config() };
    let runtime = Kubernetes::open(config).await.unwrap();
    let text = "echo made > film.txt; printf '\"%s/film.txt\"' \"$PWD\" > $POP_OUTPUT_FILE";
    let file = launch(&runtime, "make", 1, script(text), json!({})).end().await.outcome.unwrap();
    let read = |agenda: &str, customer: Option<&str>| {
        let spec = RunSpec {
            stdout: pop_compiler::agenda::Stdout::Text,
            ..script("cat $(cat) || ls -R /pop/artifacts; ls /pop")
        };
        let spec = RunSpec { stdin: Some("${with.file}".into()), ..spec };
        let mut launch = crate::runtime::conformance::attempt_of("read", 1, spec, json!({"file": file}));
        (launch.agenda, launch.customer) = (agenda.to_owned(), customer.map(str::to_owned));
        launch
    };
    let told = begin(&runtime, read("ag_1", None)).end().await;
    let text = told.outcome.unwrap()["text"].as_str().unwrap().to_owned();
    assert!(
        text.starts_with("made\n") && !text.contains("volume"),
        "the path is the same in every pod: {text}"
    );
    for (agenda, customer) in [("ag_2", None), ("ag_1", Some("other"))] {
        let told = begin(&runtime, read(agenda, customer)).end().await;
        let text = told.outcome.unwrap()["text"].as_str().unwrap().to_owned();
        assert!(!text.contains("film.txt"), "{agenda} {customer:?}: {text}");
    }
    runtime.idle().await;
    farm.apply(&json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "cleaner"}, "spec": {
        "restartPolicy": "Never",
        "containers": [{"name": "c", "image": SHELL, "command": ["sh", "-c", format!("rm -rf /all/{}", farm.namespace)], "volumeMounts": [{"name": "v", "mountPath": "/all"}]}],
        "volumes": [{"name": "v", "hostPath": {"path": "/var/tmp"}}],
    }}))
    .await;
    let done = "--for=jsonpath={.status.phase}=Succeeded";
    farm.kubectl(&["wait", done, "pod/cleaner", "-n", &farm.namespace, "--timeout=60s"]).await;
    farm.end().await;
}
