//! Generators by value: what they make runs, and who waits for it waits for all of it.

use pop_compiler::agenda::AgendaTemplate;
use pop_compiler::agenda::keys;

use super::*;

/// The agenda of a template without inputs.
fn expanded(operations: Value, result: Value) -> Agenda {
    let template: AgendaTemplate = serde_json::from_value(
        json!({"agenda": {"params": {"pop.result": result}, "operations": operations}}),
    )
    .unwrap();
    template.expand(&json!({})).unwrap()
}

/// `encode` for each of what `probe` gives; `package` takes all, `first` one, `audit` only waits.
fn fan_out() -> Agenda {
    expanded(
        json!([
            {"name": "probe", "type": "t"},
            {"name": "encode", "type": "t", "payload": "@<pop.each>", "params": {"pop.each": "@<probe.out::/items>"}},
            {"name": "package", "type": "t", "payload": {"all": "@<encode.*.out::/f>", "some": "@<encode.*.out::/g?=0>"}},
            {"name": "first", "type": "t", "payload": "@<encode.0.out::/f>"},
            {"name": "third", "type": "t", "payload": "@<encode.2.out::/f?none>"},
            {"name": "audit", "type": "t", "params": {"dependsOn": "encode"}}]),
        json!({"files": "@<encode.*.out::/f>"}),
    )
}

impl Hand {
    /// Succeeds with the operations of a fan-out over these items.
    fn fan_out(&mut self, name: &str, items: &Value) {
        let made = self.run.plan().steps[self.op(name).0].fan_out.clone().unwrap().make(items).unwrap();
        self.exit(name, Ok(json!({ "operations": made })));
    }

    fn failure(&self) -> (Option<String>, String) {
        let failure = self.end.clone().unwrap().failure.unwrap();
        (failure.operation, failure.message)
    }
}

fn done(name: &str, output: Value) -> OperationView {
    let state = OperationState::Succeeded;
    OperationView { name: name.into(), state, attempt: 1, output: Some(output), ..OperationView::default() }
}

#[test]
fn who_refers_to_a_fan_out_waits_for_what_it_makes() {
    let mut hand = Hand::start(&fan_out(), &[]);
    hand.succeed("probe", json!({"items": ["a", "b"]}));
    assert_eq!(hand.launched.last().unwrap(), &("encode.each".into(), 1, json!({"items": ["a", "b"]})));
    hand.fan_out("encode.each", &json!(["a", "b"]));
    let generated: Vec<&str> = hand.generated.iter().map(|o| o.name.as_str()).collect();
    assert_eq!((generated, hand.launched.len()), (vec!["encode.0", "encode.1"], 2), "made is not committed");
    assert!(hand.generated.iter().all(|o| o.params[keys::GENERATED_BY] == "encode.each"));
    hand.commit("encode.each");
    // There is no third, and its reader copes.
    assert_eq!(hand.launches()[2..], ["encode.0", "encode.1", "third"]);
    assert_eq!(hand.launched[3].2, json!("b"));
    assert_eq!(hand.launched[4].2, json!("none"));
    hand.succeed("encode.0", json!({"f": 10}));
    assert_eq!(hand.launches()[5..], ["first"]);
    hand.succeed("encode.1", json!({"f": 11, "g": 1}));
    assert_eq!(hand.launches()[6..], ["package", "audit"]);
    assert_eq!(hand.launched[6].2, json!({"all": [10, 11], "some": [0, 1]}));
    for name in ["third", "first", "package", "audit"] {
        hand.succeed(name, json!({}));
    }
    assert_eq!(hand.end.unwrap().outputs, Some(json!({"files": [10, 11]})));
}

