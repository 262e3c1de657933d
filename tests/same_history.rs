//! A test of a workflow with mocks and a run through a server and its pool give the same history, for 500 random
//! agendas.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pop_compiler::agenda::{Agenda, Operation};
use pop_compiler::source::Source;
use pop_compiler::{Format, Options, compile};
use pop_sdk::HandlerError;
use pop_sdk::api::{Failure, OperationState};
use pop_sdk::client::Client;
use pop_sdk::testing::TestRun;
use pop_server::env::SystemClock;
use pop_server::pool::port::Identity;
use pop_server::pool::port::http::HttpPort;
use pop_server::pool::{agent, executor};
use pop_server::run::Resources;
use pop_server::runtime::{Adopted, AttemptKey, Capacity, Launch, Pending, Reporter, Runtime, Signal, Stop};
use pop_server::serve;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// The acts of each operation's attempts, by name.
type Script = BTreeMap<String, Vec<Act>>;

/// The act of one attempt. The last act of an operation repeats for ever.
#[derive(Clone, Debug)]
enum Act {
    Give(Value),
    Error,
    Fatal,
    Config,
    Infra,
    Timeout,
}

fn perform(act: &Act) -> Result<Value, HandlerError> {
    match act {
        Act::Give(value) => Ok(value.clone()),
        Act::Error => Err(HandlerError::error("error")),
        Act::Fatal => Err(HandlerError::fatal("fatal")),
        Act::Config => Err(HandlerError::config("config")),
        Act::Infra => Err(HandlerError::infra("infra")),
        Act::Timeout => Err(pop_sdk::testing::timeout()),
    }
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => any::<u8>().prop_map(|n| {
            Act::Give(json!({ "n": n, "yes": n % 2 == 0, "list": vec![n; usize::from(n % 4)] }))
        }),
        1 => Just(Act::Give(json!({ "other": 1 }))),
        1 => Just(Act::Error),
        1 => Just(Act::Fatal),
        1 => Just(Act::Config),
        1 => Just(Act::Infra),
        1 => Just(Act::Timeout),
    ]
}

/// An operation that may read, wait for and depend on earlier ones, with the acts of its attempts.
fn operation(index: usize) -> impl Strategy<Value = (Operation, Vec<Act>)> {
    let earlier = move || proptest::collection::vec(0..index.max(1), 0..3);
    let retry = prop_oneof![
        2 => Just(None),
        1 => Just(Some(json!(2))),
        1 => Just(Some(json!({ "attempts": 3, "on": ["config", "timeout"] }))),
    ];
    let acts = proptest::collection::vec(act(), 1..4);
    let default = prop::sample::select(vec!["", "?=7", "?=null"]);
    (earlier(), earlier(), default, any::<[bool; 2]>(), retry, acts).prop_map(
        move |(reads, waits, default, [asks, waits_too], retry, acts)| {
            let mut operation =
                Operation { name: format!("op{index}"), kind: "t".into(), ..Operation::default() };
            operation.payload = json!({ "me": operation.name });
            if index == 0 {
                return (operation, acts);
            }
            let payload: Vec<Value> =
                reads.iter().map(|r| Value::from(format!("@<op{r}.out::/n{default}>"))).collect();
            operation.payload["reads"] = Value::from(payload);
            if asks && let Some(first) = waits.first() {
                operation.params.insert("pop.when".into(), format!("@<op{first}.out::/yes?=true>").into());
            }
            if waits_too {
                let names: Vec<String> = waits.iter().map(|w| format!("op{w}")).collect();
                operation.params.insert("dependsOn".into(), names.join(",").into());
            }
            if let Some(retry) = retry {
                operation.params.insert("pop.retry".into(), retry);
            }
            (operation, acts)
        },
    )
}

