//! Runs operations as pods. Each attempt is one pod with a name that follows from the attempt. The [shim](super::shim)
//! in the pod reports what happens; the pod's state is evidence for what a shim can't report.

mod artifacts;
mod attempt;
mod bare;
mod certificate;
mod cluster;
mod digest;
mod endpoint;
mod evidence;
mod manifest;
mod names;
mod pods;
mod policy;
mod refusal;
mod rights;
#[cfg(test)]
mod tests;
mod tokens;
mod words;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pop_sdk::api::FailureClass;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

pub use self::artifacts::Artifacts;
use self::certificate::Certificate;
pub use self::cluster::Access;
use self::cluster::Cluster;
use self::endpoint::Endpoint;
use self::manifest::Common;
use self::names::Owner;
use self::pods::Pods;
pub use self::policy::{GUARDED, Policy};
use self::refusal::Refusal;
use self::tokens::Tokens;
use super::shim::wire::Outcome;
use super::{Adopted, AttemptKey, Capacity, Launch, Pending, Reporter, Runtime, Signal, Stop};
use crate::env::Clock;
use crate::run::fail;

/// Pause between two looks for orphans.
const REAP_EVERY: Duration = Duration::from_secs(10);
/// Pause between two sweeps of unused files.
const SWEEP_EVERY: Duration = Duration::from_hours(1);
/// Time for which a run may take a pod over that was offered to it.
const OFFERED: Duration = Duration::from_secs(20);

/// Settings of a [`Kubernetes`] runtime.
#[derive(Clone, Debug)]
pub struct Config {
    /// How to reach the cluster.
    pub access: Access,
    /// Pool and name of the agent; both are labels of its pods.
    pub pool: String,
    /// The agent's stable name.
    pub agent: String,
    /// Namespace of the pods; none means that of the context. `{customer}` stands for the agenda's customer.
    pub namespace: Option<String>,
    /// Image of the shim.
    pub shim_image: String,
    /// Address of the report endpoint.
    pub report_listen: SocketAddr,
    /// Base URL of the report endpoint, as pods reach it; none means this machine's address.
    pub report_url: Option<String>,
    /// Folder with the endpoint's certificate and key.
    pub report_tls: PathBuf,
    /// Whether to make a certificate if the folder has none.
    pub make_certificate: bool,
    /// Service account of images that report by annotations.
    pub handler_account: String,
    /// Time for which pods of failed attempts stay.
    pub keep_failed: Duration,
    /// Time for which a fault of the configuration may keep a pod from its start: what is missing may be on its
    /// way.
    pub patience: Duration,
    /// Longest time until a pod starts.
    pub pending_timeout: Duration,
    /// Longest time in which a shim waits for its pool after the program's end.
    pub shim_deadline: Duration,
    /// Age of a pod without an attempt at which it is deleted.
    pub orphan_age: Duration,
    /// Time between SIGTERM and SIGKILL.
    pub grace: Duration,
    /// Largest output in bytes.
    pub output_limit: u64,
    /// Largest kept log of one stream of an attempt, in bytes.
    pub log_limit: u64,
    /// The amount of work that may run at the same time.
    pub capacity: Capacity,
    /// What operation types may ask of the cluster.
    pub policy: Policy,
    /// Where pods of one agenda share files; none means that they share none.
    pub artifacts: Option<Artifacts>,
    /// Time for which unused files of an agenda stay; zero means for ever.
    pub keep_artifacts: Duration,
    /// Source of the time.
    pub clock: Arc<dyn Clock>,
}

/// Reasons why the runtime does not start.
#[derive(Debug, thiserror::Error)]
pub enum KubernetesError {
    /// No credentials for a cluster.
    #[error("could not find a Kubernetes cluster: {0}. Set KUBECONFIG, or run the pool in a pod.")]
    Access(String),
    /// The certificate of the report endpoint.
    #[error(
        "could not open the report endpoint: {0}. Give a folder with tls.crt and tls.key with --report-tls."
    )]
    Certificate(String),
    /// The port of the report endpoint.
    #[error(
        "could not listen on {address} for reports of pods: {error}. Give another address with --report-listen."
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The operating system's error.
        error: std::io::Error,
    },
    /// This machine's address is unknown.
    #[error("could not find an address of this machine that pods reach: {0}. Give one with --report-url.")]
    Address(std::io::Error),
}

/// Runs operations as pods.
#[derive(Debug)]
pub struct Kubernetes {
    shared: Arc<Shared>,
    running: TaskTracker,
    _background: DropGuard,
}

