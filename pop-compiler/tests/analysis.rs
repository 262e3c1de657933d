//! What an editor sees: the symbols of a text, by value, and the findings that compiling gives, too.

use std::fs;
use std::path::{Path, PathBuf};

use pop_compiler::source::{Source, Span};
use pop_compiler::{Analysis, Format, Options, Symbol, SymbolKind, analyze, compile, rules};

fn analysis(text: &str, format: Format) -> Analysis {
    let name = if format == Format::Toml { "x.pop.toml" } else { "x.pop.json" };
    let catalog = "[operations.\"media.probe\"]\ninput = { url = \"url\" }\noutput = { file = \"path\", streams = \"list<{codec: string}>\" }\ncommand = [\"probe\"]\n";
    let part = "[workflow]\nname = \"part\"\n[operations.a]\nuses = \"pop.sleep\"\n[outputs]\nn = 1\n";
    let loader = |path: &str| match path {
        "media.toml" => Ok(Source::new(path, catalog)),
        "part.pop.toml" => Ok(Source::new(path, part)),
        _ => Err("no such file".to_owned()),
    };
    analyze(Source::new(name, text), format, &Options { loader: &loader, ..Options::default() })
}

fn place(analysis: &Analysis, span: Span) -> String {
    let source = analysis.sources.get(span.file).unwrap();
    let at = source.position(span.start);
    let file = if span.file.0 == 0 { String::new() } else { format!("{}:", source.name) };
    format!("{file}{}:{}", at.line, at.column)
}

/// `line:column text: kind name.path @definition: type`
fn line(analysis: &Analysis, symbol: &Symbol) -> String {
    let target = &symbol.target;
    let mut line = place(analysis, symbol.span);
    line += &format!(" {}: {:?}", analysis.sources.text(symbol.span), target.kind);
    if !(target.name.is_empty() && target.path.is_empty()) {
        line += &format!(" {}{}", target.name, target.path);
    }
    match target.definition {
        _ if symbol.is_definition() => line += " defined",
        Some(span) => line += &format!(" @{}", place(analysis, span)),
        None => {}
    }
    line + &symbol.ty.as_ref().map(|ty| format!(": {ty}")).unwrap_or_default()
}

fn lines(analysis: &Analysis) -> Vec<String> {
    analysis.symbols.iter().map(|symbol| line(analysis, symbol)).collect()
}

#[track_caller]
fn check(text: &str, format: Format, expected: &[&str]) {
    let analysis = analysis(text, format);
    assert!(analysis.diagnostics.is_empty(), "{:#?}", analysis.diagnostics);
    assert_eq!(lines(&analysis), expected);
}

#[test]
fn references_lead_to_what_they_name() {
    let text = r#"[workflow]
name = "x"
catalogs = ["media.toml"]
[inputs]
x = "url"
size = { type = "Size?" }
[types]
Size = "{w: int, h: int}"
[operations.probe]
uses = "media.probe"
with = { url = "${inputs.x}" }
[operations.say]
uses = "pop.log"
with = { message = "${probe.file} of @<probe.out::/streams/0/codec> ${run.id}" }
after = ["wait"]
[operations.wait]
uses = "pop.sleep"
[outputs]
size = "${inputs.size}"
codecs = "${probe.streams[0].codec ?? 'none'}"
"#;
    check(
        text,
        Format::Toml,
        &[
            "5:1 x: Input x defined: url",
            "6:1 size: Input size defined: Size?",
            "6:18 Size: Type Size @8:1: {h: int, w: int}",
            "8:1 Size: Type Size defined: {h: int, w: int}",
            "9:13 probe: Operation probe defined: {file: path, streams: list<{codec: string}>}",
            "10:8 \"media.probe\": OperationType media.probe @media.toml:1:13: {file: path, streams: list<{codec: string}>}",
            "11:10 url: Parameter url @media.toml:1:13: url",
            "11:17 ${inputs.x}: Input x @5:1: url",
            "12:13 say: Operation say defined: {}",
            "13:8 \"pop.log\": OperationType pop.log: {}",
            "14:10 message: Parameter message: any",
            "14:21 ${probe.file}: Operation probe.file @9:13: path",
            "14:38 @<probe.out::/streams/0/codec>: Operation probe.streams.0.codec @9:13: string",
            "14:69 ${run.id}: Run id: string",
            "15:10 \"wait\": Operation wait @16:13: any",
            "16:13 wait: Operation wait defined: any",
            "17:8 \"pop.sleep\": OperationType pop.sleep: any",
            "19:1 size: Output size defined: Size?",
            "19:9 ${inputs.size}: Input size @6:1: Size?",
            "20:1 codecs: Output codecs defined: string",
            "20:11 ${probe.streams[0].codec ?? 'none'}: Operation probe.streams[0].codec @9:13: string",
        ],
    );
}

