//! Operations as child processes of this one: own process group, no shell, a cleared environment, a directory for each
//! attempt, bounded capture of what they write, SIGTERM then SIGKILL for the whole group.

mod capture;
mod command;
pub(crate) mod desk;
mod files;
mod note;
mod process;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pop_sdk::api::FailureClass;
use tokio::sync::OnceCell;
use tokio_util::task::TaskTracker;

use self::desk::Served;
use super::{Adopted, AttemptKey, Capacity, Launch, Pending, Reporter, Runtime, Signal, Stop};
use crate::run::{Needs, fail};

/// Settings of a [`Local`] runtime.
#[derive(Clone, Debug)]
pub struct Config {
    /// Holds a folder for each agenda, and in it one for each attempt. Made when the first process starts.
    pub work: PathBuf,
    /// Programs named by a relative path with a slash are looked up from here.
    pub base: PathBuf,
    /// The environment that every program gets, besides its contract.
    pub environment: Vec<(String, String)>,
    /// Time between SIGTERM and SIGKILL.
    pub grace: Duration,
    /// How much of standard output may become an operation's output, in bytes.
    pub output_limit: u64,
    /// How much may run at the same time.
    pub capacity: Capacity,
    /// How much log is kept of each stream of an attempt, in bytes.
    pub log_limit: u64,
}

impl Config {
    /// The usual settings: 5 s of grace, 64 MiB of output, 1 MiB of log.
    pub fn new(work: PathBuf, base: PathBuf, environment: Vec<(String, String)>) -> Self {
        Self {
            work,
            base,
            environment,
            grace: Duration::from_secs(5),
            output_limit: 64 << 20,
            capacity: Capacity { resources: Needs { cpu_millis: 1000, memory: u64::MAX }, attempts: 16 },
            log_limit: 1 << 20,
        }
    }
}

/// What this machine can run at the same time.
pub fn machine() -> Capacity {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Capacity { resources: Needs { cpu_millis: cores as u64 * 1000, memory: u64::MAX }, attempts: 16 * cores }
}

/// Runs operations as local processes.
#[derive(Debug)]
pub struct Local {
    config: Arc<Config>,
    running: TaskTracker,
    /// Where programs report over HTTP; none if there is no port. Opened with the first program.
    desk: Arc<OnceCell<Option<Served>>>,
}

impl Local {
    /// A runtime with these settings. Processes that an earlier one left running in `config.work` are killed: their
    /// outcome could no longer be trusted, and their operations are about to be started again.
    pub fn new(config: Config) -> Self {
        files::kill_leftovers(&config.work);
        Self { config: Arc::new(config), running: TaskTracker::new(), desk: Arc::default() }
    }
}

impl Runtime for Local {
    fn capacity(&self) -> Capacity {
        self.config.capacity
    }

    fn adopt(&self, _agenda: &str) -> Pending<'_, Vec<Adopted>> {
        Box::pin(std::future::ready(Vec::new()))
    }

    fn settled(&self, _key: AttemptKey) {}

    fn launch(&self, launch: Launch, reporter: Reporter, stop: Stop) {
        let config = Arc::clone(&self.config);
        let Some(spec) = launch.spec.clone() else {
            reporter.send(Signal::Exited(Err(unknown_type(&launch.kind))));
            return;
        };
        if spec.command.is_empty() {
            reporter.send(Signal::Exited(Err(fail(
                FailureClass::Config,
                "NoCommand",
                format!(
                    "operation type `{}` has no `command`, so it can't run as a local process",
                    launch.kind
                ),
            ))));
            return;
        }
        let desk = Arc::clone(&self.desk);
        self.running.spawn(async move {
            let desk = desk.get_or_init(|| open(config.output_limit)).await;
            let outcome = process::run(&config, desk.as_ref(), &launch, &spec, &reporter, &stop).await;
            reporter.send(Signal::Exited(outcome));
        });
    }

    fn forget(&self, agenda: &str) {
        files::remove_if_empty(&self.config.work, agenda);
    }

    fn idle(&self) -> Pending<'_, ()> {
        self.running.close();
        Box::pin(async {
            self.running.wait().await;
            self.running.reopen();
        })
    }
}

async fn open(output_limit: u64) -> Option<Served> {
    let served = Served::start(output_limit).await;
    served.inspect_err(|error| tracing::warn!(%error, "programs can report by file only")).ok()
}

fn unknown_type(kind: &str) -> pop_sdk::api::Failure {
    fail(
        FailureClass::Config,
        "UnknownOperationType",
        format!(
            "nothing here knows how to run operation type `{kind}`: give it a `command` in the workflow's catalog, or start the pool with `--catalog FILE`"
        ),
    )
}