/// A fan-out over the output of an earlier operation, and an operation that reads all its operations.
fn fan_out(source: usize, [defaulted, asks, reads_one]: [bool; 3], before: usize) -> Vec<Operation> {
    let default = if defaulted { "?=[1,2]" } else { "" };
    let mut many = Operation { name: "many".into(), kind: "t".into(), ..Operation::default() };
    many.payload = json!({ "me": "many.@<pop.each_index>", "item": "@<pop.each>", "other": format!("@<op{before}.out::/n?=0>") });
    if asks {
        many.params.insert("pop.when".into(), format!("@<op{before}.out::/yes?=true>").into());
    }
    let params = json!({
        "agenda.operation.generator": { "operationsJsonPointer": "/operations", "names": ["many.*"] },
        "pop.fanOut": { "name": "many", "operations": [many] },
    });
    let fan = Operation {
        name: "fan".into(),
        kind: "pop.fanOut".into(),
        payload: json!({ "items": format!("@<op{source}.out::/list{default}>") }),
        params: params.as_object().cloned().unwrap_or_default(),
        ..Operation::default()
    };
    let one = if reads_one { "@<many.1.out::/n>" } else { "@<many.1.out::/n?=0>" };
    let collect = Operation {
        name: "collect".into(),
        kind: "t".into(),
        payload: json!({ "me": "collect", "all": "@<many.*.out::/n?=0>", "one": one }),
        ..Operation::default()
    };
    vec![fan, collect]
}

fn agenda() -> impl Strategy<Value = (Agenda, Script)> {
    let operations = (1..12_usize).prop_flat_map(|n| (0..n).map(operation).collect::<Vec<_>>());
    let fan = proptest::option::of((any::<[prop::sample::Index; 2]>(), any::<[bool; 3]>()));
    let more = proptest::collection::vec(proptest::collection::vec(act(), 1..4), 5);
    // `on_failure = "stop"` is left out: which operations it still catches depends on what runs at the same time.
    (operations, fan, more).prop_map(|(operations, fan, more)| {
        let mut agenda = Agenda { id: Some("ag_test".into()), ..Agenda::default() };
        let count = operations.len();
        let last = format!("@<op{}.out::/n?=0>", count - 1);
        let mut result = json!({ "last": last });
        let mut script = BTreeMap::new();
        for (operation, acts) in operations {
            script.insert(operation.name.clone(), acts);
            agenda.operations.push(operation);
        }
        if let Some(([source, before], flags)) = fan {
            for operation in fan_out(source.index(count), flags, before.index(count)) {
                agenda.operations.push(operation);
            }
            result["all"] = "@<many.*.out::/n?=0>".into();
        }
        let names = ["many.0", "many.1", "many.2", "many.3", "collect"];
        script.extend(names.map(String::from).into_iter().zip(more));
        agenda.params.insert("pop.result".into(), result);
        (agenda, script)
    })
}

/// The end of a run: each operation's state, attempts and failure code, every attempt's input, and the outputs.
#[derive(Debug, Default, PartialEq)]
struct Ended {
    operations: BTreeMap<String, (OperationState, u32, Option<String>)>,
    attempts: Vec<(String, Value)>,
    outputs: Option<Value>,
    failed: bool,
}

fn nth(acts: &[Act], attempt: u32) -> Option<&Act> {
    acts.get(attempt as usize - 1).or(acts.last())
}

fn in_the_sdk(agenda: &Agenda, script: &Script) -> Ended {
    let (script, counts) = (script.clone(), RefCell::new(BTreeMap::<String, u32>::new()));
    let run = TestRun::of_agenda(agenda.clone())
        .mock_type("t", move |input| {
            let me = input["me"].as_str().unwrap_or_default();
            let mut counts = counts.borrow_mut();
            let attempt = counts.entry(me.to_owned()).or_insert(0);
            *attempt += 1;
            nth(&script[me], *attempt).map_or(Ok(Value::Null), perform)
        })
        .run(&())
        .unwrap();
    let code = |f: Option<&Failure>| f.map(|f| f.code.clone());
    let operations = run
        .operations()
        .map(|n| (n.to_owned(), (run.state(n), run.attempts(n), code(run.failure_of(n)))))
        .collect();
    let attempts = run.attempted().map(|(name, input)| (name.to_owned(), input.clone())).collect();
    Ended { operations, attempts, outputs: run.outputs().ok(), failed: run.failure().is_some() }
}

