//! Templates by value.

use serde_json::json;

use super::*;
use crate::agenda::Operation;

fn template(document: Value) -> AgendaTemplate {
    serde_json::from_value(document).unwrap()
}

fn payloads(agenda: &Agenda) -> Vec<(&str, &Value)> {
    agenda.operations.iter().map(|Operation { name, payload, .. }| (name.as_str(), payload)).collect()
}

fn rules(result: Result<Agenda, Vec<Diagnostic>>) -> Vec<(&'static str, Location)> {
    result.err().unwrap_or_default().into_iter().map(|d| (d.rule, d.primary.at)).collect()
}

fn at(pointer: &str) -> Location {
    Location::Pointer(pointer.into())
}

#[test]
fn how_types_run_is_the_same_whatever_is_submitted() {
    let types = json!({"t": {"command": ["echo", "@<pop.payload::/x>"], "output": {"const": "@<n>"}}});
    let t = template(json!({"staticParameters": {"n": 3},
        "agenda": {"params": {"pop.types": types, "other": "@<n>"}, "operations": [{"name": "a", "type": "t"}]}}));
    let agenda = t.expand(&json!({"x": "y"})).unwrap();
    assert_eq!((&agenda.params["pop.types"], &agenda.params["other"]), (&types, &json!(3)));
}

#[test]
fn static_parameters_and_the_payload_are_filled_in_and_operations_left() {
    let t = template(json!({"staticParameters": {"ver": "1.5", "n": 3, "flag": true},
        "agenda": {"customerId": "@<pop.payload::/customerId?C1>", "linkId": "@<pop.payload::/linkId?>",
            "params": {"externalId": "ext-@<pop.payload::/ext>"},
            "operations": [
                {"name": "o-@<n>", "type": "sample", "payload": {"v": "@<ver>", "f": "@<flag>", "in": "@<pop.payload::/input>"}},
                {"name": "o2", "type": "sample", "payload": {"prev": "@<o-3.out::/r>"}}]}}));
    let agenda = t.expand(&json!({"ext": 9, "input": {"hdr": true}})).unwrap();
    assert_eq!((agenda.customer_id.as_deref(), agenda.link_id.as_deref()), (Some("C1"), None));
    assert_eq!(agenda.params["externalId"], "ext-9");
    assert_eq!(
        payloads(&agenda),
        [
            ("o-3", &json!({"v": "1.5", "f": true, "in": {"hdr": true}})),
            ("o2", &json!({"prev": "@<o-3.out::/r>"})),
        ]
    );
}

#[test]
fn an_input_can_not_smuggle_a_reference_in() {
    let t = template(
        json!({"agenda": {"operations": [{"name": "a", "type": "t", "payload": "@<pop.payload::/x>"}]}}),
    );
    let agenda = t.expand(&json!({"x": "@<secret.out>", "secret.out": "gotcha"})).unwrap();
    assert_eq!(agenda.operations[0].payload, "\\@<secret.out>");
}

#[test]
fn inputs_are_checked_all_at_once_and_defaults_filled() {
    let t = template(json!({
        "params": {"pop.inputs": {"type": "object", "required": ["source"], "additionalProperties": false,
            "properties": {"source": {"type": "string"}, "rungs": {"type": "array", "items": {"$ref": "#/$defs/Rung"}, "default": [{"height": 720}]},
                "codec": {"enum": ["h264", "h265"], "default": "h264"}, "notify": {"type": ["string", "null"]}},
            "$defs": {"Rung": {"type": "object", "required": ["height"], "properties": {"height": {"type": "integer"}}}}}},
        "agenda": {"operations": [{"name": "a", "type": "t", "payload": ["@<pop.payload::/rungs>", "@<pop.payload::/notify>"]}]}}));
    let agenda = t.expand(&json!({"source": "x"})).unwrap();
    assert_eq!(agenda.operations[0].payload, json!([[{"height": 720}], null]));
    let got = rules(t.expand(&json!({"sorce": "x", "codec": "h256", "rungs": [{"height": "tall"}]})));
    assert_eq!(
        got,
        [
            ("missing-input", at("")),
            ("extra-input", at("/sorce")),
            ("type-mismatch", at("/codec")),
            ("type-mismatch", at("/rungs/0/height")),
        ]
    );
}

