//! `pop get`, `list`, `cancel` and `logs`.

use anyhow::Result;
use clap::Args;
use pop_sdk::api::{AgendaView, Ledger, OperationState, OperationView, Shares};
use pop_sdk::client::ListQuery;

use super::exit::Exit;
use super::{ServerArgs, print_failure};
use crate::terminal::safe;

/// Arguments of `pop get`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  pop get ag_0199f3b2c4d87e0f8a6b5c4d3e2f1a0b --json | jq .outputs")]
pub struct GetArgs {
    /// The agenda's id.
    id: String,
    /// Print the server's answer as JSON.
    #[arg(long)]
    json: bool,
    /// Print where the time of each operation went.
    #[arg(long)]
    times: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Shows one agenda.
pub async fn get(args: GetArgs) -> Result<Exit> {
    let view = args.server.client()?.get(&args.id).await?;
    if args.json {
        anstream::println!("{}", safe::json(&serde_json::to_string_pretty(&view)?));
        return Ok(Exit::Success);
    }
    anstream::println!("{}", summary(&view));
    for operation in &view.operations {
        let attempt =
            if operation.attempt > 1 { format!(" (attempt {})", operation.attempt) } else { String::new() };
        anstream::println!(
            "  {:<10} {:>3.0} %  {}{attempt}",
            operation.state.as_str(),
            operation.percent,
            safe::one_line(&operation.name)
        );
        if operation.state == OperationState::Ready
            && let Some(message) = &operation.message
        {
            anstream::println!("               {}", safe::one_line(message));
        }
        if args.times
            && let Some(ledger) = &operation.ledger
        {
            anstream::println!("               {}", times(ledger));
        }
    }
    if let Some(total) = total(&view.operations) {
        anstream::println!("time: {total}, summed over the operations");
    }
    if let Some(reason) = &view.reason {
        anstream::println!("reason: {}", safe::one_line(reason));
    }
    if let Some(failure) = &view.failure {
        print_failure(failure);
    }
    if let Some(outputs) = &view.outputs {
        anstream::println!("outputs: {}", safe::json(&serde_json::to_string_pretty(outputs)?));
    }
    Ok(Exit::Success)
}

/// Where one operation's time went, and where it ran.
fn times(ledger: &Ledger) -> String {
    let place = match (&ledger.pod, &ledger.node) {
        (Some(pod), Some(node)) => format!("pod {} on node {}", safe::one_line(pod), safe::one_line(node)),
        (Some(pod), None) => format!("pod {}", safe::one_line(pod)),
        _ => String::new(),
    };
    let parts = ledger.shares().map(shares).unwrap_or_default();
    [parts, place].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

fn total(operations: &[OperationView]) -> Option<String> {
    let known = operations.iter().filter_map(|operation| operation.ledger.as_ref()?.shares());
    let sum = known.reduce(|a, b| Shares {
        pop: a.pop + b.pop,
        cluster: a.cluster + b.cluster,
        program: a.program + b.program,
    });
    sum.map(shares)
}

fn shares(Shares { pop, cluster, program }: Shares) -> String {
    format!("POP {pop:.3} s, start of programs {cluster:.3} s, programs {program:.3} s")
}

/// Arguments of `pop list`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  pop list --customer acme --state executing")]
pub struct ListArgs {
    /// Show only agendas of this customer.
    #[arg(long)]
    customer: Option<String>,
    /// Show only agendas in this state: ready, queued, leased, executing, succeeded, failed or cancelled.
    #[arg(long)]
    state: Option<String>,
    /// Show only agendas with this link (a client's grouping key).
    #[arg(long)]
    link: Option<String>,
    /// Maximum number of agendas.
    #[arg(long, default_value_t = 50)]
    limit: u32,
    /// Print one JSON document per line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Lists agendas, newest first.
pub async fn list(args: ListArgs) -> Result<Exit> {
    let client = args.server.client()?;
    let mut query = ListQuery {
        customer: args.customer,
        state: args.state,
        link: args.link,
        limit: Some(args.limit.min(500)),
        after: None,
    };
    let mut left = args.limit as usize;
    loop {
        let page = client.list(&query).await?;
        for view in page.items.iter().take(left) {
            if args.json {
                anstream::println!("{}", safe::json(&serde_json::to_string(view)?));
            } else {
                anstream::println!("{}", summary(view));
            }
        }
        left = left.saturating_sub(page.items.len());
        match page.next {
            Some(next) if left > 0 => query.after = Some(next),
            _ => return Ok(Exit::Success),
        }
    }
}

fn summary(view: &AgendaView) -> String {
    format!(
        "{}  {:<9} {:>3.0} %  {:>5}/{:<5} {}  {}",
        view.id,
        view.state.as_str(),
        view.percent,
        view.succeeded,
        view.total,
        safe::one_line(&view.customer),
        safe::one_line(view.title.as_deref().unwrap_or_default())
    )
}

/// Arguments of `pop cancel`.
#[derive(Debug, Args)]
#[command(
    after_help = "Programs get SIGTERM, a grace period, then SIGKILL. A second cancel changes nothing."
)]
pub struct CancelArgs {
    /// The agenda's id.
    id: String,
    #[command(flatten)]
    server: ServerArgs,
}

/// Cancels an agenda.
pub async fn cancel(args: CancelArgs) -> Result<Exit> {
    let view = args.server.client()?.cancel(&args.id).await?;
    let word = if view.state.is_terminal() { view.state.as_str() } else { "cancel requested" };
    anstream::println!("{}: {word}", view.id);
    Ok(Exit::Success)
}

/// Arguments of `pop logs`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  pop logs ag_0199f3b2c4d87e0f8a6b5c4d3e2f1a0b --operation encode.2")]
pub struct LogsArgs {
    /// The agenda's id.
    id: String,
    /// Print only logs of this operation.
    #[arg(long)]
    operation: Option<String>,
    #[command(flatten)]
    server: ServerArgs,
}

/// Prints the logs of an agenda's operations.
pub async fn logs(args: LogsArgs) -> Result<Exit> {
    let client = args.server.client()?;
    let mut after = None;
    let mut shown = None;
    loop {
        let page = client.logs(&args.id, args.operation.as_deref(), after.as_deref()).await?;
        for chunk in page.items {
            let header = (chunk.operation.clone(), chunk.attempt, chunk.stream.clone());
            if args.operation.is_none() && shown.as_ref() != Some(&header) {
                let name = safe::one_line(&header.0);
                anstream::println!("── {name} (attempt {}, {})", header.1, header.2);
                shown = Some(header);
            }
            anstream::print!("{}", safe::log(&chunk.text));
            if args.operation.is_none() && !chunk.text.ends_with('\n') {
                anstream::println!();
            }
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(Exit::Success),
        }
    }
}