/// The shared state of all attempts.
#[derive(Debug)]
struct Shared {
    config: Config,
    common: Common,
    cluster: Arc<Cluster>,
    pods: Arc<Pods>,
    attempts: Mutex<HashMap<AttemptKey, Running>>,
    /// The last progress of operations whose last attempt failed, as the program wrote it: by agenda, then operation.
    progress: Mutex<HashMap<String, HashMap<String, String>>>,
}

#[derive(Debug)]
struct Running {
    agenda: String,
    /// Cancelled when the outcome is durable or not needed.
    settled: CancellationToken,
}

impl Kubernetes {
    /// Connects to a cluster and opens the report endpoint.
    ///
    /// # Errors
    /// There is no cluster, or the endpoint can't be opened.
    pub async fn open(config: Config) -> Result<Self, KubernetesError> {
        let cluster = Cluster::connect(&config.access).await.map_err(KubernetesError::Access)?;
        Self::over(config, Arc::new(cluster)).await
    }

    /// Like [`open`](Self::open), with a cluster that is connected.
    async fn over(config: Config, cluster: Arc<Cluster>) -> Result<Self, KubernetesError> {
        let certificate = Certificate::load(&config.report_tls, config.make_certificate)
            .map_err(KubernetesError::Certificate)?;
        let listen = |error| KubernetesError::Listen { address: config.report_listen, error };
        let listener = TcpListener::bind(config.report_listen).await.map_err(listen)?;
        let port = listener.local_addr().map_err(listen)?.port();
        let report_url = match &config.report_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None if config.report_listen.ip().is_unspecified() => {
                format!("https://{}", SocketAddr::new(own_address().map_err(KubernetesError::Address)?, port))
            }
            None => format!("https://{}", SocketAddr::new(config.report_listen.ip(), port)),
        };
        let common = Common {
            owner: Owner { pool: config.pool.clone(), agent: config.agent.clone() },
            shim_image: config.shim_image.clone(),
            report_url,
            certificate: certificate.pem.clone(),
            handler_account: config.handler_account.clone(),
            shim_deadline: config.shim_deadline,
            grace: config.grace,
            artifacts: config.artifacts.clone(),
        };
        let pods = Arc::new(Pods::default());
        let tokens = Arc::new(Tokens::new(Arc::clone(&cluster)));
        let endpoint = Endpoint { pods: Arc::clone(&pods), tokens, output_limit: config.output_limit };
        let stop = CancellationToken::new();
        let (attempts, progress) = (Mutex::default(), Mutex::default());
        let shared = Arc::new(Shared { config, common, cluster, pods, attempts, progress });
        let serving = endpoint.serve(listener, certificate.config);
        tokio::spawn(stop.clone().run_until_cancelled_owned(serving));
        tokio::spawn(stop.clone().run_until_cancelled_owned(reap(Arc::clone(&shared))));
        tokio::spawn(stop.clone().run_until_cancelled_owned(sweep(Arc::clone(&shared))));
        Ok(Self { shared, running: TaskTracker::new(), _background: stop.drop_guard() })
    }

    /// Where pods report, as they reach it.
    pub fn report_url(&self) -> &str {
        &self.shared.common.report_url
    }

    /// Namespace of the pods of agendas without a customer.
    pub fn namespace(&self) -> String {
        self.shared.namespace(None)
    }
}

impl Shared {
    fn attempts(&self) -> MutexGuard<'_, HashMap<AttemptKey, Running>> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The namespace of a customer's pods.
    fn namespace(&self, customer: Option<&str>) -> String {
        match &self.config.namespace {
            None => self.cluster.namespace.clone(),
            // A name that no namespace can have is refused by the API server. Another name in its place could be that of
            // another customer.
            Some(template) => template.replace("{customer}", customer.unwrap_or("default")),
        }
    }

    fn last_progress(&self, launch: &Launch) -> Option<String> {
        let progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        progress.get(&launch.agenda)?.get(&launch.operation).cloned()
    }

    /// Keeps the last progress of a failed attempt for the next one.
    fn keep_progress(&self, launch: &Launch, outcome: &Outcome) {
        if let Some(text) = &outcome.last_progress {
            self.remember(launch, text.clone());
        }
    }

    fn remember(&self, launch: &Launch, text: String) {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        progress.entry(launch.agenda.clone()).or_default().insert(launch.operation.clone(), text);
    }
}

impl Runtime for Kubernetes {
    fn capacity(&self) -> Capacity {
        self.shared.config.capacity
    }

    fn outlives(&self) -> bool {
        true
    }

