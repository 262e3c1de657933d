//! A namespace of the test cluster, and agents that run pods in it.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use pop_compiler::agenda::{Agenda, Operation, keys};
use pop_sdk::api::{AgendaView, FailureClass, OperationState, OperationView};
use pop_sdk::client::Run;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::support::{POP, Service, root};

/// Images that `tests/cluster` puts into its cluster.
pub(crate) const SHELL: &str = "pop.local/busybox:1";
pub(crate) const HANDLER: &str = "pop.local/pop-handler:test";
const SHIM: &str = "pop.local/pop-shim:test";

/// Longer than anything here takes. A limit of a failing test; no test waits for time to pass.
const LONG: Duration = Duration::from_mins(5);

/// Held alone by tests that take the API server away.
static CLUSTER: RwLock<()> = RwLock::const_new(());

#[expect(dead_code, reason = "held until the end of a test")]
enum Turn {
    Beside(RwLockReadGuard<'static, ()>),
    Alone(RwLockWriteGuard<'static, ()>),
}

/// A new namespace with a folder for a server and its agents.
pub(crate) struct Farm {
    pub(crate) kubeconfig: PathBuf,
    pub(crate) namespace: String,
    pub(crate) folder: tempfile::TempDir,
    /// All namespaces, for the end.
    created: Mutex<Vec<String>>,
    _turn: Turn,
}

#[expect(clippy::disallowed_methods, reason = "tests find their cluster through the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl Farm {
    /// None, with a note, without a cluster.
    pub(crate) async fn new(test: &str) -> Option<Self> {
        Self::open(test, false).await
    }

    /// A farm whose test may take the API server away. None, with a note, unless the cluster is that of
    /// `tests/cluster` on this machine.
    pub(crate) async fn alone(test: &str) -> Option<Self> {
        Self::open(test, true).await
    }

    async fn open(test: &str, alone: bool) -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let Some(kubeconfig) = variable("POP_TEST_KUBECONFIG").map(PathBuf::from) else {
            println!("skipped: POP_TEST_KUBECONFIG is not set");
            return None;
        };
        if alone && kubeconfig != cluster_folder().join("kubeconfig") {
            println!("skipped: the cluster is not that of tests/cluster on this machine");
            return None;
        }
        let turn =
            if alone { Turn::Alone(CLUSTER.write().await) } else { Turn::Beside(CLUSTER.read().await) };
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let namespace = format!("e2e-{test}-{}-{number}", std::process::id());
        let folder = tempfile::tempdir().expect("a folder");
        let farm = Self { kubeconfig, namespace, folder, created: Mutex::default(), _turn: turn };
        farm.create_namespace(&farm.namespace).await;
        Some(farm)
    }

    /// Creates a namespace, and waits for the account of its pods.
    pub(crate) async fn create_namespace(&self, name: &str) {
        self.created.lock().unwrap_or_else(PoisonError::into_inner).push(name.to_owned());
        self.kubectl(&["create", "namespace", name]).await;
        self.kubectl(&["wait", "--for=create", "serviceaccount/default", "-n", name, "--timeout=60s"]).await;
    }

