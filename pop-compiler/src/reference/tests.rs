//! The original's vectors, with its faults fixed, and properties.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn context(name: &str) -> Option<&'static Value> {
    use std::sync::LazyLock;
    static A: LazyLock<Value> = LazyLock::new(|| {
        json!({"x":"AX","n":7,"b":true,"nul":null,"o":{"k":[1,2]},"arr":["p","q"],"a/b":"slash","t~u":"tilde",
               "":"emptykey","g>t":"gt","q?":"mark","self":"@<b.out::/y>"})
    });
    static B: LazyLock<Value> = LazyLock::new(|| json!({"y":"BY"}));
    static S: LazyLock<Value> = LazyLock::new(|| json!("str"));
    match name {
        "a.out" => Some(&A),
        "b.out" => Some(&B),
        "s" => Some(&S),
        _ => None,
    }
}

fn run(text: &str) -> (Value, Vec<String>, Vec<String>) {
    let (value, report) = substitute(&json!(text), &context, Mode::Final);
    (value, report.missing.into_iter().collect(), report.invalid.into_iter().collect())
}

#[track_caller]
fn gives(text: &str, expected: Value) {
    assert_eq!(run(text), (expected, vec![], vec![]), "{text}");
}

#[track_caller]
fn missing(text: &str, tokens: &[&str]) {
    let got = run(text);
    assert_eq!(got.0, json!(text));
    assert_eq!(got.1, tokens, "{text}");
    assert!(got.2.is_empty(), "{text}");
}

#[track_caller]
fn invalid(text: &str, token: &str) {
    assert_eq!(run(text), (json!(text), vec![], vec![token.to_owned()]), "{text}");
}

#[test]
fn whole_values_keep_their_type() {
    for text in ["@<a.out>", "@<a.out::/>"] {
        gives(text, context("a.out").unwrap().clone());
    }
    gives("@<a.out::x>", json!("AX"));
    gives("@<a.out::/x>", json!("AX"));
    gives("@<a.out::/n>", json!(7));
    gives("@<a.out::/nul>", json!(null));
    gives("@<a.out::/o/k/1>", json!(2));
    gives("@<a.out::/b>", json!(true));
    gives("@<a.out::/a~1b>", json!("slash"));
    gives("@<a.out::/t~0u>", json!("tilde"));
    gives("@<a.out::/g~2t>", json!("gt"));
    gives("@<a.out::/q~3>", json!("mark"));
}

#[test]
fn scalars_stand_inside_a_text() {
    gives("n=@<a.out::/n>", json!("n=7"));
    gives("b=@<a.out::/b>", json!("b=true"));
    gives("nul=@<a.out::/nul>", json!("nul=null"));
    gives("@<a.out::/x>@<b.out::/y>", json!("AXBY"));
    gives("@<a.out::/x>-@<b.out::/y>", json!("AX-BY"));
    gives("@<s> @<s>", json!("str str"));
    gives("@<a.out::/x>-@<b.out::/zz?def>", json!("AX-def"));
    gives("@<a.out::/x>\n@<b.out::/y>", json!("AX\nBY"));
    gives("-@<s>@<a.out::/x>", json!("-strAX"));
    gives("@@<a.out::/x>", json!("@AX"));
    invalid("o=@<a.out::/o>", "a.out cannot be used in composite string");
}

#[test]
fn what_leads_nowhere_stays_and_is_reported() {
    invalid("@<a.out::/a/b>", "@<a.out::/a/b>");
    invalid("@<a.out::/arr/-1>", "@<a.out::/arr/-1>");
    invalid("@<a.out::/arr/01>", "@<a.out::/arr/01>");
    invalid("@<a.out::/zz>", "@<a.out::/zz>");
    // One rule: a token ends at its first `>`, alone or not.
    invalid("@<a.out::/g>t>", "@<a.out::/g>");
    invalid("-@<a.out::/g>t>-", "@<a.out::/g>");
    missing("@<nope>", &["@<nope>"]);
    missing("@< a.out::/x>", &["@< a.out::/x>"]);
    missing("@<@<s>>", &["@<@<s>"]);
    gives("@<>", json!("@<>"));
    gives("@<a.out::\n/x>", json!("@<a.out::\n/x>"));
}

