//! A fan-out means the same whether its list is written out, submitted, or given by an operation: whole workflows are
//! compiled, run and compared.

use pop_compiler::generator::FAN_OUT_TYPE;
use pop_compiler::source::Source;
use pop_compiler::{Format, Options, compile};

use super::*;

const INNER: &str = r#"
[workflow]
name = "inner"
[inputs]
n     = "int"
parts = { type = "list<int>", default = [7, 8] }
label = { type = "string", default = "x" }
deep  = { type = "bool", default = true }
[operations.look]
uses = "pop.transform"
with = { value = { v = "${inputs.n}", more = ["${inputs.n}", 5] } }
when = "${inputs.deep}"
[operations.part]
uses = "pop.transform"
each = "${inputs.parts}"
with = { value = { p = "${each}", n = "${inputs.n}", l = "${inputs.label}", i = "${each_index}" } }
after = "look"
[operations.later]
uses = "pop.transform"
each = "${look.more}"
with = { value = "${inputs.label}-${each}" }
[operations.big]
uses = "pop.transform"
each = [{ go = true, v = 1 }, { go = false, v = 2 }]
with = { value = "${each.v}" }
when = "${each.go}"
[outputs]
n     = "${look.v}"
parts = "${part[*].p}"
later = "${later[*]}"
first = "${part[0].n}"
text  = "${inputs.label}/${part[0].i}"
big   = "${big[0] ?? 0}"
small = "${big[1] ?? 0}"
label = "${inputs.label}"
maybe = "${look.v ?? 0}"
"#;

const MIDDLE: &str = r#"
[workflow]
name = "middle"
[inputs]
rows = "list<{ n: int, p: list<int> }>"
tag  = "string"
[operations.qc]
workflow = "inner.pop.toml"
each = "${inputs.rows}"
with = { n = "${each.n}", parts = "${each.p}", label = "${inputs.tag}${each_index}" }
[outputs]
parts = "${qc[*].parts}"
later = "${qc[*].later}"
text  = "${qc[*].text}"
"#;

/// The workflow with its list in three places: written out, an input, and an operation's output.
fn in_three_ways(items: &Value, rest: &str) -> Vec<Value> {
    let ways = [
        (items.to_string(), "[inputs]\n".to_owned(), json!({})),
        ("\"${inputs.list}\"".into(), "[inputs]\nlist = \"any\"\n".into(), json!({ "list": items })),
        (
            "\"${list}\"".into(),
            format!(
                "[inputs]\n[operations.list]\nuses = \"pop.transform\"\nwith = {}\n",
                inline(&json!({ "value": items }))
            ),
            json!({}),
        ),
    ];
    let run = |(list, head, inputs): (String, String, Value)| {
        let list = if list.starts_with('"') { list } else { inline(items) };
        let text = format!("[workflow]\nname = \"w\"\n{head}{}", rest.replace("LIST", &list));
        outputs(&text, &inputs)
    };
    ways.into_iter().map(run).collect()
}

