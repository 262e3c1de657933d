//! The language by value: what a workflow means, seen from its agenda.

use pop_compiler::agenda::{RunSpec, keys};
use pop_compiler::catalog::{Catalog, OperationType};
use pop_compiler::source::Source;
use pop_compiler::{Compiled, Format, Options, compile, validate};
use serde_json::{Value, json};

fn workflow(text: &str) -> Compiled {
    let text = format!("[workflow]\nname = \"x\"\n{text}");
    compile(Source::new("x.pop.toml", text), Format::Toml, &Options::default())
}

fn rules(compiled: &Compiled) -> Vec<&str> {
    compiled.diagnostics.iter().map(|d| d.rule).collect()
}

fn clean(text: &str) -> Compiled {
    let compiled = workflow(text);
    assert!(compiled.diagnostics.is_empty(), "{:#?}", compiled.diagnostics);
    compiled
}

#[test]
fn catalogs_made_by_code_are_checked_against() {
    let input = json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]});
    let output = json!({"type": "object", "properties": {"m": {"type": "number"}}, "required": ["m"]});
    let run = RunSpec { command: vec!["tool".into()], ..RunSpec::default() };
    let catalogs = [Catalog::new().with(OperationType::from_schemas("my.tool", &input, &output, run))];
    let options = Options { catalogs: &catalogs, ..Options::default() };
    let text = r#"{ "workflow": { "name": "x" }, "operations": {
        "a": { "uses": "my.tool", "with": { "n": 1 } },
        "b": { "uses": "my.tool", "with": { "n": "${a.m}" } } } }"#;
    let compiled = compile(Source::new("x.pop.json", text), Format::Json, &options);
    assert_eq!(rules(&compiled), ["type-mismatch"]);
    let text = text.replace("${a.m}", "${a.m ?? 1}").replace("\"${a.m ?? 1}\"", "2");
    let compiled = compile(Source::new("x.pop.json", text), Format::Json, &options);
    let agenda = compiled.agenda.unwrap();
    let output = json!({
        "type": "object", "properties": { "m": { "type": "number" } }, "required": ["m"], "additionalProperties": false
    });
    let expected = json!({ "my.tool": { "command": ["tool"], "output": output } });
    assert_eq!(agenda.params[keys::TYPES], expected);
}

#[test]
fn a_type_says_where_its_input_is_secret_even_if_nothing_else_is() {
    let compiled = clean(
        "[catalog.\"t.login\"]\ninput = { user = \"string\", key = \"secret<string>\" }\ncommand = [\"login\"]\n\
         [operations.a]\nuses = \"t.login\"\nwith = { user = \"me\", key = \"0000\" }\n",
    );
    let agenda = compiled.agenda.unwrap();
    assert_eq!(agenda.params[keys::TYPES]["t.login"]["secrets"], json!(["/key"]));
}

#[test]
fn outputs_of_what_may_be_skipped_are_optional() {
    let compiled = clean(
        "[inputs]\nyes = \"bool\"\n\
         [operations.a]\nuses = \"pop.transform\"\nwith = { value = { n = 1 } }\nwhen = \"${inputs.yes}\"\n\
         [operations.b]\nuses = \"pop.transform\"\nwith = { value = { n = \"${a.n}\" } }\n\
         [operations.c]\nuses = \"pop.transform\"\nwith = { value = { n = \"${a.n ?? 0}\" } }\n\
         [operations.d]\nuses = \"pop.transform\"\nwith = { value = { n = 1 } }\nafter = \"a\"\n\
         [outputs]\na = \"${a.n}\"\nb = \"${b.n}\"\nc = \"${c.n}\"\nd = \"${d.n}\"\ne = \"${a.n ?? 5}\"\n",
    );
    let template = compiled.template.unwrap();
    assert_eq!(template.params[keys::OUTPUTS]["required"], json!(["c", "d", "e"]));
}

