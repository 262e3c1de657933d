//! Runs operations as child processes. Each attempt has its own process group, a cleared environment, a directory of
//! its own and bounded capture of its streams, and runs without a shell. A stop sends SIGTERM, then SIGKILL, to the
//! whole group.

pub(in crate::runtime) mod capture;
mod children;
pub(in crate::runtime) mod command;
mod environment;
mod folder;
mod guard;
mod limits;
mod outcome;
mod plain_file;
mod proc;
mod process;
mod reports;
mod spawn;
#[cfg(test)]
mod tests;
mod text;
mod watch;
mod work_folder;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pop_sdk::api::FailureClass;
use tokio::sync::OnceCell;
use tokio_util::task::TaskTracker;

use self::children::Children;
pub use self::children::be_sole_parent;
use self::guard::Guard;
pub use self::guard::stand;
pub use self::limits::{machine, raise_file_limit};
use self::reports::Reports;
use self::spawn::Launcher;
use self::watch::Watch;
pub use self::work_folder::LocalError;
use self::work_folder::WorkFolder;
use super::{Adopted, AttemptKey, Capacity, Launch, Pending, Reporter, Runtime, Signal, Stop};
use crate::env::Env;
use crate::run::fail;

/// Settings of a [`Local`] runtime.
#[derive(Clone, Debug)]
pub struct Config {
    /// Folder that holds one folder for each agenda, and in it one for each attempt. [`Local::open`] creates and locks
    /// this folder.
    pub work: PathBuf,
    /// Base of relative program paths with a slash.
    pub base: PathBuf,
    /// Environment of every program, besides the variables of the contract.
    pub environment: Vec<(String, String)>,
    /// Time between SIGTERM and SIGKILL.
    pub grace: Duration,
    /// Largest output in bytes, as the program wrote it and as compact JSON. A server accepts a report of 64 MiB, so
    /// the server never refuses an output within this limit.
    pub output_limit: u64,
    /// The amount of work that may run at the same time.
    pub capacity: Capacity,
    /// Largest kept log of one stream of an attempt, in bytes.
    pub log_limit: u64,
    /// Program whose subcommand `guard` calls [`stand`]: `pop` itself. With none, programs go on while this process
    /// stands still or after its kill.
    pub guard: Option<PathBuf>,
    /// Whether a command of an operation type with an image may run directly on this machine, without the image.
    pub allow_host: bool,
    /// Source of the tokens with which attempts report.
    pub env: Env,
}

impl Config {
    /// The default settings: 5 s of grace, 32 MiB of output, 1 MiB of log, the whole machine, no guard, and no commands
    /// of images.
    pub fn new(work: PathBuf, base: PathBuf, environment: Vec<(String, String)>) -> Self {
        Self {
            work,
            base,
            environment,
            grace: Duration::from_secs(5),
            output_limit: 32 << 20,
            capacity: machine(),
            log_limit: 1 << 20,
            guard: None,
            allow_host: false,
            env: Env::system(),
        }
    }
}

/// Runs operations as local processes.
#[derive(Debug)]
pub struct Local {
    shared: Arc<Shared>,
    running: TaskTracker,
}

/// The shared state of all attempts.
#[derive(Debug)]
struct Shared {
    config: Config,
    launcher: Launcher,
    watch: Watch,
    children: Arc<Children>,
    /// The HTTP port for programs' reports; opened with the first program.
    reports: OnceCell<Arc<Reports>>,
    guard: Arc<Guard>,
    /// Last in order, because the lock must outlive the rest.
    work: WorkFolder,
}

impl Local {
    /// Creates a runtime with these settings. Programs of an earlier runtime in `config.work` are killed: their results
    /// are no longer reliable, and their operations start again soon. Blocks until they have ended.
    ///
    /// # Errors
    /// The work folder can't be created, is used by another runtime, or is open to other users.
    pub fn open(config: Config) -> Result<Self, LocalError> {
        let work = WorkFolder::open(&config.work)?;
        children::end_leftovers(work.path());
        let children = Arc::new(Children::new(work.path().to_path_buf()));
        let watch = Watch::new(Arc::clone(&children));
        let launcher = Launcher::new();
        let guard =
            Guard::new(config.guard.clone(), work.path().to_path_buf(), Arc::clone(&children), &config.env);
        let guard = Arc::new(guard);
        let shared = Shared { config, launcher, watch, children, reports: OnceCell::new(), guard, work };
        Ok(Self { shared: Arc::new(shared), running: TaskTracker::new() })
    }
}

