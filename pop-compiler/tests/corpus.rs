//! Whole files through the whole pipeline: workflows that both formats must compile to the same bytes, and faults that
//! must be found at their place. Every file of the two folders is tested, so none can be forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use pop_compiler::diagnostic::{Diagnostic, Location};
use pop_compiler::source::Source;
use pop_compiler::{Compiled, Format, Options, canonical, compile, fix, rules, validate};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests").join(name)
}

fn files(name: &str, ending: &str) -> Vec<PathBuf> {
    let files = files_if_any(name, ending);
    assert!(!files.is_empty());
    files
}

fn files_if_any(name: &str, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder(name)).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
    files.retain(|p| p.to_string_lossy().ends_with(ending));
    files.sort();
    files
}

fn compiled(path: &Path) -> Compiled {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    text_compiled(path, &name, fs::read_to_string(path).unwrap())
}

fn text_compiled(path: &Path, name: &str, text: String) -> Compiled {
    let directory = path.parent().unwrap().to_path_buf();
    let loader = |name: &str| match fs::read_to_string(directory.join(name)) {
        Ok(text) => Ok(Source::new(name, text)),
        Err(error) => Err(error.to_string()),
    };
    let format = Format::from_path(name).unwrap();
    compile(Source::new(name, text), format, &Options { loader: &loader, ..Options::default() })
}

fn bytes(compiled: &Compiled) -> String {
    match (&compiled.agenda, &compiled.template) {
        (Some(agenda), _) => canonical::pretty(agenda),
        (None, Some(template)) => canonical::pretty(template),
        (None, None) => panic!("{:#?}", compiled.diagnostics),
    }
}

#[test]
fn both_formats_give_the_same_bytes() {
    assert!(files("workflows", ".pop.toml").len() >= 50, "the workflows are to show the whole language");
    assert_eq!(files("workflows", ".pop.toml").len(), files("workflows", ".pop.json").len());
    for toml in files("workflows", ".pop.toml") {
        let json = toml.with_extension("json");
        let (a, b) = (compiled(&toml), compiled(&json));
        let name = toml.file_name().unwrap().to_string_lossy().replace(".pop.toml", "");
        assert!(a.diagnostics.is_empty(), "{name}: {:#?}", a.diagnostics);
        assert!(b.diagnostics.is_empty(), "{name}: {:#?}", b.diagnostics);
        assert_eq!(bytes(&a), bytes(&b), "{name}");
        // what is emitted passes the checks of agendas that people write by hand
        let findings = match (&a.agenda, &a.template) {
            (Some(agenda), _) => validate::agenda(agenda),
            (None, template) => template.as_ref().map(validate::template).unwrap_or_default(),
        };
        assert!(findings.is_empty(), "{name}: {findings:#?}");
        insta::with_settings!(
            { snapshot_path => "../../tests/snapshots", prepend_module_to_snapshot => false, omit_expression => true },
            { insta::assert_snapshot!(name, bytes(&a)); }
        );
    }
}

#[test]
fn compiling_twice_gives_the_same_bytes() {
    for toml in files("workflows", ".pop.toml") {
        assert_eq!(bytes(&compiled(&toml)), bytes(&compiled(&toml)));
    }
}

/// What a file with planted faults says about itself, in comments at its beginning.
struct Planted {
    path: PathBuf,
    /// `rule line:column` of each fault.
    expected: Vec<String>,
    /// The right name for each one that is misspelt.
    suggestions: Vec<String>,
    compiled: Compiled,
}

fn planted(name: &str) -> Vec<Planted> {
    let paths = files(name, ".pop.toml").into_iter().chain(files_if_any(name, ".pop.json"));
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let said = |what: &str| {
            let lines = text.lines().filter_map(|l| l.strip_prefix("# ").or(l.strip_prefix("// ")));
            lines.filter_map(|l| l.strip_prefix(what)).map(str::to_owned).collect::<Vec<_>>()
        };
        let mut expected = said("expect: ");
        expected.sort();
        assert!(!expected.is_empty(), "{} expects nothing", path.display());
        Planted { expected, suggestions: said("suggest: "), compiled: compiled(&path), path }
    };
    paths.map(read).collect()
}