#[test]
fn a_fan_out_becomes_one_operation_for_each_item() {
    let t = template(json!({"agenda": {
        "params": {"pop.result": {"files": "@<encode.*.out::/file>", "first": "@<encode.0.out::/file>"}},
        "operations": [
            {"name": "encode", "type": "t", "payload": {"h": "@<pop.each::/height>", "n": "@<pop.each_index>"},
             "params": {"pop.each": "@<pop.payload::/rungs>"}},
            {"name": "audit", "type": "t", "params": {"dependsOn": "encode"}},
            {"name": "package", "type": "t", "payload": {"all": "@<encode.*.out::/file>"}, "params": {"dependsOn": "audit"}}]}}));
    let agenda = t.expand(&json!({"rungs": [{"height": 1080}, {"height": 720}]})).unwrap();
    assert_eq!(
        payloads(&agenda)[..2],
        [("encode.0", &json!({"h": 1080, "n": 0})), ("encode.1", &json!({"h": 720, "n": 1}))]
    );
    assert_eq!(agenda.operations[2].params["dependsOn"], "encode.0,encode.1");
    assert_eq!(
        agenda.operations[3].payload,
        json!({"all": ["@<encode.0.out::/file>", "@<encode.1.out::/file>"]})
    );
    assert_eq!(agenda.params["pop.result"]["first"], "@<encode.0.out::/file>");

    assert_eq!(
        rules(t.expand(&json!({"rungs": 5}))),
        [("not-a-list", at("/agenda/operations/0/params/pop.each"))]
    );
    assert_eq!(rules(t.expand(&json!({"rungs": []}))), [("unknown-output", at("/agenda/params"))]);
}

#[test]
fn a_list_that_an_operation_gives_is_left_to_a_generator() {
    let t = template(json!({"agenda": {"operations": [
        {"name": "probe", "type": "t"},
        {"name": "encode", "type": "t", "payload": ["@<pop.each::/f>", "@<title>", "@<sizes.*.out>"],
         "params": {"pop.each": "@<probe.out::/items>", "pop.timeout": "2h", "pop.when": "@<probe.out::/go>", "dependsOn": "sizes"}},
        {"name": "some", "type": "t", "params": {"pop.each": "@<encode.*.out>", "pop.when": "@<pop.each::/go>"}},
        {"name": "sizes", "type": "t", "params": {"pop.each": [1, 2]}},
        {"name": "package", "type": "t", "payload": "@<encode.*.out::/file>", "params": {"dependsOn": "encode"}}]}}));
    assert_eq!(crate::validate::template(&t), []);
    let agenda = t.expand(&json!({"title": "@<x.out>"})).unwrap();
    assert_eq!(crate::validate::agenda(&agenda), []);
    let made = |i: usize| serde_json::to_value(&agenda.operations[i]).unwrap();
    assert_eq!(
        made(1),
        json!({"name": "encode.each", "type": "pop.fanOut", "payload": {"items": "@<probe.out::/items>"}, "params": {
            "dependsOn": "sizes.0,sizes.1",
            "agenda.operation.generator": {"operationsJsonPointer": "/operations", "names": ["encode.*"]},
            "pop.fanOut": {"name": "encode", "operations": [{"name": "encode", "type": "t",
                "payload": ["@<pop.each::/f>", "\\@<x.out>", ["@<sizes.0.out>", "@<sizes.1.out>"]], "params": {"pop.timeout": "2h"}}]},
            "pop.when": "@<probe.out::/go>"}})
    );
    // A condition on the item is asked for each item.
    let inner = &made(2)["params"]["pop.fanOut"]["operations"][0]["params"];
    assert_eq!((&inner["pop.when"], made(2)["params"].get("pop.when")), (&json!("@<pop.each::/go>"), None));
    assert_eq!(made(5)["payload"], "@<encode.*.out::/file>");
}

#[test]
fn a_path_goes_on_inside_a_reference_of_an_item() {
    let t = template(json!({"agenda": {"operations": [{"name": "x", "type": "t"},
        {"name": "e", "type": "t", "payload": ["@<pop.each::/f/0>", "<@<pop.each::/f>>"], "params": {"pop.each": ["@<x.out::/y>", {"f": "@<x.out>"}]}}]}}));
    let agenda = t.expand(&json!({})).unwrap();
    assert_eq!(agenda.operations[1].payload, json!(["@<x.out::/y/f/0>", "<@<x.out::/y/f>>"]));
    assert_eq!(agenda.operations[2].payload, json!(["@<x.out::/0>", "<@<x.out>>"]));
}

#[test]
fn an_item_can_not_smuggle_a_reference_in() {
    let t = template(json!({"agenda": {"operations": [
        {"name": "e", "type": "t", "payload": "@<pop.each>", "params": {"pop.each": "@<pop.payload::/l>"}}]}}));
    let agenda = t.expand(&json!({"l": ["@<x.out>"]})).unwrap();
    assert_eq!(agenda.operations[0].payload, "\\@<x.out>");
}

