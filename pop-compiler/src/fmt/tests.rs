//! Formatting by value, and what must hold for every text.

use proptest::prelude::*;

use super::*;

#[track_caller]
fn toml(text: &str, expected: &str) {
    assert_eq!(format(text, Format::Toml).unwrap(), expected);
    assert_eq!(format(expected, Format::Toml).unwrap(), expected, "once more");
}

#[track_caller]
fn json(text: &str, expected: &str) {
    assert_eq!(format(text, Format::Json).unwrap(), expected);
    assert_eq!(format(expected, Format::Json).unwrap(), expected, "once more");
}

#[test]
fn spaces_become_canonical() {
    toml("a   =1\r\n\tb=  [1,2 ,3, ]#c\n", "a = 1\nb = [1, 2, 3] #c\n");
    toml("a={x=1,y={}}\n\"b c\" . d= 1.5", "a = { x = 1, y = {} }\n\"b c\".d = 1.5\n");
    toml("[ a . b ]\n[[ c ]]\nx = [ [1], {y=2} ]", "[a.b]\n\n[[c]]\nx = [[1], { y = 2 }]\n");
    toml("t = 2026-01-02 03:04:05.5", "t = 2026-01-02 03:04:05.5\n");
    toml("", "");
    toml("\n\n# only a comment  ", "# only a comment\n");
}

#[test]
fn blank_lines_stand_before_tables_and_their_comments() {
    toml(
        "\n\na = 1\n\n\n\nb = 2\n# of t\n# more\n[t]\n\n\nx = 1\n# loose\n\n[u]\n[v]\n\n",
        "a = 1\n\nb = 2\n\n# of t\n# more\n[t]\nx = 1\n# loose\n\n[u]\n\n[v]\n",
    );
}

#[test]
fn breaks_inside_lists_stay() {
    toml(
        "a = [\n1, 2,\n\n\n      # two\n  3 # three\n  ,\n]\nb = [{\nx=1\n},{ y = [\n2] }]\n",
        "a = [\n    1, 2,\n\n    # two\n    3 # three\n    ,\n]\nb = [{\n    x = 1\n}, { y = [\n    2] }]\n",
    );
    toml("a = [1,\n2,]\n", "a = [1,\n    2,]\n");
}

#[test]
fn strings_are_left_alone() {
    let text = "a = \"\"\"\n  x = [1,2]  \n\n\n\n  [t]\n\"\"\"\nb = '  # no comment  '\n";
    toml(text, text);
}

#[test]
fn json_keeps_comments_and_breaks() {
    json(
        "// top  \n{\"a\" :1 , /* in */\"b\":[ 1,2, ],\n\n\n// c\n\"d\" : {\n\"e\":{ }}, \"f\": \"x:  y\" //end\n\n}",
        "// top\n{ \"a\": 1, /* in */ \"b\": [1, 2],\n\n  // c\n  \"d\": {\n    \"e\": {} }, \"f\": \"x:  y\" //end\n}\n",
    );
}

#[test]
fn what_can_not_be_read_is_an_error() {
    assert_eq!(format("a = ", Format::Toml).unwrap_err()[0].rule, "syntax");
    assert_eq!(format("{", Format::Json).unwrap_err()[0].rule, "syntax");
}

/// Values of both formats, with odd spaces, breaks and comments between the tokens.
fn value(open: &'static str, depth: u32) -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("1".to_owned()),
        Just("true".to_owned()),
        Just("-2.50".to_owned()),
        Just("\"a # b, c\"".to_owned()),
        Just("\"\\\"\\\\\"".to_owned()),
    ];
    leaf.prop_recursive(depth, 24, 4, move |inner| {
        (proptest::collection::vec((gap(open), inner, gap(open)), 0..4), gap(open), any::<bool>()).prop_map(
            |(items, last, trailing)| {
                let comma = if trailing && !items.is_empty() { "," } else { "" };
                let items: Vec<String> = items.into_iter().map(|(a, v, b)| a + &v + &b).collect();
                format!("[{}{comma}{last}]", items.join(","))
            },
        )
    })
}

/// Room between tokens, where a format allows breaks.
fn gap(comment: &'static str) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => Just(String::new()),
        3 => Just("  ".to_owned()),
        2 => Just("\n\n".to_owned()),
        1 => Just("\t\r\n".to_owned()),
        1 => Just(format!(" {comment} note, [x] \n")),
    ];
    proptest::collection::vec(piece, 0..3).prop_map(|pieces| pieces.concat())
}

/// What there is besides room, commas and their order.
fn words(text: &str, format: Format) -> Vec<String> {
    let tokens = lex(text, format).into_iter();
    let kept = tokens.filter(|t| !matches!(t.kind, Kind::Space | Kind::Newline | Kind::Comma));
    kept.map(|t| t.text.trim_end().to_owned()).collect()
}

proptest! {
    #[test]
    fn toml_is_formatted_once_and_keeps_every_word(values in proptest::collection::vec((gap("#"), value("#", 3)), 0..6)) {
        let mut text = String::new();
        for (i, (gap, value)) in values.iter().enumerate() {
            // between statements a comment or a break may stand, and only there
            let gap: String = if gap.contains('\n') { format!("\n{}\n", gap.trim_matches(' ')) } else { "\n".into() };
            if i % 3 == 2 {
                text += &format!("{gap}[ t{i} ]\n");
            }
            text += &format!("{gap}k{i}={value}");
        }
        if let Ok(once) = format(&text, Format::Toml) {
            prop_assert_eq!(&format(&once, Format::Toml).unwrap(), &once);
            prop_assert_eq!(words(&once, Format::Toml), words(&text, Format::Toml));
        } else {
            prop_assert!(false, "not TOML: {text}");
        }
    }

    #[test]
    fn json_is_formatted_once_and_keeps_every_word(value in value("//", 4), before in gap("//"), after in gap("//")) {
        let text = format!("{before}{value}{after}");
        let once = format(&text, Format::Json).unwrap();
        prop_assert_eq!(&format(&once, Format::Json).unwrap(), &once);
        prop_assert_eq!(words(&once, Format::Json), words(&text, Format::Json));
    }

    #[test]
    fn no_text_makes_it_panic(text in "[\\[\\]{}=,.#\"'a1 \n/:*\\\\é]{0,60}") {
        for syntax in [Format::Toml, Format::Json] {
            if let Ok(once) = format(&text, syntax) {
                prop_assert_eq!(&format(&once, syntax).unwrap(), &once, "{:?}", text);
            }
        }
    }
}
