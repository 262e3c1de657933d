//! A value is of a type or not, whoever asks: the checker, a default, a literal in `with`, whoever submits, what an
//! operation gives, and the JSON Schema that templates carry.

use jsonschema::Validator;
use pop_compiler::agenda::AgendaTemplate;
use pop_compiler::source::Source;
use pop_compiler::types::{Type, Types};
use pop_compiler::values::check_output;
use pop_compiler::{Compiled, Format, Options, compile, duration, quantity};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::make::{Made, defined};

fn compiled(document: &Json) -> Compiled {
    compile(Source::new("x.pop.json", document.to_string()), Format::Json, &Options::default())
}

/// A workflow with an input of this type; it has a default, or a literal that goes into an operation, if any is given.
fn document(made: &Made, ty: &str, default: Option<&Json>, literal: Option<&Json>) -> Json {
    let mut input = json!({ "type": ty });
    if let Some(default) = default {
        input["default"] = default.clone();
    }
    let mut with = json!({});
    if let Some(literal) = literal {
        with["x"] = literal.clone();
    }
    json!({
        "workflow": { "name": "flow" },
        "types": made.table(),
        "inputs": { "x": input },
        "catalog": { "my.tool": { "input": { "x": format!("({ty})?") }, "command": ["tool"] } },
        "operations": { "tool": { "uses": "my.tool", "with": with } },
    })
}

/// The schema as a validator reads it that knows what POP's formats mean.
fn validator(template: &AgendaTemplate) -> Validator {
    let has = |ty: &'static str| {
        move |text: &str| Types::default().accepts(&Type::parse(ty).unwrap(), &json!(text))
    };
    jsonschema::options()
        .should_validate_formats(true)
        .with_format("uri", has("url"))
        .with_format("date-time", has("datetime"))
        .with_format("path", |_| true)
        .with_format("pop-duration", |text: &str| duration::parse(text).is_ok())
        .with_format("bytes", |text: &str| quantity::bytes(text).is_ok())
        .build(&template.params["pop.inputs"])
        .unwrap()
}

/// Whether a number is in it for which JSON Schema has no word: to it `1.0` is whole and `-1` is a number like others.
fn is_unsayable(value: &Json) -> bool {
    match value {
        Json::Number(number) => {
            let whole = number.as_str().bytes().all(|b| b == b'-' || b.is_ascii_digit());
            let float = number.as_f64().unwrap_or(f64::INFINITY);
            !whole && float.fract() == 0.0 || float.is_infinite() || number.as_str().starts_with('-')
        }
        Json::Array(items) => items.iter().any(is_unsayable),
        Json::Object(map) => map.values().any(is_unsayable),
        _ => false,
    }
}

fn has_reference(value: &Json) -> bool {
    value.to_string().contains("${")
}

#[test]
fn a_name_among_alternatives_may_stand_for_anything() {
    let mut made = Made::plain(0);
    made.named = vec![("Loose".to_owned(), "any".to_owned())];
    for value in [json!({}), json!([1, { "a": null }]), json!(true), json!("soon")] {
        let found = compiled(&document(&made, "duration | Loose", Some(&value), Some(&value)));
        assert!(found.template.is_some(), "{value}: {:?}", found.diagnostics);
    }
}

proptest! {
    #![proptest_config(crate::config(400))]

    #[test]
    fn all_are_of_one_mind(seed in any::<u64>()) {
        let mut made = Made::plain(seed);
        let text = made.ty(3);
        let plain = document(&made, &text, None, None);
        let first = compiled(&plain);
        let Some(template) = first.template else { return Ok(()) };
        let types = defined(&plain);
        let ty = Type::parse(&text).unwrap();
        let validator = validator(&template);
        let declared = Type::record([("x", ty.clone())]).to_schema(&types);
        for _ in 0..12 {
            let value = made.value(&ty, &types, 4);
            let expected = types.accepts(&ty, &value);
            let told = format!("{value} as {text} where {}", made.table());
            let submitted = template.expand(&json!({ "x": value }));
            prop_assert_eq!(submitted.is_ok(), expected, "submitted: {}: {:?}", told, submitted.err());
            let given = check_output(&declared, json!({ "x": value }));
            prop_assert_eq!(given.is_ok(), expected, "output: {}: {:?}", told, given.err());
            let valid = validator.is_valid(&json!({ "x": value }));
            if is_unsayable(&value) {
                prop_assert!(valid || !expected, "schema: {}", told);
            } else {
                prop_assert_eq!(valid, expected, "schema: {}", told);
            }
            if has_reference(&value) {
                continue;
            }
            if !value.is_null() {
                let found = compiled(&document(&made, &text, Some(&value), None));
                prop_assert_eq!(found.template.is_some(), expected, "default: {}: {:?}", told, found.diagnostics);
            }
            let optional = expected || value.is_null();
            let found = compiled(&document(&made, &text, None, Some(&value)));
            prop_assert_eq!(found.template.is_some(), optional, "with: {}: {:?}", told, found.diagnostics);
        }
    }
}