#[test]
fn inputs_fill_a_template() {
    let compiled = clean(
        "[inputs]\nlist = \"list<{h: int}>\"\ntitle = \"string?\"\nlevel = { type = \"int\", default = 3 }\n\
         [operations.a]\nuses = \"pop.transform\"\neach = \"${inputs.list}\"\nwith = { value = \"${each.h}\" }\n\
         [operations.b]\nuses = \"pop.log\"\nwith = { message = \"${inputs.title ?? 'none'} ${inputs.level}\", level = \"info\" }\nafter = \"a\"\n\
         [outputs]\nall = \"${a[*]}\"\n",
    );
    let template = compiled.template.unwrap();
    assert!(validate::template(&template).is_empty());
    let agenda = template.expand(&json!({ "list": [{ "h": 1 }, { "h": 2 }] })).unwrap();
    assert!(validate::agenda(&agenda).is_empty());
    let seen: Vec<(&str, &Value)> = agenda.operations.iter().map(|o| (o.name.as_str(), &o.payload)).collect();
    assert_eq!(
        seen,
        [
            ("a.0", &json!({ "value": 1 })),
            ("a.1", &json!({ "value": 2 })),
            ("b", &json!({ "level": "info", "message": "none 3" })),
        ]
    );
    assert_eq!(agenda.params[keys::RESULT], json!({ "all": ["@<a.0.out>", "@<a.1.out>"] }));
    let fault = template.expand(&json!({ "lsit": [] })).unwrap_err();
    assert!(fault.iter().any(|d| d.rule == "missing-input"), "{fault:?}");
}

/// As an optional input is, so is an optional field of one, a key of a map, and what only some items have.
#[test]
fn what_may_be_absent_is_null() {
    let compiled = clean(
        "[types.Rung]\nheight = \"int\"\nrate = \"int?\"\n\
         [inputs]\none = \"Rung\"\nall = \"list<Rung>\"\nmap = \"map<int>\"\nloose = \"any\"\n\
         [operations.a]\nuses = \"pop.transform\"\neach = \"${inputs.all}\"\nwith = { value = \"${each.rate}\" }\n\
         [operations.b]\nuses = \"pop.transform\"\nwith = { value = [\"${inputs.one.rate}\", \"${inputs.map.x}\"] }\n\
         [operations.c]\nuses = \"pop.transform\"\neach = [{ a = 1 }, { b = 2 }]\nwith = { value = \"${each.a}\" }\n\
         [operations.d]\nuses = \"pop.transform\"\nwith = { value = \"${inputs.loose.x}\" }\n",
    );
    let template = compiled.template.unwrap();
    let rungs = json!([{ "height": 1 }, { "height": 2, "rate": 3 }]);
    let inputs = json!({ "one": rungs[0], "all": rungs, "map": {}, "loose": { "x": 4 } });
    let agenda = template.expand(&inputs).unwrap();
    assert_eq!(validate::agenda(&agenda), []);
    let seen: Vec<&Value> = agenda.operations.iter().map(|o| &o.payload["value"]).collect();
    assert_eq!(json!(seen), json!([null, 3, [null, null], 1, null, 4]));
    // of what nothing is known, nothing is known to be optional
    let inputs = json!({ "one": rungs[0], "all": [], "map": {}, "loose": {} });
    assert_eq!(template.expand(&inputs).unwrap_err()[0].rule, "unknown-input");
}

#[test]
fn the_digest_is_of_the_meaning_not_of_the_text() {
    let digest = |c: Compiled| c.agenda.unwrap().params[keys::WORKFLOW]["digest"].clone();
    let a = digest(clean("[operations.a]\nuses = \"pop.sleep\"\nwith = { seconds = 1, output = 2 }\n"));
    let b = digest(clean(
        "# said otherwise\n[operations]\na = { with.output = 2, with.seconds = 1, uses = 'pop.sleep' }\n",
    ));
    let c = digest(clean("[operations.a]\nuses = \"pop.sleep\"\nwith = { seconds = 2, output = 2 }\n"));
    assert_eq!(a, b);
    assert_ne!(a, c);
}

#[test]
fn operations_come_in_an_order_in_which_they_can_run() {
    let compiled = clean(
        "[operations.a]\nuses = \"pop.sleep\"\nafter = \"z\"\n[operations.z]\nuses = \"pop.sleep\"\n\
         [operations.b]\nuses = \"pop.sleep\"\n",
    );
    let agenda = compiled.agenda.unwrap();
    let names: Vec<&str> = agenda.operations.iter().map(|o| o.name.as_str()).collect();
    assert_eq!(names, ["b", "z", "a"]);
    assert_eq!(compiled.source_map.len(), 3);
}

