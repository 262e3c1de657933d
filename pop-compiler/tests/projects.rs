//! Several files at once: sub-workflows, schemas, and what a project says about the rules.

use pop_compiler::diagnostic::{Diagnostic, Location, Severity};
use pop_compiler::source::Source;
use pop_compiler::{Compiled, Format, Options, Severities, compile, fix, validate};
use serde_json::json;

/// Compiles the first of these files; the others can be read.
fn project(files: &[(&str, &str)], config: &str) -> Compiled {
    let loader = |path: &str| match files.iter().find(|(name, _)| *name == path) {
        Some((name, text)) => Ok(Source::new(*name, *text)),
        None => Err("no such file".to_owned()),
    };
    let (severities, faults) = Severities::parse(&Source::new("pop.toml", config));
    assert!(faults.is_empty(), "{faults:?}");
    let options = Options { loader: &loader, severities: &severities, ..Options::default() };
    let (name, text) = files[0];
    compile(Source::new(name, text), Format::from_path(name).unwrap(), &options)
}

/// `rule file:line:column` of each finding.
fn places(compiled: &Compiled) -> Vec<String> {
    let place = |finding: &Diagnostic| {
        let Location::Span(span) = finding.primary.at else { panic!("{finding:?}") };
        let source = compiled.sources.get(span.file).unwrap();
        let at = source.position(span.start);
        format!("{} {}:{}:{}", finding.rule, source.name, at.line, at.column)
    };
    compiled.diagnostics.iter().map(place).collect()
}

const WAIT: &str =
    "[workflow]\nname = \"w\"\n[inputs]\na = \"int\"\n[operations.wait]\nuses = \"pop.sleep\"\n";

#[test]
fn a_project_decides_how_bad_a_finding_is() {
    let own = project(&[("w.pop.toml", WAIT)], "");
    assert_eq!(own.diagnostics[0].severity, Severity::Warning);
    assert!(own.template.is_some());
    let denied = project(&[("w.pop.toml", WAIT)], "[lints]\nunused-input = \"deny\"\n");
    assert_eq!(denied.diagnostics[0].severity, Severity::Error);
    assert!(denied.template.is_none());
    let allowed = project(&[("w.pop.toml", WAIT)], "[lints]\nunused-input = \"allow\"\n");
    assert!(allowed.diagnostics.is_empty() && allowed.template.is_some());
    let text = WAIT.replace("a = \"int\"", "a = \"secret<int>\"") + "with = { output = \"${inputs.a}\" }\n";
    let leaked = project(&[("w.pop.toml", &text)], "[lints]\nsecret-leak = \"warn\"\n");
    assert_eq!(places(&leaked), ["secret-leak w.pop.toml:7:20"]);
    assert!(leaked.template.is_some());
}

#[test]
fn typed_references_are_counted() {
    let text = "[workflow]\nname = \"w\"\n[catalog.\"x.y\"]\ncommand = [\"x\"]\n\
        [operations.a]\nuses = \"x.y\"\n\
        [operations.b]\nuses = \"pop.transform\"\nwith = { value = { n = 1, a = \"${a.b}\" } }\n\
        [operations.c]\nuses = \"pop.log\"\nwith = { message = \"${b.n} ${b.n}\" }\n";
    let compiled = project(&[("w.pop.toml", text)], "");
    assert_eq!((compiled.coverage.edges, compiled.coverage.typed, compiled.coverage.percent()), (3, 2, 66));
    assert!(compiled.diagnostics.is_empty());
    let asked = project(&[("w.pop.toml", text)], "[lints]\nuntyped-edge = \"warn\"\n");
    assert_eq!(places(&asked), ["untyped-edge w.pop.toml:9:32"]);
}

#[test]
fn workflows_that_contain_each_other_are_a_circle() {
    let sub = |other: &str| format!("[workflow]\nname = \"w\"\n[operations.x]\nworkflow = \"{other}\"\n");
    let files = [
        ("a.pop.toml", &*sub("sub/b.pop.toml")),
        ("sub/b.pop.toml", &sub("../sub/c.pop.toml")),
        ("sub/c.pop.toml", &sub("./b.pop.toml")),
    ];
    let compiled = project(&files, "");
    assert_eq!(places(&compiled), ["workflow-cycle sub/c.pop.toml:4:12"]);
    let message = &compiled.diagnostics[0].message;
    assert!(message.ends_with("sub/b.pop.toml → sub/c.pop.toml → sub/b.pop.toml"), "{message}");
}