#[test]
fn defaults() {
    gives("@<a.out::/zz?def>", json!("def"));
    gives("@<a.out::/zz?5>", json!("5"));
    gives("@<a.out::/zz?>", json!(null));
    gives("-@<a.out::/zz?>-", json!("-null-"));
    gives("@<a.out::/zz?a?b>", json!("a?b"));
    gives("@<a.out::/zz??b>", json!("?b"));
    gives("@<a.out::/x?95>", json!("AX"));
    gives("@<a.out::?def>", context("a.out").unwrap().clone());
    gives("@<a.out::?>", context("a.out").unwrap().clone());
    gives("@<nope::/x?def>", json!("def"));
    gives("@<a.out::/zz?=5>", json!(5));
    gives("@<a.out::/zz?=true>", json!(true));
    gives("@<a.out::/zz?=\"a\\u003eb\">", json!("a>b"));
    gives("@<a.out::/zz?=text>", json!("=text"));
}

#[test]
fn null_for_what_an_output_lacks_does_not_stand_in_for_the_output() {
    gives("@<a.out::/zz?=null>", json!(null));
    gives("-@<a.out::/zz/y?=null>-", json!("-null-"));
    gives("@<a.out::/x?=null>", json!("AX"));
    gives("@<a.out::/zz??=5>", json!(5));
    gives("@<a.out::/nul??=[1]>", json!([1]));
    gives("@<a.out::/x??=5>", json!("AX"));
    gives("@<a.out::/zz??=text>", json!("?=text"));
    let (value, report) = substitute(&json!("@<nope.out::/x?=null>"), &context, Mode::Final);
    assert_eq!(value, json!("@<nope.out::/x?=null>"));
    assert_eq!(report.missing.len(), 1);
    assert_eq!(substitute(&json!("@<nope.out::/x??=5>"), &context, Mode::Final).1.missing.len(), 1);
    let copes = |text: &str| whole(text).unwrap().copes();
    assert!(copes("@<a.out::/x?>") && copes("@<a.out::/x??=text>"));
    assert!(!copes("@<a.out::/x?=null>") && !copes("@<a.out::/x??=5>"));
}

#[test]
fn the_default_of_who_asks_stands_in_for_null_of_who_is_asked() {
    let inner = json!({ "lacking": "@<a.out::/x?=null>", "null": "@<a.out::/x?>", "five": "@<a.out::/x?=5>", "none": "@<a.out::/x>" });
    let asked = |key: &str, default: Option<Fallback>| {
        dig(&inner, &[key.to_owned()], default).unwrap().as_str().unwrap().to_owned()
    };
    let six = || Some(Fallback::Value(json!(6)));
    for (key, alone, lacking, lacking_six, with_six) in [
        ("lacking", "?=null", "?=null", "??=6", "?=6"),
        ("null", "?", "?", "?=6", "?=6"),
        ("five", "?=5", "?=5", "?=5", "?=5"),
        ("none", "", "?=null", "??=6", "?=6"),
    ] {
        let of = |rest: &str| format!("@<a.out::/x{rest}>");
        assert_eq!(asked(key, None), of(alone), "{key}");
        assert_eq!(asked(key, Some(Fallback::Lacking(Value::Null))), of(lacking), "{key}");
        assert_eq!(asked(key, Some(Fallback::Lacking(json!(6)))), of(lacking_six), "{key}");
        assert_eq!(asked(key, six()), of(with_six), "{key}");
    }
}

#[test]
fn a_backslash_makes_a_token_plain() {
    gives("\\@<a.out::/x>", json!("@<a.out::/x>"));
    gives("\\\\@<a.out::/x>", json!("\\AX"));
    gives("\\\\\\@<a.out::/x>", json!("\\@<a.out::/x>"));
    gives("a\\b@<s>", json!("a\\bstr"));
}

#[test]
fn substituted_values_are_never_scanned() {
    gives("i=@<a.out::/self> @<b.out::/y>", json!("i=@<b.out::/y> BY"));
    gives("@<a.out::/self>", json!("@<b.out::/y>"));
}

