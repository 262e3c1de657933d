//! Text that nobody means well: whatever it is, compiling ends soon, with findings and without a panic.

use std::fmt::Write as _;
use std::path::Path;

use pop_compiler::diagnostic::Location;
use pop_compiler::render::text::{Colour, findings, first_findings};
use pop_compiler::render::{Summary, github, json, sarif};
use pop_compiler::source::Source;
use pop_compiler::{Compiled, Format, Options, check_native, compile};
use proptest::prelude::*;

fn compiled(text: &str, format: Format) -> Compiled {
    compile(Source::new("x", text), format, &Options::default())
}

/// As a file whose name says what it is: comments in it are read, and what can be mended is.
fn in_a_file(text: &str) -> Compiled {
    compile(Source::new("x.pop.toml", text), Format::Toml, &Options::default())
}

/// Compiles, renders, and checks that every place is inside the text.
fn survives(text: &str, format: Format) -> usize {
    let compiled = compiled(text, format);
    for finding in &compiled.diagnostics {
        if let Location::Span(span) = finding.primary.at {
            assert!(span.start <= span.end && span.end as usize <= text.len(), "{finding:?}");
        }
    }
    let shown = &compiled.diagnostics[..compiled.diagnostics.len().min(20)];
    findings(shown, &compiled.sources, Colour::Never);
    compiled.diagnostics.len()
}

fn seeds() -> Vec<(String, Format)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/workflows");
    let mut seeds = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if let Some(format) = Format::from_path(&path.to_string_lossy()) {
            seeds.push((std::fs::read_to_string(&path).unwrap(), format));
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
        let (mut text, format) = seed;
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
        survives(&text, format);
        if format == Format::Json {
            check_native(Source::new("x", text));
        }
    }

    #[test]
    fn any_text_never_panics(text in "\\PC{0,200}") {
        survives(&text, Format::Toml);
        survives(&text, Format::Json);
    }

    #[test]
    fn any_reference_never_panics(text in "[a-z$@{}<>\\[\\]'?.:*0-9 \\\\~/=-]{0,40}") {
        let quoted = serde_json::to_string(&text).unwrap();
        let json = format!(r#"{{"workflow":{{"name":"x"}},"operations":{{"a":{{"uses":"pop.sleep","with":{{"output":{quoted}}}}}}}}}"#);
        survives(&json, Format::Json);
    }
}

#[test]
fn deep_nesting_is_a_finding() {
    for text in ["[".repeat(50_000), "{\"a\":".repeat(50_000)] {
        assert!(survives(&text, Format::Json) > 0);
    }
    let head = "[workflow]\nname = \"x\"\n[operations.a]\nuses = \"pop.sleep\"\nwith = ";
    for open in ["[", "{a = "] {
        assert!(survives(&format!("{head}{}", open.repeat(50_000)), Format::Toml) > 0);
    }
    // brackets of the wrong kind do not make it any less deep
    for line in ["x = {\n  [a]\n", "x = {\n  ]\n", "x = [ }\n"] {
        assert!(survives(&line.repeat(20_000), Format::Toml) > 0);
    }
    let nested = format!("{head}{{ output = {}{} }}", "[".repeat(120), "]".repeat(120));
    assert_eq!(survives(&nested, Format::Toml), 0);
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
    assert_eq!(survives(&text, Format::Toml), 0);
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
    assert_eq!(survives(&text, Format::Toml), 0);
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
    assert_eq!(survives(&text, Format::Toml), 10_000);
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
        assert_eq!(survives(&text, Format::Toml), usize::from(last != "[]"));
    }
}

/// Findings of one compilation, with the one that says how many more there are.
const MOST_TOLD: usize = 10_001;

/// Checks that a report is bounded, that nothing is lost in its counts, and that every format says so.
fn many(text: &str, format: Format, expected: Summary) {
    let compiled = compiled(text, format);
    told(&compiled, expected);
}

