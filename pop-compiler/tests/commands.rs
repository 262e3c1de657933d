//! Findings in commands stand at the word, whatever the text it is in looks like.

use pop_compiler::diagnostic::Location;
use pop_compiler::source::Source;
use pop_compiler::{Compiled, Format, Options, compile};

fn compiled(format: Format, text: &str) -> Compiled {
    let name = if format == Format::Toml { "x.pop.toml" } else { "x.pop.json" };
    compile(Source::new(name, text), format, &Options::default())
}

/// Rule, text at the place, and the line of each finding.
fn found(format: Format, text: &str) -> Vec<(&'static str, String, usize)> {
    let compiled = compiled(format, text);
    let place = |finding: &pop_compiler::diagnostic::Diagnostic| {
        let Location::Span(span) = finding.primary.at else { panic!("{finding:?}") };
        let source = compiled.sources.get(span.file).unwrap();
        let line = source.position(span.start).line as usize;
        (finding.rule, source.text[span.range()].to_owned(), line)
    };
    compiled.diagnostics.iter().map(place).collect()
}

fn toml(command: &str) -> Vec<(&'static str, String, usize)> {
    found(
        Format::Toml,
        &format!(
            "[workflow]\nname = \"x\"\n[catalog.\"m.e\"]\ninput = {{ url = \"url\", o = {{ k = \"int\" }}, s = \"secret<string>?\" }}\n{command}\n\
             [operations.a]\nuses = \"m.e\"\nwith = {{ url = \"https://e.com\", o = {{ k = 1 }} }}\n"
        ),
    )
}

fn json(command: &str) -> Vec<(&'static str, String, usize)> {
    found(
        Format::Json,
        &format!(
            "{{\"workflow\": {{\"name\": \"x\"}}, \"catalog\": {{\"m.e\": {{\n\
             \"input\": {{\"url\": \"url\", \"o\": {{\"k\": \"int\"}}, \"s\": \"secret<string>?\"}},\n{command}}}}},\n\
             \"operations\": {{\"a\": {{\"uses\": \"m.e\", \"with\": {{\"url\": \"https://e.com\", \"o\": {{\"k\": 1}}}}}}}}}}"
        ),
    )
}

