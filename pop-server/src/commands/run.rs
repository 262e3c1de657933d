//! `pop run`: compiles a file and runs the agenda here, without a server.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use clap::Args;
use jiff::Timestamp;
use pop_sdk::api::{
    AgendaEnd, AgendaState, AgendaView, Lease, LeaseId, OperationState, OperationView, Report, ReportResult,
};
use serde_json::{Map, Value};
use tokio::sync::mpsc;

use super::exit::Exit;
use super::load::{self, Inputs, Loaded};
use super::pool::LocalArgs;
use crate::env::Env;
use crate::pool::executor::{self, Command};
use crate::pool::fence::Fence;
use crate::pool::port::{Answer, ReportPort};
use crate::run::Plan;
use crate::terminal::{Overview, live::Live, safe};

/// Largest number of failed operations in the printed list.
const MOST_NAMED: usize = 5;

/// Arguments of `pop run`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pop run examples/wordcount/wordcount.pop.toml
  pop run flow.pop.toml --input '{\"source\": \"https://example.com/a.mp4\"}'
  pop run recorded.pop.toml --time-scale 0.01 --report times.json

The outputs go to standard output as JSON; all other text goes to standard error.

Exit codes:
  0  every operation succeeded (or was skipped by its own condition)
  1  the file or its inputs have errors; nothing was run
  2  invalid usage, or an unreadable file
  3  an operation failed
  4  cancelled (Ctrl-C)")]
pub struct RunArgs {
    /// A workflow (`*.pop.toml`, `*.pop.json`), an agenda or a template in JSON.
    file: PathBuf,
    #[command(flatten)]
    inputs: Inputs,
    /// Factor for the sleeps of `pop.sleep` and `sample`: 0.01 makes an hour 36 seconds.
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    time_scale: f64,
    /// Write every operation's states, times and outputs to this file as JSON.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Show only errors and outputs.
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    local: LocalArgs,
}

/// Runs the command.
pub async fn run(args: RunArgs) -> Result<Exit> {
    if !(args.time_scale.is_finite() && args.time_scale >= 0.0) {
        anyhow::bail!("invalid --time-scale: use a number of 0 or more");
    }
    let loaded = match load::file(&args.file)? {
        Ok(loaded) => loaded,
        Err(exit) => return Ok(exit),
    };
    let base = load::folder_of(&args.file);
    let Loaded { agenda, types } = match loaded.with_inputs(&args.inputs, &base)? {
        Ok(loaded) => loaded,
        Err(exit) => return Ok(exit),
    };
    if let Some(path) = args.report.as_ref().filter(|path| !path.exists() || path.is_file()) {
        // A report that can't be written is an error before the run, not after it. Pipes are left to their reader.
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
        file.with_context(|| format!("could not write {}", path.display()))?;
    }
    let env = Env::system();
    let id = env.agenda_id().to_string();
    let title = agenda.title.clone().unwrap_or_else(|| args.file.display().to_string());
    let plan = Plan::new(&agenda).map_err(|failure| anyhow::anyhow!("{}", failure.message))?;
    let since = env.clock.now();
    let mut config = args.local.executor(types, &env)?;
    config.time_scale = args.time_scale;
    let ours = std::env::temp_dir().join(format!("pop-{id}"));
    let work = args.local.work_dir().unwrap_or(&ours).to_path_buf();
    let runtime = args.local.open_at(work.clone(), base, &env).await?;
    let overview = Overview::new(title.clone(), &plan, since);
    let recorder = Arc::new(Recorder::new(Live::start(overview, args.quiet)));

    let asked = super::listen_for_signals()?;
    let (commands, inbox) = mpsc::unbounded_channel();
    let (over_in, mut over) = mpsc::unbounded_channel();
    let driver = tokio::spawn(executor::drive(
        config,
        runtime,
        Arc::<Recorder>::clone(&recorder),
        Arc::new(Fence::default()),
        inbox,
        over_in,
        asked.now.clone(),
    ));
    let lease = Lease {
        id: id.clone(),
        epoch: 1,
        lease_ms: u64::MAX,
        interrupted: 0,
        agenda: agenda.clone(),
        progress: Vec::new(),
    };
    let _ = commands.send(Command::Run(Box::new(lease)));
    tokio::select! {
        _ = over.recv() => {}
        () = asked.stop.cancelled() => {
            let _ = commands.send(Command::Cancel(LeaseId { id: id.clone(), epoch: 1 }));
            tokio::select! {
                _ = over.recv() => {}
                () = asked.now.cancelled() => {}
            }
        }
    }
    drop(commands);
    driver.await.context("internal error: the executor panicked. Please report this fault of POP")?;
    let Ok(recorder) = Arc::try_unwrap(recorder) else {
        anyhow::bail!("internal error: the executor did not finish. Please report this fault of POP")
    };
    finish(recorder, &args, id, title, &work).await
}