#[test]
fn one_fault_gives_one_finding() {
    // each is used again and again; only the fault itself is reported
    for (text, rule) in [
        (
            "[operations.a]\nuses = \"nope\"\n[operations.b]\nuses = \"pop.log\"\nwith = { message = \"${a.x.y} ${a[0]}\" }\n[outputs]\nz = \"${a.b}\"\n",
            "unknown-operation-type",
        ),
        (
            "[inputs]\ni = \"Nope\"\n[operations.b]\nuses = \"pop.log\"\nwith = { message = \"${inputs.i.x}\" }\n[outputs]\nz = \"${inputs.i}\"\n",
            "unknown-type",
        ),
        (
            "[inputs]\ni = { type = \"lsit<int>\", default = [] }\n[operations.b]\nuses = \"pop.log\"\neach = \"${inputs.i}\"\nwith = { message = \"${each.x}\" }\n",
            "bad-type",
        ),
        (
            "[operations.a]\nuses = \"pop.transform\"\nwith = { value = \"${nope.x}\" }\n[operations.b]\nuses = \"pop.sleep\"\nwith = { seconds = \"${a.x}\" }\n",
            "unknown-output",
        ),
        ("[operations]\na = 5\n[outputs]\nx = \"${a.b}\"\n", "wrong-shape"),
    ] {
        assert_eq!(rules(&workflow(text)), [rule], "{text}");
    }
}

#[test]
fn edits_mend_misspelt_names() {
    let text = "[workflow]\nname = \"x\"\n[operations.probe]\nuses = \"pop.slep\"\n\
                [operations.b]\nuses = \"pop.log\"\nwith = { mesage = \"${prbe.x}\" }\n[operations.c]\nuses = \"pop.log\"\nwith = { message = \"x\" }\nafter = [\"porbe\"]\n";
    let compiled = compile(Source::new("x.pop.toml", text), Format::Toml, &Options::default());
    let mut edits: Vec<_> = compiled.diagnostics.iter().flat_map(|d| &d.fix).collect();
    edits.sort_by_key(|e| std::cmp::Reverse(e.span));
    let mut mended = text.to_owned();
    for edit in edits {
        mended.replace_range(edit.span.range(), &edit.replacement);
    }
    let compiled = compile(Source::new("x.pop.toml", mended.as_str()), Format::Toml, &Options::default());
    assert!(compiled.diagnostics.is_empty(), "{mended}\n{:#?}", compiled.diagnostics);
}

/// The `pop.transform` inputs of a workflow whose `probe` gives what is declared here.
fn reads(value: &str, probe: &str) -> Value {
    let text = format!(
        "[inputs]\nlist = \"list<{{a: int?, b: int}}>\"\nmeta = \"{{a: int?, b: int}}\"\n\
         [catalog.\"m.probe\"]\noutput = {{ title = \"string?\", width = \"int\", extra = \"any\", deep = \"{{x: {{y: int}}?}}\", \
         tags = \"map<string>\", either = \"{{l: int}} | {{r: int}}\", sizes = \"list<int>\" }}\ncommand = [\"p\"]\n\
         [operations.probe]\nuses = \"m.probe\"\n{probe}\n\
         [operations.o]\nuses = \"pop.transform\"\neach = \"${{inputs.list}}\"\n\
         with = {{ value = [{value}, \"${{inputs.meta.b}}\", \"${{each.b}}\"] }}\n"
    );
    let compiled = workflow(&text);
    let warned = if value.starts_with("\"of ") { vec!["optional-in-text"] } else { vec![] };
    assert_eq!(rules(&compiled), warned, "{value}");
    let template = compiled.template.unwrap();
    template.agenda.operations.iter().find(|o| o.name == "o").unwrap().payload["value"][0].clone()
}

