//! The type language by value: text, schema, assignability.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::agenda::AgendaTemplate;

fn ty(text: &str) -> Type {
    Type::parse(text).unwrap()
}

#[test]
fn text_forms_print_in_normal_form() {
    for (text, printed) in [
        ("list< Rung >", "list<Rung>"),
        ("string | null", "string?"),
        ("(int|string)?", "int | string | null"),
        ("'h264' | \"h265\"", "\"h264\" | \"h265\""),
        ("{ b: int, a: { x: 'y' }? }", "{a: {x: \"y\"}?, b: int}"),
        ("map<secret<url>>", "map<secret<url>>"),
        ("1 | 2.5 | true", "1 | 2.5 | true"),
        ("int??", "int?"),
        ("string | 'x' | null | true | bool", "string | bool | null"),
        ("{a: int, ...}", "{a: int, ...}"),
        ("{ ...: string?, a: int, }", "{a: int, ...: string?}"),
        ("{...}", "map<any>"),
        ("{...: int}", "map<int>"),
        ("{'...': int}", "{\"...\": int}"),
    ] {
        assert_eq!(ty(text).to_string(), printed);
    }
}

#[test]
fn places_of_secrets_are_pointers() {
    let mut types = Types { secrets: true, ..Types::default() };
    types.define("Login", ty("{name: string, 'a/b': secret<string>?}"));
    types.define("Tree", ty("{key: secret<string>, below: list<Tree>}"));
    let of = |text: &str| types.secret_pointers(&ty(text));
    assert_eq!(of("{a: int}"), [""; 0]);
    assert_eq!(of("{a: Login, b: list<secret<int>>, c: map<Login>}"), ["/a/a~1b", "/b/*", "/c/*/a~1b"]);
    assert_eq!(of("{t: Tree}"), ["/t/below/*", "/t/key"], "a type that holds itself is secret as a whole");
    assert_eq!(of("int | {x: secret<string>}"), ["/x"]);
}

#[test]
fn faults_say_where() {
    for (text, at) in [
        ("list<int", 0..8),
        ("list", 0..4),
        ("int |", 0..5),
        ("int int", 4..7),
        ("<", 0..1),
        ("{..., ...: int}", 6..9),
        ("{... a: int}", 5..6),
        ("{...: }", 6..7),
        ("...", 0..1),
    ] {
        assert_eq!(Type::parse(text).unwrap_err().0, at, "{text}");
    }
    assert!(Type::parse(&"(".repeat(100_000)).is_err());
    assert!(Type::parse(&"list<".repeat(100_000)).is_err());
}

