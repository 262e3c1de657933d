//! The order in which a file says things means nothing: tables and keys in any order, and in any way of writing TOML, give
//! the same bytes.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use pop_compiler::diagnostic::Severity;
use pop_compiler::import::wfcommons;
use pop_compiler::source::Source;
use pop_compiler::{Compiled, Format, Options, canonical, compile, data};
use proptest::prelude::*;
use serde_json::Value;

#[path = "../../tests/formats/mod.rs"]
#[expect(unreachable_pub, reason = "shared with the tests of other crates")]
mod formats;

use formats::dice::Dice;
use formats::{shuffled, toml};

fn workflows() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/workflows")
}

/// A document in some order, in TOML when that can say it, and in JSON.
fn written(document: &Value, dice: &mut Dice) -> (Option<String>, String) {
    let other = shuffled(document, dice);
    (other.as_object().and_then(|map| toml::write(map, dice)), shuffled(document, dice).to_string())
}

fn compiled(name: &str, text: &str, files: &HashMap<String, String>) -> Compiled {
    let loader = |path: &str| match files.get(path) {
        Some(text) => Ok(Source::new(path, text.as_str())),
        None => Err("no such file".to_owned()),
    };
    compile(
        Source::new(name, text),
        Format::from_path(name).unwrap(),
        &Options { loader: &loader, ..Options::default() },
    )
}

#[track_caller]
fn bytes(compiled: &Compiled, text: &str) -> String {
    assert!(compiled.diagnostics.is_empty(), "{:#?}\n{text}", compiled.diagnostics);
    compiled.agenda.as_ref().map_or_else(|| canonical::pretty(&compiled.template), canonical::pretty)
}

/// The files that workflows of the corpus name, each as it is or in another order.
fn others(dice: Option<&mut Dice>) -> HashMap<String, String> {
    let mut files = HashMap::new();
    let mut dice = dice;
    let folders = [workflows(), workflows().join("ops")];
    for path in folders.iter().flat_map(|f| fs::read_dir(f).unwrap()).map(|e| e.unwrap().path()) {
        let Some(format) = Format::from_path(&path.to_string_lossy()) else { continue };
        let name = path.strip_prefix(workflows()).unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let text = match &mut dice {
            None => text,
            Some(dice) => {
                let (value, _, findings) = data(Source::new("x", text), format);
                assert!(findings.is_empty(), "{name}");
                match (written(&value, dice), format) {
                    ((Some(toml), _), Format::Toml) => toml,
                    ((_, json), _) => json,
                }
            }
        };
        files.insert(name, text);
    }
    files
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tables_and_keys_in_any_order_give_the_same_bytes(seed in any::<u64>()) {
        let mut dice = Dice::new(seed);
        let (files, shuffled) = (others(None), others(Some(&mut dice)));
        for (name, text) in files.iter().filter(|(n, _)| n.ends_with(".pop.toml") && !n.contains('/')) {
            // an inline allow is a comment, which data doesn't have
            if text.contains("pop: allow") {
                continue;
            }
            let expected = bytes(&compiled(name, text, &files), text);
            for name in [name.clone(), name.replace(".toml", ".json")] {
                let other = &shuffled[&name];
                prop_assert_eq!(&bytes(&compiled(&name, other, &shuffled), other), &expected, "{}", other);
            }
        }
    }
}

/// The recordings of real runs, imported: clean, and the same whatever the order.
#[test]
fn imported_recordings_are_clean_and_give_the_same_bytes_in_any_order() {
    let Some(root) = std::env::var_os("POP_DATA") else {
        println!("skipped: POP_DATA does not name the recorded data");
        return;
    };
    let none = HashMap::new();
    let mut seen = 0;
    for entry in fs::read_dir(Path::new(&root).join("workflows")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "json") {
            continue;
        }
        let imported = wfcommons::import(&fs::read_to_string(&path).unwrap()).unwrap();
        let text = imported.to_toml();
        let (value, _, findings) = data(Source::new("x", text.as_str()), Format::Toml);
        assert!(findings.is_empty());
        let expected = bytes(&compiled("x.pop.toml", &text, &none), "");
        for seed in 0..3 {
            let (toml, json) = written(&value, &mut Dice::new(seed));
            let toml = toml.expect("a recording has no nulls");
            assert_eq!(bytes(&compiled("x.pop.toml", &toml, &none), &toml), expected, "{}", path.display());
            assert_eq!(bytes(&compiled("x.pop.json", &json, &none), &json), expected, "{}", path.display());
        }
        assert_eq!(bytes(&compiled("x.pop.json", &imported.to_json(), &none), ""), expected);
        seen += 1;
    }
    assert!(seen >= 12, "{seen} recordings");
    println!("{seen} recordings: clean, the same bytes in 6 orders each");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn workflows_made_by_chance_are_the_same_in_any_order(seed in any::<u64>()) {
        let (document, none) = (formats::generate::workflow(seed), HashMap::new());
        let text = document.to_string();
        let expected = compiled("x.pop.json", &text, &none);
        let errors: Vec<_> = expected.diagnostics.iter().filter(|d| d.severity == Severity::Error).collect();
        prop_assert!(errors.is_empty(), "{:#?}\n{}", errors, text);
        let (toml, json) = written(&document, &mut Dice::new(seed));
        for (name, text) in [("x.pop.toml", toml.unwrap()), ("x.pop.json", json)] {
            let other = compiled(name, &text, &none);
            prop_assert_eq!(canonical::pretty(&other.template), canonical::pretty(&expected.template), "{}", text);
            prop_assert_eq!(canonical::pretty(&other.agenda), canonical::pretty(&expected.agenda), "{}", text);
            prop_assert_eq!(ids(&other), ids(&expected), "{}", text);
        }
    }

    #[test]
    fn faults_planted_by_chance_are_the_same_in_any_order(seed in any::<u64>()) {
        let (document, none) = (formats::generate::faulty(seed), HashMap::new());
        let expected = compiled("x.pop.json", &document.to_string(), &none);
        let (toml, json) = written(&document, &mut Dice::new(seed));
        for (name, text) in [("x.pop.toml", toml.unwrap()), ("x.pop.json", json)] {
            prop_assert_eq!(ids(&compiled(name, &text, &none)), ids(&expected), "{}\n{}", text, document);
        }
    }
}

/// The rules that found something, each as often as it did.
fn ids(compiled: &Compiled) -> Vec<&'static str> {
    let mut ids: Vec<_> = compiled.diagnostics.iter().map(|d| d.rule).collect();
    ids.sort_unstable();
    ids
}