#[test]
fn faults_of_a_sub_workflow_are_reported_where_they_are() {
    let outer = "[workflow]\nname = \"o\"\n[operations.a]\nworkflow = \"i.pop.toml\"\n\
        [operations.b]\nworkflow = \"i.pop.toml\"\n[outputs]\nn = [\"${a.n}\", \"${b.n}\"]\n";
    let inner =
        "[workflow]\nname = \"i\"\n[operations.t]\nuses = \"pop.transfrom\"\n[outputs]\nn = \"${t.n}\"\n";
    let compiled = project(&[("o.pop.toml", outer), ("i.pop.toml", inner)], "");
    assert_eq!(places(&compiled), ["unknown-operation-type i.pop.toml:4:8"]);
    assert!(compiled.template.is_none());
}

#[test]
fn sub_workflows_see_their_own_types_and_give_theirs_out() {
    let outer = "[workflow]\nname = \"o\"\n[inputs]\nr = \"Rung\"\n[types.Rung]\nname = \"string\"\n\
        [catalog.\"x.y\"]\ninput = { n = \"int\", r = \"Rung\" }\ncommand = [\"x\"]\n\
        [operations.a]\nworkflow = \"i.pop.toml\"\nwith = { rung = { height = 1 } }\n\
        [operations.b]\nuses = \"x.y\"\nwith = { n = \"${a.rung.height}\", r = \"${inputs.r}\" }\n\
        [operations.c]\nuses = \"x.y\"\nwith = { n = \"${a.rung.name}\", r = \"${a.rung}\" }\n";
    let inner = "[workflow]\nname = \"i\"\n[inputs]\nrung = \"Rung\"\n[types.Rung]\nheight = \"int\"\n\
        [operations.t]\nuses = \"pop.transform\"\nwith = { value = \"${inputs.rung}\" }\n\
        [outputs]\nrung = \"${t}\"\n";
    let compiled = project(&[("o.pop.toml", outer), ("i.pop.toml", inner)], "");
    assert_eq!(places(&compiled), ["unknown-field o.pop.toml:18:24", "type-mismatch o.pop.toml:18:37"]);
}

#[test]
fn a_sub_workflow_runs_as_if_it_were_written_there() {
    let outer = "[workflow]\nname = \"o\"\n[inputs]\nlist = \"list<int>\"\n\
        [operations.a]\nworkflow = \"i.pop.toml\"\nwith = { items = \"${inputs.list}\", title = \"t @<x>\" }\n\
        [operations.b]\nuses = \"pop.log\"\nwith = { message = \"${a.title}: ${a.all[1]}\" }\nafter = \"a\"\n\
        [outputs]\nall = \"${a.all}\"\nnote = \"${a.note}\"\n"
        .replace("t @<x>", "t \\\\@<x>");
    let inner = "[workflow]\nname = \"i\"\n[inputs]\nitems = \"list<int>\"\ntitle = \"string\"\nnote = \"string?\"\n\
        [operations.e]\nuses = \"pop.transform\"\neach = \"${inputs.items}\"\nwith = { value = \"${each}\" }\n\
        [outputs]\nall = \"${e[*]}\"\ntitle = \"${inputs.title}\"\nnote = \"${inputs.note ?? 'none'}\"\n";
    let compiled = project(&[("o.pop.toml", &outer), ("i.pop.toml", inner)], "");
    assert!(compiled.diagnostics.is_empty(), "{:#?}", compiled.diagnostics);
    let agenda = compiled.template.unwrap().expand(&json!({ "list": [7, 8] })).unwrap();
    assert!(validate::agenda(&agenda).is_empty(), "{agenda:#?}");
    let names: Vec<&str> = agenda.operations.iter().map(|o| o.name.as_str()).collect();
    assert_eq!(names, ["a/e.0", "a/e.1", "a/title.output", "b", "a/note.output"]);
    assert_eq!(agenda.operations[2].payload, json!({ "value": "t \\@<x>" }));
    assert_eq!(agenda.operations[2].params["dependsOn"], "a/e.0,a/e.1");
    assert_eq!(agenda.operations[3].payload, json!({ "message": "@<a/title.output.out>: @<a/e.1.out>" }));
    assert_eq!(agenda.operations[3].params["dependsOn"], "a/e.0,a/e.1");
    assert_eq!(
        agenda.params["pop.result"],
        json!({ "all": ["@<a/e.0.out>", "@<a/e.1.out>"], "note": "@<a/note.output.out>" })
    );
}

