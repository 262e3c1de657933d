//! The command line. Each command is one file below; this one has what they share.

pub mod dev;
pub mod exit;
pub mod get;
pub mod load;
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

/// Which server to talk to.
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
    /// A client of that server.
    pub fn client(&self) -> Result<Client> {
        Ok(Client::connect(&self.server)?)
    }
}

/// Cancelled by the first Ctrl-C or SIGTERM. The second ends the process at once: nothing that is durable is lost by it.
pub fn shutdown_on_signal() -> CancellationToken {
    let token = CancellationToken::new();
    let cancel = token.clone();
    tokio::spawn(async move {
        wait_for_signal().await;
        cancel.cancel();
        wait_for_signal().await;
        std::process::exit(130);
    });
    token
}

async fn wait_for_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut term) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = term.recv() => {}
    }
}

/// Logs go to standard error; `RUST_LOG` chooses, `info` otherwise.
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

/// Prints a failure: what, where, who should act, the evidence.
pub fn print_failure(failure: &Failure) {
    let place = failure.operation.as_deref().map(|o| format!(" in operation `{o}`")).unwrap_or_default();
    anstream::eprintln!("failed{place}: {} ({})", failure.message, failure.code);
    for line in &failure.log_tail {
        anstream::eprintln!("  | {line}");
    }
    let act = match failure.class {
        FailureClass::User
        | FailureClass::UserFatal
        | FailureClass::UserTimeout
        | FailureClass::UserResource => return,
        FailureClass::Infra => "the machine failed, not the program; try it again",
        FailureClass::Capacity => "there was no room; try it again later",
        FailureClass::Config => "whoever set up the pool or the operation type should look at it",
        FailureClass::Platform => "this is a fault of POP's own; please report it",
        FailureClass::Policy => "a rule of the operator forbids it",
    };
    anstream::eprintln!("  = {act}");
}
