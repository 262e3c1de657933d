//! `popc check --fix`: fixes a workflow and the files that it names up to a fixpoint, and writes the files at the end.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::Output;
use super::files::{compile_with, read, replace};
use crate::source::{STDIN, Source};
use crate::{Compiled, fix};

/// Fixes files, one workflow after the other.
pub(super) struct Fixer {
    /// Directories whose files may change, and single files that may change.
    roots: HashSet<PathBuf>,
    fixed: usize,
}

impl Fixer {
    /// Allows changes in the current directory, and beside or below the given paths.
    pub(super) fn new(paths: &[PathBuf]) -> Self {
        let mut roots: HashSet<PathBuf> = fs::canonicalize(".").into_iter().collect();
        for path in paths {
            if path.is_dir() {
                roots.extend(fs::canonicalize(path));
                continue;
            }
            let beside = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            roots.extend(beside.and_then(|parent| fs::canonicalize(parent).ok()));
            roots.extend(fs::canonicalize(path));
        }
        Self { roots, fixed: 0 }
    }

    /// Applies all fixes, writes the files, and returns the compilation of the result.
    pub(super) fn run(&mut self, path: &Path, output: &mut Output<'_>) -> anyhow::Result<Compiled> {
        let key = |name: &str| {
            let path = fs::canonicalize(name).ok()?;
            path.ancestors()
                .any(|above| self.roots.contains(above))
                .then(|| path.to_string_lossy().into_owned())
        };
        let mut reports = Vec::new();
        let mut compile = |changed: &fix::Changed| {
            compile_with(path, &|path| {
                let name = path.to_string_lossy();
                match key(&name).and_then(|key| changed.get(&key)) {
                    Some(text) => Ok(Source::new(name.as_ref(), text.as_str())),
                    None => read(path),
                }
            })
        };
        let mut told = |compiled: &Compiled, i: usize| reports.push(report(compiled, i));
        let (compiled, changed) =
            fix::all(&mut fix::Files { compile: &mut compile, key: &key, told: &mut told })?;
        for (path, text) in &changed {
            replace(Path::new(path), text)?;
        }
        self.tell(&reports, output)?;
        Ok(compiled)
    }

    /// Fixes a text without a file, and returns the text, too. No file changes.
    pub(super) fn run_text(
        &mut self,
        source: &Source,
        output: &mut Output<'_>,
    ) -> anyhow::Result<(Compiled, String)> {
        let key = |name: &str| (name == STDIN).then(|| name.to_owned());
        let mut reports = Vec::new();
        let mut compile = |changed: &fix::Changed| {
            let text = changed.get(STDIN).map(|text| Source::new(STDIN, text.as_str()));
            compile_text(text.as_ref().unwrap_or(source))
        };
        let mut told = |compiled: &Compiled, i: usize| reports.push(report(compiled, i));
        let (compiled, mut changed) =
            fix::all(&mut fix::Files { compile: &mut compile, key: &key, told: &mut told })?;
        self.tell(&reports, output)?;
        Ok((compiled, changed.remove(STDIN).unwrap_or_else(|| source.text.to_string())))
    }

    fn tell(&mut self, reports: &[String], output: &mut Output<'_>) -> anyhow::Result<()> {
        self.fixed += reports.len();
        for line in reports {
            writeln!(output.err, "fixed {line}")?;
        }
        Ok(())
    }

    /// Number of fixed findings.
    pub(super) fn fixed(&self) -> usize {
        self.fixed
    }
}

/// Compiles a text from standard input like a file of the current directory.
pub(super) fn compile_text(source: &Source) -> anyhow::Result<Compiled> {
    compile_with(Path::new(STDIN), &|path| {
        if path == Path::new(STDIN) { Ok(source.clone()) } else { read(path) }
    })
}

/// `flow.pop.toml:7:1: unknown key … (unknown-key): `timout` → `timeout``
fn report(compiled: &Compiled, finding: usize) -> String {
    let finding = &compiled.diagnostics[finding];
    let edits: Vec<String> = finding
        .fix
        .iter()
        .map(|edit| match (compiled.sources.text(edit.span), edit.replacement.as_str()) {
            ("", new) => format!("`{}` added", one_line(new)),
            (old, "") => format!("`{}` removed", one_line(old)),
            (old, new) => format!("`{}` → `{}`", one_line(old), one_line(new)),
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

/// The first line of a text that may have several.
fn one_line(text: &str) -> String {
    match text.trim().split_once('\n') {
        Some((first, _)) => format!("{} …", first.trim_end()),
        None if text.trim().is_empty() => text.replace('\n', " "),
        None => text.trim_matches(['\r', '\n']).to_owned(),
    }
}
