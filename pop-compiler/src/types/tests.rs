//! The type language by value: text, schema, assignability.

use proptest::prelude::*;
use serde_json::json;

use super::*;

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
    ] {
        assert_eq!(ty(text).to_string(), printed);
    }
}

#[test]
fn faults_say_where() {
    for (text, at) in [("list<int", 0..8), ("list", 0..4), ("int |", 0..5), ("int int", 4..7), ("<", 0..1)] {
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
    ] {
        assert_eq!(fits(a, b), Ok(()), "{a} → {b}");
    }
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
        Type::from_schema(&schema).to_string(),
        "{codec: \"h264\" | \"h265\", size: int?, tags: list<string>, tree: any, url: url}"
    );
}

#[test]
fn values_are_checked_against_types() {
    let types = Types::default();
    for (text, value, fits) in [
        ("int", json!(3), true),
        ("float", json!(3), true),
        ("url", json!("nope"), false),
        ("duration", json!("1h30m"), true),
        ("duration", json!("soon"), false),
        ("bytes", json!("8Gi"), true),
        ("{a: int}", json!({"a": 1, "b": 2}), false),
        ("{a: int, b: int?}", json!({"a": 1}), true),
        ("list<'x'>", json!(["x", "y"]), false),
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
            prop::collection::vec(("\\PC{0,5}", inner), 0..4).prop_map(|fields| {
                Type::Record(Arc::new(Record::new(fields.into_iter().map(|(n, t)| (n.into(), t)))))
            }),
        ]
    })
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
    fn parsing_never_panics(text in "\\PC{0,40}") {
        let _ = Type::parse(&text);
    }
}