impl Planted {
    fn found(&self) -> Vec<String> {
        let mut found: Vec<String> = self.compiled.diagnostics.iter().map(|d| self.place(d)).collect();
        found.sort();
        found
    }

    fn place(&self, finding: &Diagnostic) -> String {
        let Location::Span(span) = finding.primary.at else { panic!("{finding:?}") };
        let place = self.compiled.sources.get(span.file).unwrap().position(span.start);
        format!("{} {}:{}", finding.rule, place.line, place.column)
    }

    /// Names that a finding offers first.
    fn suggests(&self, name: &str) -> bool {
        let offer = format!("did you mean `{name}`?");
        self.compiled.diagnostics.iter().any(|d| d.help.first().is_some_and(|help| *help == offer))
    }
}

/// What `popc check --fix` makes of a file: its text (and those it names) after round upon round of fixes, and what is
/// found in it then.
struct Mended {
    text: String,
    compiled: Compiled,
    fixes: usize,
}

fn mended(path: &Path) -> Mended {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let directory = path.parent().unwrap().to_path_buf();
    let text = fs::read_to_string(path).unwrap();
    let mut compile = |changed: &fix::Changed| -> Result<Compiled, ()> {
        let loader = |name: &str| match changed.get(name) {
            Some(text) => Ok(Source::new(name, text.as_str())),
            None => fs::read_to_string(directory.join(name))
                .map(|text| Source::new(name, text))
                .map_err(|error| error.to_string()),
        };
        let source = Source::new(name.as_str(), changed.get(&name).unwrap_or(&text).as_str());
        let options = Options { loader: &loader, ..Options::default() };
        Ok(compile(source, Format::from_path(&name).unwrap(), &options))
    };
    let mut fixes = 0;
    let key = |name: &str| Some(name.to_owned());
    let mut told = |_: &Compiled, _| fixes += 1;
    let files = &mut fix::Files { compile: &mut compile, key: &key, told: &mut told };
    let (compiled, mut changed) = fix::all(files).unwrap();
    Mended { text: changed.remove(&name).unwrap_or(text), compiled, fixes }
}

/// The comments of a text, which no fix may touch, apart from those that only allow something; a comment may get the
/// marks of its language.
fn comments(text: &str) -> Vec<&str> {
    let lines = text
        .lines()
        .filter_map(|l| l.find("# ").map(|at| &l[at + 2..]).or(l.find("// ").map(|at| &l[at + 3..])));
    lines.filter(|comment| !comment.starts_with("pop:")).collect()
}

fn percent(part: usize, whole: usize) -> usize {
    part * 100 / whole.max(1)
}