#[test]
fn what_an_output_may_lack_is_null() {
    for (value, token) in [
        ("${probe.title}", "@<probe.out::/title?=null>"),
        ("${probe.width}", "@<probe.out::/width>"),
        ("${probe.deep.x.y}", "@<probe.out::/deep/x/y?=null>"),
        ("${probe.tags['a']}", "@<probe.out::/tags/a?=null>"),
        ("${probe.either.l}", "@<probe.out::/either/l?=null>"),
        ("${probe.sizes[4]}", "@<probe.out::/sizes/4>"),
        ("${probe.extra}", "@<probe.out::/extra>"),
        ("of ${probe.title}", "of @<probe.out::/title?=null>"),
        ("${probe.title ?? 'none'}", "@<probe.out::/title?none>"),
        ("${probe.title ?? null}", "@<probe.out::/title?>"),
        ("${inputs.meta.a}", "@<pop.payload::/meta/a?=null>"),
        ("${each.a}", "@<pop.each::/a?=null>"),
        ("@<probe.out::/title>", "@<probe.out::/title>"),
    ] {
        assert_eq!(reads(&format!("\"{value}\""), ""), json!(token), "{value}");
    }
    let many = "each = [1, 2]";
    for (value, token) in [
        ("${probe[*].title}", "@<probe.*.out::/title?=null>"),
        ("${probe[*].width}", "@<probe.*.out::/width>"),
        ("${probe[1].title}", "@<probe.1.out::/title?=null>"),
        ("${probe[*]}", "@<probe.*.out>"),
    ] {
        assert_eq!(reads(&format!("\"{value}\""), many), json!(token), "{value}");
    }
}

const OPTIONAL: &str = r#"
[workflow]
name = "optional"
[types]
Title = "string?"
[inputs]
title = { type = "Title", default = "untitled" }
level = { type = "int", default = 3 }
note = "string?"
[operations.a]
uses = "pop.transform"
with = { value = ["${inputs.title}", "${inputs.level}", "${inputs.note}"] }
[outputs]
a = "${a}"
"#;

#[test]
fn null_for_an_input_takes_its_default() {
    let compiled = compile(Source::new("x.pop.toml", OPTIONAL), Format::Toml, &Options::default());
    assert_eq!(compiled.diagnostics, []);
    let template = compiled.template.unwrap();
    for (inputs, seen) in [
        (json!({}), json!(["untitled", 3, null])),
        (json!({ "title": null, "level": null, "note": null }), json!(["untitled", 3, null])),
        (json!({ "title": "t", "level": 0 }), json!(["t", 0, null])),
    ] {
        assert_eq!(template.expand(&inputs).unwrap().operations[0].payload["value"], seen, "{inputs}");
    }
}

#[test]
fn null_for_an_input_of_a_sub_workflow_takes_its_default() {
    let loader = |path: &str| Ok(Source::new(path, OPTIONAL));
    let text = "[workflow]\nname = \"outer\"\n[inputs]\ntitle = \"string?\"\nlevels = \"list<int?>\"\n\
        [catalog.probe]\noutput = { title = \"string?\", level = \"int\" }\ncommand = [\"true\"]\n\
        [operations.probe]\nuses = \"probe\"\n\
        [operations.one]\nworkflow = \"inner.pop.toml\"\nwith = { title = \"${inputs.title}\" }\n\
        [operations.two]\nworkflow = \"inner.pop.toml\"\nwith = { title = \"${probe.title}\", level = \"${probe.level}\" }\n\
        [operations.all]\nworkflow = \"inner.pop.toml\"\neach = \"${inputs.levels}\"\nwith = { level = \"${each}\" }\n\
        [outputs]\nall = [\"${one.a}\", \"${two.a}\", \"${all[*].a}\"]\n";
    let options = Options { loader: &loader, ..Options::default() };
    let compiled = compile(Source::new("x.pop.toml", text), Format::Toml, &options);
    assert_eq!(compiled.diagnostics, []);
    let agenda = compiled.template.unwrap().expand(&json!({ "levels": [null, 7] })).unwrap();
    let seen = |name: &str| {
        let operation = agenda.operations.iter().find(|o| o.name == name).unwrap();
        operation.payload["value"].clone()
    };
    assert_eq!(seen("one/a"), json!(["untitled", 3, null]));
    // where the other operation is skipped, so is this one
    assert_eq!(seen("two/a"), json!(["@<probe.out::/title??=\"untitled\">", "@<probe.out::/level>", null]));
    assert_eq!(seen("all.0/a"), json!(["untitled", 3, null]));
    assert_eq!(seen("all.1/a"), json!(["untitled", 7, null]));
}

