//! Outputs are what they are declared to be, and a skip says why.

use super::*;

/// Operations `given` and `reader`, which reads it; the type of `given` declares this output.
fn declared(output: Value, stdout: &str) -> Agenda {
    let types = json!({"pop.types": {"t.given": {"command": ["x"], "stdout": stdout, "output": output}}});
    let given = Operation { kind: "t.given".into(), ..operation("given", json!({}), json!({})) };
    agenda(vec![given, operation("reader", json!("@<given.out::/n>"), json!({}))], types)
}

fn record(properties: Value) -> Value {
    let required: Vec<String> = properties.as_object().unwrap().keys().cloned().collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

/// How `given` ends when it gives this.
fn ended(agenda: &Agenda, output: Value) -> (Hand, Option<Failure>) {
    let mut hand = Hand::start(agenda, &[]);
    hand.exit("given", Ok(output));
    hand.commit("given");
    let failure = hand.run.operation(0).unwrap().failure.clone();
    (hand, failure)
}

#[test]
fn an_output_of_another_type_fails_the_operation_that_gave_it() {
    let agenda = declared(record(json!({"n": {"type": "integer"}})), "json");
    let (hand, failure) = ended(&agenda, json!({"n": 3}));
    assert_eq!((hand.launches(), failure), (vec!["given", "reader"], None));
    let (hand, failure) = ended(&agenda, json!({"n": "three"}));
    let failure = failure.unwrap();
    assert_eq!((failure.class, failure.code.as_str()), (FailureClass::User, "OutputInvalid"));
    let mismatch = failure.mismatch.unwrap();
    let parts = [&mismatch.field, &mismatch.expected, &mismatch.found].map(String::as_str);
    assert_eq!(parts, ["n", "int", "\"three\""]);
    assert_eq!(
        failure.message,
        "the output does not match its type `t.given`: `n` is \"three\", expected `int`. Correct the program, or the declared `output`."
    );
    assert_eq!(hand.state("reader"), OperationState::Skipped);
    assert_eq!(hand.launches(), ["given"]);
    assert_eq!(hand.end.unwrap().failure.unwrap().operation.as_deref(), Some("given"));
}

#[test]
fn a_field_that_is_not_there_is_missing() {
    let output = record(json!({"n": {"type": "integer"}}));
    let missing = |agenda: &Agenda, output| {
        let failure = ended(agenda, output).1.unwrap();
        let mismatch = failure.mismatch.unwrap();
        (failure.code, mismatch.field, mismatch.expected, mismatch.found, failure.message)
    };
    let is = |(code, field, expected, found, message): (String, String, String, String, String),
              text: &str| {
        assert_eq!([code, field, expected, found], ["OutputMissing", "n", "int", "nothing"]);
        assert!(message.contains(text), "{message}");
    };
    is(
        missing(&declared(output.clone(), "json"), json!({})),
        "Add the field to the output, or declare the field optional",
    );
    is(missing(&declared(output, "log"), json!({})), "Write JSON to `$POP_OUTPUT_FILE`");
}

#[test]
fn a_wrong_output_is_tried_again_like_any_error() {
    let mut agenda = declared(record(json!({"n": {"type": "integer"}})), "json");
    agenda.operations[0].params.insert("pop.retry".into(), json!({"attempts": 2}));
    let (hand, _) = ended(&agenda, json!({"n": null}));
    assert_eq!(hand.state("given"), OperationState::Ready);
    assert_eq!(hand.timers.len(), 1);
}

#[test]
fn a_skip_names_what_it_comes_from() {
    let agenda = agenda(
        vec![
            operation("off", json!({}), json!({"pop.when": false})),
            operation("reader", json!("@<off.out::/x>"), json!({})),
            operation("second", json!("@<reader.out::/x>"), json!({})),
            operation("bad", json!({}), json!({})),
            operation("after", json!({}), json!({"dependsOn": "bad"})),
            operation("last", json!({}), json!({"dependsOn": "after, bad"})),
            operation("chained", json!({}), json!({"dependsOn": "after"})),
            operation("both", json!("@<off.out::/x>"), json!({"dependsOn": "bad"})),
        ],
        json!({}),
    );
    let mut hand = Hand::start(&agenda, &[]);
    hand.exit("bad", Err(user_failure()));
    hand.commit("bad");
    let told = |name: &str| {
        let view = hand.run.operation(hand.op(name).0).unwrap();
        assert_eq!(view.state, OperationState::Skipped, "{name}");
        let message = view.failure.as_ref().map(|failure| failure.message.clone());
        (view.message.clone(), message)
    };
    let condition = |text: &str| (Some(text.to_owned()), None);
    let failure = |text: &str| (None, Some(text.to_owned()));
    assert_eq!(told("off"), condition("the condition was false"));
    assert_eq!(told("reader"), condition("`off`, whose output it needs, was skipped"));
    assert_eq!(told("second"), condition("`reader`, whose output it needs, was skipped"));
    assert_eq!(told("after"), failure("`bad`, which it needs, failed"));
    assert_eq!(told("last"), failure("`bad`, which it needs, failed"));
    assert_eq!(told("chained"), failure("`after`, which it needs, was skipped for a failure"));
    assert_eq!(told("both"), failure("`bad`, which it needs, failed"));
}