#[test]
fn no_items_make_empty_lists() {
    let mut hand = Hand::start(&fan_out(), &[]);
    hand.succeed("probe", json!({"items": []}));
    hand.fan_out("encode.each", &json!([]));
    hand.commit("encode.each");
    // `first` asks for one that was not made.
    assert_eq!(hand.launches()[2..], ["package", "third", "audit"]);
    assert_eq!(hand.launched[2].2, json!({"all": [], "some": []}));
    hand.commit("first");
    for name in ["third", "package", "audit"] {
        hand.succeed(name, json!({}));
    }
    let (operation, message) = hand.failure();
    assert_eq!(operation.as_deref(), Some("first"));
    assert!(message.contains("`encode` has 0 items"), "{message}");
}

#[test]
fn a_later_lease_goes_on_with_what_was_made() {
    let mut hand = Hand::start(&fan_out(), &[]);
    hand.succeed("probe", json!({"items": ["a", "b"]}));
    hand.fan_out("encode.each", &json!(["a", "b"]));
    hand.commit("encode.each");
    let mut agenda = fan_out();
    agenda.operations.append(&mut hand.generated);
    let prior = [
        done("probe", json!({})),
        done("encode.each", json!({"count": 2})),
        done("encode.1", json!({"f": 1})),
    ];
    let mut hand = Hand::start(&agenda, &prior);
    assert_eq!(hand.launches(), ["third", "encode.0"], "the fan-out does not run again");
    hand.succeed("encode.0", json!({"f": 0}));
    assert_eq!(hand.launched[3].2, json!({"all": [0, 1], "some": [0, 0]}));
    assert!(hand.generated.is_empty());
    // The same where nothing was made.
    let hand = Hand::start(&fan_out(), &[done("probe", json!({})), done("encode.each", json!({"count": 0}))]);
    assert_eq!(hand.launches(), ["package", "third", "audit"]);
}

#[test]
fn a_skipped_fan_out_skips_what_can_not_do_without() {
    let mut agenda = fan_out();
    agenda.operations[1].params.insert(keys::WHEN.into(), json!(false));
    let mut hand = Hand::start(&agenda, &[]);
    hand.succeed("probe", json!({"items": []}));
    assert_eq!(hand.state("package"), OperationState::Skipped);
    assert_eq!(hand.state("first"), OperationState::Skipped);
    assert_eq!(hand.launches(), ["probe", "third", "audit"]);
    hand.succeed("third", json!({}));
    hand.succeed("audit", json!({}));
    let end = hand.end.unwrap();
    assert_eq!((end.state, end.outputs), (AgendaState::Succeeded, Some(json!({"files": null}))));
}

#[test]
fn a_failed_fan_out_fails_those_behind_it() {
    let mut hand = Hand::start(&fan_out(), &[]);
    hand.succeed("probe", json!({"items": 5}));
    hand.exit("encode.each", Err(user_failure()));
    hand.commit("encode.each");
    for name in ["package", "first", "third", "audit"] {
        assert_eq!(hand.state(name), OperationState::Skipped, "{name}");
    }
    assert_eq!(hand.end_state(), Some(AgendaState::Failed));
}

fn generator(names: Value) -> Operation {
    operation(
        "g",
        json!({}),
        json!({"agenda.operation.generator": {"operationsJsonPointer": "/made", "names": names}}),
    )
}

/// What is said of a generator that made these.
fn refused(others: Vec<Operation>, names: Value, made: Value) -> String {
    let mut operations = vec![generator(names)];
    operations.extend(others);
    let mut hand = Hand::start(&agenda(operations, json!({"pop.onFailure": "stop"})), &[]);
    hand.exit("g", Ok(json!({ "made": made })));
    assert!(hand.generated.is_empty());
    assert_eq!(hand.state("g"), OperationState::Failed);
    hand.run.operation(0).unwrap().failure.clone().unwrap().message
}