#[test]
fn json_has_the_same_symbols() {
    let text = r#"{ "workflow": { "name": "x", "catalogs": ["media.toml"] },
  "inputs": { "x": { "type": "list<Url>" } }, "types": { "Url": "url" },
  "operations": {
    "probe": { "uses": "media.probe", "each": "${inputs.x}", "with": { "url": "${each}" } },
    "part": { "workflow": "part.pop.toml" },
    "say": { "uses": "pop.log", "with": { "message": "${probe[0].file}" }, "after": ["part"] } },
  "outputs": { "files": "${probe[*].file}", "n": "${part.n}" } }"#;
    check(
        text,
        Format::Json,
        &[
            "2:15 \"x\": Input x defined: list<Url>",
            "2:36 Url: Type Url @2:58: url",
            "2:58 \"Url\": Type Url defined: url",
            "4:5 \"probe\": Operation probe defined: list<{file: path, streams: list<{codec: string}>}>",
            "4:24 \"media.probe\": OperationType media.probe @media.toml:1:13: {file: path, streams: list<{codec: string}>}",
            "4:48 ${inputs.x}: Input x @2:15: list<Url>",
            "4:72 \"url\": Parameter url @media.toml:1:13: url",
            "4:80 ${each}: Item @4:47: Url",
            "5:5 \"part\": Operation part defined: {n: int}",
            "5:27 \"part.pop.toml\": Workflow part.pop.toml @part.pop.toml:2:8: {n: int}",
            "6:5 \"say\": Operation say defined: {}",
            "6:22 \"pop.log\": OperationType pop.log: {}",
            "6:43 \"message\": Parameter message: any",
            "6:55 ${probe[0].file}: Operation probe[0].file @4:5: path",
            "6:86 \"part\": Operation part @5:5: {n: int}",
            "7:16 \"files\": Output files defined: list<path>",
            "7:26 ${probe[*].file}: Operation probe[*].file @4:5: list<path>",
            "7:45 \"n\": Output n defined: int",
            "7:51 ${part.n}: Operation part.n @5:5: int",
        ],
    );
}

#[test]
fn a_broken_text_has_the_symbols_that_can_be_known() {
    let text = r#"[workflow]
name = "x"
[inputs]
x = "Nope"
y = "int
[operations.a]
uses = "pop.transform"
with = { value = "${inputs.y}" }
[operations.b]
uses = "no.such"
with = { v = ["${a}", "${nope.v}", "${inputs.x"] }
"#;
    let analysis = analysis(text, Format::Toml);
    let rules: Vec<_> = analysis.diagnostics.iter().map(|d| d.rule).collect();
    assert_eq!(
        rules,
        ["unknown-type", "syntax", "unknown-operation-type", "unknown-output", "bad-expression"]
    );
    assert_eq!(
        lines(&analysis),
        [
            "4:1 x: Input x defined: Nope",
            "5:1 y: Input y defined: int",
            "6:13 a: Operation a defined: int",
            "7:8 \"pop.transform\": OperationType pop.transform: any",
            "8:10 value: Parameter value: any",
            "8:19 ${inputs.y}: Input y @5:1: int",
            "9:13 b: Operation b defined",
            "11:16 ${a}: Operation a @6:13: int",
        ]
    );
}

