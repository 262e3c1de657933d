//! Faults by value, and the original's samples when they are there.

use serde_json::{Value, json};

use super::*;

fn check(document: Value) -> Vec<(&'static str, String)> {
    let findings = agenda(&serde_json::from_value(document).unwrap());
    findings
        .into_iter()
        .map(|d| match d.primary.at {
            Location::Pointer(pointer) => (d.rule, pointer),
            Location::Span(_) => panic!("an agenda has no text"),
        })
        .collect()
}

fn operation(name: &str, payload: Value, after: &str) -> Value {
    json!({"name": name, "type": "t", "payload": payload, "params": {"dependsOn": after}})
}

#[test]
fn names() {
    assert_eq!(check(json!({"operations": []})), [("empty-workflow", "/operations".into())]);
    assert_eq!(check(json!({"operations": null})), [("empty-workflow", "/operations".into())]);
    assert_eq!(
        check(
            json!({"operations": [operation("foo", json!({}), ""), operation("FOo", json!({}), ""), {"type": "t"}, {"name": "x"}]})
        ),
        [
            ("duplicate-name", "/operations/1/name".into()),
            ("missing-key", "/operations/2".into()),
            ("missing-key", "/operations/3".into())
        ]
    );
}

#[test]
fn references() {
    let document = json!({"params": {"pop.result": {"r": "@<ghost.out>"}}, "operations": [
        operation("probe", json!({"id": "@<pop.agendaId>"}), ""),
        operation("encode", json!({"d": ["@<prob.out::/d>", "x@<probe::/d>"]}), "pakage"),
        operation("package", json!("@<package.out>"), ""),
        operation("pop", json!("@<pop.agendaid>"), "")]});
    let findings = agenda(&serde_json::from_value(document.clone()).unwrap());
    assert_eq!(
        check(document),
        [
            ("unknown-output", "/operations/1/payload/d/0".into()),
            ("unknown-operation", "/operations/1/params/dependsOn".into()),
            ("unknown-output", "/operations/1/payload/d/1".into()),
            ("self-reference", "/operations/2/payload".into()),
            ("unknown-output", "/operations/3/payload".into()),
            ("unknown-output", "/params/pop.result/r".into()),
        ]
    );
    let help: Vec<&str> = findings.iter().flat_map(|f| f.help.iter().map(String::as_str)).collect();
    assert_eq!(
        help[..4],
        [
            "did you mean `probe`?",
            "did you mean `package`?",
            "did you mean the output of that operation, `@<probe.out::/d>`?",
            "did you mean `@<pop.agendaId>`?",
        ]
    );
}

#[test]
fn cycles_through_references_and_order_are_one_finding_each() {
    let document = json!({"operations": [
        operation("a", json!("@<d.out>"), ""), operation("b", json!("@<a.out>"), ""), operation("c", json!({}), "b"),
        operation("d", json!("@<c.out>"), ""), operation("x.output", json!("@<y.out>"), ""), operation("y", json!("@<x.output.out>"), "")]});
    let findings = agenda(&serde_json::from_value(document).unwrap());
    let messages: Vec<&str> = findings.iter().map(|f| f.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "operations wait for each other: `a` → `b` → `c` → `d` → `a`",
            "operations wait for each other: `x.output` → `y` → `x.output`",
        ]
    );
}

#[test]
fn settings() {
    let document = json!({"operations": [{"name": "a", "type": "t", "params": {
        "pop.timeout": "soon", "pop.retry": {"attempts": 0}, "pop.resources": {"cpu": "many", "memory": "1000m", "gpu": 1}}}]});
    assert_eq!(
        check(document),
        [
            ("bad-duration", "/operations/0/params/pop.timeout".into()),
            ("wrong-shape", "/operations/0/params/pop.retry/attempts".into()),
            ("bad-quantity", "/operations/0/params/pop.resources/cpu".into()),
            ("tiny-memory", "/operations/0/params/pop.resources/memory".into()),
            ("unknown-key", "/operations/0/params/pop.resources/gpu".into()),
        ]
    );
}

