//! The test runner of the SDK and the server's state machine follow the same rules: random agendas end the same in both.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use pop_compiler::agenda::{Agenda, Operation};
use pop_compiler::source::Source;
use pop_compiler::{Door, Options, compile};
use pop_sdk::HandlerError;
use pop_sdk::api::{Failure, OperationState};
use pop_sdk::testing::TestRun;
use pop_server::run::{Effect, Event, Plan, Run};
use proptest::prelude::*;
use serde_json::{Value, json};

/// What an operation does in each of its attempts; the last goes on for ever.
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

/// An operation that may read, wait for and depend on earlier ones, and what its attempts do.
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

/// A fan-out over what an earlier operation gives, the operations that it makes and one that reads them all.
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

fn agenda() -> impl Strategy<Value = (Agenda, BTreeMap<String, Vec<Act>>)> {
    let operations = (1..12_usize).prop_flat_map(|n| (0..n).map(operation).collect::<Vec<_>>());
    let fan = proptest::option::of((any::<[prop::sample::Index; 2]>(), any::<[bool; 3]>()));
    let more = proptest::collection::vec(proptest::collection::vec(act(), 1..4), 5);
    (operations, any::<bool>(), fan, more).prop_map(|(operations, stop, fan, more)| {
        let mut agenda = Agenda { id: Some("ag_test".into()), ..Agenda::default() };
        if stop {
            agenda.params.insert("pop.onFailure".into(), "stop".into());
        }
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

/// How a run ended: each operation's state, attempts and failure code, every attempt's input, and the outputs.
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

fn in_the_sdk(agenda: &Agenda, script: &BTreeMap<String, Vec<Act>>) -> Ended {
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

/// Drives the server's machine: one attempt after the other, timers when nothing else is left of the same turn.
fn in_the_server(agenda: &Agenda, script: &BTreeMap<String, Vec<Act>>) -> Ended {
    let plan = Plan::new(agenda).unwrap();
    let now = Timestamp::UNIX_EPOCH;
    let (mut run, first) = Run::start(plan, "ag_test", &[], now);
    let mut effects = VecDeque::from(first);
    let mut ended = Ended::default();
    let mut live = VecDeque::new();
    loop {
        while let Some(effect) = effects.pop_front() {
            match effect {
                Effect::Launch { op, attempt, payload } => live.push_back((op, attempt, payload)),
                Effect::Report { op, view } => {
                    let end = matches!(view.state, OperationState::Succeeded | OperationState::Failed);
                    let code = view.failure.map(|f| f.code);
                    ended.operations.insert(view.name, (view.state, view.attempt, code));
                    if end {
                        effects.extend(run.step(now, Event::Committed { op, attempt: view.attempt }));
                    }
                }
                Effect::Timer { op, attempt, kind, .. } => {
                    effects.extend(run.step(now, Event::Timer { op, attempt, kind }));
                }
                Effect::Kill { .. } | Effect::Made { .. } => {}
                Effect::End(end) => {
                    ended.failed = end.failure.is_some();
                    ended.outputs = end.outputs;
                }
            }
        }
        let Some((op, attempt, payload)) = live.pop_front() else { return ended };
        let step = &run.plan().steps[op];
        let name = step.name.clone();
        let outcome = match &step.fan_out {
            Some(fan_out) => fan_out
                .make(&payload["items"])
                .map(|made| json!({ "operations": made }))
                .map_err(|why| HandlerError::error(why).code("FanOutInvalid")),
            None => nth(&script[&name], attempt).map_or(Ok(Value::Null), perform),
        };
        let outcome = outcome.map_err(|e| e.failure());
        ended.attempts.push((name, payload));
        effects.extend(run.step(now, Event::Started { op, attempt }));
        effects.extend(run.step(now, Event::Exited { op, attempt, outcome }));
    }
}

/// A workflow in which each kind of reference meets a field that an output lacks, or an operation that is skipped.
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
    let compiled = compile(source, Door::Toml, &Options::default());
    let expected = ["unused-operation", "optional-in-text"]; // both warnings
    let errors = compiled.diagnostics.iter().filter(|finding| !expected.contains(&finding.rule));
    assert_eq!(errors.count(), 0, "{:#?}", compiled.diagnostics);
    let mut agenda = compiled.agenda.unwrap();
    for i in 0..agenda.operations.len() {
        agenda.operations[i].kind = "t".into(); // one mock for all
    }
    let gives = |value: Value| vec![Act::Give(value)];
    let lacks = || gives(json!({ "n": 1, "more": {} }));
    let names = ["probe", "many.0", "report", "off", "reader", "coping"];
    let mut script: BTreeMap<String, Vec<Act>> = names.map(|name| (name.to_owned(), lacks())).into();
    script.insert("many.1".into(), gives(json!({ "n": 1, "note": 8, "more": {} })));
    script.insert("flag".into(), gives(json!({ "yes": false })));
    let (sdk, server) = (in_the_sdk(&agenda, &script), in_the_server(&agenda, &script));
    for ended in [&sdk, &server] {
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
    assert_eq!(sdk.operations, server.operations);
}

proptest! {
    #[test]
    fn a_test_run_ends_as_a_run_on_the_server((agenda, script) in agenda()) {
        let (mut sdk, mut server) = (in_the_sdk(&agenda, &script), in_the_server(&agenda, &script));
        // A skip of one that a stop or a failed dependency dooms has attempts only where it had run before.
        let by_name = |attempts: &mut Vec<(String, Value)>| attempts.sort_by(|a, b| a.0.cmp(&b.0));
        by_name(&mut sdk.attempts);
        by_name(&mut server.attempts);
        prop_assert_eq!(sdk, server);
    }
}