#[test]
fn a_word_of_a_command_is_pointed_at() {
    for (command, rule, shown, line) in [
        (r#"command = ["x", "y ${with.urll}"]"#, "unknown-field", "urll", 5),
        (r#"command = ["x", "é😀\t\"${with.urll}"]"#, "unknown-field", "urll", 5),
        (r"command = ['x', 'é\t${with.urll}']", "unknown-field", "urll", 5),
        (
            "command = [\n  \"x\", # ${with.urll}\n  \"--in=${with.url}\", \"${with.urll}\",\n]",
            "unknown-field",
            "urll",
            7,
        ),
        (
            "command = [\"sh\", \"-c\", \"\"\"\n  cat ${with.url} \\\n   <(x) \\u0041\n  ${with.urll}\"\"\"]",
            "unknown-field",
            "urll",
            8,
        ),
        ("command = [\"sh\", \"-c\", '''\nx\n${with.urll}''']", "unknown-field", "urll", 7),
        (r#"command = ["x", "${with.o.j}"]"#, "unknown-field", "j", 5),
        (r#"command = ["x", "${with.o.j.i}"]"#, "unknown-field", "j", 5),
        (r#"command = ["x", "${with.url.host}"]"#, "unknown-field", "host", 5),
        (r#"command = ["x", "a ${with.url ?? 'y'} b"]"#, "bad-expression", "${with.url ?? 'y'}", 5),
        (r#"command = ["x", "a ${with.url == 'y'} b"]"#, "bad-expression", "==", 5),
        (r#"command = ["x", "a ${run.id} b"]"#, "bad-expression", "${run.id}", 5),
        (r#"command = ["x", "a ${with.s} b"]"#, "secret-leak", "${with.s}", 5),
        ("image = \"x:1\"\nargs = [\"${with.urll}\"]", "unknown-field", "urll", 6),
        ("command = [\"x\"]\nstdin = \"${with.urll}\"", "unknown-field", "urll", 6),
        (
            "command = [\"x\"]\nenv = { A = \"${with.url}\", B = \"u=${with.urll}\" }",
            "unknown-field",
            "urll",
            6,
        ),
    ] {
        assert_eq!(toml(command), [(rule, shown.to_owned(), line)], "{command}");
    }
    for (command, rule, shown, line) in [
        (r#""command": ["x", "\u00e9\n${with.urll}"]"#, "unknown-field", "urll", 3),
        ("\"command\": [\"x\",\n // ${with.urll}\n\"${with.url} ${with.urll}\"]", "unknown-field", "urll", 5),
        (r#""command": ["x"], "env": {"A": "\"${with.o.j}\""}"#, "unknown-field", "j", 3),
        (r#""command": ["x", "\t${with.x y}"]"#, "bad-expression", "${with.x y}", 3),
    ] {
        assert_eq!(json(command), [(rule, shown.to_owned(), line)], "{command}");
    }
}

/// Each word has its own finding, also in a command that is written as one line.
#[test]
fn several_words_are_several_findings() {
    let all = toml(r#"command = ["x", "${with.urll}${with.urll}", "${with.o.j}"]"#);
    let shown: Vec<&str> = all.iter().map(|(_, shown, _)| shown.as_str()).collect();
    assert_eq!(shown, ["urll", "urll", "j"]);
    let line = toml(r#"command = "x ${with.url} ${with.urll}""#);
    let shown: Vec<(&str, &str)> = line.iter().map(|(rule, shown, _)| (*rule, shown.as_str())).collect();
    assert_eq!(shown, [("wrong-shape", r#""x ${with.url} ${with.urll}""#), ("unknown-field", "urll")]);
}

/// Rule and text of what is found in a workflow with these inputs, whose only operation logs `message`.
fn in_message(message: &str) -> Vec<(&'static str, String)> {
    let text = format!(
        "[workflow]\nname = \"x\"\n[inputs]\nname = \"string\"\nfile = \"string\"\nprint = \"string\"\ndate = \"string\"\n\
         [catalog.\"m.p\"]\noutput = {{ txt = \"string\" }}\ncommand = [\"p\"]\n[operations.probe]\nuses = \"m.p\"\n\
         [operations.a]\nuses = \"pop.log\"\nwith = {{ message = '''{message} ${{inputs.name}} ${{inputs.file}} ${{inputs.print}} ${{inputs.date}} ${{probe.txt}}''' }}\n"
    );
    found(Format::Toml, &text).into_iter().map(|(rule, shown, _)| (rule, shown)).collect()
}

#[test]
fn placeholders_of_other_languages_are_found_where_they_name_something() {
    for shown in [
        "{{ name }}",
        "{{inputs.name}}",
        "$(inputs.name)",
        "~{name}",
        "$name",
        "{name}",
        "{{ probe.txt }}",
        "$probe.txt",
    ] {
        assert_eq!(in_message(&format!("a/{shown}/b")), [("foreign-reference", shown.to_owned())], "{shown}");
    }
    assert_eq!(in_message("$name.txt"), [("foreign-reference", "$name.txt".to_owned())]);
    for text in [
        // scripts with variables and programs of their own
        "for file in *; do echo $file; done",
        "while read -r name; do echo \"$name\"; done < x",
        "name=$1; echo $name",
        "echo $(date) $HOME $1 $@ $# $$ `date`",
        "awk '{print}' '{ print }' '{print $1}'",
        "jq --arg name x '$name'",
        "f(name) = f\"{name}\"",
        // other tools' templates, and names that mean nothing here
        "{% for name in names %}{{ name }}{% endfor %}",
        "{{ .Name }} {{ other }} {{ probe.nothing }} $(params.other) ~{other} $probe.nothing",
        "\\textbf{name} \\$name %{name} @{name} #{name}",
        "curl -w '%{http_code}' {} {a,b} ${a}",
    ] {
        let expected: &[(&str, String)] = &[];
        let text = text.replace(" ${a}", "");
        assert_eq!(in_message(&text), expected, "{text}");
    }
}

#[test]
fn variables_of_a_script_are_its_own() {
    let found_in = |command: &str| {
        let text = format!(
            "[workflow]\nname = \"x\"\n[catalog.\"m.e\"]\ninput = {{ url = \"string\", n = \"int\" }}\n{command}\n\
             [operations.a]\nuses = \"m.e\"\nwith = {{ url = \"u\", n = 1 }}\n"
        );
        found(Format::Toml, &text).into_iter().map(|(_, shown, _)| shown).collect::<Vec<_>>()
    };
    assert_eq!(found_in(r#"command = ["sh", "-c", "get $url ${n} {url}"]"#), ["$url", "${n}"]);
    assert_eq!(found_in(r#"command = ["x", "{{ url }}", "--n={n}", "$(inputs.url)"]"#).len(), 3);
    for command in [
        r#"command = ["awk", "-vn=1", "BEGIN { $0=\"10 20\"; print $n }"]"#,
        r#"command = ["bash", "-c", "echo ${n:=8} $n"]"#,
        r#"command = ["sh", "-c", "printf '{n} %s' $1", "s", "${with.n}"]"#,
        r#"command = ["perl", "-e", "for $n (1..3) { print $n }"]"#,
        r#"command = ["jq", ".[] as $n | $n"]"#,
        r#"command = ["sed", "-n", "$n;p"]"#,
        r#"command = ["xargs", "-I{n}", "echo", "{n}"]"#,
        r#"command = ["sh", "-c", "url=$1; get ${url}", "sh", "${with.url}"]"#,
        r#"command = ["jq", "--arg", "url", "${with.url}", "$url"]"#,
        "command = [\"sh\", \"-c\", \"get $url\"]\nenv = { url = \"${with.url}\" }",
        r#"command = ["sh", "-c", "for n in 1 2; do echo ${n} $n; done"]"#,
        r#"command = ["x", "$${n}", "${HOME}", "$(date)"]"#,
    ] {
        assert_eq!(found_in(command), Vec::<String>::new(), "{command}");
    }
    // what is meant as it stands is allowed by its name
    let allowed = "# pop: allow(foreign-reference) a template of the program\n[operations.a]\n";
    let text = format!(
        "[workflow]\nname = \"x\"\n[inputs]\nname = \"string\"\n{allowed}uses = \"pop.log\"\nwith = {{ message = \"{{{{ name }}}} ${{inputs.name}}\" }}\n"
    );
    assert_eq!(found(Format::Toml, &text), []);
}
