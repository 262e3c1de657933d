//! `pop pool`: an agent that pulls agendas from a server and runs them as local processes or as pods.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use backon::{ConstantBuilder, Retryable as _};
use clap::{Args, Subcommand};
use pop_compiler::agenda::RunSpec;
use pop_compiler::{duration, quantity};

use super::exit::Exit;
use super::kubernetes::{KubernetesArgs, RuntimeKind};
use super::manifests::ManifestsArgs;
use super::{Asked, ServerArgs, listen_for_signals, load};
use crate::env::Env;
use crate::pool::port::http::HttpPort;
use crate::pool::port::{Identity, ReportPort, ServerPort};
use crate::pool::{agent, executor};
use crate::runtime::kubernetes::Kubernetes;
use crate::runtime::local::{self, Local, LocalError};
use crate::runtime::{Capacity, Runtime};

/// Pause between two tries for the lock of a work folder. With the number of tries: three seconds in all.
const LOCK_RETRY: Duration = Duration::from_millis(20);
const LOCK_RETRIES: usize = 150;
/// Longest time of a request with reports until its answer.
const REPORT_LIMIT: Duration = Duration::from_secs(10);

/// Arguments for running operations on this machine, shared by `run`, `dev` and `pool`.
#[derive(Debug, Args)]
pub struct LocalArgs {
    /// Catalog file with commands of operation types; overrides the agenda. Repeatable.
    #[arg(long, value_name = "FILE")]
    catalog: Vec<PathBuf>,
    /// Folder for files of operations; each attempt gets a folder below.
    #[arg(long, value_name = "DIR")]
    work_dir: Option<PathBuf>,
    /// Maximum number of programs that run at the same time; default: 16 per processor of this machine.
    #[arg(long, value_name = "N", value_parser = parse_programs)]
    programs: Option<usize>,
    /// CPU for operations that declare `resources`, such as `4` or `1500m`; default: this machine's.
    #[arg(long, value_name = "QUANTITY")]
    cpu: Option<String>,
    /// Memory for operations that declare `resources`, such as `8Gi`; default: this machine's.
    #[arg(long, value_name = "QUANTITY")]
    memory: Option<String>,
    /// Time between SIGTERM and SIGKILL when a program is stopped.
    #[arg(long, value_name = "DURATION", default_value = "5s")]
    grace: String,
    /// Environment variable to pass to programs, besides PATH, HOME, LANG, TMPDIR and TZ. Repeatable.
    #[arg(long, value_name = "NAME", env = "POP_PASS_ENV", hide_env_values = true, value_delimiter = ',')]
    pass_env: Vec<String>,
    /// Run commands of operation types with an image directly on this machine, without the image.
    #[arg(long)]
    allow_host: bool,
}

impl LocalArgs {
    /// Opens the runtime of this machine, with its files below the work folder of the command line, or else below
    /// `default`.
    pub async fn open(&self, default: &Path, env: &Env) -> Result<Arc<Local>> {
        let here = std::env::current_dir().context("could not read the current directory")?;
        let work = self.work_dir.clone().unwrap_or_else(|| default.to_path_buf());
        self.open_at(work, here, env).await
    }

    /// Like [`open`](Self::open), for this folder; relative programs are relative to `base`. Waits for the folder's
    /// lock, because an earlier runtime may still be ending.
    pub async fn open_at(&self, work: PathBuf, base: PathBuf, env: &Env) -> Result<Arc<Local>> {
        let mut config = self.runtime(work, base)?;
        config.env = env.clone();
        let tries = ConstantBuilder::new().with_delay(LOCK_RETRY).with_max_times(LOCK_RETRIES);
        let open = || async { Local::open(config.clone()) };
        let opened = open.retry(tries).when(|error| matches!(error, LocalError::InUse(_))).await?;
        Ok(Arc::new(opened))
    }

