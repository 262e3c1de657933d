//! What the printers must get right whatever a workflow is called and whatever its schemas say.

use serde_json::{Value as Json, json};

use super::*;
use crate::agenda::{Agenda, AgendaTemplate, keys};

fn template(name: &str, inputs: Json, outputs: Json) -> AgendaTemplate {
    let mut template = AgendaTemplate::default();
    template.params.insert(keys::INPUTS.into(), inputs);
    template.params.insert(keys::OUTPUTS.into(), outputs);
    template.agenda.params.insert(keys::WORKFLOW.into(), json!({ "name": name }));
    template
}

fn input(template: AgendaTemplate) -> Input {
    Input { file: "x.template.json".into(), template, places: Vec::new() }
}

fn printed(language: Language, inputs: &Json, outputs: &Json) -> String {
    let input = input(template("x", inputs.clone(), outputs.clone()));
    let files = generate(language, &[input]).unwrap();
    files.into_iter().find(|f| f.path.starts_with("x.")).unwrap().text
}

fn object(properties: Json, required: Json) -> Json {
    json!({ "type": "object", "properties": properties, "required": required })
}

#[test]
fn names_that_a_language_keeps_for_itself_get_another() {
    let fields = object(
        json!({ "type": { "type": "string" }, "a-b": { "type": "integer" }, "a_b": {} }),
        json!(["type"]),
    );
    let rust = printed(Language::Rust, &fields, &json!({}));
    for line in [
        "    #[serde(rename = \"type\")]\n    pub type_: String,",
        "#[serde(rename = \"a-b\", default, skip_serializing_if = \"Option::is_none\")]\n    pub a_b: Option<i64>,",
        "#[serde(rename = \"a_b\", default, skip_serializing_if = \"Option::is_none\")]\n    pub a_b_2: Option<typed::Json>,",
    ] {
        assert!(rust.contains(line), "{rust}");
    }
    let typescript = printed(Language::Typescript, &fields, &json!({}));
    for line in
        ["  readonly type: string;", "  readonly \"a-b\"?: number | null;", "  readonly a_b?: unknown;"]
    {
        assert!(typescript.contains(line), "{typescript}");
    }
    let python = printed(Language::Python, &fields, &json!({}));
    for line in [
        "    type_: str = _dc.field(metadata={\"json\": \"type\"})",
        "    a_b: int | None = _dc.field(default=None, metadata={\"json\": \"a-b\"})",
        "    a_b_2: _pop.Json = _dc.field(default=None, metadata={\"json\": \"a_b\"})",
    ] {
        assert!(python.contains(line), "{python}");
    }
}

#[test]
fn what_a_description_shows_is_no_rust_to_test() {
    let mut inputs = object(json!({ "a": { "type": "string" } }), json!(["a"]));
    inputs["properties"]["a"]["description"] =
        "Such as\n\n    let it = be;\n\n```\nfails(\n```\n\nor\n\n~~~rust\n    as it is".into();
    let rust = printed(Language::Rust, &inputs, &json!({}));
    let docs = "    /// Such as\n    ///\n    ///    let it = be;\n    ///\n    /// ```text\n    /// fails(\n    /// ```\n    ///\n    \
        /// or\n    ///\n    /// ~~~text\n    ///     as it is\n    /// ~~~\n    pub a: String,\n";
    assert!(rust.contains(docs), "{rust}");
}

#[test]
fn definitions_of_both_sides_are_one_type_if_they_are_the_same() {
    let side = |definition: Json| {
        let mut side = object(json!({ "r": { "$ref": "#/$defs/Rung" } }), json!(["r"]));
        side["$defs"] = json!({ "Rung": definition });
        side
    };
    let rung = object(json!({ "h": { "type": "integer" } }), json!(["h"]));
    let same = printed(Language::Typescript, &side(rung.clone()), &side(rung.clone()));
    assert_eq!(same.matches("export interface Rung ").count(), 1);
    assert!(!same.contains("OutputsRung"), "{same}");
    let other = object(json!({ "h": { "type": "string" } }), json!(["h"]));
    let different = printed(Language::Typescript, &side(rung), &side(other));
    assert!(
        different.contains("readonly r: Rung;") && different.contains("readonly r: OutputsRung;"),
        "{different}"
    );
}

#[test]
fn types_that_hold_themselves_are_boxed_and_those_that_mean_nothing_mean_anything() {
    let mut inputs = object(
        json!({ "tree": { "$ref": "#/$defs/Tree" }, "odd": { "$ref": "#/$defs/A" } }),
        json!(["tree"]),
    );
    inputs["$defs"] = json!({
        "Tree": object(json!({
            "left": { "anyOf": [{ "$ref": "#/$defs/Tree" }, { "type": "null" }] },
            "all": { "type": "array", "items": { "$ref": "#/$defs/Tree" } },
            "deep": { "$ref": "#/$defs/Wrap" },
        }), json!(["all"])),
        "Wrap": object(json!({ "tree": { "$ref": "#/$defs/Tree" } }), json!([])),
        "A": { "$ref": "#/$defs/B" },
        "B": { "anyOf": [{ "$ref": "#/$defs/A" }, { "type": "null" }] },
    });
    let rust = printed(Language::Rust, &inputs, &json!({}));
    for line in [
        "pub left: Option<Box<Tree>>,",
        "pub all: Vec<Tree>,",
        "pub deep: Option<Box<Wrap>>,",
        "pub tree: Option<Box<Tree>>,",
        "pub tree: Tree,",
        "pub type A = typed::Json;",
    ] {
        assert!(rust.contains(line), "{line}\n{rust}");
    }
}