#[test]
fn assignability_with_a_witness() {
    let types = Types::default();
    let fits = |a: &str, b: &str| types.assign(&ty(a), &ty(b)).map_err(|m| (m.path, m.witness));
    for (a, b) in [
        ("int", "float"),
        ("url", "string"),
        ("'a'", "'a' | 'b'"),
        ("'a' | 'b'", "string"),
        ("int", "int?"),
        ("bool", "true | false"),
        ("{a: int, b: int}", "{a: float}"),
        ("{a: int}", "{a: int, b: int?}"),
        ("{a: int}", "map<int>"),
        ("list<int>", "list<float?>"),
        ("any", "int"),
        ("int", "secret<int>"),
        ("'https://x.y/z'", "url"),
        ("int | null", "float?"),
        ("{a: int, ...}", "{a: int}"),
        ("{a: int, ...: string}", "{a: int, b: string?}"),
        ("{a: int, b: string}", "{a: int, ...: string}"),
        ("{a: int, ...: int}", "map<float>"),
        ("map<string>", "{a: string?, ...: string}"),
        ("map<any>", "{a: int?, ...}"),
        ("bytes", "int | string"),
        ("datetime", "path"),
        ("duration", "path"),
        ("bool", "false | { a: int } | true"),
    ] {
        assert_eq!(fits(a, b), Ok(()), "{a} → {b}");
    }
    assert_eq!(
        fits("{a: int, ...: string}", "{a: int, b: int?}"),
        Err((".b".into(), Some(json!("some text"))))
    );
    assert_eq!(fits("{a: int, ...}", "{a: int, b: int}"), Err((".b".into(), None)));
    assert_eq!(fits("{a: int, b: bool}", "{a: int, ...: string}"), Err((".b".into(), Some(json!(true)))));
    assert_eq!(fits("{a: int, ...: bool}", "{a: int, ...: string}"), Err((".*".into(), Some(json!(true)))));
    assert_eq!(fits("{a: int, ...: bool}", "map<int>"), Err((".*".into(), Some(json!(true)))));
    assert_eq!(fits("map<int>", "{a: string?, ...}"), Err((".a".into(), Some(json!(1)))));
    assert!(fits("{a: int, ...: secret<string>}", "{a: int}").is_ok(), "no type says that there are secrets");
    // the plainest value may be one that the target takes
    assert_eq!(fits("int", "1 | 2"), Err((String::new(), Some(json!(0)))));
    assert_eq!(fits("bool", "true | string"), Err((String::new(), Some(json!(false)))));
    assert_eq!(fits("string", "'some text' | int"), Err((String::new(), Some(json!("other text")))));
    assert_eq!(fits("bytes", "int"), Err((String::new(), Some(json!("8Gi")))));
    assert_eq!(fits("list<list<list<{a: int}>>>", "int"), Err((String::new(), Some(json!([[[]]])))));
    assert_eq!(fits("float", "int"), Err((String::new(), Some(json!(0.5)))));
    assert_eq!(fits("int?", "int"), Err((String::new(), Some(json!(null)))));
    assert_eq!(fits("{a: {b: string}}", "{a: {b: int}}"), Err((".a.b".into(), Some(json!("some text")))));
    assert_eq!(fits("{a: int}", "{b: int}"), Err((".b".into(), None)));
    assert_eq!(fits("list<{w: 'x'}>", "list<{w: int}>"), Err(("[0].w".into(), Some(json!("x")))));
    assert!(fits("secret<int>", "int").is_err());
    assert!(fits("string", "url").is_err());
}

#[test]
fn recursive_types_end() {
    let mut types = Types::default();
    types.define("Tree", ty("{children: list<Tree>, name: string}"));
    types.define("Loop", ty("Loop"));
    assert!(types.assign(&ty("Tree"), &ty("{children: list<Tree>, name: string}")).is_ok());
    assert!(types.assign(&ty("Loop"), &ty("int")).is_ok());
    let schema = ty("Tree").to_schema(&types);
    assert_eq!(schema.pointer("/$defs/Tree/properties/children/items/$ref"), Some(&json!("#/$defs/Tree")));
}

#[test]
fn schemas_as_schemars_makes_them_are_read() {
    let schema = json!({
        "type": "object",
        "properties": {
            "url": { "type": "string", "format": "uri" },
            "codec": { "$ref": "#/$defs/Codec" },
            "size": { "type": ["integer", "null"] },
            "tags": { "type": "array", "items": { "type": "string" } },
            "tree": { "$ref": "#" }
        },
        "required": ["url", "codec", "tags"],
        "$defs": { "Codec": { "oneOf": [ { "const": "h264" }, { "const": "h265" } ] } }
    });
    assert_eq!(
        Type::from_derived_schema(&schema).to_string(),
        "{codec: \"h264\" | \"h265\", size: int?, tags: list<string>, tree: any, url: url}"
    );
}