    /// Opens the runtime that the command line names. `state` is the folder of its lasting files.
    pub async fn runtime_of(
        &self,
        kubernetes: &KubernetesArgs,
        pool: &str,
        agent: &str,
        state: &Path,
        env: &Env,
    ) -> Result<Arc<dyn Runtime>> {
        if kubernetes.runtime == RuntimeKind::Local {
            return Ok(self.open(state, env).await?);
        }
        let asked = self.cpu.is_some() || self.memory.is_some() || self.programs.is_some();
        let capacity = if asked { Some(self.capacity(Capacity::unlimited())?) } else { None };
        let config = kubernetes.config(pool, agent, state, self.grace()?, capacity, env)?;
        let runtime = Kubernetes::open(config).await?;
        anstream::println!(
            "pods run in namespace {} and report to {}",
            runtime.namespace(),
            runtime.report_url()
        );
        Ok(Arc::new(runtime))
    }

    /// The executor's settings. `types` has the types of the file to run; catalogs on the command line override them.
    pub fn executor(&self, mut types: HashMap<String, RunSpec>, env: &Env) -> Result<executor::Config> {
        for path in &self.catalog {
            types.extend(load::catalog(path)?);
        }
        let types = types.into_iter().map(|(kind, spec)| (kind, Arc::new(spec))).collect();
        Ok(executor::Config {
            time_scale: 1.0,
            types,
            report_limit: REPORT_LIMIT,
            clock: Arc::clone(&env.clock),
        })
    }

    /// Time between SIGTERM and SIGKILL.
    pub fn grace(&self) -> Result<Duration> {
        duration::parse(&self.grace).map_err(|e| anyhow::anyhow!("--grace: {e}"))
    }

    /// The amount of work that may run at the same time, if the command line does not change it.
    fn capacity(&self, mut capacity: Capacity) -> Result<Capacity> {
        if let Some(text) = &self.cpu {
            capacity.resources.cpu_millis =
                quantity::millis(text).map_err(|e| anyhow::anyhow!("--cpu: {e}"))?;
        }
        if let Some(text) = &self.memory {
            capacity.resources.memory =
                quantity::bytes(text).map_err(|e| anyhow::anyhow!("--memory: {e}"))?;
        }
        if let Some(programs) = self.programs {
            capacity.attempts = programs;
        }
        Ok(capacity)
    }

    /// The local runtime's settings; relative programs are relative to `base`.
    fn runtime(&self, work: PathBuf, base: PathBuf) -> Result<local::Config> {
        let mut config = local::Config::new(absolute(work), absolute(base), self.environment());
        config.grace = self.grace()?;
        config.capacity = self.capacity(local::machine())?;
        config.allow_host = self.allow_host;
        // The path of this program would not do: at the first launch the path may lead to another version, or to no
        // file.
        config.guard = Some(PathBuf::from("/proc/self/exe"));
        Ok(config)
    }

    /// The work folder of the command line.
    pub fn work_dir(&self) -> Option<&Path> {
        self.work_dir.as_deref()
    }