/// A runtime that runs attempts by scripts, in place of programs.
struct Scripts {
    /// The scripts of the operations, by agenda.
    scripts: Mutex<HashMap<String, Arc<Script>>>,
    attempts: Mutex<HashMap<String, Vec<(String, Value)>>>,
}

impl Runtime for Scripts {
    fn capacity(&self) -> Capacity {
        Capacity { resources: Resources { cpu_millis: 1000, memory: 1000 }, attempts: 1000 }
    }

    fn adopt(&self, _: &str, _: Option<&str>) -> Pending<'_, Vec<Adopted>> {
        Box::pin(std::future::ready(Vec::new()))
    }

    fn launch(&self, launch: Launch, reporter: Reporter, _: Stop) {
        let script = Arc::clone(&self.scripts.lock().unwrap()[&title_of(&launch)]);
        let act = nth(&script[&launch.operation], launch.key.attempt).cloned();
        let mut attempts = self.attempts.lock().unwrap();
        attempts.entry(title_of(&launch)).or_default().push((launch.operation, launch.payload));
        reporter.send(Signal::Started);
        let outcome = act.map_or(Ok(Value::Null), |act| perform(&act)).map_err(|error| error.failure());
        reporter.send(Signal::Exited(outcome));
    }

    fn settled(&self, _: AttemptKey) {}

    fn forget(&self, _: &str) {}

    fn idle(&self) -> Pending<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// The number of the agenda, which each agenda carries in its `cid`.
fn title_of(launch: &Launch) -> String {
    launch.cid.clone().unwrap_or_default()
}

/// Runs all agendas through one server and one pool.
async fn on_a_server(agendas: &[(Agenda, Script)]) -> Vec<Ended> {
    let stop = CancellationToken::new();
    let config = serve::Config { listen: ([127, 0, 0, 1], 0).into(), ..serve::Config::default() };
    let server = serve::start(config, stop.clone()).await.unwrap();
    let url = format!("http://{}", server.address);
    let client = Client::connect(&url).unwrap();
    let scripts =
        agendas.iter().enumerate().map(|(n, (_, script))| (n.to_string(), Arc::new(script.clone())));
    let runtime = Arc::new(Scripts { scripts: Mutex::new(scripts.collect()), attempts: Mutex::default() });
    let executor = executor::Config {
        // The delays before retries take no time.
        time_scale: 0.0,
        types: HashMap::new(),
        report_limit: Duration::from_secs(30),
        clock: Arc::new(SystemClock),
    };
    let instance = "i".to_owned();
    let grace = Duration::from_secs(1);
    let config = agent::Config { instance: instance.clone(), insight: None, slots: 32, grace, executor };
    let identity = Identity { pool: "default".into(), worker: "w".into(), instance };
    let port = || Arc::new(HttpPort::new(&url, identity.clone()).unwrap());
    let (working, now) = (CancellationToken::new(), CancellationToken::new());
    let runs_here = Arc::<Scripts>::clone(&runtime);
    let agent = tokio::spawn(agent::work(config, port(), port(), runs_here, working.clone(), now));

    let mut runs = Vec::new();
    for (n, (agenda, _)) in agendas.iter().enumerate() {
        let agenda = Agenda { cid: Some(n.to_string()), id: None, ..agenda.clone() };
        runs.push(client.submit_agenda(agenda).await.unwrap());
    }
    let mut ended = Vec::new();
    for (n, run) in runs.iter().enumerate() {
        // How it ended is looked at below, also where it failed.
        let _ = run.wait::<Value>().await;
        let view = run.view().await.unwrap();
        let operations = view.operations.into_iter().map(|o| {
            let code = o.failure.map(|f| f.code);
            (o.name, (o.state, o.attempt, code))
        });
        let attempts = runtime.attempts.lock().unwrap().remove(&n.to_string()).unwrap_or_default();
        let failed = view.failure.is_some();
        ended.push(Ended { operations: operations.collect(), attempts, outputs: view.outputs, failed });
    }
    working.cancel();
    agent.await.unwrap().unwrap();
    stop.cancel();
    server.join().await.unwrap();
    ended
}