fn told(compiled: &Compiled, expected: Summary) {
    let Compiled { diagnostics, sources, .. } = compiled;
    assert_eq!(Summary::of(diagnostics), expected);
    assert!(diagnostics.len() <= MOST_TOLD, "{}", diagnostics.len());
    let last = diagnostics.last().expect("there are findings");
    assert_eq!(last.rule, "more-findings");
    let all = expected.errors + expected.warnings;
    assert_eq!(last.message, format!("{} more findings are not shown", all - (diagnostics.len() - 1)));
    let (text, more) = first_findings(diagnostics, sources, Colour::Never);
    assert_eq!(more, all - 500);
    assert!(text.len() < 1 << 20, "{}", text.len());
    let findings = || diagnostics.iter().map(|finding| (finding, sources));
    let json = json::document(findings());
    assert_eq!(
        json["summary"],
        serde_json::json!({ "errors": expected.errors, "warnings": expected.warnings })
    );
    assert_eq!(json["diagnostics"].as_array().map(Vec::len), Some(diagnostics.len()));
    let sarif = sarif::document(findings()).to_string();
    assert!(sarif.contains(&last.message));
    let github = github::annotations(findings());
    assert!(github.lines().last().is_some_and(|line| line.contains(&last.message)));
    for output in [json.to_string(), sarif, github] {
        assert!(output.len() < 20 << 20, "{}", output.len());
    }
}

fn errors(errors: usize) -> Summary {
    Summary { errors, warnings: 0 }
}

const HEAD: &str = "[workflow]\nname = \"x\"\n";

fn operation() -> String {
    format!("{HEAD}[operations.a]\nuses = \"pop.sleep\"\n")
}

#[test]
fn a_hundred_thousand_keys_are_counted() {
    let mut keys = operation();
    (0..100_000).for_each(|i| writeln!(keys, "x{i} = 1").unwrap());
    told(&in_a_file(&keys), errors(100_000));
}

#[test]
fn a_hundred_thousand_references_are_counted() {
    let text =
        |reference: &str| format!("{}with = {{ output = \"{}\" }}\n", operation(), reference.repeat(100_000));
    many(&text("${}"), Format::Toml, errors(100_000));
    assert_eq!(Summary::of(&compiled(&text("${b}"), Format::Toml).diagnostics), errors(100_000));
}

#[test]
fn a_hundred_thousand_warnings_are_counted() {
    let mut inputs = format!("{}[inputs]\n", operation());
    (0..100_000).for_each(|i| writeln!(inputs, "in{i} = \"int\"").unwrap());
    many(&inputs, Format::Toml, Summary { errors: 0, warnings: 100_000 });
}

