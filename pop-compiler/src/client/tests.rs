//! What the printers must get right whatever a workflow is called and whatever its schemas say.

use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

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
    let fields =
        object(json!({ "type": { "type": "string" }, "a-b": { "type": "integer" } }), json!(["type"]));
    let rust = printed(Language::Rust, &fields, &json!({}));
    for line in [
        "    #[serde(rename = \"type\")]\n    pub type_: String,",
        "#[serde(rename = \"a-b\", default, skip_serializing_if = \"Option::is_none\")]\n    pub a_b: Option<i64>,",
    ] {
        assert!(rust.contains(line), "{rust}");
    }
    let typescript = printed(Language::Typescript, &fields, &json!({}));
    for line in ["  readonly type: string;", "  readonly \"a-b\"?: number | null;"] {
        assert!(typescript.contains(line), "{typescript}");
    }
    let python = printed(Language::Python, &fields, &json!({}));
    for line in [
        "    type_: str = _dc.field(metadata={\"json\": \"type\"})",
        "    a_b: int | None = _dc.field(default=None, metadata={\"json\": \"a-b\"})",
    ] {
        assert!(python.contains(line), "{python}");
    }
}

/// What `generate` says of names that would be one.
fn clashes(language: Language, inputs: &Json, outputs: &Json) -> Vec<String> {
    match generate(language, &[input(template("x", inputs.clone(), outputs.clone()))]) {
        Err(Error::Clashes { clashes, .. }) => clashes.iter().map(Clash::to_string).collect(),
        Err(other) => panic!("{other}"),
        Ok(_) => Vec::new(),
    }
}

#[test]
fn names_that_would_be_one_are_told_and_not_numbered() {
    let int = json!({ "type": "integer" });
    let two = object(json!({ "bitRate": int, "bit-rate": int, "bit_rate": int }), json!([]));
    let expected = [
        "the inputs `bit-rate` and `bitRate` both become `bit_rate`. Rename one of them.",
        "the inputs `bitRate` and `bit_rate` both become `bit_rate`. Rename one of them.",
    ];
    for language in [Language::Python, Language::Rust] {
        assert_eq!(clashes(language, &two, &json!({})), expected);
        let inner = object(json!({ "a": two }), json!([]));
        assert_eq!(clashes(language, &json!({}), &inner).len(), 2);
        let either = object(
            json!({ "a": { "anyOf": [object(json!({ "aB": int }), json!([])), object(json!({ "a-b": int }), json!([]))] } }),
            json!([]),
        );
        assert_eq!(
            clashes(language, &either, &json!({})),
            [
                "the fields `a-b` and `aB` of `A` both become `a_b`. Rename one of them, or declare the type as `map<any>`."
            ]
        );
    }
    // there, what is written is what is sent
    assert_eq!(clashes(Language::Typescript, &two, &json!({})), [""; 0]);
    let words = object(json!({ "codec": { "enum": ["h264", "H264", "h.265", 1, -1, 1.5, 15] } }), json!([]));
    let advice = "Change one of them, or declare the type as `string`.";
    assert_eq!(
        clashes(Language::Rust, &words, &json!({})),
        [format!("the words `\"H264\"` and `\"h264\"` of `Codec` both become `H264`. {advice}")]
    );
    assert_eq!(clashes(Language::Python, &words, &json!({})), [""; 0]);
    let required = object(json!({ "x": int, "y": int }), json!(["x"]));
    let helper = object(json!({ "a": required, "aRequired": object(json!({}), json!([])) }), json!([]));
    assert_eq!(
        clashes(Language::Rust, &helper, &json!({})),
        [
            "the types `A` and `ARequired` both become `ARequired`. Rename one of them: the record of required fields needs that name, too."
        ]
    );
}