    /// Runs `kubectl`, which must succeed.
    pub(crate) async fn kubectl(&self, arguments: &[&str]) -> String {
        let output = self.try_kubectl(&self.kubeconfig, arguments, "").await;
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs `kubectl` with these credentials and this standard input.
    pub(crate) async fn try_kubectl(&self, kubeconfig: &Path, arguments: &[&str], input: &str) -> Output {
        let mut command = Command::new("kubectl");
        command.arg("--kubeconfig").arg(kubeconfig).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("kubectl is on the PATH");
        let mut pipe = child.stdin.take().expect("piped");
        pipe.write_all(input.as_bytes()).await.expect("kubectl reads");
        drop(pipe);
        child.wait_with_output().await.expect("kubectl ends")
    }

    /// Creates or changes objects in a namespace.
    pub(crate) async fn apply(&self, namespace: &str, objects: &Value) {
        let arguments = ["apply", "-n", namespace, "-f", "-"];
        let output = self.try_kubectl(&self.kubeconfig, &arguments, &objects.to_string()).await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// The pods of the farm's namespace.
    pub(crate) async fn pods(&self) -> Vec<Value> {
        let text = self.kubectl(&["get", "pods", "-n", &self.namespace, "-o", "json"]).await;
        let list: Value = serde_json::from_str(&text).expect("JSON");
        list["items"].as_array().cloned().unwrap_or_default()
    }

    /// Waits until the namespace has no pod.
    pub(crate) async fn empty(&self) {
        let arguments = ["wait", "--for=delete", "pods", "--all", "-n", &self.namespace, "--timeout=300s"];
        self.kubectl(&arguments).await;
    }

    /// The objects of a file of `deploy/`.
    async fn deployed(&self, kind: &str, name: &str) -> Vec<Value> {
        let file = rights_file();
        let file = file.to_str().expect("UTF-8");
        let text = self.kubectl(&["create", "--dry-run=client", "-o", "json", "-f", file]).await;
        let objects =
            serde_json::Deserializer::from_str(&text).into_iter::<Value>().map(|o| o.expect("JSON"));
        let objects = objects.flat_map(|object| match object["items"].as_array() {
            Some(items) => items.clone(),
            None => vec![object],
        });
        objects.filter(|object| object["kind"] == kind && object["metadata"]["name"] == name).collect()
    }

    /// The rules of the Role that an installation gives its agents.
    pub(crate) async fn role(&self) -> Vec<Value> {
        let roles = self.deployed("Role", "pop-pool").await;
        roles[0]["rules"].as_array().expect("rules").clone()
    }

    /// Creates the account of handlers, as an installation has it.
    pub(crate) async fn handlers(&self) {
        let file = rights_file();
        let file = file.to_str().expect("UTF-8");
        self.kubectl(&["apply", "-n", &self.namespace, "-f", file]).await;
    }

    /// Gives the account `agent` exactly these rights in a namespace.
    pub(crate) async fn set_role(&self, namespace: &str, rules: &[Value]) {
        let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
            "metadata": {"name": "agent"}, "rules": rules});
        self.apply(namespace, &role).await;
    }

    /// Creates an account with these rights in one namespace. Returns a kubeconfig with its token.
    pub(crate) async fn account(&self, namespace: &str, rules: &[Value]) -> PathBuf {
        self.kubectl(&["create", "serviceaccount", "agent", "-n", namespace]).await;
        self.set_role(namespace, rules).await;
        let account = format!("--serviceaccount={namespace}:agent");
        self.kubectl(&["create", "rolebinding", "agent", "--role=agent", &account, "-n", namespace]).await;
        let token = self.kubectl(&["create", "token", "agent", "-n", namespace, "--duration=2h"]).await;
        let text = self.kubectl(&["config", "view", "--raw", "-o", "json"]).await;
        let mut config: Value = serde_json::from_str(&text).expect("JSON");
        config["users"][0]["user"] = json!({"token": token.trim()});
        let file = self.folder.path().join("agent.kubeconfig");
        fs::write(&file, config.to_string()).expect("a file");
        file
    }

    /// Waits until the API server knows whether the account `agent` has a right.
    pub(crate) async fn wait_for_right(&self, verb: &str, resource: &str, has: bool) {
        let account = format!("--as=system:serviceaccount:{}:agent", self.namespace);
        let mut arguments = vec!["auth", "can-i", verb];
        let (resource, part) = resource.split_once('/').unwrap_or((resource, ""));
        let part = format!("--subresource={part}");
        arguments.extend([resource, &part, "-n", &self.namespace, &account]);
        until("decision", async || {
            let answer = self.try_kubectl(&self.kubeconfig, &arguments, "").await;
            (answer.status.success() == has).then_some(())
        })
        .await;
    }

    /// Starts a server in the farm's folder.
    pub(crate) async fn server(&self, listen: &str, lease: &str) -> Service {
        let database = self.folder.path().join("pop.db");
        let database = database.to_str().expect("UTF-8");
        Service::start(&["server", "--listen", listen, "--database", database, "--lease", lease]).await
    }

    /// Starts an agent that runs pods in the farm's namespace.
    pub(crate) fn agent(&self, server: &str, port: u16, more: &[&str]) -> Agent {
        self.agent_with(&self.kubeconfig, &self.namespace, server, port, more)
    }

    /// Starts an agent with these credentials for this namespace. A later agent of the same port takes over.
    pub(crate) fn agent_with(
        &self,
        kubeconfig: &Path,
        namespace: &str,
        server: &str,
        port: u16,
        more: &[&str],
    ) -> Agent {
        let log = File::options().create(true).append(true).open(self.log_file()).expect("a log");
        let child = Command::new(POP)
            .args(["pool", "--runtime", "kubernetes", "--name", "a1", "--grace", "2s", "--slots", "32"])
            .args(["--server", server, "--namespace", namespace, "--shim-image", SHIM])
            .args(["--handler-service-account", "pop-handler"])
            .args(["--report-listen", &format!("0.0.0.0:{port}"), "--kubeconfig"])
            .arg(kubeconfig)
            .arg("--work-dir")
            .arg(self.folder.path().join("agent"))
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .expect("pop starts");
        Agent { child }
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("agent.log")
    }