async fn finish(
    recorder: Recorder,
    args: &RunArgs,
    id: String,
    title: String,
    work: &std::path::Path,
) -> Result<Exit> {
    let Recorder { live, state } = recorder;
    let state = state.into_inner().unwrap_or_else(PoisonError::into_inner);
    let overview = live.finish().await;
    let end = state.end.unwrap_or(AgendaEnd { state: AgendaState::Cancelled, outputs: None, failure: None });
    let mut outputs = state.outputs;
    if let Some(path) = &args.report {
        let operations: Vec<OperationView> = overview
            .rows
            .iter()
            .map(|row| OperationView { output: outputs.get(&row.view.name).cloned(), ..row.view.clone() })
            .collect();
        let report = report(id, title, &end, overview.since, operations);
        let text = serde_json::to_string_pretty(&report)? + "\n";
        std::fs::write(path, text).with_context(|| format!("could not write {}", path.display()))?;
    }
    // The programs' files in a temporary folder are removed, unless an output names a path in the folder.
    let spoken_of = |value: &Value| value.to_string().contains(&*work.to_string_lossy());
    if end.outputs.as_ref().is_some_and(spoken_of)
        || (end.outputs.is_none() && outputs.values().any(spoken_of))
    {
        anstream::eprintln!("Files are kept in {}", work.display());
    } else if args.local.work_dir().is_none() {
        let _ = std::fs::remove_dir_all(work);
    }
    match end.state {
        AgendaState::Succeeded => {
            let result = end.outputs.unwrap_or_else(|| {
                // Without declared outputs, the result has the outputs of all operations, in the agenda's order.
                let names = overview.rows.iter().map(|row| row.view.name.clone());
                Value::Object(names.filter_map(|n| outputs.remove(&n).map(|v| (n, v))).collect::<Map<_, _>>())
            });
            anstream::println!("{}", safe::json(&serde_json::to_string_pretty(&result)?));
            Ok(Exit::Success)
        }
        AgendaState::Cancelled => {
            anstream::eprintln!("cancelled");
            Ok(Exit::Cancelled)
        }
        _ => {
            if let Some(failure) = &end.failure {
                super::print_failure(failure);
            }
            let failed = overview.rows.iter().filter(|row| row.view.state == OperationState::Failed);
            let mut names = failed.map(|row| safe::one_line(&row.view.name)).collect::<Vec<_>>();
            if names.len() > 1 {
                let (count, more) = (names.len(), names.len() > MOST_NAMED);
                names.truncate(MOST_NAMED);
                let names = names.join("`, `");
                anstream::eprintln!(
                    "  = {count} operations failed: `{names}`{}",
                    if more { ", …" } else { "" }
                );
            }
            Ok(Exit::Failed)
        }
    }
}

fn report(
    id: String,
    title: String,
    end: &AgendaEnd,
    since: Timestamp,
    operations: Vec<OperationView>,
) -> AgendaView {
    let succeeded = operations.iter().filter(|o| o.state == pop_sdk::api::OperationState::Succeeded).count();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let ended = operations.iter().filter(|o| o.state.is_terminal()).count();
    let mut view = AgendaView::new(id, end.state, since);
    view.customer = "default".into();
    view.title = Some(title);
    view.percent = if operations.is_empty() { 100.0 } else { ended as f64 * 100.0 / operations.len() as f64 };
    view.total = count(operations.len());
    view.succeeded = count(succeeded);
    view.insight = "none".into();
    view.pool = "local".into();
    view.epoch = 1;
    view.started_at = operations.iter().filter_map(|o| o.started_at).min();
    view.ended_at = operations.iter().filter_map(|o| o.ended_at).max();
    view.outputs.clone_from(&end.outputs);
    view.failure.clone_from(&end.failure);
    view.operations = operations;
    view
}

/// Receives reports in place of a server: shows them, and keeps the outputs.
struct Recorder {
    live: Live,
    state: Mutex<Recorded>,
}

#[derive(Default)]
struct Recorded {
    outputs: HashMap<String, Value>,
    end: Option<AgendaEnd>,
}

impl Recorder {
    fn new(live: Live) -> Self {
        Self { live, state: Mutex::default() }
    }
}

impl ReportPort for Recorder {
    fn report<'a>(&'a self, reports: &'a [Report]) -> Answer<'a, Vec<ReportResult>> {
        let accepted = vec![ReportResult::Accepted; reports.len()];
        for report in reports {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            for made in &report.made {
                let names = made.operations.iter().map(|o| (o.name.as_str(), o.kind.as_str()));
                self.live.add(&made.generator, names);
            }
            for view in &report.operations {
                self.live.update(view);
                if let Some(output) = &view.output {
                    state.outputs.insert(view.name.clone(), output.clone());
                }
            }
            if report.end.is_some() {
                state.end.clone_from(&report.end);
            }
        }
        Box::pin(std::future::ready(Ok(accepted)))
    }
}
