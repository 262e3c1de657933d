//! Each rule's examples compile as promised, and the table is in order.

use super::*;
use crate::source::Source;
use crate::{Compiled, Format, Options, Severities, compile};

/// Files that the examples name.
const FILES: &[(&str, &str)] = &[
    ("example.pop.toml", super::workflow_cycle::RULE.bad),
    (
        "qc.pop.toml",
        "[workflow]\nname = \"qc\"\n[inputs]\nfile = \"path\"\n[operations.look]\nuses = \"pop.transform\"\nwith = { value = { file = \"${inputs.file}\" } }\n[outputs]\nfile = \"${look.file}\"\n",
    ),
    ("probe.schema.json", r#"{ "type": "object", "properties": { "url": { "type": "string" } } }"#),
    ("broken.schema.json", r##"{ "type": "object", "properties": { "url": { "$ref": "#/$defs/Url" } } }"##),
];

fn compiled(rule: &Rule, text: &str) -> Compiled {
    // a rule that is silent by itself is asked for
    let config = if rule.id == "untyped-edge" { "[lints]\nuntyped-edge = \"warn\"\n" } else { "" };
    let (severities, faults) = Severities::parse(&Source::new("pop.toml", config));
    assert!(faults.is_empty());
    let loader = |path: &str| match FILES.iter().find(|(name, _)| *name == path) {
        Some((name, text)) => Ok(Source::new(*name, *text)),
        None => Err("no such file".to_owned()),
    };
    let options = Options { loader: &loader, severities: &severities, ..Options::default() };
    let text = text.replace("(70 KiB of text)", &"x".repeat(70 << 10));
    let text = text.replace("(1500 items)", &"1, ".repeat(1500));
    compile(Source::new("example.pop.toml", text), Format::Toml, &options)
}

#[test]
fn the_table_is_sorted_and_the_names_are_kebab_case() {
    assert!(ALL.is_sorted_by_key(|r| r.id));
    for rule in ALL {
        assert!(rule.id.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{}", rule.id);
        assert!(!rule.explanation.is_empty() && !rule.summary.is_empty(), "{}", rule.id);
    }
}

#[test]
fn examples_of_agendas_break_their_rule_and_are_mended() {
    assert!(AGENDA_RULES.is_sorted_by_key(|r| r.id));
    for rule in AGENDA_RULES {
        assert!(find(rule.id).is_none() && explained(rule.id).is_some(), "{}", rule.id);
        if !rule.bad.is_empty() {
            let found = |text| {
                let compiled = crate::check_native(Source::new("example.json", text));
                compiled.diagnostics.iter().map(|d| d.rule).collect::<Vec<_>>()
            };
            assert_eq!((found(rule.bad), found(rule.good)), (vec![rule.id], vec![]));
        }
    }
}

/// Whatever is printed in brackets behind `error` can be asked about.
#[test]
fn every_rule_that_is_written_in_a_source_can_be_explained() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut open: Vec<_> = ["pop-compiler", "pop-sdk", "pop-server", "pop-macros"]
        .iter()
        .map(|name| root.join(name).join("src"))
        .filter(|path| path.is_dir())
        .collect();
    let mut seen = 0;
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                open.push(entry);
                continue;
            }
            let text = std::fs::read_to_string(&entry).unwrap();
            for call in [
                "self.error(",
                ".error(",
                "Diagnostic::error(",
                "Diagnostic::warning(",
                "Diagnostic::new(",
                ".fault(",
            ] {
                for (at, _) in text.match_indices(call) {
                    let rest = text[at + call.len()..].trim_start();
                    let Some((id, _)) = rest.strip_prefix('"').and_then(|rest| rest.split_once('"')) else {
                        continue;
                    };
                    let kebab = id.contains('-') && id.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
                    if kebab {
                        seen += 1;
                        assert!(explained(id).is_some(), "{}: `{id}`", entry.display());
                    }
                }
            }
        }
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn bad_examples_break_their_own_rule_and_no_other() {
    let mut failures = Vec::new();
    for rule in ALL {
        let compiled = compiled(rule, rule.bad);
        let rules: Vec<_> = compiled.diagnostics.iter().map(|d| d.rule).collect();
        if rules != [rule.id] {
            failures.push(format!("{}: {:#?}", rule.id, compiled.diagnostics));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn good_examples_have_no_finding() {
    let mut failures = Vec::new();
    for rule in ALL {
        let compiled = compiled(rule, rule.good);
        if !compiled.diagnostics.is_empty() || compiled.template.is_none() {
            failures.push(format!("{}: {:#?}", rule.id, compiled.diagnostics));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