impl Local {
    /// Stores the last progress of an operation's earlier attempt, which ran on another machine.
    pub(crate) fn recall(&self, agenda: &str, operation: &str, progress: &str) {
        let folder = folder::Folder::new(self.shared.work.path(), agenda, operation, 1);
        folder.recall(progress);
    }

    /// The last progress that a failed attempt of this operation has left, as the program wrote it.
    pub(crate) fn reached(&self, agenda: &str, operation: &str) -> Option<String> {
        folder::Folder::new(self.shared.work.path(), agenda, operation, 1).recalled()
    }
}

impl Shared {
    /// The HTTP port for programs' reports; none if no port could be opened.
    async fn reports(&self) -> Option<&Arc<Reports>> {
        let start = || async {
            Reports::start(self.config.output_limit, self.config.env.clone()).await.map(Arc::new)
        };
        let reports = self.reports.get_or_try_init(start).await;
        reports.inspect_err(|error| tracing::warn!(%error, "programs can report by file only")).ok()
    }
}

impl Runtime for Local {
    fn capacity(&self) -> Capacity {
        self.shared.config.capacity
    }

    fn adopt(&self, _agenda: &str, _customer: Option<&str>) -> Pending<'_, Vec<Adopted>> {
        Box::pin(std::future::ready(Vec::new()))
    }

    fn fence_in(&self, after: Option<Duration>) {
        self.shared.guard.fence_in(after);
    }

    /// Nothing is left to do: an attempt's own files are read and removed before its end is signalled.
    fn settled(&self, _key: AttemptKey) {}

    fn launch(&self, launch: Launch, reporter: Reporter, stop: Stop) {
        let Some(spec) = launch.spec.clone() else {
            reporter.send(Signal::Exited(Err(unknown_type(&launch.kind))));
            return;
        };
        if let Some(image) = spec.image.as_deref().filter(|_| !self.shared.config.allow_host) {
            reporter.send(Signal::Exited(Err(needs_image(&launch.kind, image))));
            return;
        }
        if spec.command.is_empty() {
            reporter.send(Signal::Exited(Err(fail(
                FailureClass::Config,
                "NoCommand",
                format!(
                    "operation type `{}` has no `command`: add one to the catalog, or start the pool with `--catalog FILE`",
                    launch.kind
                ),
            ))));
            return;
        }
        let shared = Arc::clone(&self.shared);
        self.running.spawn(async move {
            let outcome = process::run(&shared, launch, spec, reporter.clone(), &stop).await;
            reporter.send(Signal::Exited(outcome));
        });
    }

    fn forget(&self, agenda: &str) {
        let (shared, agenda) = (Arc::clone(&self.shared), agenda.to_owned());
        self.running.spawn_blocking(move || folder::forget(shared.work.path(), &agenda));
    }

    fn idle(&self) -> Pending<'_, ()> {
        self.running.close();
        Box::pin(async {
            self.running.wait().await;
            self.running.reopen();
            let shared = Arc::clone(&self.shared);
            let end = move || {
                shared.children.sweep();
                shared.guard.end();
            };
            let _ = tokio::task::spawn_blocking(end).await;
        })
    }
}

fn needs_image(kind: &str, image: &str) -> pop_sdk::api::Failure {
    fail(
        FailureClass::Config,
        "ImageNotSupported",
        format!(
            "operation type `{kind}` has an image (`{image}`), but this pool runs local programs only. Give the type a local command with `--catalog FILE`, or run its command without the image with `--allow-host`."
        ),
    )
}

fn unknown_type(kind: &str) -> pop_sdk::api::Failure {
    fail(
        FailureClass::Config,
        "UnknownOperationType",
        format!(
            "unknown operation type `{kind}`: add a `command` to the workflow's catalog, or start the pool with `--catalog FILE`"
        ),
    )
}