    /// Whether POP chose the work folder, so that POP may remove it.
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
  pop pool --runtime kubernetes --namespace media --slots 50

A pool only opens outgoing connections. A restarted pool takes its agendas back and continues them.")]
#[command(args_conflicts_with_subcommands = true)]
pub struct PoolArgs {
    #[command(subcommand)]
    other: Option<PoolCommand>,
    #[command(flatten)]
    server: ServerArgs,
    /// The pool to work for.
    #[arg(long, default_value = "default")]
    pool: String,
    /// Stable name of this agent; default: the host name. A second agent with the same name takes over from
    /// the first.
    #[arg(long)]
    name: Option<String>,
    /// Pull only agendas of this insight.
    #[arg(long)]
    insight: Option<String>,
    /// Maximum number of agendas that run at the same time.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    slots: u32,
    /// Factor for the sleeps of `pop.sleep` and `sample`.
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    time_scale: f64,
    #[command(flatten)]
    local: LocalArgs,
    #[command(flatten)]
    kubernetes: KubernetesArgs,
}

/// What `pop pool` does besides working.
#[derive(Debug, Subcommand)]
enum PoolCommand {
    /// Print the Kubernetes objects of a namespace for a customer's pods
    Manifests(ManifestsArgs),
}

/// Runs the command.
pub async fn run(args: PoolArgs) -> Result<Exit> {
    if let Some(PoolCommand::Manifests(args)) = &args.other {
        return super::manifests::print(args);
    }
    super::logging();
    let (env, asked) = (Env::system(), listen_for_signals()?);
    let worker =
        args.name.unwrap_or_else(|| rustix::system::uname().nodename().to_string_lossy().into_owned());
    let folder = format!("pool-{}-{worker}", args.pool).replace(['/', '\\'], "_");
    let state = match args.local.work_dir() {
        Some(folder) => folder.to_path_buf(),
        None => state_folder()?.join(folder),
    };
    let runtime = args.local.runtime_of(&args.kubernetes, &args.pool, &worker, &state, &env).await.map_err(
        |error| {
            // A second work folder would not help, because the agents would take over each other's leases.
            let in_use = matches!(error.downcast_ref(), Some(LocalError::InUse(_)));
            if in_use && args.local.work_dir.is_none() {
                anyhow::anyhow!(
                    "agent `{worker}` of pool `{}` already runs on this machine. Choose another name with \
                    --name.",
                    args.pool
                )
            } else {
                error
            }
        },
    )?;
    anstream::println!("pool {} works for {}", args.pool, args.server.server);
    let identity = Identity { pool: args.pool, worker, instance: env.instance() };
    let port = || HttpPort::new(&args.server.server, identity.clone()).map(Arc::new);
    let ports: (Arc<dyn ServerPort>, Arc<dyn ReportPort>) = (port()?, port()?);
    let pool =
        PoolConfig { identity, insight: args.insight, slots: args.slots, time_scale: args.time_scale, env };
    work(&args.local, pool, ports, runtime, asked).await?;
    Ok(Exit::Success)
}

/// Settings of an agent and its executor.
#[derive(Debug)]
pub struct PoolConfig {
    /// The identity of the agent.
    pub identity: Identity,
    /// The only insight to pull from; none means all insights of the pool.
    pub insight: Option<String>,
    /// Number of agendas that run at the same time.
    pub slots: u32,
    /// Factor for the sleeps of the built-in types.
    pub time_scale: f64,
    /// Time and ids.
    pub env: Env,
}

/// Works until signals ask for an end. Fails if the server refuses the agent. Both ports lead to one server: one is for
/// the agent's thread, the other for the executor.
pub async fn work(
    local: &LocalArgs,
    config: PoolConfig,
    (calls, reports): (Arc<dyn ServerPort>, Arc<dyn ReportPort>),
    runtime: Arc<dyn Runtime>,
    asked: Asked,
) -> Result<()> {
    let PoolConfig { identity, insight, slots, time_scale, env } = config;
    let mut executor = local.executor(HashMap::new(), &env)?;
    executor.time_scale = time_scale;
    let config =
        agent::Config { instance: identity.instance, insight, slots, grace: local.grace()?, executor };
    // Pods go on without their agent, so the first signal ends it at once: its next start takes the pods over.
    let now = if runtime.outlives() { asked.stop.clone() } else { asked.now };
    Ok(agent::work(config, calls, reports, runtime, asked.stop, now).await?)
}

/// The folder for the user's lasting state.
#[expect(clippy::disallowed_methods, reason = "the command line is where the environment is read")]
fn state_folder() -> Result<PathBuf> {
    let absolute = |path: String| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
    let state = std::env::var("XDG_STATE_HOME").ok().and_then(absolute);
    let home = || std::env::var("HOME").ok().and_then(absolute).map(|home| home.join(".local/state"));
    let folder = state.or_else(home).context("neither XDG_STATE_HOME nor HOME is set. Use --work-dir")?;
    Ok(folder.join("pop"))
}

fn parse_programs(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("expected a whole number, 1 or more".to_owned()),
        Ok(programs) => Ok(programs),
    }
}

fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}