#[test]
fn two_workflows_are_not_one_module() {
    let flows = ["a-1", "a1"].map(|name| input(template(name, json!({}), json!({}))));
    assert!(generate(Language::Rust, &flows).is_ok());
    let error = generate(Language::Typescript, &flows).unwrap_err();
    assert!(error.to_string().contains("would both be `a1` in index.ts. Rename"), "{error}");
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
    assert!(!same.contains("sRung"), "{same}");
    let other = object(json!({ "h": { "type": "string" } }), json!(["h"]));
    let different = printed(Language::Typescript, &side(rung), &side(other));
    assert!(
        different.contains("readonly r: InputsRung;") && different.contains("readonly r: OutputsRung;"),
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
         ..more_: std::collections::BTreeMap<String, bool>\n    }\n}\n",
        "typed::open! {\n    #[derive(Default)]\n    pub struct Loose {\n        a: Option<i64> = \"a\",\n        \
         ..more_: std::collections::BTreeMap<String, typed::Json>\n    }\n}\n",
        "            id: required.id,\n            more: None,\n            more_: Default::default(),\n",
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
        "    more_: Mapping[str, bool] = _dc.field(default_factory=dict[str, _t.Any], metadata={\"rest\": True})\n",
        "        more_=fields.rest((\"id\", \"more\",), _json.boolean),\n",
        "        more_=fields.rest((\"a\",), _json.anything),\n",
    ] {
        assert!(python.contains(text), "{python}");
    }
}

fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::collection::vec(
            prop::sample::select(vec!["bit", "Rate", "rate", "-", "_", " ", "2", "."]),
            1..4
        )
        .prop_map(|parts| parts.concat()),
        prop::sample::select(vec!["type", "type_", "more", "more_", "self", "Self", "class", "dict", ""])
            .prop_map(str::to_owned),
        "\\PC{1,3}",
    ]
}

/// What each identifier of a client stands for: lines of the printed text, each with the name in JSON that it has.
fn meanings(language: Language, names: &[String]) -> Option<BTreeMap<String, String>> {
    let int = json!({ "type": "integer" });
    let all = |names: &[String]| names.iter().map(|name| (name.clone(), int.clone())).collect::<Map<_, _>>();
    let words = json!({ "enum": names });
    let open = json!({ "type": "object", "properties": all(names), "additionalProperties": int });
    let mut fields = all(names);
    fields.insert("the open one".to_owned(), open);
    fields.insert("the words".to_owned(), words);
    let input = input(template("x", json!({ "type": "object", "properties": fields }), json!({})));
    let flow = Flow::new(&input).unwrap();
    match generate(language, &[input]) {
        Ok(_) => {}
        Err(Error::Clashes { .. }) => return None,
        Err(other) => panic!("{other}"),
    }
    let mut meanings = BTreeMap::new();
    let mut add = |at: &str, called: String, name: String| {
        assert_eq!(meanings.insert(format!("{at}{called}"), name), None, "{called} means two things");
    };
    let called = if language == Language::Rust { rust::called } else { python::called };
    for field in &flow.inputs {
        add("inputs.", called(field), field.key.clone());
    }
    for named in &flow.types {
        match &named.kind {
            model::Kind::Record(fields) => {
                for field in fields {
                    add("open.", called(field), format!("{} {}", field.rest, field.key));
                }
            }
            model::Kind::Literals(words) if language == Language::Rust => {
                for word in words {
                    add("words.", rust::variant_of(word), word.to_string());
                }
            }
            _ => {}
        }
    }
    Some(meanings)
}

proptest! {
    #[test]
    fn a_further_name_never_changes_what_another_one_means(
        mut names in prop::collection::vec(any_name(), 0..6),
        further in any_name(),
    ) {
        for language in [Language::Rust, Language::Python] {
            let Some(before) = meanings(language, &names) else { continue };
            names.push(further.clone());
            let Some(after) = meanings(language, &names) else { continue };
            for (called, name) in &before {
                prop_assert_eq!(after.get(called), Some(name), "{}", called);
            }
        }
    }
}
