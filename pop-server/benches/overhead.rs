//! The overhead of POP. The bench measures the time for each operation of a chain and of a fan-out, with built-in types
//! and with processes, without a server and with one. It also measures agendas per second over HTTP. The floors of the
//! same run stand beside the results.
//!
//! `cargo bench -p pop-server` prints the table; `-- --test` runs each part once, small.

use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use pop_compiler::agenda::{Agenda, Operation};
use pop_sdk::api::{Lease, Report, ReportResult};
use pop_sdk::client::Client;
use pop_server::env::SystemClock;
use pop_server::pool::fence::Fence;
use pop_server::pool::port::http::HttpPort;
use pop_server::pool::port::{Answer, Identity, ReportPort};
use pop_server::pool::{agent, executor};
use pop_server::runtime::local::{Config, Local};
use pop_server::serve;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

struct Accept;

impl ReportPort for Accept {
    fn report<'a>(&'a self, reports: &'a [Report]) -> Answer<'a, Vec<ReportResult>> {
        Box::pin(std::future::ready(Ok(vec![ReportResult::Accepted; reports.len()])))
    }
}

fn agenda(kind: &str, n: usize, chain: bool) -> Agenda {
    let operations = (0..n)
        .map(|i| {
            let value =
                if chain && i > 0 { Value::from(format!("@<o{}.out>", i - 1)) } else { json!({"v": i}) };
            let payload = json!({ "value": value });
            Operation { name: format!("o{i}"), kind: kind.into(), payload, ..Operation::default() }
        })
        .collect();
    let params = json!({"pop.types": {"true": {"command": ["true"]}}});
    Agenda { operations, params: params.as_object().cloned().unwrap_or_default(), ..Agenda::default() }
}

fn executor_config() -> executor::Config {
    executor::Config {
        time_scale: 1.0,
        report_limit: Duration::from_secs(10),
        types: [].into(),
        clock: Arc::new(SystemClock),
    }
}

fn local(folder: &std::path::Path) -> Arc<Local> {
    let environment = vec![("PATH".to_owned(), "/usr/local/bin:/usr/bin:/bin".to_owned())];
    Arc::new(
        Local::open(Config::new(folder.join("work"), folder.to_path_buf(), environment))
            .expect("a work folder"),
    )
}

/// Runs an agenda in the executor alone.
async fn alone(folder: &std::path::Path, agenda: Agenda) -> Duration {
    let (commands, inbox) = mpsc::unbounded_channel();
    let (over_in, mut over) = mpsc::unbounded_channel();
    let stop = CancellationToken::new();
    let task = tokio::spawn(executor::drive(
        executor_config(),
        local(folder),
        Arc::new(Accept),
        Arc::new(Fence::default()),
        inbox,
        over_in,
        stop,
    ));
    let lease = Lease {
        id: "ag_bench".into(),
        epoch: 1,
        lease_ms: u64::MAX,
        interrupted: 0,
        agenda,
        progress: vec![],
    };
    let start = Instant::now();
    let _ = commands.send(executor::Command::Run(Box::new(lease)));
    over.recv().await;
    let took = start.elapsed();
    drop(commands);
    let _ = task.await;
    took
}

/// Runs an agenda through a server over HTTP, to the client that watches it.
async fn served(client: &Client, agenda: Agenda) -> Duration {
    let start = Instant::now();
    let run = client.submit_agenda(agenda).await.expect("accepted");
    let mut events = std::pin::pin!(run.watch());
    while let Some(event) = events.next().await {
        event.expect("the history can be read");
    }
    start.elapsed()
}

/// The median time of some runs.
async fn median<F: Future<Output = Duration>>(rounds: usize, mut run: impl FnMut() -> F) -> Duration {
    let mut all = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        all.push(run().await);
    }
    all.sort();
    all[all.len() / 2]
}

fn floor_fdatasync(folder: &std::path::Path, n: u32) -> Duration {
    let mut file = std::fs::File::create(folder.join("floor")).expect("a file");
    let start = Instant::now();
    for _ in 0..n {
        file.write_all(&[7; 512]).and_then(|()| file.sync_data()).expect("written");
    }
    start.elapsed() / n
}