#[test]
fn outputs_of_a_sub_workflow_are_not_there_before_it_has_ended() {
    let inner = "[workflow]\nname = \"inner\"\n[inputs]\nname = \"string\"\nlist = \"list<int>\"\n\
        [catalog.check]\ncommand = [\"false\"]\noutput = { s = \"string\" }\nstdout = \"json\"\n\
        [operations.work]\nuses = \"check\"\n[operations.many]\nuses = \"check\"\neach = \"${inputs.list}\"\n\
        [outputs]\nstatus = \"passed\"\nname = \"${inputs.name}\"\nmaybe = \"${work.s ?? 'none'}\"\n\
        all = \"${many[*].s}\"\nown = \"${work.s}\"\n";
    let loader = |path: &str| Ok(Source::new(path, inner));
    let reads = "[operations.say]\nuses = \"pop.transform\"\nwith = { value = [\"${qc.name}: ${qc.status ?? 'not checked'}\", \"${qc.maybe}\", \"${qc.all}\", \"${qc.own}\"] }\n\
        [outputs]\nstatus = \"${qc.status}\"\nsaid = \"${say}\"\n";
    let agenda = |when: &str| {
        let go = if when.is_empty() { "go = \"${inputs.go}\"\n" } else { "" };
        let text = format!(
            "[workflow]\nname = \"outer\"\n[inputs]\ngo = {{ type = \"bool\", default = true }}\n\
             [operations.qc]\nworkflow = \"inner.pop.toml\"\nwith = {{ name = \"clip\", list = [1] }}\n{when}{reads}{go}"
        );
        let options = Options { loader: &loader, ..Options::default() };
        let compiled = compile(Source::new("x.pop.toml", text), Format::Toml, &options);
        assert_eq!(compiled.diagnostics, []);
        let template = compiled.template.unwrap();
        assert_eq!(validate::template(&template), []);
        template.expand(&json!({ "go": false })).unwrap()
    };
    let of = |agenda: &pop_compiler::agenda::Agenda, name: &str| {
        let operation = agenda.operations.iter().find(|o| o.name == name);
        operation.map(|o| (o.payload["value"].clone(), o.params.clone()))
    };
    // whoever reads what no operation gives waits for all of it
    let plain = agenda("");
    assert_eq!(
        of(&plain, "say").unwrap().0,
        json!([
            "@<qc/name.output.out>: @<qc/status.output.out::/?not checked>",
            "@<qc/work.out::/s?none>",
            ["@<qc/many.0.out::/s>"],
            "@<qc/work.out::/s>"
        ])
    );
    let (value, params) = of(&plain, "qc/status.output").unwrap();
    assert_eq!(
        (value, serde_json::to_value(params).unwrap()),
        (json!("passed"), json!({ "dependsOn": "qc/many.0,qc/work" }))
    );
    assert_eq!(plain.params[keys::RESULT]["status"], "@<qc/status.output.out>");
    // under a condition, outputs that no operation gives are skipped with the sub-workflow, too
    let conditional = agenda("when = \"${inputs.go}\"\n");
    assert_eq!(
        of(&conditional, "say").unwrap().0,
        json!([
            "@<qc/name.output.out>: @<qc/status.output.out::/?not checked>",
            "@<qc/maybe.output.out>",
            "@<qc/all.output.out>",
            "@<qc/work.out::/s>"
        ])
    );
    for name in ["qc/name.output", "qc/status.output", "qc/maybe.output", "qc/all.output"] {
        let (_, params) = of(&conditional, name).unwrap();
        assert_eq!(
            serde_json::to_value(params).unwrap(),
            json!({ "dependsOn": "qc/many.0,qc/work", "pop.when": false }),
            "{name}"
        );
    }
}

/// A name for `any` is as much anything inside a union as `any` is.
#[test]
fn a_name_for_any_takes_anything() {
    let text = "[types]\nT = \"any\"\n[catalog.\"s\"]\ninput = { a = \"T?\", b = \"list<int> | T\" }\ncommand = [\"x\"]\n\
                [operations.o]\nuses = \"s\"\nwith = { a = [1, { c = 2 }], b = { x = 1 } }\n";
    clean(text);
}