    fn adopt(&self, agenda: &str, customer: Option<&str>) -> Pending<'_, Vec<Adopted>> {
        let (shared, agenda) = (Arc::clone(&self.shared), names::label_value(agenda));
        let namespace = shared.namespace(customer);
        Box::pin(async move {
            // Without the right to see pods there is nothing to take over. The attempts then fail with the reason.
            let _ = shared.pods.watch(&shared.cluster, &namespace, &shared.common.owner).await;
            let pods = shared.pods.of_agenda(&agenda);
            pods.iter()
                .map(|(_, pod)| Adopted { operation: pod.operation.clone(), attempt: pod.attempt })
                .collect()
        })
    }

    fn launch(&self, launch: Launch, reporter: Reporter, stop: Stop) {
        let Some(spec) = launch.spec.clone() else {
            let message = format!(
                "unknown operation type `{}`: add an `image` to the workflow's catalog, or start the pool with `--catalog FILE`",
                launch.kind
            );
            return reporter.send(Signal::Exited(Err(fail(
                FailureClass::Config,
                "UnknownOperationType",
                message,
            ))));
        };
        let (key, settled) = (launch.key, CancellationToken::new());
        let running = Running { agenda: launch.agenda.clone(), settled: settled.clone() };
        self.shared.attempts().insert(key, running);
        let shared = Arc::clone(&self.shared);
        self.running.spawn(async move {
            attempt::run(Arc::clone(&shared), launch, spec, reporter, stop, settled).await;
            shared.attempts().remove(&key);
        });
    }

    fn settled(&self, key: AttemptKey) {
        if let Some(running) = self.shared.attempts().get(&key) {
            running.settled.cancel();
        }
    }

    fn forget(&self, agenda: &str) {
        for running in self.shared.attempts().values().filter(|running| running.agenda == agenda) {
            running.settled.cancel();
        }
        self.shared.progress.lock().unwrap_or_else(PoisonError::into_inner).remove(agenda);
        // Pods that an earlier agent left, and that the run had no use for.
        for ((namespace, name), pod) in self.shared.pods.of_agenda(&names::label_value(agenda)) {
            let cluster = Arc::clone(&self.shared.cluster);
            self.running.spawn(async move {
                cluster.delete_surely(&namespace, &name, &pod.uid, Duration::from_secs(1)).await;
            });
        }
    }

    fn idle(&self) -> Pending<'_, ()> {
        self.running.close();
        Box::pin(async {
            self.running.wait().await;
            self.running.reopen();
        })
    }
}

/// Deletes this agent's pods that no attempt follows, for ever.
async fn reap(shared: Arc<Shared>) {
    let agent = names::label_value(&shared.config.agent);
    loop {
        tokio::time::sleep(REAP_EVERY).await;
        for ((namespace, name), pod) in shared.pods.orphans(&agent, OFFERED, shared.config.orphan_age) {
            tracing::info!(pod = name, agenda = pod.agenda, "deleting a pod that no agenda needs");
            let deleted = shared.cluster.delete(&namespace, &name, &pod.uid, Duration::from_secs(1)).await;
            if let Err(refusal) = deleted {
                tracing::warn!(pod = name, why = refusal.text(), "could not delete the pod");
            }
        }
    }
}

/// Starts a pod now and then that removes the unused files of agendas, for ever.
async fn sweep(shared: Arc<Shared>) {
    let keep = shared.config.keep_artifacts;
    let Some(artifacts) = shared.common.artifacts.as_ref().filter(|_| !keep.is_zero()) else { return };
    let name = format!(
        "pop-sweep-{}",
        names::label_value(&shared.config.agent).to_lowercase().replace(['_', '.'], "-")
    );
    loop {
        tokio::time::sleep(SWEEP_EVERY.min(keep)).await;
        for namespace in shared.pods.namespaces() {
            let pod = manifest::sweeper(&shared.common, artifacts, &namespace, &name, keep);
            let swept = async {
                shared.cluster.remove(&namespace, &name).await?;
                shared.cluster.create_other(&namespace, &pod).await
            };
            if let Err(refusal) = swept.await
                && refusal != Refusal::AlreadyExists
            {
                tracing::warn!(
                    namespace,
                    why = refusal.text(),
                    "could not start the pod that removes unused files"
                );
            }
        }
    }
}

/// The address of this machine towards other machines. Connecting a UDP socket sends nothing.
fn own_address() -> std::io::Result<std::net::IpAddr> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0")?;
    socket.connect("192.0.2.1:9")?;
    Ok(socket.local_addr()?.ip())
}