#[test]
fn only_string_values_hold_references() {
    let (value, report) = substitute(&json!({"@<s>": "@<s>"}), &context, Mode::Final);
    assert_eq!((value, report), (json!({"@<s>": "str"}), Report::default()));
    let (value, _) = substitute(&json!(["@<a.out::/n>", "z", ["@<s>"]]), &context, Mode::Final);
    assert_eq!(value, json!([7, "z", ["str"]]));
}

#[test]
fn numbers_are_not_touched() {
    let value: Value =
        serde_json::from_str(r#"{"v": [12345678.9, 1e2, 123456789012345678901234567890.5]}"#).unwrap();
    let (out, _) = substitute(&json!("@<x::/v>"), &|_| Some(&value), Mode::Final);
    assert_eq!(out.to_string(), "[12345678.9,1e+2,123456789012345678901234567890.5]");
}

#[test]
fn names_of_operations() {
    for (text, name) in [
        ("@<item.out>", "item"),
        ("@<item.out.out>", "item.out"),
        ("@<item.out::/>", "item"),
        ("@<item.out::/.out>", "item"),
    ] {
        assert_eq!(operation_of(whole(text).unwrap().name), Some(name));
    }
    assert_eq!(operation_of("item"), None);
    assert_eq!(operation_of(".out"), None);
}

#[test]
fn scan_tells_where_each_token_stands() {
    let value = json!({"a/b": ["x", "-@<s>-"], "c": "@<t.out::/q>"});
    let mut found = Vec::new();
    scan(&value, &mut |path, _, token| found.push((path.to_owned(), token.name.to_owned())));
    assert_eq!(found, [("/a~1b/1".into(), "s".into()), ("/c".into(), "t.out".into())]);
}

/// The original's own tests.
#[test]
fn the_originals_tests() {
    let context = json!({"v": {"subItem": {"item3": "45"}}, "sampleValue": 85, "sampleValue2": 95, "m.1": {"a": {"b": 1}},
        "encode": {"id": 1, "o": {"k": true}}, "analysis": ["x"]});
    let with = |value: Value| substitute(&value, &|name: &str| context.get(name), Mode::Final);
    for (text, expected) in [
        ("@<sampleValue><xmltag>45</xmltag>", json!("85<xmltag>45</xmltag>")),
        ("--@<sampleValue>--@<sampleValue2>", json!("--85--95")),
        ("@<v::subItem/item3/nothere?95>", json!("95")),
        ("@<v::subItem/item3?95>", json!("45")),
        ("-@<v::/wrongitem?>", json!("-null")),
        ("@<v::/wrongitem?>", json!(null)),
        ("@<v::subItem>", json!({"item3": "45"})),
    ] {
        assert_eq!(with(json!(text)), (expected, Report::default()), "{text}");
    }
    // One known and one unknown: the known one is replaced, the other stays and is missing, not invalid.
    let (value, report) = with(json!("a @<sampleValue> @<nobody::/x>"));
    assert_eq!(value, json!("a 85 @<nobody::/x>"));
    assert_eq!(report.missing.into_iter().collect::<Vec<_>>(), ["@<nobody::/x>"]);
    assert!(report.invalid.is_empty());
    let (value, _) = with(
        json!({"f": "@<encode>", "l": ["@<analysis>", {"in": "@<encode::/o/k>"}], "t": "someText", "n": 4}),
    );
    assert_eq!(
        value,
        json!({"f": {"id": 1, "o": {"k": true}}, "l": [["x"], {"in": true}], "t": "someText", "n": 4})
    );
}

#[test]
fn parts_of_a_token() {
    for (text, name, pointer, default) in [
        ("@<m.1::/>", "m.1", Some("/"), None),
        ("@<m.1::/a/b>", "m.1", Some("/a/b"), None),
        ("@<m.1>", "m.1", None, None),
        ("@<::/x>", "::/x", None, None),
        ("@<a:b::/x?d>", "a:b", Some("/x"), Some("d")),
        ("@<name?def>", "name?def", None, None),
    ] {
        assert_eq!(whole(text), Some(Token { text, name, pointer, default }), "{text}");
    }
    for text in ["@<>", "@<a", "@<a\n>", "x@<a>", "@<a>x", "@<a>>", ""] {
        assert_eq!(whole(text), None, "{text}");
    }
}

/// Each of these took time with the square of its length, or worse, if ends were looked for again and again.
#[test]
fn hostile_texts_take_linear_time() {
    let n = 200_000;
    assert_eq!(tokens(&"@<".repeat(n)).len(), 0);
    assert_eq!(tokens(&format!("{}\n>", "@<".repeat(n))).len(), 0);
    let escaped = format!("{}x>", "\\@<".repeat(n));
    assert_eq!(tokens(&escaped).len(), 0);
    assert_eq!(run(&escape(&escaped)).0, json!(escaped));
    let deep = json!({ ("k".repeat(n)): vec![1; n] });
    scan(&deep, &mut |_, _, _| panic!("there is no token"));
}

fn text() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop_oneof![
            Just("@<".to_owned()),
            Just(">".to_owned()),
            Just("\\".to_owned()),
            Just("::".to_owned()),
            Just("?".to_owned()),
            Just("@".to_owned()),
            Just("<".to_owned()),
            Just("s".to_owned()),
            Just("@<s>".to_owned()),
            Just("@<t>".to_owned()),
            Just("\n".to_owned()),
            "[a-z/]{0,3}",
        ],
        0..12,
    )
    .prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn escaping_is_undone_by_the_final_pass(text in text()) {
        let (value, report) = substitute(&json!(escape(&text)), &context, Mode::Final);
        prop_assert_eq!(value, json!(text));
        prop_assert_eq!(report, Report::default());
    }

    #[test]
    fn what_is_inserted_is_never_scanned(before in "[a-z]{0,3}", s in text()) {
        let value = json!(s.clone());
        let known = |name: &str| (name == "known").then_some(&value);
        let (whole, report) = substitute(&json!("@<known>"), &known, Mode::Final);
        prop_assert_eq!((whole, report), (json!(s.clone()), Report::default()));
        let (inside, report) = substitute(&json!(format!("{before}@<known>.")), &known, Mode::Final);
        prop_assert_eq!((inside, report), (json!(format!("{before}{s}.")), Report::default()));
    }

    #[test]
    fn any_text_will_do(text in "\\PC*", mixed in text()) {
        for text in [text, mixed] {
            for mode in [Mode::Final, Mode::Template, Mode::Splice] {
                let _ = substitute(&json!(text.clone()), &context, mode);
            }
            for (at, token) in tokens(&text) {
                prop_assert_eq!(&text[at], token.text);
                let _ = (token.path(), token.default_value());
            }
        }
    }

    #[test]
    fn two_passes_give_what_one_pass_gives(text in text(), s in text(), t in text()) {
        let (s, t) = (json!(s), json!(t));
        let both = |name: &str| match name { "s" => Some(&s), "t" => Some(&t), _ => None };
        let first = |name: &str| both(name).filter(|_| name == "s");
        let second = |name: &str| both(name).filter(|_| name == "t");
        let (direct, _) = substitute(&json!(text.clone()), &both, Mode::Final);
        let (between, _) = substitute(&json!(text), &first, Mode::Template);
        let (after, _) = substitute(&between, &second, Mode::Final);
        prop_assert_eq!(direct, after);
    }

    #[test]
    fn printing_and_parsing_are_inverse(
        name in "[a-z][a-z.]{0,6}",
        path in proptest::collection::vec("[a-z/~?>0-9]{1,4}", 0..4),
        lacking in any::<bool>(),
        default in proptest::option::of(prop_oneof![
            any::<bool>().prop_map(Value::from), any::<i32>().prop_map(Value::from),
            "[a-z=?>\"\n]{0,5}".prop_map(Value::from), Just(Value::Null),
        ]),
    ) {
        let default = default.map(if lacking { Fallback::Lacking } else { Fallback::Value });
        let reference = Reference { name, path, default };
        let text = reference.to_string();
        let token = whole(&text).expect("one token");
        prop_assert_eq!(token.name, reference.name);
        prop_assert_eq!(token.path(), reference.path);
        prop_assert_eq!(token.fallback(), reference.default);
    }
}
