//! kill -9 of agent, server and API server at any moment of a run in pods. The run ends, no attempt starts twice,
//! nothing runs again after its success, and no pod is left.

use futures_util::StreamExt as _;
use pop_compiler::agenda::Agenda;
use pop_sdk::api::{AgendaState, OperationState};
use pop_sdk::client::Run;
use serde_json::{Value, json};

use crate::farm::{Agent, Farm, MARK, Marks, Outage, agenda, ended, event, free_port, script, until};
use crate::support::{Service, check_history, history};

/// Pseudo-random numbers, equal in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Agent,
    Server,
    ApiServer,
}

/// The run spec of a marked script.
fn marked(text: &str, marks: &Marks) -> Value {
    let mut spec = script(&format!("{MARK}{text}"));
    spec["kubernetes"] = json!({"volumes": [marks.volume()]});
    spec
}

/// Layers of operations; each reads two of the layer before, and gives the larger number plus one.
fn layers(width: usize, depth: usize, marks: &Marks) -> Agenda {
    let mut spec = marked(r#"if [ "$1" -gt "$2" ]; then echo $(($1 + 1)); else echo $(($2 + 1)); fi"#, marks);
    let command = spec["command"].as_array_mut().expect("a list");
    command.extend(["t", "${with.a}", "${with.b}"].map(Value::from));
    spec["stdout"] = "json".into();
    let mut operations = Vec::new();
    for layer in 0..depth {
        for i in 0..width {
            let up = |n: usize| match layer {
                0 => json!(n % width),
                _ => json!(format!("@<o{}-{}.out>", layer - 1, n % width)),
            };
            operations.push((format!("o{layer}-{i}"), json!({"a": up(i), "b": up(i + 1)})));
        }
    }
    agenda(spec, operations)
}

/// Waits for `more` further events; false at the end of the run.
async fn goes_on(run: &Run, seen: &mut u64, more: u64) -> bool {
    let mut events = std::pin::pin!(run.watch());
    let target = *seen + more;
    while let Some(event) = events.next().await {
        let event = event.expect("the history can be read");
        *seen = event.seq;
        if event.seq >= target {
            return true;
        }
    }
    false
}

/// Kills each victim in turn during one run of `width` × `depth` operations.
async fn survives(farm: &Farm, (width, depth): (usize, usize), victims: &[Victim], seed: u64) {
    let marks = farm.marks();
    let start_server = async |listen: &str| farm.server(listen, "3s").await;
    let port = free_port();
    let start_agent = |server: &Service| -> Agent {
        farm.agent(&server.address, port, &["--allow", "host_path", "--programs", "16"])
    };
    let mut server = start_server("127.0.0.1:0").await;
    let listen = server.listen().to_owned();
    let mut agent = start_agent(&server);
    let run = server.client().submit_agenda(layers(width, depth, &marks)).await.expect("accepted");
    let (mut numbers, mut seen) = (Numbers(seed), 0);
    // An operation has at least four events. The kills fit into three quarters of them.
    let stride = (3 * width * depth / victims.len()) as u64;
    for victim in victims {
        let more = 1 + numbers.below(stride);
        assert!(goes_on(&run, &mut seen, more).await, "the run ended before a kill of {victim:?}");
        match victim {
            Victim::Agent => {
                agent.kill().await;
                agent = start_agent(&server);
            }
            Victim::Server => {
                server.kill().await;
                server = start_server(&listen).await;
            }
            Victim::ApiServer => Outage::begin().await.end().await,
        }
    }
    let view = ended(&run).await;
    assert_eq!(view.state, AgendaState::Succeeded, "{:?}", view.failure);
    check_history(&history(&run).await);
    let last = view.operations.last().expect("operations");
    assert_eq!(last.output, expected(width, depth).map(Value::from), "the last output");
    marks.check(&view);
    let again = marks.starts().len() - width * depth;
    println!("{} operations, {again} further attempts, epoch {}", width * depth, view.epoch);
    farm.empty().await;
    drop((server, agent));
}

/// The last operation's output.
fn expected(width: usize, depth: usize) -> Option<usize> {
    let mut row: Vec<usize> = (0..width).collect();
    for _ in 0..depth {
        let input = |n: usize| row[n % width];
        row = (0..width).map(|i| input(i).max(input(i + 1)) + 1).collect();
    }
    row.last().copied()
}

#[tokio::test]
async fn a_run_survives_ten_kills_of_the_agent_and_ten_of_the_server() {
    let Some(farm) = Farm::new("kills").await else { return };
    let victims: Vec<Victim> = [Victim::Agent, Victim::Server].into_iter().cycle().take(20).collect();
    survives(&farm, (8, 10), &victims, 2026).await;
}

#[tokio::test]
async fn a_run_survives_kills_of_the_api_server() {
    let Some(farm) = Farm::alone("api-kills").await else { return };
    survives(&farm, (8, 8), &[Victim::ApiServer, Victim::Agent, Victim::ApiServer], 7).await;
}

/// A minute without an API server: programs count their seconds.
#[tokio::test]
async fn running_pods_report_while_the_api_server_is_away() {
    const SECONDS: f64 = 60.0;
    let Some(farm) = Farm::alone("outage").await else { return };
    let marks = farm.marks();
    let text = r#"n=0
        until [ -e "/marks/$1" ]; do
          n=$((n + 1))
          echo "{\"percent\": $((n < 99 ? n : 99)), \"message\": \"$n\"}" > "$POP_PROGRESS_FILE"
          sleep 1
        done"#;
    let mut spec = marked(text, &marks);
    spec["command"].as_array_mut().expect("a list").extend(["t", "${with.until}"].map(Value::from));
    let mut operations = vec![
        ("short".to_owned(), json!({"until": "short"})),
        ("after".to_owned(), json!({"until": "end", "short": "@<short.out>"})),
    ];
    operations.extend((0..4).map(|i| (format!("long-{i}"), json!({"until": "end"}))));
    let agenda = agenda(spec, operations);
    let server = farm.server("127.0.0.1:0", "3s").await;
    let _agent = farm.agent(&server.address, free_port(), &["--allow", "host_path"]);
    let run = server.client().submit_agenda(agenda).await.expect("accepted");
    let told = |message: Option<&String>| message.and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    let counts = async || -> Vec<f64> {
        let view = run.view().await.expect("a view");
        let long = view.operations.iter().filter(|o| o.name.starts_with("long"));
        long.map(|o| told(o.message.as_ref())).collect()
    };
    until("progress", async || counts().await.iter().all(|n| *n > 0.0).then_some(())).await;

    let outage = Outage::begin().await;
    let before = counts().await;
    // An operation ends meanwhile, and its dependent waits for the API server, with the reason.
    marks.write("short");
    event(&run, |o| o.name == "short" && o.state == OperationState::Succeeded).await;
    let waits = event(&run, |o| {
        o.name == "after" && o.message.as_deref().is_some_and(|text| text.contains("onnect"))
    });
    println!("meanwhile: {:?}", waits.await.message);
    let reached = async || {
        let now = counts().await;
        before.iter().zip(&now).all(|(before, now)| *now >= before + SECONDS).then_some(now)
    };
    let now = until("further progress", reached).await;
    println!("progress from {before:?} to {now:?}");
    outage.end().await;

    event(&run, |o| o.name == "after" && o.state == OperationState::Executing).await;
    marks.write("end");
    let view = ended(&run).await;
    assert_eq!(view.state, AgendaState::Succeeded, "{:?}", view.failure);
    marks.check(&view);
    assert!(view.operations.iter().all(|o| o.attempt == 1), "{:?}", view.operations);
    farm.empty().await;
    let log = farm.agent_log();
    let warnings: Vec<&str> = log.lines().filter(|line| line.contains("WARN")).collect();
    println!("{} warnings: {warnings:#?}", warnings.len());
    assert!(warnings.len() <= 5, "a storm");
}
