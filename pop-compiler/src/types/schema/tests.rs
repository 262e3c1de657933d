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
        // a definition that means itself has no meaning that a validator could follow
        if schema["$defs"].to_string().contains("$ref") {
            return Ok(());
        }
        for value in values.iter().filter(|value| validator.is_valid(value)) {
            prop_assert!(Types::default().accepts(&ty, value), "{schema} takes {value}, {ty} does not");
        }
    }
}
