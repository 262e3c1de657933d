//! Verdicts by value: one change of one workflow each.

use super::*;
use crate::source::Source;
use crate::{Format, Options, compile};

const BASE: &str = r#"[workflow]
name = "flow"
version = "1.0.0"

[inputs]
source = "string"
level = { type = "int", default = 1 }
tree = "Tree?"
kind = '"a" | "b"'

[types]
Tree = "{ name: string, children: list<Tree> }"

[catalog."my.tool"]
input = { source = "string", level = "int", rest = "any" }
output = { file = "string", size = "int?" }
command = ["tool", "${with.source}"]

[operations.first]
uses = "pop.sleep"
with = { seconds = 1 }

[operations.tool]
uses = "my.tool"
with = { source = "${inputs.source}", level = "${inputs.level}", rest = ["${inputs.tree}", "${inputs.kind}"] }
after = "first"
timeout = "5m"

[outputs]
file = "${tool.file}"
size = "${tool.size}"
"#;

fn template(text: &str) -> AgendaTemplate {
    let compiled = compile(Source::new("x.pop.toml", text), Format::Toml, &Options::default());
    compiled.template.unwrap_or_else(|| panic!("{:#?}", compiled.diagnostics))
}

fn changes(edits: &[(&str, &str)]) -> Vec<(Verdict, String)> {
    let mut text = BASE.to_owned();
    for (from, to) in edits {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    diff(&template(BASE), &template(&text)).into_iter().map(|c| (c.verdict, c.at)).collect()
}

#[track_caller]
fn one(edits: &[(&str, &str)], verdict: Verdict, at: &str) {
    assert_eq!(changes(edits), [(verdict, at.to_owned())], "{edits:?}");
}

#[test]
fn the_same_workflow_has_no_change() {
    assert_eq!(changes(&[]), []);
    assert_eq!(verdict(&[]), Verdict::Compatible);
    // comments and the order of keys are no change
    let turned = "version = \"1.0.0\" # a note\nname = \"flow\"\n";
    assert_eq!(changes(&[("name = \"flow\"\nversion = \"1.0.0\"\n", turned)]), []);
}

#[test]
fn what_nobody_notices_is_compatible() {
    one(&[("version = \"1.0.0\"", "version = \"2.0.0\"")], Verdict::Compatible, "workflow/version");
    one(&[("\"1.0.0\"\n", "\"1.0.0\"\ndescription = \"d\"\n")], Verdict::Compatible, "workflow/description");
    one(&[("timeout = \"5m\"", "timeout = \"6m\"")], Verdict::Compatible, "operations/tool/timeout");
    one(&[("after = \"first\"\n", "")], Verdict::Compatible, "operations/tool/after");
    one(
        &[("file = \"${tool.file}\"", "file = \"${tool.file}\"\nmore = 1")],
        Verdict::Compatible,
        "outputs/more",
    );
    let described = "{ type = \"int\", default = 1, description = \"d\" }";
    one(&[("{ type = \"int\", default = 1 }", described)], Verdict::Compatible, "inputs/level/description");
    let found = changes(&[("source = \"string\"\n", "source = \"string\"\nnew = \"int?\"\n")]);
    assert_eq!(found, [(Verdict::Compatible, "inputs/new".to_owned())]);
}

#[test]
fn wider_inputs_and_narrower_outputs_ask_for_new_clients() {
    one(&[("name = \"flow\"", "name = \"flaw\"")], Verdict::Regenerate, "workflow/name");
    one(&[("'\"a\" | \"b\"'", "'\"a\" | \"b\" | \"c\"'")], Verdict::Regenerate, "inputs/kind");
    one(&[("kind = '\"a\" | \"b\"'", "kind = \"any\"")], Verdict::Regenerate, "inputs/kind");
    let found = changes(&[("size = \"int?\"", "size = \"int\"")]);
    // and a program that does not give it fails now
    let output = (Verdict::Recompute, "catalog/my.tool/output".to_owned());
    assert_eq!(found, [output.clone(), (Verdict::Regenerate, "outputs/size".to_owned())]);
    one(&[("children: list<Tree> }", "children: list<Tree>, ... }")], Verdict::Regenerate, "inputs/tree");
    // a field that clients may send would be refused
    one(&[("{ name: string, children: list<Tree> }", "{ name: string }")], Verdict::Breaking, "inputs/tree");
}

#[test]
fn what_types_are_called_and_what_is_deep_inside_is_seen() {
    // classes of typed clients have the name of the type
    one(
        &[("Tree?", "Wood?"), ("Tree = ", "Wood = "), ("<Tree>", "<Wood>")],
        Verdict::Regenerate,
        "inputs/tree",
    );
    one(&[("list<Tree>", "list<any>")], Verdict::Regenerate, "inputs/tree");
    let mut secret = template(BASE);
    secret.params[keys::INPUTS]["properties"]["source"]["x-pop-secret"] = true.into();
    for (old, new) in [(&secret, &template(BASE)), (&template(BASE), &secret)] {
        let changes: Vec<_> = diff(old, new).into_iter().map(|c| (c.verdict, c.at)).collect();
        assert_eq!(changes, [(Verdict::Regenerate, "inputs/source".to_owned())]);
    }
    let nested = |from: &str, to: &str| {
        let text = BASE.replace("\"Tree?\"", from);
        let changes = diff(&template(&text), &template(&BASE.replace("\"Tree?\"", to)));
        changes.into_iter().map(|c| c.verdict).collect::<Vec<_>>()
    };
    assert_eq!(nested("\"list<any>\"", "\"list<int>\""), [Verdict::Breaking]);
    assert_eq!(nested("\"map<any>\"", "\"{ a: int?, ... }\""), [Verdict::Breaking]);
    assert_eq!(nested("\"int\"", "\"bytes\""), [Verdict::Breaking], "no amount is negative");
    assert_eq!(nested("\"bytes\"", "\"int | string\""), [Verdict::Regenerate]);
    assert_eq!(nested("\"string\"", "\"path\""), [Verdict::Recompute], "a relative one becomes absolute");
    assert_eq!(nested("\"path\"", "\"path?\""), [Verdict::Regenerate]);
    // where null was taken, a default takes its place
    assert_eq!(
        nested("\"int?\"", "{ type = \"int\", default = 1 }"),
        [Verdict::Recompute, Verdict::Regenerate]
    );
    let file = |to: &str| BASE.replace("file = \"string\"", &format!("file = \"{to}\""));
    let of = |from: &str, to: &str| {
        let changes = diff(&template(&file(from)), &template(&file(to)));
        let changes = changes.into_iter().filter(|c| c.at != "catalog/my.tool/output");
        changes.map(|c| (c.verdict, c.at)).collect::<Vec<_>>()
    };
    assert_eq!(of("list<int>", "list<any>"), [(Verdict::Breaking, "outputs/file".to_owned())]);
    assert_eq!(
        of("Tree", "{ name: string, children: list<any> }"),
        [(Verdict::Breaking, "outputs/file".to_owned())]
    );
    assert_eq!(of("{ a: int }", "{ a: int, b: int }"), [(Verdict::Regenerate, "outputs/file".to_owned())]);
}

#[test]
fn there_is_no_change_where_the_digests_are_one() {
    let old = template(BASE);
    let mut new = old.clone();
    new.title = Some("another".into());
    assert_eq!(
        diff(&old, &new).iter().map(|c| (c.verdict, c.at.as_str())).collect::<Vec<_>>(),
        [(Verdict::Compatible, "template")]
    );
    // a digest that says something else about the same content is none
    new.title.clone_from(&old.title);
    new.agenda.params[keys::WORKFLOW]["digest"] = "0".into();
    assert_eq!(diff(&old, &new), []);
    new.params.insert("other".into(), 1.into());
    assert_eq!(diff(&old, &new)[0].at, "params/other");
    // the type runs otherwise, though all operations are those that they were
    let mut bare = old.clone();
    bare.agenda.params.shift_remove(keys::TYPES);
    assert_eq!(
        diff(&old, &bare).into_iter().map(|c| (c.verdict, c.at)).collect::<Vec<_>>(),
        ["command", "output"].map(|part| (Verdict::Recompute, format!("catalog/my.tool/{part}")))
    );
}

#[test]
fn other_work_gives_other_results() {
    one(&[("seconds = 1", "seconds = 2")], Verdict::Recompute, "operations/first/with/seconds");
    one(&[("default = 1", "default = 2")], Verdict::Recompute, "inputs/level/default");
    one(&[("[\"tool\",", "[\"tool2\",")], Verdict::Recompute, "catalog/my.tool/command/0");
    one(&[("file = \"${tool.file}\"", "file = \"x${tool.file}\"")], Verdict::Recompute, "outputs/file");
    let added = "[operations.more]\nuses = \"pop.sleep\"\n\n[outputs]";
    one(&[("[outputs]", added)], Verdict::Recompute, "operations/more");
}

#[test]
fn what_clients_rely_on_breaks() {
    one(&[("'\"a\" | \"b\"'", "'\"a\"'")], Verdict::Breaking, "inputs/kind");
    one(&[("tree = \"Tree?\"", "tree = \"Tree?\"\nmust = \"int\"")], Verdict::Breaking, "inputs/must");
    one(&[("size = \"${tool.size}\"\n", "")], Verdict::Breaking, "outputs/size");
    let found = changes(&[("size = \"int?\"", "size = \"string?\"")]);
    let output = (Verdict::Recompute, "catalog/my.tool/output".to_owned());
    assert_eq!(found, [(Verdict::Breaking, "outputs/size".to_owned()), output]);
    let found = changes(&[("level = { type = \"int\", default = 1 }", "level = \"int\"")]);
    let expected = [
        (Verdict::Breaking, "inputs/level".to_owned()),
        (Verdict::Recompute, "inputs/level/default".to_owned()),
    ];
    assert_eq!(found, expected);
    let found = changes(&[("source = \"string\"\n", ""), ("\"${inputs.source}\"", "\"x\"")]);
    assert_eq!(found[0], (Verdict::Breaking, "inputs/source".to_owned()));
}

#[test]
fn how_a_type_runs_on_kubernetes_breaks_no_client() {
    let command = "command = [\"tool\", \"${with.source}\"]\n";
    let with = |more: &str| format!("{command}image = \"a:1\"\n{more}\n");
    let verdicts = |old: &str, new: &str| {
        let text = |to: &str| template(&BASE.replace(command, to));
        let changes = diff(&text(&with(old)), &text(&with(new)));
        changes.into_iter().map(|c| (c.verdict, c.at)).collect::<Vec<_>>()
    };
    let at = |verdict, place: &str| vec![(verdict, format!("catalog/my.tool/{place}"))];
    assert_eq!(
        verdicts("kubernetes = { gpu = 1 }", "kubernetes = { gpu = 2 }"),
        at(Verdict::Recompute, "kubernetes/gpu")
    );
    assert_eq!(verdicts("", "secrets = { A = \"a/b\" }"), at(Verdict::Recompute, "secretEnv"));
    assert_eq!(verdicts("", "idempotent = true"), at(Verdict::Compatible, "idempotent"));
}
