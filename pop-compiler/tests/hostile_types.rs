//! Types and references that nobody means well: whatever they are, compiling ends soon, and says what is wrong.

use std::collections::HashMap;
use std::fmt::Write as _;

use pop_compiler::catalog::{Catalog, OperationType};
use pop_compiler::source::Source;
use pop_compiler::types::{Type, Types};
use pop_compiler::{Compiled, Format, Options, compile, is_native, reference};
use serde_json::{Value, json};

fn compiled(text: &str) -> Compiled {
    compile(Source::new("x.pop.toml", text), Format::Toml, &Options::default())
}

fn rules(compiled: &Compiled) -> Vec<&'static str> {
    compiled.diagnostics.iter().map(|finding| finding.rule).collect()
}

/// Compiles a workflow beside these files.
fn beside(text: &str, files: &HashMap<&str, String>) -> Compiled {
    let loader = |path: &str| match files.get(path) {
        Some(text) => Ok(Source::new(path, text.clone())),
        None => Err("there is no such file".to_owned()),
    };
    compile(Source::new("x.pop.toml", text), Format::Toml, &Options { loader: &loader, ..Options::default() })
}

const WITH_SCHEMA: &str = "[workflow]\nname = \"x\"\n[catalog.\"x.y\"]\ninput = { schema = \"x.json\" }\n\
     command = [\"y\"]\n[operations.o]\nuses = \"x.y\"\nwith = {}\n";

/// A schema whose references double at each of `levels` definitions.
fn doubling(levels: usize) -> Value {
    let mut defs = serde_json::Map::new();
    for i in 0..levels {
        let next = json!({ "$ref": format!("#/$defs/d{}", i + 1) });
        defs.insert(format!("d{i}"), json!({ "type": "object", "properties": { "l": next, "r": next } }));
    }
    defs.insert(format!("d{levels}"), json!({ "type": "integer" }));
    json!({ "type": "object", "properties": { "a": { "$ref": "#/$defs/d0" } }, "$defs": defs })
}

#[test]
fn a_schema_that_doubles_is_a_finding() {
    let found = beside(WITH_SCHEMA, &HashMap::from([("x.json", doubling(60).to_string())]));
    assert_eq!(rules(&found), ["bad-schema"]);
    assert!(found.diagnostics[0].message.contains("too large"), "{}", found.diagnostics[0].message);
    let found = beside(WITH_SCHEMA, &HashMap::from([("x.json", doubling(8).to_string())]));
    assert_eq!(rules(&found), [""; 0], "a few doublings are none");
    assert_eq!(Type::from_schema(&doubling(60)), Type::Any);
}

/// Definitions that all hold each other would be endless if each were written out where it is named.
#[test]
fn a_schema_that_holds_itself_in_many_ways_is_read() {
    let all: Vec<Value> = (0..200).map(|i| json!({ "$ref": format!("#/$defs/d{i}") })).collect();
    let each = |i: usize| {
        let field = json!({ "type": "array", "items": { "anyOf": all } });
        json!({ "type": "object", "properties": { "all": field, "n": { "const": i } }, "additionalProperties": false })
    };
    let defs: serde_json::Map<String, Value> = (0..200).map(|i| (format!("d{i}"), each(i))).collect();
    let schema = json!({ "type": "object", "properties": { "a": { "$ref": "#/$defs/d0" } }, "$defs": defs });
    let text =
        WITH_SCHEMA.replace("with = {}", "with = { a = { n = 0, all = [{ n = 199, all = [{ m = 1 }] }] } }");
    let found = beside(&text, &HashMap::from([("x.json", schema.to_string())]));
    assert_eq!(rules(&found), ["type-mismatch"], "{:#?}", found.diagnostics);
}