/// A sub-workflow takes its inputs as one value, too: a reference to a record, or the item of a fan-out.
#[test]
fn the_inputs_of_a_sub_workflow_may_be_one_reference() {
    let inner = "[workflow]\nname = \"qc\"\n[inputs]\nfile = \"string\"\nleast = { type = \"int\", default = 3 }\nnote = \"string?\"\n\
        [operations.look]\nuses = \"pop.transform\"\nwith = { value = { f = \"${inputs.file}\", l = \"${inputs.least}\", n = \"${inputs.note}\" } }\n\
        [outputs]\nfile = \"${look.f}\"\n";
    let loader = |_: &str| Ok(Source::new("qc.pop.toml", inner));
    let compiled = |text: &str| {
        let text =
            format!("[workflow]\nname = \"x\"\n[types.Q]\nfile = \"string\"\nleast = \"int?\"\n{text}");
        compile(
            Source::new("x.pop.toml", text),
            Format::Toml,
            &Options { loader: &loader, ..Options::default() },
        )
    };
    let whole = compiled(
        "[inputs]\nx = \"Q\"\nxs = \"list<Q>\"\n[operations.one]\nworkflow = \"qc.pop.toml\"\nwith = \"${inputs.x}\"\n\
         [operations.many]\nworkflow = \"qc.pop.toml\"\neach = \"${inputs.xs}\"\nwith = \"${each}\"\n\
         [operations.native]\nworkflow = \"qc.pop.toml\"\nwith = \"@<x>\"\n",
    );
    assert_eq!(rules(&whole), [""; 0], "{:#?}", whole.diagnostics);
    let inputs =
        json!({ "x": { "file": "a" }, "xs": [{ "file": "b", "least": 1 }, { "file": "c", "least": null }] });
    let agenda = whole.template.unwrap().expand(&inputs).unwrap();
    let payload =
        |name: &str| agenda.operations.iter().find(|o| o.name == name).unwrap().payload["value"].clone();
    assert_eq!(payload("one/look"), json!({ "f": "a", "l": 3, "n": null }));
    assert_eq!(payload("native/look"), json!({ "f": "a", "l": 3, "n": null }));
    assert_eq!(payload("many.0/look"), json!({ "f": "b", "l": 1, "n": null }));
    assert_eq!(payload("many.1/look"), json!({ "f": "c", "l": 3, "n": null }));
    // of an output, what reads it waits for it
    let output = compiled(
        "[operations.p]\nuses = \"pop.transform\"\nwith = { value = { file = \"a\" } }\n\
         [operations.one]\nworkflow = \"qc.pop.toml\"\nwith = \"${p}\"\n[outputs]\nf = \"${one.file}\"\n",
    );
    let agenda = output.agenda.unwrap_or_else(|| panic!("{:#?}", output.diagnostics));
    let look = agenda.operations.iter().find(|o| o.name == "one/look").unwrap();
    assert_eq!(look.payload["value"], json!({ "f": "@<p.out::/file>", "l": 3, "n": null }));
    // what does not fit is found
    let wrong = compiled(
        "[inputs]\nx = { type = \"Q?\" }\n[operations.one]\nworkflow = \"qc.pop.toml\"\nwith = \"${inputs.x}\"\n",
    );
    assert_eq!(rules(&wrong), ["optional-into-required"]);
    let wrong = compiled(
        "[inputs]\nx = \"list<Q>\"\n[operations.one]\nworkflow = \"qc.pop.toml\"\nwith = \"${inputs.x}\"\n",
    );
    assert_eq!(rules(&wrong), ["type-mismatch"]);
}

#[test]
fn a_workflow_without_inputs_takes_none() {
    let template = clean("[operations.a]\nuses = \"pop.sleep\"\n").template.unwrap();
    for inputs in [json!({}), Value::Null] {
        assert!(template.expand(&inputs).is_ok(), "{inputs}");
    }
    let faults = template.expand(&json!({ "file": 1 })).unwrap_err();
    let said: Vec<(&str, &str)> = faults.iter().map(|f| (f.rule, f.message.as_str())).collect();
    assert_eq!(said, [("extra-input", "unknown input `file`")]);
    assert_eq!(template.expand(&json!([1])).unwrap_err().len(), 1);
}