/// JSON as a TOML value.
fn inline(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let fields: Vec<String> = map.iter().map(|(k, v)| format!("{k} = {}", inline(v))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// Compiles a workflow and runs it with `pop.transform` and the fan-outs alone.
fn outputs(text: &str, inputs: &Value) -> Value {
    let loader = |path: &str| match path {
        "inner.pop.toml" => Ok(Source::new(path, INNER)),
        "middle.pop.toml" => Ok(Source::new(path, MIDDLE)),
        _ => Err("no such file".to_owned()),
    };
    let compiled = compile(
        Source::new("w.pop.toml", text),
        Format::Toml,
        &Options { loader: &loader, ..Options::default() },
    );
    let errors: Vec<_> = compiled
        .diagnostics
        .iter()
        .filter(|d| d.severity == pop_compiler::diagnostic::Severity::Error)
        .collect();
    assert!(errors.is_empty(), "{text}\n{errors:#?}");
    let template = compiled.template.unwrap();
    assert_eq!(pop_compiler::validate::template(&template), []);
    let agenda = template.expand(inputs).unwrap();
    assert_eq!(pop_compiler::validate::agenda(&agenda), [], "{agenda:#?}");
    let mut hand = Hand::start(&agenda, &[]);
    let mut next = 0;
    while let Some((name, _, payload)) = hand.launched.get(next).cloned() {
        next += 1;
        let step = &hand.run.plan().steps[hand.op(&name).0];
        let output = if step.kind == FAN_OUT_TYPE {
            json!({ "operations": step.fan_out.as_ref().unwrap().make(&payload["items"]).unwrap() })
        } else {
            payload["value"].clone()
        };
        hand.succeed(&name, output);
    }
    let end = hand.end.expect("it ended");
    assert_eq!(end.failure, None);
    end.outputs.unwrap()
}

fn all_same(items: &Value, rest: &str, expected: &Value) {
    for (i, got) in in_three_ways(items, rest).into_iter().enumerate() {
        assert_eq!(got, *expected, "way {i}");
    }
}

#[test]
fn one_operation() {
    let rest = r#"
[operations.e]
uses = "pop.transform"
each = LIST
with = { value = { t = "${each_index}: ${each.n}", n = "${each.n}", o = "${each.o ?? 9}" } }
[operations.sum]
uses = "pop.transform"
with = { value = ["${e[*].n}", "${e[1].t ?? 'none'}", "${e[*].o}"] }
[outputs]
sum = "${sum}"
"#;
    let items = json!([{"n": 1, "o": 5}, {"n": 2}]);
    all_same(&items, rest, &json!({"sum": [[1, 2], "1: 2", [5, 9]]}));
    all_same(&json!([]), rest, &json!({"sum": [[], "none", []]}));
}

#[test]
fn conditions() {
    let rest = r#"
[operations.e]
uses = "pop.transform"
each = LIST
with = { value = "${each.n}" }
when = "${each.go}"
[operations.first]
uses = "pop.transform"
with = { value = "${e[0]}" }
[operations.copes]
uses = "pop.transform"
with = { value = "${e[*] ?? 0}" }
[operations.all]
uses = "pop.transform"
with = { value = "${e[*]}" }
[operations.ordered]
uses = "pop.transform"
with = { value = "ran" }
after = "e"
[outputs]
first = "${first}"
copes = "${copes}"
all = "${all}"
ordered = "${ordered}"
"#;
    let items = json!([{"n": 1, "go": true}, {"n": 2, "go": false}]);
    all_same(&items, rest, &json!({"first": 1, "copes": [1, 0], "all": null, "ordered": "ran"}));
}

#[test]
fn a_workflow_for_each_item() {
    let rest = r#"
[operations.gate]
uses = "pop.transform"
with = { value = { go = true } }
[operations.qc]
workflow = "inner.pop.toml"
each = LIST
with = { n = "${each.n}", label = "${each.l}${each_index}", parts = "${each.p}", deep = "${each.d}" }
when = "${gate.go}"
[operations.done]
uses = "pop.transform"
with = { value = "done" }
after = "qc"
[outputs]
n = "${qc[*].n}"
parts = "${qc[*].parts}"
later = "${qc[0].later}"
first = "${qc[1].first}"
text = "${qc[*].text}"
big = "${qc[*].big}"
small = "${qc[*].small}"
done = "${done}"
"#;
    let item = |n: u32, l: &str, p: Value, d: bool| json!({"n": n, "l": l, "p": p, "d": d});
    let items = json!([item(1, "a", json!([1]), true), item(2, "b", json!([1, 2]), true)]);
    let mut expected = json!({"n": [1, 2], "parts": [[1], [1, 2]], "later": ["a0-1", "a0-5"], "first": 2,
        "text": ["a0/0", "b1/0"], "big": [1, 1], "small": [0, 0], "done": "done"});
    all_same(&items, rest, &expected);
    // What was skipped inside is null, and the rest is there.
    let items = json!([item(1, "a", json!([1]), false), item(2, "b", json!([1, 2]), true)]);
    expected["n"] = json!([null, 2]);
    expected["later"] = json!(null);
    all_same(&items, rest, &expected);
}

#[test]
fn a_workflow_with_a_condition_on_the_item() {
    let rest = r#"
[operations.qc]
workflow = "inner.pop.toml"
each = LIST
with = { n = "${each.n}" }
when = "${each.go}"
[operations.some]
uses = "pop.transform"
with = { value = "${qc[*].parts ?? 0}" }
[outputs]
some = "${some}"
big = "${qc[0].big}"
"#;
    let items = json!([{"n": 1, "go": true}, {"n": 2, "go": false}]);
    all_same(&items, rest, &json!({"some": [[7, 8], 0], "big": 1}));
}

#[test]
fn a_workflow_that_is_skipped_has_no_outputs() {
    let rest = r#"
[operations.gate]
uses = "pop.transform"
with = { value = { go = GO } }
[operations.one]
workflow = "inner.pop.toml"
with = { n = 1 }
when = "${gate.go}"
[operations.all]
workflow = "inner.pop.toml"
each = LIST
with = { n = "${each}" }
when = "${gate.go}"
[operations.reads]
uses = "pop.transform"
with = { value = "${one.label}" }
[operations.reads_item]
uses = "pop.transform"
with = { value = "${all[0].label}" }
[outputs]
one = ["${one.label ?? 'no'}", "${one.maybe ?? 'no'}", "${one.parts ?? []}"]
all = ["${all[0].label ?? 'no'}", "${all[0].maybe ?? 'no'}", "${all[0].parts ?? []}"]
reads = ["${reads ?? 'no'}", "${reads_item ?? 'no'}"]
"#;
    for (go, seen, read) in
        [("true", json!(["x", 1, [7, 8]]), ["x", "x"]), ("false", json!(["no", "no", []]), ["no", "no"])]
    {
        let expected = json!({"one": seen, "all": seen, "reads": read});
        all_same(&json!([1]), &rest.replace("GO", go), &expected);
    }
}

#[test]
fn a_default_behind_all_items_stands_in_for_each() {
    let rest = r#"
[operations.gate]
uses = "pop.transform"
with = { value = { go = GO } }
[operations.maybe]
uses = "pop.transform"
each = LIST
with = { value = { s = "${each.s}" } }
when = "${gate.go}"
[operations.part]
uses = "pop.transform"
each = LIST
with = { value = { s = "${each.s}" } }
when = "${each.go}"
[operations.all]
workflow = "inner.pop.toml"
each = LIST
with = { n = "${each.n}" }
when = "${gate.go}"
[operations.reads]
uses = "pop.transform"
with = { value = ["${maybe[*].s ?? 'x'}", "${maybe[*].s ?? 'y'}", "${all[*].label ?? 'z'}"] }
[operations.again]
uses = "pop.transform"
each = "${maybe[*].s ?? 'x'}"
with = { value = "${each}!" }
[outputs]
reads = "${reads}"
part = "${part[*].s ?? 'x'}"
maybe = "${maybe[*].s ?? 'x'}"
again = "${again[*]}"
"#;
    let items = json!([{"s": "a", "go": true, "n": 1}, {"s": "b", "go": false, "n": 2}]);
    let expected = json!({"reads": [["a", "b"], ["a", "b"], ["x", "x"]], "part": ["a", "x"], "maybe": ["a", "b"], "again": ["a!", "b!"]});
    all_same(&items, &rest.replace("GO", "true"), &expected);
    // of what was skipped as a whole, there are no items
    let expected = json!({"reads": [[], [], []], "part": ["a", "x"], "maybe": [], "again": []});
    all_same(&items, &rest.replace("GO", "false"), &expected);
    // so it is where the list itself is not there
    let without = r#"
[operations.list]
uses = "pop.transform"
with = { value = ["a"] }
when = "${inputs.go}"
[operations.e]
uses = "pop.transform"
each = "${list}"
with = { value = "${each}" }
[outputs]
e = "${e[*] ?? 'x'}"
"#;
    let text = format!("[workflow]\nname = \"w\"\n[inputs]\ngo = \"bool\"\n{without}");
    assert_eq!(outputs(&text, &json!({ "go": false })), json!({ "e": [] }));
    assert_eq!(outputs(&text, &json!({ "go": true })), json!({ "e": ["a"] }));
}

#[test]
fn workflows_for_each_item_inside_workflows_for_each_item() {
    let rest = r#"
[operations.gate]
uses = "pop.transform"
with = { value = { go = true } }
[operations.qc]
workflow = "middle.pop.toml"
each = LIST
with = { rows = "${each.rows}", tag = "${each.tag}${each_index}" }
when = "${gate.go}"
[operations.again]
workflow = "middle.pop.toml"
with = { rows = [{ n = 1, p = [3] }], tag = "${qc[0].text[0]}" }
when = "${gate.go}"
[outputs]
parts = "${qc[*].parts}"
later = "${qc[1].later}"
text = "${qc[*].text}"
again = "${again.text}"
"#;
    let items = json!([
        {"tag": "a", "rows": [{"n": 1, "p": [10]}, {"n": 2, "p": [20]}]},
        {"tag": "b", "rows": [{"n": 3, "p": [30, 31]}]},
    ]);
    let expected = json!({"parts": [[[10], [20]], [[30, 31]]], "later": [["b10-3", "b10-5"]], "text": [["a00/0", "a01/0"], ["b10/0"]], "again": ["a00/00/0"]});
    all_same(&items, rest, &expected);
}
