//! A workflow of the builder is the workflow that its text is.

use pop_compiler::{Format, Options};
use schemars::JsonSchema;
use serde_json::json;

use super::*;
use crate::builtin::{Sleep, Transform};

#[derive(Serialize, JsonSchema)]
struct Rung {
    height: u32,
}

fn compiled(text: &str) -> String {
    let compiled = pop_compiler::compile(Source::new("f.pop.toml", text), Format::Toml, &Options::default());
    let template = compiled.template.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics));
    pop_compiler::canonical::pretty(&template)
}

const TEXT: &str = r#"
[workflow]
name = "flow"
version = "1.0.0"
description = "All of it."
[run]
priority = 3
link = "asset-${inputs['the source']}"
[inputs]
"the source" = "string"
rungs = { type = "list<{height: int}>", default = [{ height = 1 }] }
note = "string?"
deep = "bool"
[operations."odd name"]
uses = "pop.sleep"
with = { seconds = 1.5, output = { url = "${inputs['the source']}", price = "$${5} \\@<x>" } }
timeout = "1h"
retry = { attempts = 2, backoff = "1s..2s" }
resources = { cpu = "1", memory = "1Gi" }
description = "It waits."
[operations.items]
uses = "pop.transform"
each = "${inputs.rungs}"
with = { value = ["${each.height}", "${each_index}"] }
after = ["odd name"]
[operations.log]
uses = "pop.log"
with = { message = "${inputs.note ?? 'it\\'s'}, ${items[0][0]}" }
when = "${inputs.deep}"
[outputs]
url = "${['odd name'].url ?? null}"
all = "${items[*]}"
"#;

#[test]
fn a_workflow_of_the_builder_is_that_of_its_text() {
    let mut flow = Builder::new("flow");
    flow.version("1.0.0").description("All of it.").run("priority", 3);
    let source = flow.input::<String>("the source");
    flow.run("link", text(["asset-".into(), Given::from(&source)]));
    let rungs = flow.input_or("rungs", vec![Rung { height: 1 }]);
    let note = flow.input::<Option<String>>("note");
    let deep = flow.input::<bool>("deep");
    let first = flow
        .add::<Sleep>("odd name")
        .with("seconds", 1.5)
        .with("output", Given::record([("url", Given::from(&source)), ("price", "${5} @<x>".into())]))
        .timeout("1h")
        .retry(json!({ "attempts": 2, "backoff": "1s..2s" }))
        .resources("1", "1Gi")
        .description("It waits.")
        .done();
    let items = flow
        .add::<Transform>("items")
        .each(&rungs, |step, rung, index| {
            step.with("value", Given::list([Given::from(rung.field::<u32>("height")), index.into()]))
        })
        .after(["odd name"])
        .done();
    let message =
        text([note.or(Literal::from("it's")).into(), ", ".into(), items.nth(0).item::<u32>(0).into()]);
    flow.add_named("log", "pop.log").with("message", message).when(&deep).done();
    flow.output("url", first.field::<String>("url").or_null()).output("all", &items);
    let workflow = flow.build().unwrap();
    assert_eq!(workflow.to_json(), compiled(TEXT));
    let place = workflow.place("items.4").unwrap();
    assert!(place.file.ends_with("tests.rs") && place.line > 0, "{place}");
}

#[test]
fn every_fault_is_found_and_says_where_it_was_written() {
    let mut flow = Builder::new("flow");
    let line = line!() + 1;
    let step = flow.add::<Sleep>("wait");
    let wait = step.with("second", 3).done();
    flow.add::<Sleep>("wait").done();
    flow.add::<Sleep>("again").with("seconds", "long").timeout("soon").done();
    flow.add_named("other", "media.probe").with("x", text(["$".into(), wait.into()])).done();
    flow.output("missing", Out::<u32>::new("nobody.x".into()));
    let findings = flow.build().unwrap_err();
    let rules: Vec<&str> = findings.diagnostics.iter().map(|finding| finding.rule).collect();
    for rule in [
        "extra-input",
        "type-mismatch",
        "bad-duration",
        "unknown-operation-type",
        "bad-expression",
        "unknown-output",
    ] {
        assert!(rules.contains(&rule), "{rule} is not in {rules:?}");
    }
    let text = findings.to_string();
    assert!(text.contains("builder/tests.rs:"), "{text}");
    assert!(text.contains(&format!(":{line}:")), "{text}");
    assert!(text.contains("the workflow is written at"), "{text}");
}