/// An input of an operation type may have a default, which stands in for what is absent or null, and a description.
#[test]
fn inputs_of_operation_types_have_defaults() {
    let kind = "[catalog.\"m.e\"]\ncommand = [\"e\", \"${with.codec}\", \"${with.note}\"]\n[catalog.\"m.e\".input]\nsource = \"string\"\n\
        codec = { type = '\"h264\" | \"h265\"', default = \"h264\", description = \"How it is compressed.\" }\n\
        text = { type = \"string\", default = \"$${b}\" }\nnote = { type = \"string?\", description = \"For people.\" }\n\
        tag = { record = { type = \"string\" } }\n";
    let payload = |with: &str| {
        let text = format!("{kind}[operations.a]\nuses = \"m.e\"\n{with}\n");
        clean(&text).agenda.unwrap().operations[0].payload.clone()
    };
    let text = "${b}";
    assert_eq!(
        payload("with = { source = \"s\", tag = { type = \"t\" } }"),
        json!({ "codec": "h264", "source": "s", "tag": { "type": "t" }, "text": text })
    );
    assert_eq!(
        payload("with = { source = \"s\", codec = \"h265\", text = \"x\", tag = { type = \"t\" } }"),
        json!({ "codec": "h265", "source": "s", "tag": { "type": "t" }, "text": "x" })
    );
    let text = format!(
        "[inputs]\nc = '(\"h264\" | \"h265\")?'\n{kind}[operations.a]\nuses = \"m.e\"\nwith = {{ source = \"s\", codec = \"${{inputs.c}}\", tag = {{ type = \"t\" }} }}\n"
    );
    let compiled = clean(&text);
    let e = compiled.catalog.get("m.e").unwrap();
    assert_eq!(e.defaults["codec"], json!("h264"));
    assert_eq!(e.descriptions.keys().collect::<Vec<_>>(), ["codec", "note"]);
    // what has a default is always there, so that a command need not cope
    assert_eq!(e.run.command, ["e", "${with.codec}", "${with.note?}"]);
    let template = compiled.template.unwrap();
    for (inputs, codec) in
        [(json!({}), "h264"), (json!({ "c": null }), "h264"), (json!({ "c": "h265" }), "h265")]
    {
        assert_eq!(template.expand(&inputs).unwrap().operations[0].payload["codec"], codec, "{inputs}");
    }
    // a whole value, and items
    let whole = "[types.J]\nsource = \"string\"\ncodec = '(\"h264\" | \"h265\")?'\ntag = \"T\"\n[types.T]\ntype = \"string\"\n[inputs]\njobs = \"list<J>\"\n";
    let text = format!(
        "{whole}{kind}[operations.a]\nuses = \"m.e\"\neach = \"${{inputs.jobs}}\"\nwith = \"${{each}}\"\n"
    );
    let jobs = json!({ "jobs": [{ "source": "s", "tag": { "type": "t" } }] });
    let agenda = clean(&text).template.unwrap().expand(&jobs).unwrap();
    let payload = &agenda.operations[0].payload;
    assert_eq!((&payload["source"], &payload["codec"]), (&json!("s"), &json!("h264")));
}

#[test]
fn defaults_of_inputs_of_operation_types_are_checked() {
    let found = |field: &str, with: &str| {
        let text = format!(
            "[catalog.\"m.e\"]\ninput = {{ v = {field} }}\ncommand = [\"e\"]\n[operations.a]\nuses = \"m.e\"\nwith = {with}\n"
        );
        workflow(&text).diagnostics.iter().map(|d| (d.rule, d.message.clone())).collect::<Vec<_>>()
    };
    for (field, with, rule, message) in [
        (r#"{ type = "int", default = "x" }"#, "{}", "bad-default", r#"invalid default `"x"` for `v: int`"#),
        (
            r#"{ type = "string", default = "${run.id}" }"#,
            "{}",
            "bad-default",
            "invalid default of `v`: references are not allowed",
        ),
        (
            r#"{ type = "int", defalt = 1 }"#,
            "{ v = 1 }",
            "unknown-key",
            "unknown key `defalt` in the input `v`",
        ),
        (r#"{ type = "in", default = 1 }"#, "{}", "unknown-type", "unknown type `in`"),
        (
            r#"{ type = "int", default = 1 }"#,
            "{ v = \"x\" }",
            "type-mismatch",
            r#"`v: int?` does not accept `"x"`"#,
        ),
        (r#"{ type = "int", description = "d" }"#, "{}", "missing-input", "`m.e` needs `v: int`"),
    ] {
        assert_eq!(found(field, with), [(rule, message.to_owned())], "{field}");
    }
    let secret = found(r#"{ type = "secret<string>", default = "x" }"#, "{}");
    assert_eq!(secret.iter().map(|(rule, _)| *rule).collect::<Vec<_>>(), ["secret-leak"]);
    for field in
        [r#"{ type = "int?", default = 1 }"#, r#"{ record = { type = "int?" } }"#, r#"{ a = "int?" }"#]
    {
        assert_eq!(
            found(field, if field.contains("type = \"int?\", ") { "{}" } else { "{ v = {} }" }),
            [],
            "{field}"
        );
    }
}
