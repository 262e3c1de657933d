//! Test runs: real handlers in them, agendas without Rust types, and mistakes in a test.

use pop_sdk::agenda::Agenda;
use pop_sdk::api::OperationState;
use pop_sdk::handler::Context;
use pop_sdk::testing::TestRun;
use pop_sdk::{HandlerError, operation, workflow};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[operation("t.count", output = Counted)]
#[derive(Deserialize, JsonSchema)]
struct Count {
    to: u32,
}

/// The attempts there were.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Counted {
    attempts: Vec<u32>,
}

workflow! {
    /// Counts.
    pub counting(to: u32) -> Counted {
        let count = Count { to } with { retry: 3, timeout: "1m" };
        Counted { attempts: count.attempts }
    }
}

/// Saves each attempt, and fails until there have been enough.
async fn count(ctx: Context, input: Count) -> Result<Counted, HandlerError> {
    let mut attempts: Vec<u32> = ctx.last_checkpoint().unwrap_or_default();
    attempts.push(ctx.attempt());
    ctx.checkpoint(&attempts)?;
    tokio::task::yield_now().await;
    if ctx.attempt() < input.to {
        return Err(HandlerError::error("not yet"));
    }
    Ok(Counted { attempts })
}

#[test]
fn a_handler_in_a_test_run_gets_what_it_saved() {
    let run = |to| TestRun::new(&counting::compile()).handle(count).run(&counting::Inputs { to }).unwrap();
    assert_eq!(run(3).outputs().unwrap().attempts, [1, 2, 3]);
    let never = run(9);
    assert_eq!((never.attempts("count"), never.failed()), (3, vec!["count"]));
}

#[test]
fn an_input_that_does_not_fit_fails_the_operation_once() {
    let agenda: Agenda = serde_json::from_value(json!({
        "operations": [{
            "name": "count", "type": "t.count", "payload": { "to": "three" }, "params": { "pop.retry": 3 }
        }]
    }))
    .unwrap();
    let run = TestRun::of_agenda(agenda).handle(count).run(&()).unwrap();
    let failure = run.failure_of("count").unwrap();
    assert_eq!((&*failure.code, run.attempts("count")), ("InputInvalid", 1));
    assert!(failure.message.contains("at `to`"), "{}", failure.message);
}

fn native() -> Agenda {
    serde_json::from_value(json!({
        "params": { "pop.result": { "sum": "@<add.out::/sum>" } },
        "operations": [
            { "name": "add", "type": "math.add", "payload": { "a": "@<one.out>", "b": 2 } },
            { "name": "one", "type": "pop.transform", "payload": { "value": 1 } },
            { "name": "rest", "type": "pop.sleep", "payload": { "seconds": 3600 }, "params": { "dependsOn": "add" } }
        ]
    }))
    .unwrap()
}

#[test]
fn an_agenda_without_rust_types_runs_with_untyped_mocks() {
    let add = |input: Value| {
        Ok(json!({ "sum": input["a"].as_i64().unwrap_or(0) + input["b"].as_i64().unwrap_or(0) }))
    };
    let run = TestRun::of_agenda(native()).mock_type("math.add", add).run(&()).unwrap();
    assert_eq!(run.order(), ["one", "add", "rest"]);
    assert_eq!(run.outputs().unwrap(), json!({ "sum": 3 }));
    assert_eq!(run.in_state(OperationState::Succeeded).len(), 3);
}

#[test]
fn a_mock_that_gives_what_its_type_does_not_declare_fails_as_the_program_would() {
    let mut agenda = native();
    let sum =
        json!({ "type": "object", "properties": { "sum": { "type": "integer" } }, "required": ["sum"] });
    agenda.params.insert("pop.types".into(), json!({ "math.add": { "output": sum } }));
    for (gives, code, found) in
        [(json!({ "sum": "3" }), "OutputInvalid", "\"3\""), (json!({}), "OutputMissing", "nothing")]
    {
        let run = TestRun::of_agenda(agenda.clone())
            .mock_type("math.add", move |_: Value| Ok(gives.clone()))
            .run(&())
            .unwrap();
        let failure = run.failure_of("add").unwrap();
        assert_eq!((&*failure.code, run.skipped()), (code, vec!["rest"]));
        let mismatch = failure.mismatch.as_ref().unwrap();
        assert_eq!((&*mismatch.field, &*mismatch.expected, &*mismatch.found), ("sum", "int", found));
    }
}

#[test]
fn a_type_without_a_mock_is_named() {
    let run = TestRun::of_agenda(native()).run(&()).unwrap();
    let failure = run.outputs().unwrap_err();
    assert_eq!((&*failure.code, failure.operation.as_deref()), ("NoMock", Some("add")));
    assert!(failure.message.contains("`math.add`"), "{}", failure.message);
    assert_eq!(run.skipped(), ["rest"]);
}

#[test]
#[should_panic(expected = "unknown operation `ad`; use one of add, one, rest")]
fn a_misspelt_operation_is_a_mistake_in_the_test() {
    let run = TestRun::of_agenda(native()).run(&()).unwrap();
    let _ = run.state("ad");
}