#[test]
fn a_hundred_thousand_findings_on_one_line_are_counted() {
    let list = "1,".repeat(100_000);
    let text = format!(
        "{HEAD}[catalog.\"x.y\"]\ninput = {{ a = \"list<string>\" }}\n[operations.a]\nuses = \"x.y\"\nwith = {{ a = [{list}] }}\n"
    );
    // the literal is large, too
    many(&text, Format::Toml, Summary { errors: 100_000, warnings: 1 });
    let keys: Vec<String> = (0..100_000).map(|i| format!("\"é{i}\":1")).collect();
    let text = format!(
        r#"{{"workflow":{{"name":"x"}},"operations":{{"a":{{"uses":"pop.sleep",{}}}}}}}"#,
        keys.join(",")
    );
    many(&text, Format::Json, errors(100_000));
    let twice = "\"uses\":\"pop.sleep\",".repeat(50_000);
    let text = format!(r#"{{"workflow":{{"name":"x"}},"operations":{{"a":{{{twice}"uses":"pop.sleep"}}}}}}"#);
    many(&text, Format::Json, errors(50_000));
}

#[test]
fn errors_are_told_before_warnings() {
    let mut text = format!("{HEAD}[inputs]\n");
    (0..20_000).for_each(|i| writeln!(text, "in{i} = \"int\"").unwrap());
    text += "[operations.a]\nuses = \"pop.slep\"\n";
    let compiled = compiled(&text, Format::Toml);
    told(&compiled, Summary { errors: 1, warnings: 20_000 });
    let error = compiled.diagnostics.iter().find(|finding| finding.rule == "unknown-operation-type");
    assert!(error.is_some_and(|finding| finding.help[0].contains("pop.sleep")));
}

#[test]
fn misspelt_names_are_guessed_until_that_takes_too_long() {
    let mut text = HEAD.to_owned();
    for i in 0..20_000 {
        writeln!(text, "[operations.operation{i}]\nuses = \"pop.sleep\"\nafter = [\"opreation{i}\"]")
            .unwrap();
    }
    let found = compiled(&text, Format::Toml);
    told(&found, errors(20_000));
    let guessed: Vec<bool> = found.diagnostics.iter().map(|finding| !finding.help.is_empty()).collect();
    assert!(guessed[..50].iter().all(|guessed| *guessed));
    assert!(guessed.iter().filter(|guessed| **guessed).count() <= 500);
}

#[test]
fn misspelt_fields_and_types_are_guessed_until_that_takes_too_long() {
    let fields = |name: &str, value: &str| {
        (0..20_000).fold(String::new(), |text, i| text + &format!("{name}{i} = {value},"))
    };
    let text = format!(
        "{HEAD}[catalog.\"x.y\"]\ninput = {{ {} }}\n[operations.a]\nuses = \"x.y\"\nwith = {{ {} }}\n",
        fields("field", "\"int?\""),
        fields("feild", "1")
    );
    assert_eq!(Summary::of(&compiled(&text, Format::Toml).diagnostics).errors, 20_000);
    let mut types = format!("{HEAD}[types]\n");
    (0..20_000).for_each(|i| writeln!(types, "Type{i} = \"Tyep{i}x\"").unwrap());
    types += "[operations.a]\nuses = \"pop.sleep\"\n";
    assert_eq!(Summary::of(&compiled(&types, Format::Toml).diagnostics).errors, 20_000);
}

#[test]
fn garbage_ends_in_a_hundred_findings() {
    for line in ["= x ]\n", "a = 1\n", "[[[[\n", "\"\"\"x", "\\\0\n", "a.b = {\n"] {
        for format in [Format::Toml, Format::Json] {
            let found = compiled(&line.repeat(100_000), format);
            assert!((1..=110).contains(&found.diagnostics.len()), "{line} {}", found.diagnostics.len());
            let text = findings(&found.diagnostics, &found.sources, Colour::Never);
            assert!(text.len() < 100_000, "{line} {}", text.len());
        }
    }
}

#[test]
fn long_lines_and_long_names_are_cut() {
    let long = "x".repeat(3_000_000);
    let text = format!("{HEAD}[operations.a]\nuses = \"{long}\"\n{long} = 1\n");
    let found = compiled(&text, Format::Toml);
    assert_eq!(found.diagnostics.len(), 2);
    let shown = findings(&found.diagnostics, &found.sources, Colour::Never);
    assert!(shown.len() < 20_000, "{}", shown.len());
    assert!(shown.contains("x:4:"), "the place is told");
    let sarif = sarif::document(found.diagnostics.iter().map(|finding| (finding, &found.sources)));
    assert!(sarif.to_string().len() < 300_000);
}

#[test]
fn one_comment_takes_back_findings_without_end() {
    let mut text = format!("{}# pop: allow(unused-input) they are for clients\n[inputs]\n", operation());
    (0..100_000).for_each(|i| writeln!(text, "in{i} = \"int\"").unwrap());
    assert!(in_a_file(&text).diagnostics.is_empty());
}

#[test]
fn comments_that_allow_without_end_end() {
    let mut text = format!("{}[inputs]\n", operation());
    for i in 0..20_000 {
        writeln!(text, "# pop: allow(unused-input) r\nin{i} = \"int\"").unwrap();
    }
    // the first thousand comments are looked at
    told(&in_a_file(&text), Summary { errors: 0, warnings: 19_000 });
}

#[test]
fn agendas_with_faults_everywhere_are_counted() {
    let operations: Vec<String> = (0..50_000)
        .map(|i| format!(r#"{{"name":"operation{i}","type":"pop.sleep","payload":"@<opreation{i}.out>","params":{{"dependsOn":["oepration{i}"],"pop.timeout":"1 fortnight"}}}}"#))
        .collect();
    let found =
        check_native(Source::new("x.json", format!(r#"{{"operations":[{}]}}"#, operations.join(","))));
    assert_eq!(found.diagnostics.len(), 1001);
    assert_eq!(Summary::of(&found.diagnostics), errors(150_000));
}
