//! The same workflow in all three formats: TOML, JSON, and the text that `workflow!` makes of its tokens. What comes out
//! is the same to the byte, and what is found is found by the same rules.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use pop_compiler::diagnostic::Severity;
use pop_compiler::import::wfcommons;
use pop_compiler::source::Source;
use pop_compiler::{Compiled, Format, Options, canonical, compile, data};
use proc_macro2::TokenStream;
use serde_json::{Value, json};

#[path = "../../../tests/formats/mod.rs"]
#[expect(unreachable_pub, reason = "shared with the tests of other crates")]
mod formats;
#[path = "../../../tests/formats/rust.rs"]
mod rust;

use formats::dice::Dice;
use formats::{generate, shuffled, toml};
use rust::Written;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests").join(name)
}

/// A text in its format; what it names lies in `beside`.
fn read(name: &str, text: &str, beside: &Path) -> Compiled {
    let loader = |path: &str| match fs::read_to_string(beside.join(path)) {
        Ok(text) => Ok(Source::new(path, text)),
        Err(error) => Err(error.to_string()),
    };
    let format = Format::from_path(name).unwrap();
    compile(Source::new(name, text), format, &Options { loader: &loader, ..Options::default() })
}

/// What the macro says of a workflow, and what comes of the text that it makes, with the catalog of another format.
fn expanded(written: &Written, catalog: &Compiled) -> (Vec<String>, Compiled) {
    let tokens = TokenStream::from_str(&written.text).unwrap_or_else(|e| panic!("{e}: {}", written.text));
    let file: syn::File = syn::parse2(super::expand(tokens)).unwrap();
    let mut errors = Vec::new();
    let mut source = None;
    for item in &file.items {
        match item {
            syn::Item::Macro(item) => errors.push(item.mac.tokens.to_string()),
            syn::Item::Mod(module) => {
                let items = module.content.iter().flat_map(|(_, items)| items);
                source = items.into_iter().find_map(|item| match item {
                    syn::Item::Const(item) if item.ident == "SOURCE" => text_of(&item.expr),
                    _ => None,
                });
            }
            _ => {}
        }
    }
    let source = source.unwrap_or_else(|| panic!("{errors:#?}\n{}", written.text));
    let mut document: Value = serde_json::from_str(&source).unwrap();
    for operation in document["operations"].as_object_mut().into_iter().flat_map(|map| map.values_mut()) {
        let kind = operation["uses"].as_str().unwrap();
        operation["uses"] = written.kinds[kind].as_str().into();
    }
    let catalogs = std::slice::from_ref(&catalog.catalog);
    let options = Options { catalogs, ..Options::default() };
    (errors, compile(Source::new("workflow!", document.to_string()), Format::Json, &options))
}

fn text_of(expression: &syn::Expr) -> Option<String> {
    match expression {
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    }
}

fn bytes(compiled: &Compiled) -> Option<String> {
    let agenda = compiled.agenda.as_ref().map(canonical::pretty);
    agenda.or_else(|| compiled.template.as_ref().map(canonical::pretty))
}

/// The rules that found something, each as often as it did. The macro has no types of its own that could be unused, and no
/// comments that could allow something.
fn ids(compiled: &Compiled) -> Vec<&'static str> {
    let mut ids: Vec<_> = compiled.diagnostics.iter().map(|d| d.rule).collect();
    ids.retain(|id| *id != "unused-type");
    ids.sort_unstable();
    ids
}

/// An operation without `with` is one without an input; in Rust there is always one, be it without fields.
fn with_inputs(mut document: Value) -> Value {
    let operations = document.get_mut("operations").and_then(Value::as_object_mut);
    for operation in operations.into_iter().flat_map(|map| map.values_mut()) {
        if let Some(operation) = operation.as_object_mut().filter(|o| o.contains_key("uses")) {
            operation.entry("with").or_insert_with(|| json!({}));
        }
    }
    document
}

/// Whether what is wrong lies in the operation types and named types, which in Rust are Rust.
fn catalog_at_fault(document: &Value, beside: &Path) -> bool {
    let mut rest = document.clone();
    rest["operations"] = json!({ "a": { "uses": "pop.sleep" } });
    for part in ["inputs", "outputs", "run"] {
        rest.as_object_mut().map(|map| map.shift_remove(part));
    }
    !ids(&read("x.pop.json", &rest.to_string(), beside)).is_empty()
}

/// How many workflows went in three formats, and why others could not.
#[derive(Default)]
struct Tally {
    three: usize,
    two: BTreeMap<String, Vec<String>>,
}