#[test]
fn a_schema_is_never_read_as_less_than_it_takes() {
    let object = |rest: Json| {
        let mut schema =
            json!({"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]});
        schema.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        schema
    };
    let b = json!({"properties": {"b": {"type": "string"}}, "required": ["b"]});
    let kinds = json!({"oneOf": [b, {"properties": {"c": {"type": "integer"}}}, {"type": "string"}]});
    for (schema, text) in [
        (object(json!({})), "{a: int, ...}"),
        (object(json!({"additionalProperties": true})), "{a: int, ...}"),
        (object(json!({"additionalProperties": {"type": "string"}})), "{a: int, ...: string}"),
        (object(json!({"additionalProperties": false})), "{a: int}"),
        (
            object(json!({"additionalProperties": false, "patternProperties": {"^x-": {"type": "boolean"}}})),
            "{a: int, ...: bool}",
        ),
        (object(json!({"patternProperties": {"^x-": {"type": "boolean"}}})), "{a: int, ...}"),
        (object(json!({"properties": {"a": {"type": "integer"}, "b": false}})), "{a: int, b: null, ...}"),
        (object(json!({"anyOf": [{"required": ["b"]}, {"required": ["c"]}]})), "{a: int, ...}"),
        (object(kinds), "{a: int, b: string, ...} | {a: int, c: int?, ...}"),
        (object(json!({"if": {"required": ["b"]}, "then": {"required": ["c"]}, "not": {}})), "{a: int, ...}"),
        (
            json!({"allOf": [{"properties": {"a": {"type": "number"}}}, {"required": ["a"], "properties": {"a": {"type": "integer"}}}]}),
            "{a: int, ...}",
        ),
        (
            json!({"$ref": "#/$defs/A%20b", "required": ["x"], "$defs": {"A b": {"properties": {"x": {"const": 3}}}}}),
            "{x: 3, ...}",
        ),
        (json!({"$ref": "#here", "$defs": {"A": {"$anchor": "here"}}}), "any"),
        (json!({"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}}), "any"),
        (
            json!({"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "null"}}),
            "list<string?>",
        ),
        (json!({"type": "array", "prefixItems": [{"type": "string"}]}), "list<any>"),
        (json!({"type": "array", "prefixItems": [{"type": "string"}], "items": false}), "list<string>"),
        (json!({"type": "array", "prefixItems": [{"type": "string"}], "maxItems": 1}), "list<string>"),
        (json!({"type": "array", "items": [{"type": "string"}, {"type": "integer"}]}), "list<any>"),
        (json!({"type": ["string", "null"], "enum": ["a", null]}), "\"a\"?"),
        (
            json!({"enum": [1, 2.5, "x", true, null, [1], {"a": 1}]}),
            "1 | 2.5 | \"x\" | true | list<int> | {a: int} | null",
        ),
        (json!({"const": ["x", "x"]}), "list<\"x\">"),
        (json!({"type": "string", "minLength": 3, "pattern": "x"}), "string"),
        (json!({"type": "integer", "minimum": 0}), "int"),
        (json!({"type": "string", "format": "duration"}), "string"),
        (json!({"type": "string", "format": "byte"}), "string"),
        (json!({"type": "string", "format": "date-time"}), "datetime"),
        (json!({"type": ["integer", "string", "null"], "format": "bytes"}), "bytes?"),
        (json!({"type": ["string", "null"], "format": "bytes"}), "string?"),
        (json!({"oneOf": [false, {"type": "integer"}], "nullable": true}), "int?"),
        (json!({"$ref": "#/$defs/A", "nullable": true, "$defs": {"A": {"type": "string"}}}), "string?"),
        (
            json!({"type": "object", "patternProperties": {"x": {"type": "integer"}}, "additionalProperties": false}),
            "map<int>",
        ),
        (json!({"type": "object", "additionalProperties": false}), "{}"),
        (json!(true), "any"),
    ] {
        assert_eq!(Type::from_schema(&schema).to_string(), text, "{schema}");
    }
}

#[test]
fn open_records_go_to_schemas_and_back() {
    for text in [
        "{a: int, ...}",
        "{a: int?, ...: string}",
        "{a: {b: int, ...: url}, ...}",
        "map<{a: int, ...}>",
        "{}",
    ] {
        assert_eq!(Type::from_schema(&ty(text).to_schema(&Types::default())), ty(text), "{text}");
    }
    let schema = ty("{a: int, ...: string}").to_schema(&Types::default());
    assert_eq!(schema["additionalProperties"], json!({"type": "string"}));
    assert_eq!(ty("{a: int, ...}").to_schema(&Types::default())["additionalProperties"], json!(true));
}

#[test]
fn references_are_uris() {
    let mut types = Types::default();
    types.define("Größe", ty("{next: Größe?, 'a%20b/~': int}"));
    let schema = ty("{g: Größe}").to_schema(&types);
    assert_eq!(schema["properties"]["g"]["$ref"], "#/$defs/Gr%C3%B6%C3%9Fe");
    assert_eq!(pointed(&schema, "#/$defs/Gr%C3%B6%C3%9Fe"), schema.pointer("/$defs/Größe"));
    let template: AgendaTemplate =
        serde_json::from_value(json!({ "params": { "pop.inputs": schema } })).unwrap();
    assert!(template.expand(&json!({ "g": { "a%20b/~": 1 } })).is_ok());
    assert!(template.expand(&json!({ "g": { "a%20b/~": "x" } })).is_err());
}

#[test]
fn values_are_checked_against_types() {
    let types = Types::default();
    for (text, value, fits) in [
        ("int", json!(3), true),
        ("float", json!(3), true),
        ("3 | 4", serde_json::from_str("3.0").unwrap(), false),
        ("2.50", json!(2.5), true),
        ("9007199254740993", serde_json::from_str("9007199254740992").unwrap(), false),
        ("url", json!("nope"), false),
        ("duration", json!("1h30m"), true),
        ("duration", json!("soon"), false),
        ("bytes", json!("8Gi"), true),
        ("{a: int}", json!({"a": 1, "b": 2}), false),
        ("{a: int, b: int?}", json!({"a": 1}), true),
        ("list<'x'>", json!(["x", "y"]), false),
        ("{a: int, ...}", json!({"a": 1, "b": [null]}), true),
        ("{a: int, ...: int}", json!({"a": 1, "b": 2}), true),
        ("{a: int, ...: int}", json!({"a": 1, "b": "x"}), false),
        ("{a: int, ...: int}", json!({"b": 1}), false),
    ] {
        assert_eq!(types.accepts(&ty(text), &value), fits, "{text} {value}");
    }
}

fn any_type() -> impl Strategy<Value = Type> {
    let leaf = prop_oneof![
        prop::sample::select(super::parse::SCALARS.to_vec()).prop_map(|(_, t)| t),
        "[A-Z][a-z0-9_]{0,6}".prop_map(|n| Type::Named(n.into())),
        "\\PC{0,6}".prop_map(|s| Type::Literal(Json::String(s).into())),
        any::<i32>().prop_map(|n| Type::Literal(Json::from(n).into())),
        any::<bool>().prop_map(|b| Type::Literal(Json::Bool(b).into())),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(Type::list),
            inner.clone().prop_map(|t| Type::Map(Arc::new(t))),
            inner.clone().prop_map(|t| Type::Secret(Arc::new(t))),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Type::union),
            (prop::collection::vec(("\\PC{0,5}|[.]{3}", inner.clone()), 0..4), prop::option::of(inner))
                .prop_map(|(fields, rest)| {
                    let record = Record::new(fields.into_iter().map(|(n, t)| (n.into(), t)));
                    record.with_rest(rest).into_type()
                }),
        ]
    })
}

/// Types without names, `any` and secrets, whose fields have simple names.
fn plain_type() -> impl Strategy<Value = Type> {
    let scalars = super::parse::SCALARS.iter().map(|(_, ty)| ty.clone()).filter(|ty| *ty != Type::Any);
    let leaf = prop_oneof![
        prop::sample::select(scalars.collect::<Vec<_>>()),
        prop::sample::select(vec!["some text", "1m", "x"]).prop_map(|s| Type::Literal(Json::from(s).into())),
        (0..3).prop_map(|n| Type::Literal(Json::from(n).into())),
        any::<bool>().prop_map(|b| Type::Literal(Json::Bool(b).into())),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(Type::list),
            inner.clone().prop_map(|t| Type::Map(Arc::new(t))),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Type::union),
            (prop::collection::vec(("[a-c]", inner.clone()), 0..4), prop::option::of(inner)).prop_map(
                |(fields, rest)| {
                    let record = Record::new(fields.into_iter().map(|(n, t)| (n.into(), t)));
                    record.with_rest(rest).into_type()
                }
            ),
        ]
    })
}

/// Values that are nearly of a type with a form of its own.
fn tricky() -> impl Strategy<Value = Json> {
    prop::sample::select(vec![
        json!("2024-13-45"),
        json!("not a url"),
        json!("soon"),
        json!("huge"),
        json!(-1),
        json!(2.0),
        json!("1m"),
        json!(""),
        json!(null),
    ])
}

/// The types that a value of `ty` may have at a place inside it, such as `.a[0].*`.
fn inside(ty: &Type, path: &str) -> Vec<Type> {
    let mut found = vec![ty.clone()];
    for step in path.replace("[0]", ".0").split('.').skip(1) {
        let mut next = Vec::new();
        for ty in found {
            let members = if let Type::Union(members) = &ty { members.to_vec() } else { vec![ty] };
            for member in members {
                next.extend(match &member {
                    Type::List(item) if step == "0" => Some(item.as_ref().clone()),
                    Type::Map(item) => Some(item.as_ref().clone()),
                    Type::Record(record) => record.get(step).or(record.rest()).cloned(),
                    _ => None,
                });
            }
        }
        found = next;
    }
    found
        .iter()
        .flat_map(|ty| if let Type::Union(all) = ty { all.to_vec() } else { vec![ty.clone()] })
        .collect()
}

proptest! {
    #[test]
    fn print_then_parse_is_the_same_type(ty in any_type()) {
        prop_assert_eq!(Type::parse(&ty.to_string()), Ok(ty));
    }

    #[test]
    fn every_type_fits_itself(ty in any_type()) {
        let types = Types::default();
        prop_assert!(types.assign(&ty, &ty).is_ok());
        prop_assert!(types.assign(&ty, &ty.clone().optional()).is_ok());
    }

    #[test]
    fn a_witness_is_of_the_one_type_and_not_of_the_other(a in plain_type(), b in plain_type()) {
        let types = Types::default();
        if let Err(mismatch) = types.assign(&a, &b) {
            if let Some(witness) = &mismatch.witness {
                prop_assert!(!types.accepts(&mismatch.expected, witness), "{} takes {witness}", mismatch.expected);
                let places = inside(&a, &mismatch.path);
                prop_assert!(places.iter().any(|ty| types.accepts(ty, witness)), "{witness} in {a} at {}", mismatch.path);
                prop_assert!(witness.to_string().len() < 2_000);
            }
        } else {
            let found = super::sample::witness(&a, &Type::Error, &types);
            prop_assert!(types.accepts(&a, &found), "{found} is no {a}");
        }
    }

    #[test]
    fn inputs_are_held_to_the_types_that_defaults_are_held_to(a in plain_type(), b in plain_type(), turn in 0..5_usize, text in tricky()) {
        let types = Types::default();
        let template: AgendaTemplate = serde_json::from_value(json!({
            "params": { "pop.inputs": Type::record([("x", a.clone())]).to_schema(&types) },
            "agenda": { "operations": [{ "name": "o", "type": "t" }] },
        })).unwrap();
        for value in [super::sample::sample(&b, &types, turn), super::sample::sample(&a, &types, turn), text] {
            let taken = template.expand(&json!({ "x": value })).is_ok();
            prop_assert_eq!(taken, types.accepts(&a, &value), "{} as {}", value, a);
        }
    }

    #[test]
    fn a_schema_says_the_same_type(ty in plain_type()) {
        let types = Types::default();
        let read = Type::from_schema(&ty.to_schema(&types));
        prop_assert!(types.assign(&ty, &read).is_ok(), "{ty} became {read}");
    }

    #[test]
    fn parsing_never_panics(text in "\\PC{0,40}") {
        let _ = Type::parse(&text);
    }
}