#[test]
fn text_from_outside_stays_text() {
    let nasty = "\"\"\" */ \\ \u{202e}'} #{x}\r\nnext\"";
    let mut field = json!({ "enum": [nasty, "ok"], "description": nasty, "default": nasty });
    let inputs = object(json!({ nasty: field.take() }), json!([nasty]));
    let mut template = template(nasty, inputs.clone(), inputs);
    template.agenda.params[keys::WORKFLOW]["description"] = nasty.into();
    for language in [Language::Rust, Language::Typescript, Language::Python] {
        let given = Input {
            file: "f".into(),
            template: template.clone(),
            places: vec![(nasty.into(), nasty.into())],
        };
        let files = generate(language, &[given]).unwrap();
        let text = &files.iter().find(|f| f.path.contains("next")).unwrap().text;
        assert!(!text.contains(['\r', '\u{202e}']), "{text}");
        if language == Language::Typescript {
            let inside = |line: &&str| line.trim_start().starts_with("* ");
            assert!(text.lines().filter(inside).all(|line| !line.contains("*/")), "{text}");
        }
    }
}

#[test]
fn the_union_of_more_is_tried_before_that_of_less() {
    let some = object(json!({ "a": { "type": "string" } }), json!(["a"]));
    let more = object(json!({ "a": { "type": "string" }, "b": { "type": "string" } }), json!(["a", "b"]));
    let inputs = object(
        json!({ "either": { "anyOf": [some, more, { "type": "string" }, { "const": "auto" }, { "type": "integer" }] } }),
        json!([]),
    );
    let rust = printed(Language::Rust, &inputs, &json!({}));
    let start = rust.find("pub enum Either {").unwrap();
    let union: Vec<&str> = rust[start..].lines().skip(1).take(5).map(str::trim).collect();
    assert_eq!(
        union,
        ["EitherWord(EitherWord),", "Int(i64),", "Text(String),", "Either2(Either2),", "Either1(Either1),"]
    );
}

#[test]
fn what_has_no_name_has_no_client() {
    let bare = AgendaTemplate { agenda: Agenda::default(), ..AgendaTemplate::default() };
    let error = generate(Language::Rust, &[input(bare)]).unwrap_err();
    assert_eq!(error, Error::NoName { file: "x.template.json".into() });
    let one = || input(template("A b", json!({}), json!({})));
    let two = input(template("a-b", json!({}), json!({})));
    let error = generate(Language::Python, &[one(), two]).unwrap_err();
    assert!(error.to_string().contains("would both be a_b.py"), "{error}");
}

#[test]
fn an_open_record_has_a_place_for_its_further_fields() {
    let event = json!({
        "type": "object",
        "properties": { "id": { "type": "string" }, "more": { "anyOf": [{ "type": "integer" }, { "type": "null" }] } },
        "required": ["id"],
        "additionalProperties": { "type": "boolean" },
    });
    let loose = json!({ "type": "object", "properties": { "a": { "type": "integer" } }, "additionalProperties": true });
    let fields = object(json!({ "event": event, "loose": loose }), json!(["event", "loose"]));
    let rust = printed(Language::Rust, &fields, &fields);
    for text in [
        "typed::open! {\n    pub struct Event {\n        id: String = \"id\",\n        more: Option<i64> = \"more\",\n        \
         ..more_2: std::collections::BTreeMap<String, bool>\n    }\n}\n",
        "typed::open! {\n    #[derive(Default)]\n    pub struct Loose {\n        a: Option<i64> = \"a\",\n        \
         ..more: std::collections::BTreeMap<String, typed::Json>\n    }\n}\n",
        "            id: required.id,\n            more: None,\n            more_2: Default::default(),\n",
    ] {
        assert!(rust.contains(text), "{rust}");
    }
    let typescript = printed(Language::Typescript, &fields, &fields);
    for text in [
        "  readonly more?: number | null;\n  /** Further fields. */\n  \
         readonly [further: string]: boolean | number | null | undefined | string;\n",
        "  readonly a?: number | null;\n  /** Further fields. */\n  readonly [further: string]: unknown;\n",
    ] {
        assert!(typescript.contains(text), "{typescript}");
    }
    let python = printed(Language::Python, &fields, &fields);
    for text in [
        "    more_2: Mapping[str, bool] = _dc.field(default_factory=dict[str, _t.Any], metadata={\"rest\": True})\n",
        "        more_2=fields.rest((\"id\", \"more\",), _json.boolean),\n",
        "        more=fields.rest((\"a\",), _json.anything),\n",
    ] {
        assert!(python.contains(text), "{python}");
    }
}