#[test]
fn a_schema_that_only_means_itself_means_anything() {
    let long = |n: usize| -> serde_json::Map<String, Value> {
        (0..n).map(|i| (format!("d{i}"), json!({ "$ref": format!("#/$defs/d{}", (i + 1) % n) }))).collect()
    };
    for defs in [
        json!({ "d0": { "$ref": "#/$defs/d0" } }),
        json!({ "d0": { "anyOf": [{ "$ref": "#/$defs/d0" }, { "type": "string" }] } }),
        Value::Object(long(5_000)),
    ] {
        let schema =
            json!({ "type": "object", "properties": { "a": { "$ref": "#/$defs/d0" } }, "$defs": defs });
        let text = WITH_SCHEMA.replace("with = {}", "with = { a = [1, { b = 2 }] }");
        let found = beside(&text, &HashMap::from([("x.json", schema.to_string())]));
        assert_eq!(rules(&found), [""; 0], "{:#?}", found.diagnostics);
    }
}

#[test]
fn long_texts_that_a_schema_repeats_are_a_finding() {
    let long = "x".repeat(1_000_000);
    let many: Vec<Value> = (0..20_000).map(|_| json!({ "$ref": "#/$defs/long" })).collect();
    let schema = json!({ "anyOf": many, "$defs": { "long": { "enum": [long] } } });
    assert_eq!(rules(&beside(WITH_SCHEMA, &HashMap::from([("x.json", schema.to_string())]))), ["bad-schema"]);
}

#[test]
fn a_schema_of_very_many_properties_is_read() {
    let names: Vec<String> = (0..200_000).map(|i| format!("p{i}")).collect();
    let properties: serde_json::Map<String, Value> =
        names.iter().map(|name| (name.clone(), json!({ "type": "integer" }))).collect();
    let schema = json!({ "type": "object", "properties": properties, "required": names });
    let Type::Record(record) = Type::from_schema(&schema) else { panic!("a record") };
    assert_eq!((record.len(), record.get("p199999")), (200_000, Some(&Type::Int)));
}

#[test]
fn names_in_a_long_chain_mean_what_the_last_one_means() {
    const LENGTH: usize = 5_000;
    let chain = |link: &dyn Fn(usize) -> String, last: &str| {
        let mut text = "[workflow]\nname = \"x\"\n[inputs]\nt = \"T0\"\n[types]\n".to_owned();
        for i in 0..LENGTH {
            writeln!(text, "T{i} = \"{}\"", link(i + 1)).unwrap();
        }
        writeln!(text, "T{LENGTH} = \"{last}\"\n[catalog.\"x.y\"]\ninput = {{ t = \"T0\", n = \"int?\" }}")
            .unwrap();
        text
    };
    let operations = "[operations.o]\nuses = \"x.y\"\nwith = { t = \"${inputs.t}\" }\n";
    let wrong = "[operations.w]\nuses = \"x.y\"\nwith = { t = \"${inputs.t}\", n = \"${inputs.t}\" }\n";
    let alias = chain(&|i| format!("T{i}"), "string");
    assert_eq!(rules(&compiled(&format!("{alias}{operations}"))), [""; 0]);
    assert_eq!(rules(&compiled(&format!("{alias}{wrong}"))), ["type-mismatch"]);
    let many: String = (0..2_000).map(|i| operations.replace(".o]", &format!(".o{i}]"))).collect();
    assert_eq!(rules(&compiled(&format!("{alias}{many}"))), [""; 0]);
    for link in ["{{x: T}}", "list<T>", "map<T>", "{{a: T?, b: T?, n: int}}"] {
        let link = link.replace("{{", "{").replace("}}", "}");
        let nested = chain(&|i| link.replace('T', &format!("T{i}")), "secret<int>");
        assert_eq!(rules(&compiled(&format!("{nested}{operations}"))), [""; 0], "{link}");
    }
}

