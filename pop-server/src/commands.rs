//! The command line. Each command is one file below; this file has the shared parts.

pub mod dev;
pub mod exit;
pub mod get;
pub mod guard;
pub mod kubernetes;
pub mod load;
pub mod manifests;
pub mod pool;
pub mod rerun;
pub mod run;
pub mod save;
pub mod submit;

use anyhow::Result;
use clap::Args;
use pop_sdk::api::{Failure, FailureClass};
use pop_sdk::client::Client;
use tokio_util::sync::CancellationToken;

use crate::terminal::safe;

/// The server to call.
#[derive(Clone, Debug, Args)]
pub struct ServerArgs {
    /// The server's address.
    #[arg(
        long,
        env = "POP_SERVER",
        hide_env_values = true,
        value_name = "URL",
        default_value = "http://127.0.0.1:7070"
    )]
    pub server: String,
}

impl ServerArgs {
    /// A client of the server.
    pub fn client(&self) -> Result<Client> {
        Ok(Client::connect(&self.server)?)
    }
}

/// Requests of signals. SIGINT (Ctrl-C), SIGTERM and SIGHUP (the terminal closes) have the same meaning.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Cancelled by the first signal: end regularly.
    pub stop: CancellationToken,
    /// Cancelled by the second signal: kill the programs, then end. Durable state stays.
    pub now: CancellationToken,
}

/// Listens for signals from now on. A third signal ends the process at once.
pub fn listen_for_signals() -> Result<Asked> {
    use tokio::signal::unix::{SignalKind, signal};
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let [mut int, mut term, mut hup] = [signal(kinds[0])?, signal(kinds[1])?, signal(kinds[2])?];
    let asked = Asked::default();
    let Asked { stop, now } = asked.clone();
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! {
                _ = int.recv() => {}
                _ = term.recv() => {}
                _ = hup.recv() => {}
            }
        };
        next().await;
        stop.cancel();
        next().await;
        now.cancel();
        next().await;
        std::process::exit(130);
    });
    Ok(asked)
}

/// Starts logging to standard error. `RUST_LOG` chooses the levels; the default is `info`.
pub fn logging() {
    use std::io::IsTerminal as _;
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .try_init();
}

/// Prints a failure: operation, message, evidence, and the party that should act.
pub fn print_failure(failure: &Failure) {
    let place = failure.operation.as_deref().map(|o| format!(" in operation `{}`", safe::one_line(o)));
    let (place, message) = (place.unwrap_or_default(), safe::lines(&failure.message));
    anstream::eprintln!("failed{place}: {message} ({})", safe::one_line(&failure.code));
    for line in &failure.log_tail {
        anstream::eprintln!("  | {}", safe::one_line(line));
    }
    let act = match failure.class {
        FailureClass::Infra => "the machine failed, not the program; retry",
        FailureClass::Capacity => "the pool had no capacity; retry later",
        FailureClass::Config => "check the settings of the pool and of the operation type",
        FailureClass::Platform => "internal error of POP; please report it",
        FailureClass::Policy => "forbidden by a rule of the operator",
        // The message already speaks to the program's author. For an unknown class there is nothing to add.
        _ => return,
    };
    anstream::eprintln!("  = {act}");
}
