//! `pop pool`: an agent that pulls agendas from a server and runs them as local processes.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Args;
use pop_compiler::agenda::RunSpec;
use pop_compiler::{duration, quantity};
use pop_sdk::client::Client;
use tokio_util::sync::CancellationToken;

use super::exit::Exit;
use super::{ServerArgs, load, shutdown_on_signal};
use crate::clock::SystemClock;
use crate::ids;
use crate::pool::{agent, executor};
use crate::run::Needs;
use crate::runtime::local::{self, Local};

/// How operations run on this machine; shared by `run`, `dev` and `pool`.
#[derive(Debug, Args)]
pub struct LocalArgs {
    /// A catalog file that says how operation types run here; wins over what an agenda says. May be repeated.
    #[arg(long, value_name = "FILE")]
    catalog: Vec<PathBuf>,
    /// The folder for the operations' files; each attempt gets its own below it.
    #[arg(long, value_name = "DIR")]
    work_dir: Option<PathBuf>,
    /// CPU for operations that declare `resources`, such as `4` or `1500m`; default: this machine's.
    #[arg(long, value_name = "QUANTITY")]
    cpu: Option<String>,
    /// Memory for operations that declare `resources`, such as `8Gi`; default: this machine's.
    #[arg(long, value_name = "QUANTITY")]
    memory: Option<String>,
    /// Time between SIGTERM and SIGKILL when a program is stopped.
    #[arg(long, value_name = "DURATION", default_value = "5s")]
    grace: String,
    /// An environment variable that programs get, besides PATH, HOME, LANG, TMPDIR and TZ. May be repeated.
    #[arg(long, value_name = "NAME", env = "POP_PASS_ENV", hide_env_values = true, value_delimiter = ',')]
    pass_env: Vec<String>,
}

impl LocalArgs {
    /// The executor's settings; `types` comes from the file that is run, the catalogs given here win.
    pub fn executor(&self, mut types: HashMap<String, RunSpec>) -> Result<executor::Config> {
        for path in &self.catalog {
            types.extend(load::catalog(path)?);
        }
        let room = Needs {
            cpu_millis: match &self.cpu {
                Some(text) => quantity::millis(text).map_err(|e| anyhow::anyhow!("--cpu: {e}"))?,
                None => std::thread::available_parallelism().map_or(1, std::num::NonZero::get) as u64 * 1000,
            },
            memory: match &self.memory {
                Some(text) => quantity::bytes(text).map_err(|e| anyhow::anyhow!("--memory: {e}"))?,
                None => local::machine().resources.memory,
            },
        };
        let types = types.into_iter().map(|(kind, spec)| (kind, Arc::new(spec))).collect();
        duration::parse(&self.grace).map_err(|e| anyhow::anyhow!("--grace: {e}"))?;
        Ok(executor::Config { room, time_scale: 1.0, types, clock: Arc::new(SystemClock) })
    }

    /// The local runtime's settings, with relative programs looked up from `base`.
    pub fn runtime(&self, work: PathBuf, base: PathBuf) -> local::Config {
        let mut config = local::Config::new(absolute(work), absolute(base), self.environment());
        config.grace = duration::parse(&self.grace).unwrap_or(Duration::from_secs(5));
        config
    }

    /// The folder for the operations' files: the one given, or one of its own in the system's temporary folder.
    pub fn work_folder(&self, name: &str) -> PathBuf {
        self.work_dir.clone().unwrap_or_else(|| std::env::temp_dir().join(format!("pop-{name}")))
    }

    /// Whether that folder is one of our own, which nobody asked to keep.
    pub fn work_dir_is_ours(&self) -> bool {
        self.work_dir.is_none()
    }

    #[expect(clippy::disallowed_methods, reason = "the command line is where the environment is read")]
    fn environment(&self) -> Vec<(String, String)> {
        let always = ["PATH", "HOME", "LANG", "TMPDIR", "TZ"].map(String::from);
        let names = always.iter().chain(&self.pass_env);
        names.filter_map(|name| std::env::var(name).ok().map(|value| (name.clone(), value))).collect()
    }
}

/// Arguments of `pop pool`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pop pool                                       work for the pool `default` of a server on this machine
  pop pool --server http://10.0.0.5:7070 --pool media --slots 8 --catalog ops/media.toml

A pool only dials out. When it is started again it takes its agendas back and goes on where they were.")]
pub struct PoolArgs {
    #[command(flatten)]
    server: ServerArgs,
    /// The pool to work for.
    #[arg(long, default_value = "default")]
    pool: String,
    /// This agent's stable name; default: this machine's. A second agent of the same name takes over from the first.
    #[arg(long)]
    name: Option<String>,
    /// Only work of this insight.
    #[arg(long)]
    insight: Option<String>,
    /// How many agendas run at the same time.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    slots: u32,
    /// Multiplies every sleep of `pop.sleep` and `sample`.
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    time_scale: f64,
    #[command(flatten)]
    local: LocalArgs,
}

/// Runs the command.
pub async fn run(args: PoolArgs) -> Result<Exit> {
    super::logging();
    let client = args.server.client()?;
    let shutdown = shutdown_on_signal();
    let name = args.name.unwrap_or_else(|| rustix::system::uname().nodename().to_string_lossy().into_owned());
    let config = agent_config(&args.local, args.pool, name, args.insight, args.slots, args.time_scale)?;
    anstream::println!("pool {} works for {}", config.pool, args.server.server);
    start(&args.local, config, client, shutdown).await?;
    Ok(Exit::Success)
}

/// The agent's settings.
pub fn agent_config(
    local: &LocalArgs,
    pool: String,
    worker: String,
    insight: Option<String>,
    slots: u32,
    time_scale: f64,
) -> Result<agent::Config> {
    let mut executor = local.executor(HashMap::new())?;
    executor.time_scale = time_scale;
    Ok(agent::Config { pool, worker, instance: ids::instance(), insight, slots, executor })
}

/// Works until `shutdown` is cancelled, or fails when the server has no work for such a pool.
pub async fn start(
    local: &LocalArgs,
    config: agent::Config,
    client: Client,
    shutdown: CancellationToken,
) -> Result<()> {
    let here = std::env::current_dir().context("there is no current folder")?;
    let work = local.work_folder(&format!("pool-{}-{}", config.pool, config.worker));
    let runtime = Arc::new(Local::open(local.runtime(work, here))?);
    Ok(agent::work(config, client, runtime, shutdown).await?)
}

fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}
