//! `popc check --fix`: fixes a workflow and the catalogs it names, round after round, before anything is written.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::Output;
use super::files::{compile_with, read, replace};
use crate::diagnostic::{Diagnostic, Location};
use crate::source::{Source, Sources};
use crate::{Compiled, fix, rules};

/// One fix may uncover the next; real files need two or three rounds.
const MAX_ROUNDS: usize = 128;

/// The texts as they are to be, of every file that was fixed so far.
#[derive(Default)]
pub(super) struct Fixer {
    changed: HashMap<PathBuf, Source>,
    fixed: usize,
}

impl Fixer {
    /// Fixes what can be fixed, writes it, and gives the compilation of the result.
    pub(super) fn run(&mut self, path: &Path, output: &mut Output<'_>) -> anyhow::Result<Compiled> {
        let mut compiled = self.compile(path)?;
        let mut dirty: BTreeMap<PathBuf, Source> = BTreeMap::new();
        let mut reports = Vec::new();
        for _ in 0..MAX_ROUNDS {
            let fixed = fix::apply(&compiled.diagnostics, &compiled.sources);
            if fixed.findings.is_empty() {
                break;
            }
            let before = self.changed.clone();
            for (file, text) in fixed.files {
                let Some(source) = compiled.sources.get(file) else { continue };
                let path = PathBuf::from(source.name.as_ref());
                self.changed.insert(path, Source::new(source.name.clone(), text));
            }
            let next = self.compile(path)?;
            if unreadable(&next, &compiled.sources) > unreadable(&compiled, &compiled.sources) {
                // no fix may make a file unreadable; if one would, the files stay as they were before it
                // (one that is only read since a fix is not to blame on it)
                self.changed = before;
                break;
            }
            for i in fixed.findings {
                reports.push(report(&compiled, i));
            }
            compiled = next;
            for (_, source) in compiled.sources.iter() {
                let path = PathBuf::from(source.name.as_ref());
                if self.changed.contains_key(&path) {
                    dirty.insert(path, source.clone());
                }
            }
        }
        if !reports.is_empty() {
            for (path, source) in &dirty {
                replace(path, &source.text)?;
            }
        }
        self.fixed += reports.len();
        for line in reports {
            writeln!(output.err, "fixed {line}")?;
        }
        Ok(compiled)
    }

    /// How many findings were fixed.
    pub(super) fn fixed(&self) -> usize {
        self.fixed
    }

    fn compile(&self, path: &Path) -> anyhow::Result<Compiled> {
        compile_with(path, &|path| match self.changed.get(path) {
            Some(source) => Ok(source.clone()),
            None => read(path),
        })
    }
}

/// How many findings say that a file of `among` can't be read.
fn unreadable(compiled: &Compiled, among: &Sources) -> usize {
    let names: HashSet<&str> = among.iter().map(|(_, source)| source.name.as_ref()).collect();
    let is_among = |finding: &&Diagnostic| match finding.primary.at {
        Location::Span(span) => {
            compiled.sources.get(span.file).is_some_and(|s| names.contains(s.name.as_ref()))
        }
        Location::Pointer(_) => true,
    };
    compiled.diagnostics.iter().filter(|d| d.rule == rules::syntax::RULE.id).filter(is_among).count()
}

/// `flow.pop.toml:7:1: unknown key … (unknown-key): `timout` → `timeout``
fn report(compiled: &Compiled, finding: usize) -> String {
    let finding = &compiled.diagnostics[finding];
    let edits: Vec<String> = finding
        .fix
        .iter()
        .map(|edit| match (compiled.sources.text(edit.span), edit.replacement.as_str()) {
            ("", new) => format!("`{new}` added"),
            (old, "") => format!("`{old}` removed"),
            (old, new) => format!("`{old}` → `{new}`"),
        })
        .collect();
    let place = finding.fix.first().map(|edit| edit.span).and_then(|span| {
        let source = compiled.sources.get(span.file)?;
        let at = source.position(span.start);
        Some(format!("{}:{}:{}: ", source.name, at.line, at.column))
    });
    let place = place.unwrap_or_default();
    format!("{place}{} ({}): {}", finding.message, finding.rule, edits.join(", "))
}