/// A workflow in which each kind of reference meets an absent field of an output, or a skipped operation.
const OPTIONAL: &str = r#"
[workflow]
name = "x"

[catalog."t"]
input = { me = "string", a = "int?", b = "list<int?>?", c = "string?" }
output = { n = "int", note = "int?", more = "map<int>" }
command = ["t"]

[operations.probe]
uses = "t"
with = { me = "probe" }

[operations.many]
uses = "t"
each = [1, 2]
with = { me = "many.${each_index}" }

[operations.report]
uses = "t"
with = { me = "report", a = "${probe.note}", b = "${many[*].note}", c = "of ${probe.more['x']}" }

[operations.off]
uses = "t"
when = "${flag.yes}"
with = { me = "off" }

[operations.reader]
uses = "t"
with = { me = "reader", a = "${off.note}" }

[operations.coping]
uses = "t"
with = { me = "coping", a = "${off.note ?? null}" }

[operations.flag]
uses = "f"
with = { me = "flag" }

[catalog."f"]
input = { me = "string" }
output = { yes = "bool" }
command = ["f"]

[outputs]
note = "${probe.note}"
notes = "${many[*].note}"
off = "${off.note}"
"#;

#[test]
fn what_an_output_lacks_is_null_and_a_skip_is_a_skip() {
    let source = Source::new("x.pop.toml", OPTIONAL);
    let compiled = compile(source, Format::Toml, &Options::default());
    let expected = ["unused-operation", "optional-in-text", "skipped-with"]; // all of them warnings
    let errors = compiled.diagnostics.iter().filter(|finding| !expected.contains(&finding.rule));
    assert_eq!(errors.count(), 0, "{:#?}", compiled.diagnostics);
    let mut agenda = compiled.agenda.unwrap();
    for i in 0..agenda.operations.len() {
        agenda.operations[i].kind = "t".into(); // one mock for all, whatever each of them declares
    }
    agenda.params.shift_remove("pop.types");
    let gives = |value: Value| vec![Act::Give(value)];
    let lacks = || gives(json!({ "n": 1, "more": {} }));
    let names = ["probe", "many.0", "report", "off", "reader", "coping"];
    let mut script: Script = names.map(|name| (name.to_owned(), lacks())).into();
    script.insert("many.1".into(), gives(json!({ "n": 1, "note": 8, "more": {} })));
    script.insert("flag".into(), gives(json!({ "yes": false })));
    let ended = in_the_sdk(&agenda, &script);
    {
        let input =
            |name: &str| ended.attempts.iter().find(|(n, _)| n == name).map(|(_, input)| input.clone());
        assert_eq!(
            input("report"),
            Some(json!({ "me": "report", "a": null, "b": [null, 8], "c": "of null" }))
        );
        assert_eq!(input("reader"), None, "it is skipped with the operation that it reads");
        assert_eq!(input("coping"), Some(json!({ "me": "coping", "a": null })));
        assert_eq!(ended.outputs, Some(json!({ "note": null, "notes": [null, 8], "off": null })));
        assert!(!ended.failed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_run_and_a_server_give_the_same_history() {
    let mut random = TestRunner::deterministic();
    let agendas: Vec<_> =
        (0..500).map(|_| agenda().new_tree(&mut random).expect("an agenda").current()).collect();
    let served = on_a_server(&agendas).await;
    for (n, ((agenda, script), mut served)) in agendas.iter().zip(served).enumerate() {
        let mut tested = in_the_sdk(agenda, script);
        // What is independent of each other may start in any order, but the attempts of one operation.
        let by_name = |attempts: &mut Vec<(String, Value)>| attempts.sort_by(|a, b| a.0.cmp(&b.0));
        by_name(&mut tested.attempts);
        by_name(&mut served.attempts);
        // The built-in fan-out runs in the executor itself.
        tested.attempts.retain(|(name, _)| name != "fan");
        assert_eq!(tested, served, "agenda {n}: {}", serde_json::to_string_pretty(agenda).unwrap());
    }
}