/// The promise of the compiler, in figures. A file with one fault gives that finding, at its line and column, and nothing
/// else; where one change is the obvious one, `--fix` makes it and leaves everything else as it was.
#[test]
fn each_fault_is_found_at_its_place_and_nothing_else_is() {
    let corpus = planted("faults");
    let (mut found, mut placed, mut names, mut offered, mut mend) = (0, 0, 0, 0, 0);
    let mut kinds = BTreeSet::new();
    let mut table = BTreeMap::new();
    let mut failures = Vec::new();
    for file in &corpus {
        let actual = file.found();
        let rules =
            |all: &[String]| all.iter().map(|e| e.split(' ').next().unwrap().to_owned()).collect::<Vec<_>>();
        kinds.extend(rules(&file.expected));
        let has_all = rules(&file.expected).iter().all(|rule| rules(&actual).contains(rule));
        found += usize::from(has_all);
        placed += usize::from(file.expected.iter().all(|e| actual.contains(e)));
        if actual != file.expected {
            failures.push(format!("{}: expected {:?}, found {actual:?}", file.path.display(), file.expected));
        }
        for name in &file.suggestions {
            names += 1;
            offered += usize::from(file.suggests(name));
            if !file.suggests(name) {
                failures.push(format!("{}: `{name}` is not offered first", file.path.display()));
            }
        }
        let mended = mended(&file.path);
        let fine = mended.fixes > 0 && mended.compiled.diagnostics.is_empty();
        assert!(!fine || mended.compiled.template.is_some(), "{}", file.path.display());
        let before = fs::read_to_string(&file.path).unwrap();
        if comments(&before) != comments(&mended.text) {
            failures.push(format!("{}: --fix changes a comment:\n{}", file.path.display(), mended.text));
        }
        if mended.compiled.diagnostics.len() > file.expected.len() {
            failures.push(format!("{}: more is found after --fix", file.path.display()));
        }
        mend += usize::from(fine);
        for kind in rules(&file.expected).into_iter().collect::<BTreeSet<_>>() {
            let row: &mut (usize, usize, Vec<String>) = table.entry(kind).or_default();
            row.0 += 1;
            row.1 += usize::from(fine);
            if !fine {
                row.2.push(file.path.file_name().unwrap().to_string_lossy().replace(".pop", ""));
            }
        }
    }
    for (kind, (files, fixed, left)) in &table {
        println!("{kind:24} {files:3} files, {fixed:3} fixed; not: {}", left.join(" "));
    }
    let total = corpus.len();
    let json = corpus.iter().filter(|f| f.path.to_string_lossy().ends_with(".json")).count();
    println!(
        "faults: {total} files ({json} JSON) in {} kinds; found {} %, at line and column {} %, \
         right name first {} % of {names}, clean after --fix {} %",
        kinds.len(),
        percent(found, total),
        percent(placed, total),
        percent(offered, names),
        percent(mend, total),
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(total >= 720 && kinds.len() >= 56, "{total} faults in {} kinds: {kinds:?}", kinds.len());
    assert_eq!((found, placed), (total, total));
    assert!(percent(offered, names) >= 90, "{offered} of {names} names");
    assert!(percent(mend, total) >= 60, "{mend} of {total} are fixed");
}

#[test]
fn several_faults_in_a_file_are_all_found_and_nothing_else_is() {
    let corpus = planted("faults-many");
    let failures: Vec<String> = corpus
        .iter()
        .filter(|file| file.found() != file.expected || file.expected.len() < 3)
        .map(|file| {
            format!("{}: expected {:?}, found {:?}", file.path.display(), file.expected, file.found())
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    let names: Vec<(&Planted, &String)> =
        corpus.iter().flat_map(|file| file.suggestions.iter().map(move |name| (file, name))).collect();
    let missing: Vec<&String> = names.iter().filter(|(f, n)| !f.suggests(n)).map(|(_, n)| *n).collect();
    let faults: usize = corpus.iter().map(|file| file.expected.len()).sum();
    println!(
        "faults-many: {} files, {faults} faults, all found; {} names, not offered: {missing:?}",
        corpus.len(),
        names.len()
    );
    assert!(missing.len() * 10 <= names.len(), "{missing:?}");
}

/// Rules that no single-fault file exercises would be rules that nobody has seen at work.
#[test]
fn every_rule_has_a_planted_fault() {
    let planted = planted("faults");
    let seen: BTreeSet<&str> =
        planted.iter().flat_map(|f| &f.expected).filter_map(|e| e.split(' ').next()).collect();
    // its findings lie in the schema file; only where a project asks for them; or in files too large to keep
    let elsewhere = ["bad-schema", "untyped-edge", "too-large"];
    let unseen: Vec<&str> =
        rules::ALL.iter().map(|r| r.id).filter(|id| !seen.contains(id) && !elsewhere.contains(id)).collect();
    assert!(unseen.is_empty(), "{unseen:?}");
}
