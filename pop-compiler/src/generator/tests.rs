//! What generators say, promise and make, by value.

use serde_json::json;

use super::*;

fn operation(value: Value) -> Operation {
    serde_json::from_value(value).unwrap()
}

fn fan_out(value: Value) -> FanOut {
    let operation = operation(json!({"name": "g", "type": FAN_OUT_TYPE, "params": {"pop.fanOut": value}}));
    FanOut::of(&operation).unwrap().unwrap()
}

#[test]
fn an_item_is_data() {
    let fan_out = fan_out(json!({"name": "encode", "operations": [{"name": "encode", "type": "t",
        "payload": {"v": "@<pop.each::/v>", "text": "<@<pop.each::/v>>", "n": "@<pop.each_index>", "d": "@<pop.each::/no?=7>", "o": "@<other.out::/x>"},
        "params": {"pop.retry": {"attempts": "@<pop.each::/tries>"}}}]}));
    let generated =
        fan_out.make(&json!([{"v": "@<smuggled.out>", "tries": 2}, {"v": true, "tries": 1}])).unwrap();
    assert_eq!(generated[0].name, "encode.0");
    assert_eq!(
        generated[0].payload,
        json!({"v": "\\@<smuggled.out>", "text": "<\\@<smuggled.out>>", "n": 0, "d": 7, "o": "@<other.out::/x>"})
    );
    assert_eq!(
        (generated[1].name.as_str(), &generated[1].payload["v"], &generated[1].payload["text"]),
        ("encode.1", &json!(true), &json!("<true>"))
    );
    assert_eq!(generated[1].params["pop.retry"], json!({"attempts": 1}));
    assert_eq!(fan_out.make(&json!([])).unwrap(), []);
}

#[test]
fn what_an_item_lacks_is_told() {
    let fan_out = fan_out(
        json!({"name": "e", "operations": [{"name": "e", "type": "t", "payload": ["a @<pop.each::/v>"]}]}),
    );
    let why = |items: Value| fan_out.make(&items).unwrap_err();
    assert!(why(json!([{"v": 1}, {}])).contains("invalid item 1 of `e`: `@<pop.each::/v>` has no value"));
    assert!(why(json!([{"v": {}}])).contains("an object or list inside a text"));
    assert_eq!(why(json!({"v": 1})), "cannot fan out `e` over an object: expected a list");
    assert!(why(json!(vec![0; 100_001])).contains("the limit is 100000"));
}

#[test]
fn operations_that_belong_together_follow_their_item() {
    let fan_out = fan_out(json!({"name": "qc", "operations": [
        {"name": "qc/look", "type": "t", "payload": "@<pop.each>"},
        {"name": "qc/judge", "type": "t", "payload": ["@<qc/look.out::/v>", "@<qcx.out>"], "params": {"dependsOn": "qc/look, other"}},
        {"name": "qc", "type": "t", "payload": "@<qc/judge.out>", "params": {"dependsOn": ["qc/look", "x,y"]}}]}));
    let generated = fan_out.make(&json!(["a", "b"])).unwrap();
    let names: Vec<&str> = generated.iter().map(|o| o.name.as_str()).collect();
    assert_eq!(names, ["qc.0/look", "qc.0/judge", "qc.0", "qc.1/look", "qc.1/judge", "qc.1"]);
    assert_eq!(generated[4].payload, json!(["@<qc.1/look.out::/v>", "@<qcx.out>"]));
    assert_eq!(generated[4].params["dependsOn"], "qc.1/look,other");
    assert_eq!(generated[5].params["dependsOn"], json!(["qc.1/look", "x,y"]));
}

#[test]
fn a_generator_says_where_its_operations_are() {
    let of = |params: Value| Generator::of(&operation(json!({"name": "g", "type": "t", "params": params})));
    assert_eq!(of(json!({})), Ok(None));
    let marked = |value: Value| of(json!({ "agenda.operation.generator": value }));
    let full =
        marked(json!({"operationsJsonPointer": "/a/b", "paramsJsonPointer": "/p", "names": ["x.*", "y"]}));
    let full = full.unwrap().unwrap();
    assert_eq!(full.promises, [Promise::Family("x".into()), Promise::One("y".into())]);
    assert_eq!(marked(json!({"operationsJsonPointer": "/", "logOnly": true})), Ok(None));
    assert_eq!(marked(json!({"operationsJsonPointer": "a"})).unwrap_err().1, "/operationsJsonPointer");
    assert!(marked(json!(true)).is_err());

    let output = json!({"a": {"b": [{"name": "n", "type": "t"}]}});
    assert_eq!(full.read(output).unwrap()[0].name, "n");
    assert!(full.read(json!({"a": 1})).unwrap_err().contains("missing operations at `/a/b`"));
    assert!(full.read(json!({"a": {"b": {}}})).unwrap_err().contains("expected a list"));
    assert!(full.read(json!({"a": {"b": [5]}})).unwrap_err().contains("invalid operation 0"));

    let update = operation(json!({"name": "u", "type": UPDATE_TYPE}));
    assert_eq!(Generator::of(&update).unwrap().unwrap().pointer, "/operations");
}

#[test]
fn promised_names_are_found() {
    let mut promises = Promises::default();
    promises.add(3, vec![Promise::Family("a.b".into()), Promise::One("one".into())]);
    assert_eq!(promises.find("a.b"), Some((0, Wanted::Whole)));
    assert_eq!(promises.find("a.b.*"), Some((0, Wanted::Whole)));
    assert_eq!(promises.find("a.b.12"), Some((0, Wanted::Item(12))));
    assert_eq!(promises.find("one"), Some((1, Wanted::Whole)));
    for unknown in ["a.b.012", "a.b.", "a.b.x", "one.*", "one.0", "a", "a.b.0.1"] {
        assert_eq!(promises.find(unknown), None, "{unknown}");
    }
}