#[test]
fn the_items_of_a_written_list_may_refer_to_operations() {
    let t = template(json!({"agenda": {"operations": [
        {"name": "e", "type": "t", "payload": ["@<pop.each>", "-@<pop.each>-"], "params": {"pop.each": ["@<x.out>", "\\@<y>"]}}]}}));
    let agenda = t.expand(&json!({})).unwrap();
    assert_eq!(agenda.operations[0].payload, json!(["@<x.out>", "-@<x.out>-"]));
    assert_eq!(agenda.operations[1].payload, json!(["\\@<y>", "-\\@<y>-"]));
}

#[test]
fn labels_are_filled_in_for_good() {
    let t = template(json!({"agenda": {"title": "@<pop.payload::/t>", "linkId": "\\@<x>", "operations": [
        {"name": "n-@<t>", "type": "t", "payload": "@<t>"}]}}));
    let agenda = t.expand(&json!({"t": "see @<x.out>"})).unwrap();
    assert_eq!((agenda.title.as_deref(), agenda.link_id.as_deref()), (Some("see @<x.out>"), Some("@<x>")));
    assert_eq!(payloads(&agenda), [("n-see @<x.out>", &json!("see \\@<x.out>"))]);

    // A name that nobody knows would stay there as text.
    let t =
        template(json!({"agenda": {"customerId": "@<custmer>", "operations": [{"name": "a", "type": "t"}]}}));
    assert_eq!(rules(t.expand(&json!({}))), [("unknown-input", at("/agenda/customerId"))]);
}

#[test]
fn a_default_beside_a_named_type_counts() {
    let t = template(json!({
        "params": {"pop.inputs": {"type": "object", "properties": {"r": {"$ref": "#/$defs/R", "default": {"h": 1}}},
            "$defs": {"R": {"type": "object", "properties": {"h": {"type": "integer"}}}}}},
        "agenda": {"operations": [{"name": "a", "type": "t", "payload": "@<r>"}]}}));
    assert_eq!(payloads(&t.expand(&json!({})).unwrap()), [("a", &json!({"h": 1}))]);
    assert_eq!(rules(t.expand(&json!({"r": {"h": "x"}}))), [("type-mismatch", at("/r/h"))]);
}

#[test]
fn a_list_of_dependencies_stays_a_list() {
    let t = template(json!({"agenda": {"operations": [
        {"name": "e", "type": "t", "params": {"pop.each": [1, 2]}}, {"name": "x,y", "type": "t"},
        {"name": "a", "type": "t", "params": {"dependsOn": ["x,y", "e"]}}]}}));
    assert_eq!(t.expand(&json!({})).unwrap().operations[3].params["dependsOn"], json!(["x,y", "e.0", "e.1"]));
}

#[test]
fn alternatives_inside_alternatives_end() {
    let branch = |more: Value| json!({"type": "object", "additionalProperties": false, "properties": {"c": {"$ref": "#/$defs/T"}, "d": more}});
    let t = template(json!({
        "params": {"pop.inputs": {"type": "object", "properties": {"t": {"$ref": "#/$defs/T"}},
            "$defs": {"T": {"anyOf": [branch(json!({})), branch(json!({"type": "null"}))]}}}},
        "agenda": {"operations": [{"name": "a", "type": "t"}]}}));
    let nested = (0..30).fold(json!({"bad": 1}), |value, _| json!({ "c": value }));
    assert_eq!(rules(t.expand(&json!({ "t": nested }))), [("type-mismatch", at(""))]);
}

#[test]
fn an_item_without_what_is_asked_of_it_is_told_once() {
    let t = template(json!({"agenda": {"operations": [
        {"name": "a", "type": "t", "payload": ["@<pop.each::/h>", "@<pop.each::/w?0>"],
         "params": {"pop.each": [{"h": 1}, {}, {}], "pop.when": "@<pop.each::/h>"}}]}}));
    let faults = t.expand(&json!({})).unwrap_err();
    assert_eq!(faults[0].message, "`@<pop.each::/h>` has no value in item 1 of `a`");
    assert_eq!(rules(Err(faults)), [("unknown-field", at("/agenda/operations/0/payload"))]);
}

#[test]
fn fan_outs_that_multiply_are_refused() {
    let list = vec![0; 2_000];
    let t = template(json!({"agenda": {"operations": [
        {"name": "a", "type": "t", "params": {"pop.each": list}},
        {"name": "b", "type": "t", "payload": "@<a.*.out>", "params": {"pop.each": list}}]}}));
    assert_eq!(rules(t.expand(&json!({}))), [("too-large", at("/agenda/operations/1/payload"))]);
}