#[test]
fn unions_that_nest_by_name_without_end_are_findings() {
    let mut text = "[workflow]\nname = \"x\"\n[inputs]\nt = \"T0\"\n[types]\n".to_owned();
    for i in 0..2_000 {
        writeln!(text, "T{i} = \"T{} | '{i}'\"", i + 1).unwrap();
    }
    text += "T2000 = \"int\"\n[operations.o]\nuses = \"pop.log\"\nwith = { message = \"${inputs.t}\" }\n";
    let found = rules(&compiled(&text));
    assert!(!found.is_empty() && found.iter().all(|rule| *rule == "bad-type"), "{found:?}");

    let mut text = "[workflow]\nname = \"x\"\n[inputs]\nt = \"A0\"\n[types]\n".to_owned();
    for i in 0..100 {
        let next = i + 1;
        writeln!(text, "A{i} = \"B{i} | C{i}\"\nB{i} = \"A{next} | int\"\nC{i} = \"A{next} | bool\"")
            .unwrap();
    }
    text += "A100 = \"{a: string}\"\n[catalog.\"x.y\"]\ninput = { t = \"A0\" }\n[operations.o]\nuses = \"x.y\"\n\
             with = { t = { a = 5 } }\n[operations.p]\nuses = \"x.y\"\nwith = { t = \"${inputs.t}\" }\n";
    let found = rules(&compiled(&text));
    assert!(found.contains(&"bad-type"), "{found:?}");
}

#[test]
fn a_circle_of_very_many_names_is_one_finding() {
    let mut text = "[workflow]\nname = \"x\"\n[inputs]\nt = \"T0\"\n[types]\n".to_owned();
    for i in 0..5_000 {
        writeln!(text, "T{i} = \"T{}?\"", (i + 1) % 5_000).unwrap();
    }
    text += "[operations.o]\nuses = \"pop.sleep\"\nwith = { output = \"${inputs.t}\" }\n";
    let found = compiled(&text);
    assert_eq!(rules(&found), ["bad-type"]);
    assert_eq!(found.diagnostics[0].message, "circular type `T0`");
}

#[test]
fn a_type_of_code_that_means_itself_fits_everything() {
    for meaning in ["Odd", "Odd?", "Odd | int", "secret<Odd>", "Other"] {
        let mut odd = OperationType::new("x.odd");
        odd.input = Type::record([("a", Type::parse("Odd").unwrap())]);
        odd.output = Type::parse("Odd").unwrap();
        let mut catalog = Catalog::builtin().with(odd);
        catalog.types.define("Odd", Type::parse(meaning).unwrap());
        catalog.types.define("Other", Type::parse("int | Odd").unwrap());
        let text = "[workflow]\nname = \"x\"\n[inputs]\ni = \"Odd\"\n[operations.a]\nuses = \"x.odd\"\nwith = { a = 5 }\n\
             [operations.b]\nuses = \"x.odd\"\nwith = { a = \"${a.b[3]}\" }\n[operations.c]\nuses = \"x.odd\"\n\
             with = { a = \"${inputs.i}\" }\n[outputs]\nall = \"${b}\"\n";
        let options = Options { catalogs: &[catalog], ..Options::default() };
        let found = compile(Source::new("x.pop.toml", text), Format::Toml, &options);
        assert!(found.template.is_some(), "{meaning}: {:?}", found.diagnostics);
    }
}

#[test]
fn a_type_may_hold_itself_in_a_list_or_a_record() {
    let text = "[workflow]\nname = \"x\"\n[types]\nTree = \"{name: string, children: list<Tree>}\"\nList = \"{head: int, tail: List?}\"\n\
         [inputs]\ntree = \"Tree\"\nlist = \"List\"\n[catalog.\"x.y\"]\ninput = { tree = \"Tree\", name = \"string\", n = \"int?\" }\n\
         [operations.o]\nuses = \"x.y\"\n\
         with = { tree = \"${inputs.tree.children[0]}\", name = \"${inputs.tree.children[1].name}\", n = \"${inputs.list.tail.tail.head}\" }\n\
         [operations.w]\nuses = \"x.y\"\n\
         with = { tree = { name = \"a\", children = [{ name = \"b\", children = [] }] }, name = \"n\" }\n";
    assert_eq!(rules(&compiled(text)), [""; 0]);
    let found = compiled(&text.replace("name = \"b\"", "name = 7"));
    assert_eq!(rules(&found), ["type-mismatch"]);
}

