//! `pop dev` and `pop server`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use pop_compiler::duration;
use tokio_util::sync::CancellationToken;

use super::exit::Exit;
use super::kubernetes::KubernetesArgs;
use super::listen_for_signals;
use super::pool::{self, LocalArgs, PoolConfig};
use crate::api::in_process::InProcess;
use crate::env::Env;
use crate::pool::port::{Identity, ReportPort, ServerPort};
use crate::serve;

/// The shared arguments of `dev` and `server`.
#[derive(Debug, Args)]
pub struct ListenArgs {
    /// Address to listen on.
    #[arg(long, env = "POP_LISTEN", hide_env_values = true, default_value = "127.0.0.1:7070")]
    listen: SocketAddr,
    /// Database file; created if absent.
    #[arg(
        long,
        env = "POP_DATABASE",
        hide_env_values = true,
        value_name = "FILE",
        default_value = ".pop/pop.db"
    )]
    database: PathBuf,
    /// Length of a lease: a pool that is silent for longer loses its agendas.
    #[arg(long, value_name = "DURATION", default_value = "30s")]
    lease: String,
}

/// An agent renews a lease at a third of its length, which takes some time on a busy machine.
const SHORTEST_LEASE: Duration = Duration::from_millis(500);

impl ListenArgs {
    fn config(&self, auto_customers: bool, env: Env) -> Result<serve::Config> {
        let lease = duration::parse(&self.lease).map_err(|e| anyhow::anyhow!("--lease: {e}"))?;
        if lease < SHORTEST_LEASE {
            anyhow::bail!(
                "invalid --lease {}: an agent cannot renew it in time. Use 500ms or more",
                self.lease
            );
        }
        Ok(serve::Config {
            listen: self.listen,
            database: Some(self.database.clone()),
            lease,
            auto_customers,
            env,
            ..serve::Config::default()
        })
    }
}

/// Arguments of `pop server`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pop server
  pop server --listen 127.0.0.1:8080 --database /var/lib/pop/pop.db

A server runs no programs itself. Start `pop pool` as well, or use `pop dev`, which is both in one process.
A new database has a pool `default`, an insight `default` for every agenda, and a customer `default`.")]
pub struct ServerCommand {
    #[command(flatten)]
    listen: ListenArgs,
}

/// Arguments of `pop dev`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pop dev                                        then, elsewhere: pop submit flow.pop.toml --watch
  pop dev --database /tmp/try.db --listen 127.0.0.1:0

The first submit of a customer creates the customer. Stop `pop dev` at any moment: accepted agendas are on
disk, and the next start continues them.")]
pub struct DevArgs {
    #[command(flatten)]
    listen: ListenArgs,
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

/// Runs `pop server`.
pub async fn serve(args: ServerCommand) -> Result<Exit> {
    super::logging();
    let asked = listen_for_signals()?;
    let server = serve::start(args.listen.config(false, Env::system())?, asked.stop).await?;
    anstream::println!("POP serves at http://{}", server.address);
    server.join().await?;
    Ok(Exit::Success)
}

/// Runs `pop dev`.
pub async fn dev(args: DevArgs) -> Result<Exit> {
    super::logging();
    let (env, asked) = (Env::system(), listen_for_signals()?);
    let mut work = args.listen.database.clone().into_os_string();
    work.push(".work");
    let state = args.local.work_dir().map_or_else(|| PathBuf::from(work), PathBuf::from);
    let runtime = args.local.runtime_of(&args.kubernetes, "default", "dev", &state, &env).await?;
    // The server goes on until its pool has given all leases back.
    let stop_server = CancellationToken::new();
    let server = serve::start(args.listen.config(true, env.clone())?, stop_server.clone()).await?;
    let address = format!("http://{}", server.address);
    anstream::println!("POP serves at {address}, with a pool of {} slots on this machine", args.slots);
    let identity = Identity { pool: "default".into(), worker: "dev".into(), instance: env.instance() };
    let port = Arc::new(server.port(identity.clone()));
    let ports: (Arc<dyn ServerPort>, Arc<dyn ReportPort>) = (Arc::<InProcess>::clone(&port), port);
    let pool = PoolConfig { identity, insight: None, slots: args.slots, time_scale: args.time_scale, env };
    let mut serving = tokio::spawn(server.join());
    tokio::select! {
        worked = pool::work(&args.local, pool, ports, runtime, asked) => {
            stop_server.cancel();
            serving.await??;
            worked?;
        }
        // If the server fails, its pool ends too, because no result can become durable.
        served = &mut serving => served??,
    }
    Ok(Exit::Success)
}