    /// What the agents have logged so far.
    pub(crate) fn agent_log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// Opens a node again when dropped, also after a failure: other tests need the node.
    pub(crate) fn will_uncordon(&self, node: &str) -> Cordon {
        Cordon { kubeconfig: self.kubeconfig.clone(), node: node.to_owned(), _sign: Sign::new() }
    }

    /// A folder of this machine that pods write to.
    pub(crate) fn marks(&self) -> Marks {
        let folder = self.folder.path().join("marks");
        fs::create_dir_all(&folder).expect("a folder");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).expect("permissions");
        Marks { folder }
    }
}

impl Drop for Farm {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the agents' log:\n{}", self.agent_log());
        }
        let mut command = std::process::Command::new("kubectl");
        command.arg("--kubeconfig").arg(&self.kubeconfig);
        command.args(["delete", "namespace", "--wait=false", "--request-timeout=20s"]);
        command.args(&*self.created.lock().unwrap_or_else(PoisonError::into_inner));
        let _ = command.stdout(Stdio::null()).status();
    }
}

fn rights_file() -> PathBuf {
    root().join("deploy/kustomize/base/pods/rights.yaml")
}

/// An agent; killed when dropped. Its pods go on.
pub(crate) struct Agent {
    child: Child,
}

impl Agent {
    /// Kills the agent (kill -9).
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.expect("killed");
    }
}

/// A free port of this machine, on which an agent and its followers listen.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("0.0.0.0", 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}

/// Programs append to a file of this folder when they start.
pub(crate) struct Marks {
    folder: PathBuf,
}

impl Marks {
    /// The volume, for an operation type.
    pub(crate) fn volume(&self) -> Value {
        json!({"name": "marks", "mountPath": "/marks", "hostPath": self.folder.to_str().expect("UTF-8")})
    }

    /// Creates a file in the folder, for programs that wait for the file.
    pub(crate) fn write(&self, name: &str) {
        fs::write(self.folder.join(name), "").expect("a file");
    }

    /// The started attempts so far: operation and attempt, in order.
    pub(crate) fn starts(&self) -> Vec<(String, u32)> {
        let text = fs::read_to_string(self.folder.join("starts")).unwrap_or_default();
        let start = |line: &str| {
            let (operation, attempt) = line.split_once(' ').expect("operation and attempt");
            (operation.to_owned(), attempt.parse().expect("a number"))
        };
        text.lines().map(start).collect()
    }

    /// Checks that no attempt started twice, and that nothing started again after its success.
    pub(crate) fn check(&self, view: &AgendaView) {
        let mut seen = std::collections::HashSet::new();
        for (operation, attempt) in self.starts() {
            assert!(seen.insert((operation.clone(), attempt)), "attempt {attempt} of {operation} ran twice");
            let end = view.operations.iter().find(|o| o.name == operation).expect("a known operation");
            assert!(attempt <= end.attempt, "attempt {attempt} of {operation} after {end:?}");
        }
        for operation in &view.operations {
            let last = (operation.name.clone(), operation.attempt);
            assert!(seen.contains(&last), "{last:?} succeeded without a start");
        }
    }
}

/// The line that a program writes to its marks at its start.
pub(crate) const MARK: &str = r#"echo "$OPERATION_NAME $POP_ATTEMPT" >> /marks/starts; "#;

/// The run spec of a script in a pod.
pub(crate) fn script(text: &str) -> Value {
    json!({"image": SHELL, "command": ["sh", "-c", text]})
}

/// An agenda of operations of the only type `t`: names and payloads.
pub(crate) fn agenda(spec: Value, operations: Vec<(String, Value)>) -> Agenda {
    let make = |(name, payload)| Operation { name, kind: "t".into(), payload, ..Operation::default() };
    let params = json!({keys::TYPES: {"t": spec}});
    Agenda {
        operations: operations.into_iter().map(make).collect::<Vec<_>>().into(),
        params: params.as_object().cloned().unwrap_or_default(),
        ..Agenda::default()
    }
}

