//! Whole files through the whole pipeline: workflows that both doors must compile to the same bytes, and faults that must
//! be found at their place. Every file of the two folders is tested, so none can be forgotten.

use std::fs;
use std::path::{Path, PathBuf};

use pop_compiler::diagnostic::Location;
use pop_compiler::source::Source;
use pop_compiler::{Compiled, Door, Options, canonical, compile, validate};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests").join(name)
}

fn files(name: &str, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder(name)).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
    files.retain(|p| p.to_string_lossy().ends_with(ending));
    files.sort();
    assert!(!files.is_empty());
    files
}

fn compiled(path: &Path) -> Compiled {
    let directory = path.parent().unwrap().to_path_buf();
    let loader = |name: &str| match fs::read_to_string(directory.join(name)) {
        Ok(text) => Ok(Source::new(name, text)),
        Err(error) => Err(error.to_string()),
    };
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let door = Door::from_path(&name).unwrap();
    let text = fs::read_to_string(path).unwrap();
    compile(Source::new(name, text), door, &Options { loader: &loader, ..Options::default() })
}

fn bytes(compiled: &Compiled) -> String {
    match (&compiled.agenda, &compiled.template) {
        (Some(agenda), _) => canonical::pretty(agenda),
        (None, Some(template)) => canonical::pretty(template),
        (None, None) => panic!("{:#?}", compiled.diagnostics),
    }
}

#[test]
fn both_doors_give_the_same_bytes() {
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

#[test]
fn each_fault_is_found_at_its_place_and_nothing_else_is() {
    let mut failures = Vec::new();
    for path in files("faults", ".pop.toml") {
        let text = fs::read_to_string(&path).unwrap();
        let mut expected: Vec<String> =
            text.lines().filter_map(|l| l.strip_prefix("# expect: ")).map(str::to_owned).collect();
        let compiled = compiled(&path);
        let mut found: Vec<String> = compiled
            .diagnostics
            .iter()
            .map(|d| {
                let Location::Span(span) = d.primary.at else { panic!("{d:?}") };
                let place = compiled.sources.get(span.file).unwrap().position(span.start);
                format!("{} {}:{}", d.rule, place.line, place.column)
            })
            .collect();
        expected.sort();
        found.sort();
        if expected != found {
            failures.push(format!("{}: expected {expected:?}, found {found:?}", path.display()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
