//! Text that nobody means well: whatever it is, compiling ends soon, with findings and without a panic.

use std::fmt::Write as _;
use std::path::Path;

use pop_compiler::diagnostic::Location;
use pop_compiler::render::text::{Colour, findings};
use pop_compiler::source::Source;
use pop_compiler::{Compiled, Door, Options, check_native, compile};
use proptest::prelude::*;

fn compiled(text: &str, door: Door) -> Compiled {
    compile(Source::new("x", text), door, &Options::default())
}

/// Compiles, renders, and checks that every place is inside the text.
fn survives(text: &str, door: Door) -> usize {
    let compiled = compiled(text, door);
    for finding in &compiled.diagnostics {
        if let Location::Span(span) = finding.primary.at {
            assert!(span.start <= span.end && span.end as usize <= text.len(), "{finding:?}");
        }
    }
    let shown = &compiled.diagnostics[..compiled.diagnostics.len().min(20)];
    findings(shown, &compiled.sources, Colour::Never);
    compiled.diagnostics.len()
}

fn seeds() -> Vec<(String, Door)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/workflows");
    let mut seeds = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if let Some(door) = Door::from_path(&path.to_string_lossy()) {
            seeds.push((std::fs::read_to_string(&path).unwrap(), door));
        }
    }
    seeds
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn mutated_workflows_never_panic(
        seed in prop::sample::select(seeds()),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0usize..12, "[\\[\\]{}\"'$@<>=.,?:#\\\\ \n|a0é-]{0,4}"), 1..6),
    ) {
        let (mut text, door) = seed;
        for (at, cut, insert) in edits {
            let chars: Vec<(usize, char)> = text.char_indices().collect();
            if chars.is_empty() {
                break;
            }
            let i = at.index(chars.len());
            let start = chars[i].0;
            let end = chars.get(i + cut).map_or(text.len(), |c| c.0);
            text.replace_range(start..end, &insert);
        }
        survives(&text, door);
        if door == Door::Json {
            check_native(Source::new("x", text));
        }
    }

    #[test]
    fn any_text_never_panics(text in "\\PC{0,200}") {
        survives(&text, Door::Toml);
        survives(&text, Door::Json);
    }

    #[test]
    fn any_reference_never_panics(text in "[a-z$@{}<>\\[\\]'?.:*0-9 \\\\~/=-]{0,40}") {
        let quoted = serde_json::to_string(&text).unwrap();
        let json = format!(r#"{{"workflow":{{"name":"x"}},"operations":{{"a":{{"uses":"pop.sleep","with":{{"output":{quoted}}}}}}}}}"#);
        survives(&json, Door::Json);
    }
}

#[test]
fn deep_nesting_is_a_finding() {
    for text in ["[".repeat(50_000), "{\"a\":".repeat(50_000)] {
        assert!(survives(&text, Door::Json) > 0);
    }
    let head = "[workflow]\nname = \"x\"\n[operations.a]\nuses = \"pop.sleep\"\nwith = ";
    for open in ["[", "{a = "] {
        assert!(survives(&format!("{head}{}", open.repeat(50_000)), Door::Toml) > 0);
    }
    let nested = format!("{head}{{ output = {}{} }}", "[".repeat(120), "]".repeat(120));
    assert_eq!(survives(&nested, Door::Toml), 0);
}

#[test]
fn values_that_double_at_every_step_end() {
    let mut text =
        "[workflow]\nname = \"x\"\n[operations.a0]\nuses = \"pop.transform\"\nwith = { value = { x = 1 } }\n"
            .to_owned();
    for i in 1..200 {
        let last = i - 1;
        writeln!(text, "[operations.a{i}]\nuses = \"pop.transform\"\nwith = {{ value = {{ l = \"${{a{last}}}\", r = \"${{a{last}}}\" }} }}").unwrap();
    }
    text += "[outputs]\nall = \"${a199}\"\n";
    assert_eq!(survives(&text, Door::Toml), 0);
}

#[test]
fn types_that_contain_each_other_end() {
    let nested = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let text = format!(
        "[workflow]\nname = \"x\"\n[types]\nA = \"list<A> | list<list<A>> | list<B>\"\nB = \"list<B> | list<A>\"\n\
         P = \"{{a: P?, b: P?, c: int}}\"\nQ = \"{{a: Q?, b: Q?, c: int}}\"\n\
         [inputs]\na = {{ type = \"A\", default = {nested} }}\np = \"P\"\n\
         [catalog.\"x.y\"]\ninput = {{ a = \"A\", q = \"Q\" }}\n\
         [operations.o]\nuses = \"x.y\"\nwith = {{ a = {nested}, q = \"${{inputs.p}}\" }}\n\
         [operations.u]\nuses = \"x.y\"\nwith = {{ a = \"${{inputs.a}}\", q = \"${{inputs.p}}\" }}\n"
    );
    assert_eq!(survives(&text, Door::Toml), 0);
}

#[test]
fn ten_thousand_findings_are_still_findings() {
    let mut text = "[workflow]\nname = \"x\"\n".to_owned();
    for i in 0..5_000 {
        writeln!(
            text,
            "[operations.op{i}]\nuses = \"pop.log\"\nwith = {{ message = \"${{oq{i}x.a}}\", levle = 1 }}"
        )
        .unwrap();
    }
    assert_eq!(survives(&text, Door::Toml), 10_000);
}

#[test]
fn a_long_chain_and_a_long_circle_do_not_overflow_the_stack() {
    for last in ["\"op0\"", "[]"] {
        let mut text = format!(
            "[workflow]\nname = \"x\"\n[operations.op0]\nuses = \"pop.sleep\"\nafter = {}\n",
            if last == "[]" { "[]" } else { "\"op19999\"" }
        );
        for i in 1..20_000 {
            let before = i - 1;
            writeln!(
                text,
                "[operations.op{i}]\nuses = \"pop.sleep\"\nwith = {{ output = \"${{op{before}}}\" }}"
            )
            .unwrap();
        }
        assert_eq!(survives(&text, Door::Toml), usize::from(last != "[]"));
    }
}