/// An agenda of one operation, `only`.
pub(crate) fn only(spec: Value, payload: Value) -> Agenda {
    agenda(spec, vec![("only".to_owned(), payload)])
}

/// An agenda of one operation, `only`, that its own failures do not end before this number of attempts.
pub(crate) fn only_with_retries(spec: Value, payload: Value, attempts: u32) -> Agenda {
    let mut made = only(spec, payload);
    let retry = json!({"attempts": attempts, "backoff": "10ms"});
    made.operations[0].params.insert(keys::RETRY.to_owned(), retry);
    made
}

/// The first event of the run's history that satisfies `is`.
pub(crate) async fn event(run: &Run, is: impl Fn(&OperationView) -> bool) -> OperationView {
    let search = async {
        let mut events = std::pin::pin!(run.watch());
        while let Some(event) = events.next().await {
            let event = event.expect("the history can be read");
            if let Some(operation) = event.operation.filter(&is) {
                return Some(operation);
            }
        }
        None
    };
    let found = tokio::time::timeout(LONG, search).await.expect("an event in time");
    found.expect("an event before the end of the run")
}

/// Waits for the start of the operation `only`.
pub(crate) async fn executing(run: &Run) -> OperationView {
    event(run, |operation| operation.state == OperationState::Executing).await
}

/// Waits for the end of a run, however the run ends. A run may take as long as its cluster needs, but is never silent for
/// long.
pub(crate) async fn ended(run: &Run) -> AgendaView {
    let mut events = std::pin::pin!(run.watch());
    while let Some(event) = tokio::time::timeout(LONG, events.next()).await.expect("the run goes on") {
        event.expect("the history can be read");
    }
    run.view().await.expect("a view")
}

/// Asks again and again until there is an answer.
pub(crate) async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let search = async {
        loop {
            if let Some(found) = ask().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(LONG, search).await.unwrap_or_else(|_| panic!("no {what}"))
}

pub(crate) fn class_and_code(operation: &OperationView) -> (FailureClass, &str) {
    let failure = operation.failure.as_ref().unwrap_or_else(|| panic!("it failed: {operation:?}"));
    (failure.class, &failure.code)
}

fn cluster_folder() -> PathBuf {
    variable("POP_CLUSTER_DIR").map_or_else(|| PathBuf::from("/tmp/pop-cluster"), PathBuf::from)
}

/// Tells others who use the cluster that a test disturbs it: the file of `POP_CLUSTER_OUTAGE` exists meanwhile.
struct Sign(Option<PathBuf>);

impl Sign {
    fn new() -> Self {
        let file = variable("POP_CLUSTER_OUTAGE").map(PathBuf::from);
        if let Some(file) = &file {
            fs::write(file, "").expect("a sign");
        }
        Self(file)
    }
}

impl Drop for Sign {
    fn drop(&mut self) {
        if let Some(file) = &self.0 {
            let _ = fs::remove_file(file);
        }
    }
}

/// The time in which a node takes no pod.
pub(crate) struct Cordon {
    kubeconfig: PathBuf,
    node: String,
    _sign: Sign,
}

impl Drop for Cordon {
    fn drop(&mut self) {
        let mut command = std::process::Command::new("kubectl");
        command.arg("--kubeconfig").arg(&self.kubeconfig).args(["uncordon", &self.node]);
        let _ = command.stdout(Stdio::null()).status();
    }
}

/// The time without an API server. `POP_CLUSTER_UP` may name another script that starts what has died.
pub(crate) struct Outage {
    over: bool,
    _sign: Sign,
}

impl Outage {
    /// Kills the API server (kill -9).
    pub(crate) async fn begin() -> Self {
        let outage = Self { over: false, _sign: Sign::new() };
        let pid = fs::read_to_string(cluster_folder().join("run/apiserver.pid")).expect("a process");
        let killed = Command::new("kill").args(["-9", pid.trim()]).status().await.expect("kill starts");
        assert!(killed.success());
        outage
    }

    /// Starts the API server, and waits until it answers.
    pub(crate) async fn end(mut self) {
        let done = Command::new(up()).stdin(Stdio::null()).output().await.expect("the script starts");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        self.over = true;
    }
}

impl Drop for Outage {
    fn drop(&mut self) {
        if !self.over {
            let _ = std::process::Command::new(up()).stdout(Stdio::null()).status();
        }
    }
}

fn up() -> PathBuf {
    variable("POP_CLUSTER_UP").map_or_else(|| root().join("tests/cluster/up"), PathBuf::from)
}