#[test]
fn settings_of_the_wrong_shape() {
    let document = json!({"params": {"pop.onFailure": "halt", "pop.types": {"a/b": {"comand": []}}}, "operations": [
        {"name": "a", "type": "t", "payload": ["@<pop.agendaId::/>", "@<pop.agendaId::/x>", "@<pop.agendaId::/x?d>"],
         "params": {"pop.when": "yes", "dependsOn": 5, "pop.timeout": "@<b.out::/t>", "pop.each": [1]}},
        {"name": "b", "type": "t", "params": {"pop.when": "@<pop.agendaId>", "dependsOn": [1]}}]});
    assert_eq!(
        check(document),
        [
            ("bad-pointer", "/operations/0/payload/1".into()),
            ("wrong-shape", "/operations/0/params/dependsOn".into()),
            ("type-mismatch", "/operations/0/params/pop.when".into()),
            ("bad-duration", "/operations/0/params/pop.timeout".into()),
            ("unknown-key", "/operations/0/params/pop.each".into()),
            ("wrong-shape", "/operations/1/params/dependsOn/0".into()),
            ("type-mismatch", "/params/pop.onFailure".into()),
            ("wrong-shape", "/params/pop.types/a~1b".into()),
        ]
    );
}

#[test]
fn a_templates_settings_may_come_from_its_inputs() {
    let document = json!({"agenda": {"params": {"pop.onFailure": "@<pop.payload::/f>"}, "operations": [
        {"name": "a", "type": "t", "params": {"pop.each": "@<pop.payload::/l>", "pop.timeout": "@<pop.payload::/t>",
            "pop.retry": {"attempts": "@<pop.payload::/n>", "backoff": "soon"},
            "pop.resources": {"cpu": "@<pop.each::/cpu>", "memory": "lots"}}}]}});
    let findings = template(&serde_json::from_value(document).unwrap());
    let rules: Vec<_> = findings.iter().map(|f| f.rule).collect();
    assert_eq!(rules, ["bad-duration", "bad-quantity"]);
}

#[test]
fn very_many_findings_are_counted() {
    let n = 3_000;
    let long = "k".repeat(2_000);
    let operations: Vec<Value> = (0..n)
        .map(|i| json!({"name": format!("operation{i}"), "type": "t", "payload": {(long.clone()): format!("@<operatoin{i}.out>")}}))
        .collect();
    let findings = agenda(&serde_json::from_value(json!({ "operations": operations })).unwrap());
    assert_eq!(findings.len(), MOST_FINDINGS + 1);
    assert_eq!(findings[0].help, ["did you mean `operation0`?"]);
    assert_eq!(findings[0].primary.at, Location::Pointer("/operations/0/payload".into()));
    assert_eq!(findings[MOST_FINDINGS].message, "2000 more findings are not shown");
}

/// The folder of samples, if this machine has it.
#[expect(clippy::disallowed_methods, reason = "tests find their data through the environment")]
fn samples() -> Option<std::path::PathBuf> {
    let folder = std::env::var("POP_DATA").ok().map(|d| std::path::Path::new(&d).join("pop-samples"));
    if folder.is_none() {
        println!("skipped: POP_DATA is not set");
    }
    folder
}

fn read(folder: &std::path::Path, name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder.join(name)).unwrap()).unwrap()
}

#[test]
fn the_originals_agendas_are_clean_and_noop_is_not() {
    let Some(folder) = samples() else { return };
    for name in ["multi-sample", "sample", "two-encodes", "minimal", "obsolete-tokens"] {
        assert_eq!(check(read(&folder, &format!("{name}.agenda.json"))), [], "{name}");
    }
    assert_eq!(check(read(&folder, "noop.agenda.json")), [("empty-workflow", "/operations".into())]);
}

#[test]
fn the_originals_template_expands_as_it_did() {
    let Some(folder) = samples() else { return };
    let template: AgendaTemplate = serde_json::from_value(read(&folder, "template.json")).unwrap();
    let agenda = template.expand(&read(&folder, "template.parameters.json")).unwrap();
    let expected: Agenda = serde_json::from_value(read(&folder, "template.expanded.json")).unwrap();
    assert_eq!(agenda, expected);
}

#[test]
fn the_originals_references_resolve_as_they_did() {
    let Some(folder) = samples() else { return };
    let mut context = read(&folder, "references.context.json");
    context["agendaId"] = json!("456-789");
    let (value, report) = reference::substitute(
        &read(&folder, "references.json"),
        &|name| context.get(name),
        reference::Mode::Final,
    );
    assert_eq!(report, reference::Report::default());
    assert_eq!(value, read(&folder, "references.expected.json"));
}

fn generator(name: &str, names: Value, operations: Value) -> Value {
    json!({"name": name, "type": "pop.fanOut", "payload": {"items": []}, "params": {
        "agenda.operation.generator": {"operationsJsonPointer": "/operations", "names": names},
        "pop.fanOut": {"name": "e", "operations": operations}}})
}

