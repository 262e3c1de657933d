//! What the TOML front end reads, and what it says about broken files.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

fn read(text: &str) -> (Tree, Vec<Diagnostic>) {
    let mut out = Vec::new();
    let tree = parse(FileId(0), text, &mut out);
    (tree, out)
}

/// The tree as compact JSON, for comparing by value.
fn json(tree: &Tree) -> String {
    match &tree.node {
        Node::Error => "!".into(),
        Node::Null => "null".into(),
        Node::Bool(b) => b.to_string(),
        Node::Number(n) => n.to_string(),
        Node::String(s) => format!("{:?}", s.value),
        Node::List(l) => format!("[{}]", l.iter().map(json).collect::<Vec<_>>().join(",")),
        Node::Table(t) => {
            let entries: Vec<String> =
                t.entries.iter().map(|e| format!("{}:{}", e.key.value, json(&e.value))).collect();
            format!("{{{}}}", entries.join(","))
        }
    }
}

fn good(text: &str) -> String {
    let (tree, out) = read(text);
    assert!(out.is_empty(), "{out:?}");
    json(&tree)
}

fn at(text: &str) -> Vec<(&'static str, String)> {
    let (_, out) = read(text);
    out.iter()
        .map(|d| match &d.primary.at {
            crate::diagnostic::Location::Span(s) => (d.rule, text[s.range()].to_owned()),
            crate::diagnostic::Location::Pointer(p) => (d.rule, p.clone()),
        })
        .collect()
}

#[test]
fn every_kind_of_value() {
    let text = "i = 3_000_000\nh = 0xff\nf = 6.5e+2\np = +7\nb = true\nd = 1979-05-27T07:32:00Z\nl = [1, 'two', { x = 3 }]\ns = \"a\\tb\"\nm = \"\"\"\nx\n  y\"\"\"\nq = '''\nraw \\n'''";
    assert_eq!(
        good(text),
        r#"{i:3000000,h:255,f:6.5e+2,p:7,b:true,d:"1979-05-27T07:32:00Z",l:[1,"two",{x:3}],s:"a\tb",m:"x\n  y",q:"raw \\n"}"#
    );
}

#[test]
fn every_kind_of_table() {
    let text = "a.b = 1\n[o.p]\nx.y = 2\nx.z = 3\n[o]\nv = 1\n[[l]]\nn = 1\n[[l]]\nn = 2\n[l.sub]\nk = 1\n[o.p.x.deep]\nw = 1";
    assert_eq!(good(text), "{a:{b:1},o:{p:{x:{y:2,z:3,deep:{w:1}}},v:1},l:[{n:1},{n:2,sub:{k:1}}]}");
}

#[test]
fn keys_and_values_have_exact_spans() {
    let text = "[operations.'a b']\nwith = { url = \"x\\n${inputs.u}\" }\n";
    let (tree, out) = read(text);
    assert!(out.is_empty());
    let Node::Table(root) = &tree.node else { panic!() };
    let Node::Table(operations) = &root.entries[0].value.node else { panic!() };
    assert_eq!(&text[operations.entries[0].key.span.range()], "'a b'");
    let Node::Table(op) = &operations.entries[0].value.node else { panic!() };
    let Node::Table(with) = &op.entries[0].value.node else { panic!() };
    assert_eq!(&text[op.entries[0].value.span.range()], "{ url = \"x\\n${inputs.u}\" }");
    let Node::String(s) = &with.entries[0].value.node else { panic!() };
    let start = s.value.find("${").unwrap();
    assert_eq!(&text[s.span(FileId(0), start, s.value.len()).range()], "${inputs.u}");
}

#[test]
fn duplicates_are_reported_with_both_places() {
    assert_eq!(at("a = 1\na = 2"), [("duplicate-name", "a".into())]);
    assert_eq!(at("[a]\n[a]\nx = 1"), [("duplicate-name", "a".into())]);
    assert_eq!(at("a = 1\n[a]\nx = 1"), [("duplicate-name", "a".into())]);
    assert_eq!(at("a = {}\n[a.b]\nx = 1"), [("syntax", "a".into())]);
    assert_eq!(at("[t]\nb = {}\nb.c = 1"), [("syntax", "b".into())]);
}

#[test]
fn broken_lines_do_not_hide_the_rest() {
    let (tree, out) = read("a = \nb = 2\nc\nd = nope\ne = 5\n");
    // a word without quotes is read as if it had them
    assert_eq!(json(&tree), "{a:!,b:2,d:\"nope\",e:5}");
    assert_eq!(out.len(), 3);
    assert_eq!(at("x = 1\n  c  \n"), [("syntax", "c".into())]);
}

#[test]
fn hostile_nesting_ends_in_a_finding() {
    for text in [
        format!("a = {}", "[".repeat(100_000)),
        format!("a = {}{}", "[".repeat(100_000), "]".repeat(100_000)),
        format!("{} = 1", vec!["a"; 100_000].join(".")),
        format!("[{}]", vec!["a"; 100_000].join(".")),
        "a = {a=".repeat(10_000),
    ] {
        let (_, out) = read(&text);
        assert!(!out.is_empty() && out.len() <= MAX_ERRORS, "{}", out.len());
    }
}

proptest! {
    /// Reading line by line finds what reading all at once finds, however broken the text is.
    #[test]
    fn pieces_are_read_as_the_whole_is(
        words in vec(select(&["a", "b.c", "=", "[", "]", "{", "}", "[[", "]]", ",", "\n", "\n", " ", "1", "'x'", "\"\"\"y\n\"\"\"", "# z", "a = [\n1,\n2]\n", "[t]\n", "[[l]]\n", "k = { m = 1 }\n"]), 0..40)
    ) {
        let text = words.concat();
        let (mut whole, mut lines) = (Vec::new(), Vec::new());
        let expected = parse_in_pieces(FileId(0), &text, usize::MAX, &mut whole);
        let found = parse_in_pieces(FileId(0), &text, 1, &mut lines);
        prop_assert_eq!(format!("{:?} {:?}", found, lines), format!("{:?} {:?}", expected, whole));
    }
}