impl Tally {
    /// The same document in each format: the same bytes, the same findings.
    fn same(&mut self, name: &str, document: &Value, beside: &Path) {
        let document = &with_inputs(document.clone());
        let json = read("x.pop.json", &document.to_string(), beside);
        let order = &mut Dice::new(name.len() as u64);
        if let Some(text) = document.as_object().and_then(|map| toml::write(map, order)) {
            let toml = read("x.pop.toml", &text, beside);
            assert_eq!(bytes(&toml), bytes(&json), "{name}\n{text}");
            assert_eq!(ids(&toml), ids(&json), "{name}\n{text}");
        }
        if catalog_at_fault(document, beside) {
            return self
                .two
                .entry("a fault of a catalog or a type".into())
                .or_default()
                .push(name.to_owned());
        }
        let written = match rust::write(document) {
            Ok(written) => written,
            Err(why) => return self.two.entry(why).or_default().push(name.to_owned()),
        };
        let (errors, made) = expanded(&written, &json);
        let failed = json.diagnostics.iter().any(|d| d.severity == Severity::Error);
        if errors.iter().any(|error| !error.contains('[')) {
            assert!(failed, "{name}: {errors:?}");
            let why = "what is no syntax in Rust, so refused without a rule";
            return self.two.entry(why.into()).or_default().push(name.to_owned());
        }
        let findings = (&errors, &made.diagnostics);
        assert_eq!(bytes(&made), bytes(&json), "{name}: {findings:#?}\n{}", written.text);
        assert_eq!(ids(&made), ids(&json), "{name}: {findings:#?}\n{}", written.text);
        // while cargo builds, less is known of the types; what is said then is said later, too
        let all = ids(&json);
        for error in &errors {
            assert!(all.iter().any(|id| error.contains(&format!("[{id}]"))), "{name}: {error}\n{all:?}");
        }
        assert!(failed || errors.is_empty(), "{name}: {errors:?}");
        self.three += 1;
    }

    fn tell(&self, what: &str) {
        println!("{what}: {} in three formats", self.three);
        for (why, names) in &self.two {
            println!("  the macro has no words for {why}: {}", names.join(", "));
        }
    }
}

fn corpus(name: &str) -> Vec<(String, Value)> {
    let mut paths: Vec<_> = fs::read_dir(folder(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        if !file.ends_with(".pop.toml") {
            continue;
        }
        let (document, _, faults) = data(Source::new("x", fs::read_to_string(&path).unwrap()), Format::Toml);
        if faults.is_empty() {
            found.push((file.replace(".pop.toml", ""), document));
        }
    }
    found
}

#[test]
fn workflows_are_the_same_in_three_formats() {
    let (mut written, mut made) = (Tally::default(), Tally::default());
    for (name, document) in corpus("workflows") {
        written.same(&name, &document, &folder("workflows"));
    }
    written.tell("the corpus");
    for seed in 0..200 {
        made.same(&format!("generated {seed}"), &generate::workflow(seed), &folder("workflows"));
    }
    made.tell("made by chance");
    assert_eq!(made.three, 200, "{:#?}", made.two);
    let mut all = written.three + made.three;
    if let Some(root) = std::env::var_os("POP_DATA") {
        let mut recorded = Tally::default();
        for entry in fs::read_dir(Path::new(&root).join("workflows")).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "json") {
                let imported = wfcommons::import(&fs::read_to_string(&path).unwrap()).unwrap();
                let (document, _, _) = data(Source::new("x", imported.to_json()), Format::Json);
                let name = path.file_stem().unwrap().to_string_lossy().into_owned();
                recorded.same(&name, &shuffled(&document, &mut Dice::new(1)), Path::new("."));
            }
        }
        recorded.tell("recordings");
        all += recorded.three;
    }
    assert!(all >= 50, "{all}");
}

#[test]
fn faults_are_found_by_the_same_rules_in_three_formats() {
    let mut planted = Tally::default();
    for name in ["faults", "faults-many"] {
        for (file, document) in corpus(name) {
            planted.same(&file, &document, &folder(name));
        }
    }
    planted.tell("planted faults");
    assert!(planted.three >= 40, "{}", planted.three);
    let mut made = Tally::default();
    for seed in 0..200 {
        made.same(&format!("faulty {seed}"), &generate::faulty(seed), &folder("workflows"));
    }
    made.tell("faults by chance");
    assert!(made.three >= 150, "{:#?}", made.two);
}