#[test]
fn very_many_members_and_fields_are_compared_in_time() {
    let words = |n: usize, more: &str| {
        let words: Vec<String> = (0..n).map(|i| format!("'w{i}'")).collect();
        format!("{}{more}", words.join(" | "))
    };
    let (many, more) = (words(20_000, ""), words(20_000, " | 'last'"));
    let types = Types::default();
    let ty = |text: &str| Type::parse(text).unwrap();
    assert!(types.fits(&ty(&many), &ty(&more)));
    assert!(!types.fits(&ty(&more), &ty(&many)));

    let records = |n: usize, ty: &str| {
        let members: Vec<String> = (0..n).map(|i| format!("{{f{i}: {ty}}}")).collect();
        members.join(" | ")
    };
    assert!(types.fits(&ty(&records(400, "int")), &ty(&records(400, "float"))));
    assert!(!types.fits(&ty(&records(400, "float")), &ty(&records(400, "int"))));

    let fields = |ty: &str| {
        let fields: Vec<String> = (0..50_000).map(|i| format!("f{i}: {ty}")).collect();
        format!("{{{}}}", fields.join(", "))
    };
    assert!(types.fits(&ty(&fields("int")), &ty(&fields("float"))));
    assert!(!types.fits(&ty(&fields("float")), &ty(&fields("int"))));
    assert!(Type::parse(&format!("int{}", "?".repeat(1_000_000))).is_ok());
}

#[test]
fn a_text_of_nothing_but_starts_of_tokens_is_read_in_time() {
    for text in ["@<".repeat(1_000_000), "\\@<".repeat(1_000_000), "${{}".repeat(20_000)] {
        let quoted = serde_json::to_string(&text).unwrap();
        let json = format!(
            r#"{{"workflow":{{"name":"x"}},"operations":{{"a":{{"uses":"pop.log","with":{{"message":{quoted}}}}}}}}}"#
        );
        compile(Source::new("x.pop.json", json.as_str()), Format::Json, &Options::default());
        is_native(&json);
        assert_eq!(reference::tokens(&text), []);
        let (back, _) =
            reference::substitute(&json!(reference::escape(&text)), &|_| None, reference::Mode::Final);
        assert_eq!(back, json!(text));
    }
}

#[test]
fn sub_workflows_that_double_a_value_end() {
    let double = |more: &str| {
        format!(
            "[workflow]\nname = \"double\"\n[inputs]\na = \"any\"\n[operations.o]\nuses = \"pop.sleep\"\n\
             [outputs]\nv = [\"${{inputs.a}}\", \"${{inputs.a}}\"{more}]\n"
        )
    };
    let mut text =
        "[workflow]\nname = \"x\"\n[operations.d0]\nworkflow = \"double.pop.toml\"\nwith = { a = 1 }\n"
            .to_owned();
    for i in 1..60 {
        let last = i - 1;
        writeln!(
            text,
            "[operations.d{i}]\nworkflow = \"double.pop.toml\"\nwith = {{ a = \"${{d{last}.v}}\" }}"
        )
        .unwrap();
    }
    text += "[outputs]\nall = \"${d59.v}\"\n";
    // one that an operation of the sub-workflow gives is copied; for any other there is an operation that gives it
    for (more, expected) in [(", \"${o}\"", &["bad-sub-workflow"] as &[&str]), ("", &[])] {
        let found = beside(&text, &HashMap::from([("double.pop.toml", double(more))]));
        assert_eq!(rules(&found), expected);
    }
}