#[test]
fn workflows_that_double_at_every_level_are_refused() {
    let twice = |other: &str| {
        let one = |n: usize| format!("[operations.x{n}]\nworkflow = \"{other}\"\n");
        format!("[workflow]\nname = \"w\"\n{}", (0..60).map(one).collect::<String>())
    };
    let last = "[workflow]\nname = \"w\"\n[operations.a]\nuses = \"pop.sleep\"\n";
    let files = [
        ("0.pop.toml", &*twice("1.pop.toml")),
        ("1.pop.toml", &twice("2.pop.toml")),
        ("2.pop.toml", &twice("3.pop.toml")),
        ("3.pop.toml", last),
    ];
    let compiled = project(&files, "");
    assert_eq!(places(&compiled), ["bad-sub-workflow 0.pop.toml:114:12"]);
}

#[test]
fn faults_of_a_schema_are_reported_in_the_schema() {
    let workflow = "[workflow]\nname = \"w\"\n[catalog.\"x.y\"]\ninput = { schema = \"x.schema.json\" }\ncommand = [\"x\"]\n\
        [operations.a]\nuses = \"x.y\"\nwith = { a = 1 }\n";
    let schema = "{ \"type\": \"object\",\n  \"properties\": { \"a\": { \"$ref\": \"#/$defs/A\" } } }";
    let compiled = project(&[("w.pop.toml", workflow), ("x.schema.json", schema)], "");
    assert_eq!(places(&compiled), ["bad-schema x.schema.json:2:34"]);
    let compiled = project(&[("w.pop.toml", workflow), ("x.schema.json", "{ \"type\": \"objekt\" }")], "");
    assert_eq!(places(&compiled), ["bad-schema x.schema.json:1:11"]);
    let compiled = project(&[("w.pop.toml", workflow), ("x.schema.json", "{")], "");
    assert_eq!(compiled.diagnostics[0].rule, "syntax");
}

#[test]
fn a_catalog_with_a_fault_is_reported_once() {
    let with = |name: &str| {
        format!(
            "[workflow]\nname = \"{name}\"\ncatalogs = [\"ops.toml\"]\n[operations.a]\nuses = \"pop.sleep\"\n"
        )
    };
    let outer = with("o") + "[operations.i]\nworkflow = \"i.pop.toml\"\n";
    let files = [("o.pop.toml", &*outer), ("i.pop.toml", &with("i")), ("ops.toml", "[operation]\n")];
    assert_eq!(places(&project(&files, "")), ["unknown-key ops.toml:1:2"]);
}

#[test]
fn a_catalog_file_has_a_header_and_names_no_others() {
    let flow = "[workflow]\nname = \"w\"\ncatalogs = [\"ops.toml\"]\n[operations.a]\nuses = \"x.a\"\n[operations.b]\nuses = \"x.b\"\nafter = \"a\"\n";
    let ops = "[operations.\"x.a\"]\ncommand = [\"true\"]\n[operations.\"x.b\"]\ncommand = [\"true\"]\n";
    for (head, found) in [
        ("[catalog]\nname = \"ops\"\nversion = \"1\"\ndescription = \"d\"\n", vec![]),
        ("catalog = 42\n", vec!["wrong-shape ops.toml:1:11"]),
        ("[catalog]\nname = 1\n", vec!["wrong-shape ops.toml:2:8"]),
        ("[catalog]\nnaem = \"ops\"\n", vec!["unknown-key ops.toml:2:1"]),
        ("catalogs = [\"more.toml\"]\n", vec!["unknown-key ops.toml:1:1"]),
    ] {
        let compiled = project(&[("w.pop.toml", flow), ("ops.toml", &format!("{head}{ops}"))], "");
        assert_eq!(places(&compiled), found, "{head}");
        if head.starts_with("catalogs") {
            assert!(compiled.diagnostics[0].fix.is_empty());
            assert!(compiled.diagnostics[0].help[0].contains("in `catalogs` of the workflow"));
        }
    }
    // what was moved out of a workflow
    let moved = ops.replace("[operations.", "[catalog.");
    let compiled = project(&[("w.pop.toml", flow), ("ops.toml", &moved)], "");
    assert_eq!(places(&compiled), ["unknown-key ops.toml:1:10", "unknown-key ops.toml:3:10"]);
    assert_eq!(compiled.diagnostics[0].help[0], "in a catalog file, write `[operations.\"x.a\"]`");
    let fixed = fix::apply(&compiled.diagnostics, &compiled.sources);
    assert_eq!(fixed.files.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(), [ops]);
    let moved = r#"{ "catalog": { "x.a": { "command": ["true"] }, "x.b": { "command": ["true"] } } }"#;
    let flow = flow.replace("ops.toml", "ops.json");
    let compiled = project(&[("w.pop.toml", &flow), ("ops.json", moved)], "");
    assert_eq!(places(&compiled), ["unknown-key ops.json:1:16", "unknown-key ops.json:1:48"]);
    let fixed = fix::apply(&compiled.diagnostics, &compiled.sources);
    assert_eq!(fixed.files[0].1, moved.replace("catalog", "operations"));
}