#[test]
fn what_a_generator_made_is_checked() {
    let op = |name: &str, payload: &str| json!({"name": name, "type": "t", "payload": payload});
    let says = |others: Vec<Operation>, names: Value, made: Value, words: &str| {
        let message = refused(others, names, made);
        assert!(message.contains(words), "{message}");
    };
    says(vec![], json!([]), json!({}), "invalid operations at `/made`: expected a list");
    says(vec![], json!([]), json!([op("G", "")]), "/made/0/name: the name `G` is taken");
    says(
        vec![],
        json!([]),
        json!([op("a", "@<nobody.out>")]),
        "/made/0/payload: `@<nobody.out>` refers to operation `nobody`",
    );
    says(vec![], json!(["x"]), json!([op("a", "")]), "the generator promised an operation `x`");
    says(vec![], json!(["x.*"]), json!([op("x.1", "")]), "but not `x.0`");
    says(
        vec![],
        json!([]),
        json!([op("a", "@<b.out>"), op("b", "@<a.out>")]),
        "operations wait for each other: `a` → `b` → `a`",
    );
    let timeout = json!([{"name": "a", "type": "t", "params": {"pop.timeout": "2 hours"}}]);
    says(vec![], json!([]), timeout, "/made/0/params/pop.timeout");
    // A circle through what waits already.
    let waits = || {
        vec![
            operation("late", json!("@<x.*.out>"), json!({})),
            operation("later", json!("@<late.out>"), json!({})),
        ]
    };
    says(
        waits(),
        json!(["x.*"]),
        json!([op("x.0", "@<later.out>")]),
        "the generated operation `x.0` waits for `later`",
    );
    // A name that another generator will use.
    let other = json!({"agenda.operation.generator": {"operationsJsonPointer": "", "names": ["y.*"]}});
    let other = || vec![operation("h", json!({}), other.clone())];
    says(other(), json!([]), json!([op("Y.3", "")]), "the name `Y.3` is taken");
}

#[test]
fn what_is_made_may_make_more() {
    let made = json!([
        {"name": "p.0", "type": "t"},
        {"name": "h", "type": "t", "params": {"agenda.operation.generator": {"operationsJsonPointer": "", "names": ["one", "q.*"]}}},
        {"name": "sum", "type": "t", "payload": ["@<p.*.out>", "@<q.*.out>", "@<one.out>"]}]);
    let wants = operation("wants", json!(["@<p.*.out>", "@<sum.out>"]), json!({}));
    let mut hand = Hand::start(&agenda(vec![generator(json!(["p.*", "sum"])), wants], json!({})), &[]);
    hand.succeed("g", json!({ "made": made }));
    assert_eq!(hand.launches(), ["g", "p.0", "h"]);
    hand.succeed("p.0", json!(1));
    hand.succeed(
        "h",
        json!([{"name": "one", "type": "t"}, {"name": "q.0", "type": "t"}, {"name": "q.1", "type": "t"}]),
    );
    for (name, output) in [("q.1", 3), ("one", 4), ("q.0", 2)] {
        hand.succeed(name, json!(output));
    }
    assert_eq!(hand.launched[6], ("sum".into(), 1, json!([[1], [2, 3], 4])));
    hand.succeed("sum", json!(10));
    assert_eq!(hand.launched[7], ("wants".into(), 1, json!([[1], 10])));
    hand.succeed("wants", json!({}));
    assert_eq!(hand.end_state(), Some(AgendaState::Succeeded));
}

#[test]
fn what_comes_after_a_cancel_is_cancelled() {
    let mut hand = Hand::start(&fan_out(), &[]);
    hand.succeed("probe", json!({"items": ["a"]}));
    hand.fan_out("encode.each", &json!(["a"]));
    hand.event(Event::Cancel);
    hand.commit("encode.each");
    assert_eq!(hand.state("encode.0"), OperationState::Cancelled);
    assert_eq!(hand.end_state(), Some(AgendaState::Cancelled));
}

#[test]
fn a_wide_fan_out_takes_time_in_proportion() {
    let mut hand = Hand::start(&fan_out(), &[]);
    let n = 50_000;
    hand.succeed("probe", json!({"items": []}));
    hand.fan_out("encode.each", &json!(vec![0; n]));
    hand.commit("encode.each");
    assert_eq!(hand.launched.len(), n + 2);
}