#[test]
fn a_catalog_is_taken_for_what_it_is() {
    let text = "[operations.\"a.b\"]\ninput = { n = \"int\" }\noutput = \"{m: float}\"\ncommand = [\"x\", \"${with.n}\"]\n";
    let analysis = analysis(text, Format::Toml);
    assert!(!pop_compiler::diagnostic::has_errors(&analysis.diagnostics), "{:#?}", analysis.diagnostics);
    assert_eq!(lines(&analysis), ["1:13 \"a.b\": OperationType a.b defined: {m: float}"]);
}

#[test]
fn the_innermost_symbol_is_at_a_byte() {
    let text = "[workflow]\nname = \"x\"\n[operations.a]\nuses = \"pop.sleep\"\n[outputs]\no = \"${a}\"\n";
    let analysis = analysis(text, Format::Toml);
    let at = |what: &str| analysis.symbol_at(u32::try_from(text.find(what).unwrap()).unwrap());
    assert_eq!(at("a}").unwrap().target.kind, SymbolKind::Operation);
    assert_eq!(at("o = ").unwrap().target.kind, SymbolKind::Output);
    assert_eq!(at("[outputs]"), None);
}

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests").join(folder);
    let mut found: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| Format::is_workflow_path(&path.to_string_lossy()));
    found.sort();
    assert!(!found.is_empty());
    found
}

/// Runs `with` on a file of the test folders.
fn on<T>(path: &Path, with: impl FnOnce(Source, Format, &Options<'_>) -> T) -> T {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let directory = path.parent().unwrap().to_path_buf();
    let loader = |name: &str| match fs::read_to_string(directory.join(name)) {
        Ok(text) => Ok(Source::new(name, text)),
        Err(error) => Err(error.to_string()),
    };
    let source = Source::new(name.as_str(), fs::read_to_string(path).unwrap());
    with(source, Format::from_path(&name).unwrap(), &Options { loader: &loader, ..Options::default() })
}

#[test]
fn both_formats_of_every_workflow_have_the_same_symbols() {
    for toml in files("workflows").iter().filter(|path| path.extension().is_some_and(|e| e == "toml")) {
        let of = |path: &Path| {
            let analysis = on(path, analyze);
            let meaning = |symbol: &Symbol| {
                let Symbol { target, ty, .. } = symbol;
                let defined = (symbol.is_definition(), target.definition.is_some());
                format!("{:?} {} {} {defined:?} {ty:?}", target.kind, target.name, target.path)
            };
            let mut found: Vec<_> = analysis.symbols.iter().map(meaning).collect();
            found.sort();
            found
        };
        assert_eq!(of(toml), of(&toml.with_extension("json")), "{}", toml.display());
    }
}

#[test]
fn the_findings_are_those_of_compiling() {
    for path in files("faults").iter().chain(&files("workflows")) {
        let (analysis, mut compiled) = (on(path, analyze), on(path, compile));
        compiled.as_catalog();
        assert_eq!(analysis.diagnostics, compiled.diagnostics, "{}", path.display());
        for symbol in &analysis.symbols {
            assert!(!analysis.sources.text(symbol.span).is_empty(), "{}: {symbol:?}", path.display());
        }
    }
}

#[test]
fn what_only_the_agenda_shows_is_left_to_compiling() {
    let text = rules::explained("too-large").unwrap().bad.replace("(1500 items)", &"1, ".repeat(1500));
    let source = Source::new("x.pop.toml", text);
    let compiled = compile(source.clone(), Format::Toml, &Options::default());
    assert_eq!(compiled.diagnostics.iter().map(|d| d.rule).collect::<Vec<_>>(), ["too-large"]);
    assert_eq!(analyze(source, Format::Toml, &Options::default()).diagnostics, []);
}

#[test]
fn the_symbols_of_a_whole_workflow() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/workflows/abr-ladder.pop.toml");
    let analysis = on(&path, analyze);
    insta::with_settings!(
        { snapshot_path => "../../tests/snapshots", prepend_module_to_snapshot => false, omit_expression => true },
        { insta::assert_snapshot!("abr-ladder.symbols", lines(&analysis).join("\n")); }
    );
}