fn floor_spawn(n: u32) -> Duration {
    let start = Instant::now();
    for _ in 0..n {
        std::process::Command::new("true").status().expect("true runs");
    }
    start.elapsed() / n
}

fn floor_parse(text: &str, n: u32) -> Duration {
    let start = Instant::now();
    for _ in 0..n {
        std::hint::black_box(serde_json::from_str::<Value>(text).expect("JSON"));
    }
    start.elapsed() / n
}

fn row(what: &str, each: Duration) {
    println!("{what:<58} {:>10.3} ms", each.as_secs_f64() * 1000.0);
}

fn main() {
    let small = std::env::args().any(|a| a == "--test");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(measure(small));
}

async fn measure(small: bool) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    let (n, rounds) = if small { (5, 1) } else { (100, 7) };
    let each = |d: Duration, n: usize| d / u32::try_from(n).unwrap_or(1);

    println!("floors of this run");
    let floor = if small { 3 } else { 200 };
    row("  write 512 bytes and fdatasync", floor_fdatasync(path, floor));
    row("  spawn `true` and wait", floor_spawn(floor));
    let text = serde_json::to_string(&agenda("pop.transform", n, true)).expect("JSON");
    row(&format!("  parse the JSON of an agenda of {n}"), floor_parse(&text, floor));

    println!("executor alone, for each operation");
    for (what, kind, chain) in [
        ("chain, built in", "pop.transform", true),
        ("fan-out, built in", "pop.transform", false),
        ("chain, process", "true", true),
        ("fan-out, process", "true", false),
    ] {
        let took = median(rounds, || alone(path, agenda(kind, n, chain))).await;
        row(&format!("  {what} of {n}"), each(took, n));
        let more = n * 10;
        if !small && kind != "true" {
            let longer = median(rounds, || alone(path, agenda(kind, more, chain))).await;
            let slope = each(longer, more).as_secs_f64() / each(took, n).as_secs_f64();
            row(&format!("  {what} of {more} (×{slope:.2} for each)"), each(longer, more));
        }
    }

    let stop = CancellationToken::new();
    let config = serve::Config {
        listen: ([127, 0, 0, 1], 0).into(),
        database: Some(path.join("bench.db")),
        auto_customers: true,
        ..serve::Config::default()
    };
    let server = serve::start(config, stop.clone()).await.expect("a server");
    let client = Client::connect(&format!("http://{}", server.address)).expect("an address");
    let agent = agent::Config {
        instance: "one".into(),
        insight: None,
        slots: 64,
        grace: Duration::from_secs(5),
        executor: executor_config(),
    };
    let identity = Identity { pool: "default".into(), worker: "bench".into(), instance: "one".into() };
    let port = || Arc::new(HttpPort::new(client.address(), identity.clone()).expect("an address"));
    let now = CancellationToken::new();
    let agent = tokio::spawn(agent::work(agent, port(), port(), local(path), stop.clone(), now));

    println!("through the server (HTTP, SQLite, every outcome durable), for each operation");
    for (what, kind, chain) in [
        ("chain, built in", "pop.transform", true),
        ("fan-out, built in", "pop.transform", false),
        ("chain, process", "true", true),
        ("fan-out, process", "true", false),
    ] {
        let took = median(rounds, || served(&client, agenda(kind, n, chain))).await;
        row(&format!("  {what} of {n}"), each(took, n));
    }

    let total = if small { 8 } else { 2000 };
    let clients = if small { 2 } else { 32 };
    let start = Instant::now();
    let mut latencies: Vec<Duration> = futures_util::stream::iter(0..total)
        .map(|_| served(&client, agenda("pop.transform", 3, true)))
        .buffer_unordered(clients)
        .collect()
        .await;
    let took = start.elapsed();
    latencies.sort();
    println!("agendas of three operations, {clients} clients, submit to end");
    println!("  {:<56} {:>10.0} agendas/s", "throughput", f64::from(total) / took.as_secs_f64());
    row("  median latency", latencies[latencies.len() / 2]);
    row("  p99 latency", latencies[latencies.len() * 99 / 100]);

    stop.cancel();
    let _ = agent.await;
    let _ = server.join().await;
}