#[test]
fn promised_operations_are_known_and_their_names_taken() {
    let inner = json!([{"name": "e", "type": "t", "payload": ["@<pop.each>", "@<nope.out>", "@<e.0.out>"], "params": {"pop.timeout": "2 hours"}}]);
    let document = json!({"params": {"pop.result": {"r": "@<e.*.out>", "s": "@<e.out>"}}, "operations": [
        generator("g", json!(["e.*", "one"]), inner),
        operation("a", json!(["@<e.3.out>", "@<e.*.out::/x>", "@<one.out>", "@<e.out>", "@<e.x.out>"]), "e"),
        operation("E.7", json!({}), ""),
        operation("One", json!({}), ""),
        {"name": "e.0", "type": "t", "params": {"generatedOperationParent": "g"}}]});
    assert_eq!(
        check(document),
        [
            ("duplicate-name", "/operations/2/name".into()),
            ("duplicate-name", "/operations/3/name".into()),
            ("unknown-output", "/operations/0/params/pop.fanOut/operations/0/payload/1".into()),
            ("self-reference", "/operations/0/params/pop.fanOut/operations/0/payload/2".into()),
            ("bad-duration", "/operations/0/params/pop.fanOut/operations/0/params/pop.timeout".into()),
            ("missing-index", "/operations/1/payload/3".into()),
            ("unknown-output", "/operations/1/payload/4".into()),
            ("missing-index", "/params/pop.result/s".into()),
        ]
    );
}

#[test]
fn a_cycle_may_go_through_what_is_promised() {
    let inner = json!([{"name": "e", "type": "t", "payload": "@<b.out>"}]);
    let document = json!({"operations": [
        generator("e.each", json!(["e.*"]), inner), operation("a", json!("@<e.0.out>"), ""), operation("b", json!({}), "a")]});
    let findings = agenda(&serde_json::from_value(document).unwrap());
    assert_eq!(findings.len(), 1);
    assert!(findings[0].message.contains("`a` → `b` → `e.*` → `a`"), "{}", findings[0].message);
}

#[test]
fn a_generator_that_can_not_be_read_is_told() {
    let document = json!({"operations": [
        {"name": "a", "type": "t", "params": {"agenda.operation.generator": {"names": ["x"]}}},
        {"name": "b", "type": "pop.fanOut", "params": {"pop.fanOut": {"name": "b", "operations": [{"name": "b"}]}}},
        {"name": "c", "type": "pop.fanOut"}]});
    let rules: Vec<&str> = check(document).into_iter().map(|(rule, _)| rule).collect();
    assert_eq!(rules, ["wrong-shape", "missing-key", "missing-key", "missing-key"]);
}

struct Known;

impl Around for Known {
    fn knows(&self, name: &str) -> bool {
        name == "old" || name == "e.*"
    }

    fn is_taken(&self, folded: &str) -> bool {
        folded == "old"
    }

    fn family(&self, _: &str) -> Option<String> {
        None
    }
}

#[test]
fn what_was_made_is_checked_beside_what_is_there() {
    let generated = |operations: Value, promises: &[Promise]| {
        let operations: Agenda = serde_json::from_value(json!({ "operations": operations })).unwrap();
        let findings = super::generated(&operations, promises, &Known);
        findings.into_iter().map(|d| d.rule).collect::<Vec<_>>()
    };
    let family = [Promise::Family("e".into())];
    assert_eq!(generated(json!([]), &family), Vec::<&str>::new());
    let good =
        json!([operation("e.0", json!("@<old.out>"), ""), operation("e.1", json!("@<e.0.out>"), "old")]);
    assert_eq!(generated(good, &family), Vec::<&str>::new());
    assert_eq!(generated(json!([operation("e.1", json!({}), "")]), &family), ["unknown-operation"]);
    assert_eq!(generated(json!([]), &[Promise::One("x".into())]), ["unknown-operation"]);
    let bad = json!([
        operation("OLD", json!({}), ""),
        operation("a", json!("@<b.out>"), ""),
        operation("b", json!("@<a.out>"), "new")
    ]);
    assert_eq!(generated(bad, &[]), ["duplicate-name", "unknown-operation", "cycle"]);
    let circle =
        json!([operation("e.0", json!("@<sum.out>"), ""), operation("sum", json!("@<e.*.out>"), "")]);
    assert_eq!(generated(circle, &family), ["cycle"]);
}