#[test]
fn a_workflow_for_a_catalog_and_the_reverse_are_one_finding_each() {
    let flow = "[workflow]\nname = \"w\"\ncatalogs = [\"other.pop.toml\"]\n[operations.a]\nuses = \"x.a\"\n[operations.b]\nworkflow = \"ops.toml\"\nafter = \"a\"\n";
    let other = "[workflow]\nname = \"other\"\n[inputs]\nn = { type = \"int\", default = 1 }\n[catalog.\"x.a\"]\ncommand = [\"true\"]\n\
        [operations.one]\nuses = \"pop.transform\"\nwith = { value = \"${inputs.n}\" }\n[outputs]\none = \"${one}\"\n";
    let ops = "[types]\nN = \"int\"\n[operations.\"x.b\"]\ndescription = \"d\"\ninput = { n = \"N\" }\ncommand = [\"true\"]\n";
    let compiled = project(&[("w.pop.toml", flow), ("other.pop.toml", other), ("ops.toml", ops)], "");
    assert_eq!(places(&compiled), ["missing-import w.pop.toml:3:13", "missing-import w.pop.toml:7:12"]);
    let said: Vec<&str> = compiled.diagnostics.iter().map(|d| d.message.as_str()).collect();
    assert_eq!(
        said,
        ["`other.pop.toml` is a workflow, not a catalog", "`ops.toml` is a catalog, not a workflow"]
    );
    assert_eq!(
        compiled.diagnostics[1].help,
        ["to use its operation types, write `catalogs = [\"ops.toml\"]`"]
    );
    let compiled = project(&[("ops.toml", ops)], "");
    assert_eq!(places(&compiled), ["wrong-shape ops.toml:1:1"]);
    assert!(compiled.is_catalog && compiled.template.is_none());
}

/// A catalog that is checked by itself is checked as one: what it names is read, and `--fix` mends it.
#[test]
fn a_catalog_by_itself_is_checked_as_one() {
    let ops = "[types]\nN = \"in\"\n[operations.\"x.b\"]\ninput = { schema = \"in.json\" }\ncomand = [\"x\", \"${with.m}\"]\n\
        [operations.\"x.c\"]\ninput = { url = \"url\" }\ncommand = [\"x\", \"${with.ulr}\"]\ntimeout = \"5 min\"\n";
    let schema = "{\n\"properties\": { \"n\": { \"type\": \"intger\" } } }";
    let mut compiled = project(&[("d/ops.toml", ops), ("d/in.json", schema)], "");
    let found = [
        "wrong-shape d/ops.toml:1:1",
        "unknown-type d/ops.toml:2:6",
        "unknown-key d/ops.toml:5:1",
        "unknown-field d/ops.toml:8:25",
        "bad-duration d/ops.toml:9:11",
        "bad-schema d/in.json:2:32",
    ];
    assert_eq!(places(&compiled), found);
    assert!(compiled.is_catalog && compiled.template.is_none());
    let fixed = fix::apply(&compiled.diagnostics, &compiled.sources);
    let mended = ops.replace("comand", "command").replace("ulr", "url").replace("5 min", "5m");
    assert_eq!(fixed.files[0].1, mended);
    // that it is no workflow is no fault of a catalog
    compiled.as_catalog();
    let severities: Vec<_> = compiled.diagnostics.iter().map(|d| d.severity.as_str()).collect();
    assert_eq!(severities, ["info", "error", "error", "error", "error", "error"]);
    let json = r#"{ "operations": { "x.a": { "command": ["x"], "timeout": "5 min" } } }"#;
    let compiled = project(&[("ops.json", json)], "");
    assert_eq!(places(&compiled), ["wrong-shape ops.json:1:1", "bad-duration ops.json:1:57"]);
}
