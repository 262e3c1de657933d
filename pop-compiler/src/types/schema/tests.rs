//! The reader against a validator: what a schema takes, its type takes.

use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

use crate::types::{Type, Types};

fn scalar() -> impl Strategy<Value = Json> {
    prop::sample::select(vec![
        json!(null),
        json!(true),
        json!(0),
        json!(1),
        json!(0.5),
        json!("x"),
        json!("y"),
    ])
}

fn value() -> impl Strategy<Value = Json> {
    scalar().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Json::from),
            prop::collection::btree_map("[a-d]", inner, 0..3)
                .prop_map(|fields| Json::Object(fields.into_iter().collect())),
        ]
    })
}

/// Schemas of 2020-12, made of all keywords that are read and some that are not.
fn schema() -> impl Strategy<Value = Json> {
    let types = ["null", "boolean", "integer", "number", "string", "array", "object"];
    let leaf = prop_oneof![
        prop::sample::select(types.to_vec()).prop_map(|ty| json!({ "type": ty })),
        prop::sample::subsequence(types.to_vec(), 1..3).prop_map(|all| json!({ "type": all })),
        value().prop_map(|value| json!({ "const": value })),
        prop::collection::vec(value(), 1..3).prop_map(|values| json!({ "enum": values })),
        any::<bool>().prop_map(Json::Bool),
        prop::sample::subsequence(vec!["a", "b"], 0..2).prop_map(|names| json!({ "required": names })),
        Just(json!({ "$ref": "#/$defs/A" })),
    ];
    leaf.prop_recursive(3, 24, 3, |inner| {
        let some = prop::collection::vec(inner.clone(), 1..3);
        let fields = prop::collection::btree_map("[a-c]", inner.clone(), 0..3);
        let required = prop::sample::subsequence(vec!["a", "b"], 0..2);
        let maybe = prop::option::of(inner.clone());
        prop_oneof![
            (fields, required, maybe.clone(), maybe.clone(), maybe.clone()).prop_map(
                |(properties, required, further, pattern, any)| {
                    let mut schema =
                        json!({ "type": "object", "properties": properties, "required": required });
                    let patterns = pattern.map(|schema| json!({ "^[bd]": schema }));
                    for (key, value) in [
                        ("additionalProperties", further),
                        ("patternProperties", patterns),
                        ("anyOf", any.map(|schema| json!([schema, { "required": ["c"] }]))),
                    ] {
                        schema.as_object_mut().unwrap().extend(value.map(|value| (key.to_owned(), value)));
                    }
                    schema
                }
            ),
            (some.clone(), maybe.clone(), prop::option::of(0..3)).prop_map(|(first, items, most)| {
                let mut schema = json!({ "type": "array", "prefixItems": first });
                for (key, value) in [("items", items), ("maxItems", most.map(Json::from))] {
                    schema.as_object_mut().unwrap().extend(value.map(|value| (key.to_owned(), value)));
                }
                schema
            }),
            (prop::sample::select(vec!["anyOf", "oneOf", "allOf"]), some, maybe.clone(), maybe.clone())
                .prop_map(|(key, members, not, then)| {
                    let mut schema = Map::from_iter([(key.to_owned(), Json::from(members))]);
                    schema.extend(not.map(|not| ("not".to_owned(), not)));
                    schema.extend(then.map(|then| ("then".to_owned(), then)));
                    schema.insert("if".to_owned(), json!({ "required": ["a"] }));
                    Json::Object(schema)
                }),
            inner.prop_map(|schema| json!({ "allOf": [schema], "$ref": "#/$defs/A" })),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_a_schema_takes_its_type_takes(schema in schema(), a in schema(), values in prop::collection::vec(value(), 12)) {
        let mut schema = match schema {
            Json::Object(map) => map,
            other => Map::from_iter([("allOf".to_owned(), json!([other]))]),
        };
        schema.insert("$defs".to_owned(), json!({ "A": a }));
        let schema = Json::Object(schema);
        let Ok(validator) = jsonschema::validator_for(&schema) else { return Ok(()) };
        let ty = Type::from_schema(&schema);
        let (with_names, types) = with_names(&schema);
        // a definition that means itself has no meaning that a validator could follow
        if means_itself(&schema["$defs"]["A"]) {
            return Ok(());
        }
        for value in values.iter().filter(|value| validator.is_valid(value)) {
            prop_assert!(Types::default().accepts(&ty, value), "{schema} takes {value}, {ty} does not");
            prop_assert!(types.accepts(&with_names, value), "{schema} takes {value}, {with_names} does not");
        }
    }
}

/// The type of a schema, and the named ones in it.
fn with_names(schema: &Json) -> (Type, Types) {
    let mut types = Types::default();
    let (ty, named) = Type::read_schema(schema, &mut |reference| reference.into()).unwrap();
    for (name, meaning) in named {
        types.define(name, meaning);
    }
    (ty, types)
}

/// Whether a definition refers to itself with no list or object in between.
fn means_itself(schema: &Json) -> bool {
    let Json::Object(map) = schema else { return false };
    let members = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|key| map.get(key)?.as_array());
    map.contains_key("$ref")
        || members.flatten().any(means_itself)
        || ["not", "if", "then"].into_iter().filter_map(|key| map.get(key)).any(means_itself)
}

#[test]
fn what_holds_itself_is_a_named_type() {
    for (schema, ty, named) in [
        (
            json!({ "$ref": "#/$defs/n", "$defs": { "n": { "type": "object", "additionalProperties": false,
                "properties": { "v": { "type": "integer" }, "next": { "$ref": "#/$defs/n" } }, "required": ["v"] } } }),
            "#/$defs/n",
            vec![("#/$defs/n", "{next: #/$defs/n?, v: int}")],
        ),
        (json!({ "type": "array", "items": { "$ref": "#" } }), "list<#>", vec![("#", "list<#>")]),
        // each through the other; what is in no circle has no name
        (
            json!({ "type": "array", "items": { "$ref": "#/definitions/a" }, "definitions": {
                "a": { "type": "array", "items": { "$ref": "#/definitions/b" } },
                "b": { "type": "array", "prefixItems": [{ "$ref": "#/definitions/a" }], "items": { "$ref": "#/definitions/s" } },
                "s": { "type": "string" } } }),
            "list<#/definitions/a>",
            vec![
                ("#/definitions/a", "list<#/definitions/b>"),
                ("#/definitions/b", "list<#/definitions/a | string>"),
            ],
        ),
        // into the properties of what is around it
        (
            json!({ "type": "object", "additionalProperties": false, "properties": {
                "p": { "type": "array", "items": { "$ref": "#/properties/p" } } } }),
            "{p: list<#/properties/p>?}",
            vec![("#/properties/p", "list<#/properties/p>")],
        ),
        // what only means itself, means nothing
        (
            json!({ "$ref": "#/$defs/a", "$defs": { "a": { "$ref": "#/$defs/a" } } }),
            "#/$defs/a",
            vec![("#/$defs/a", "any")],
        ),
        (json!({ "$ref": "#" }), "#", vec![("#", "any")]),
    ] {
        let (read, types) = with_names(&schema);
        assert_eq!(read.to_string(), ty, "{schema}");
        let mut found: Vec<(&str, String)> =
            types.names().map(|name| (name, types.get(name).unwrap().to_string())).collect();
        found.sort();
        let named: Vec<(&str, String)> = named.into_iter().map(|(name, ty)| (name, ty.to_owned())).collect();
        assert_eq!(found, named, "{schema}");
    }
}
