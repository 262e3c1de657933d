//! Verification of fixes: a fix that causes a new fault in the text is removed.

use std::collections::HashMap;

use super::reparse::{Reading, Reparser};
use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Sources};

/// Removes the fixes that do harm, alone or together with others.
pub(super) fn all(out: &mut [Diagnostic], sources: &Sources, reparser: &Reparser) {
    let wanted: Vec<usize> = (0..out.len()).filter(|i| !out[*i].fix.is_empty()).collect();
    if wanted.is_empty() {
        return;
    }
    let mut trial = Trial { sources, reparser, before: HashMap::new() };
    if trial.does_no_harm(out, &wanted) == Some(wanted.len()) {
        return;
    }
    let kept = trial.sift(out, &wanted);
    for i in &wanted {
        if kept.binary_search(i).is_err() {
            out[*i].fix.clear();
        }
    }
    if kept.is_empty() || trial.does_no_harm(out, &kept).is_some() {
        return;
    }
    // each is fine alone, so two of them want the same: neither is certain
    let mut made: Vec<usize> = Vec::new();
    for i in kept {
        made.push(i);
        if trial.does_no_harm(out, &made).is_some() {
            continue;
        }
        let texts = |i: usize| out[i].fix.iter().map(|edit| &edit.replacement);
        let same = |other: &usize| *other == i || texts(*other).eq(texts(i));
        let rivals: Vec<usize> = made
            .iter()
            .copied()
            .filter(same)
            .filter(|other| *other == i || trial.does_no_harm(out, &[*other, i]).is_none())
            .collect();
        made.retain(|other| !rivals.contains(other));
        for rival in rivals {
            out[rival].fix.clear();
        }
    }
}

struct Trial<'t> {
    sources: &'t Sources,
    reparser: &'t Reparser,
    /// Faults of each text before the fixes.
    before: HashMap<FileId, Option<Reading>>,
}

impl Trial<'_> {
    /// The harmless fixes: all of them, or those of each half. A few harmful ones are found with few parses.
    fn sift(&mut self, out: &[Diagnostic], which: &[usize]) -> Vec<usize> {
        if self.does_no_harm(out, which) == Some(which.len()) {
            return which.to_vec();
        }
        if which.len() < 2 {
            return Vec::new();
        }
        let (first, second) = which.split_at(which.len() / 2);
        let mut kept = self.sift(out, first);
        kept.extend(self.sift(out, second));
        kept
    }

    /// Number of the fixes that can be applied together, if no text gets worse.
    fn does_no_harm(&mut self, out: &[Diagnostic], which: &[usize]) -> Option<usize> {
        let fixed = super::make(which.iter().map(|i| (*i, &out[*i])), self.sources);
        for (file, text) in &fixed.files {
            let source = self.sources.get(*file)?;
            let Some(format) = source.format() else { continue };
            let read = |text: &str| self.reparser.read(text, format, &source.name);
            let before = self.before.entry(*file).or_insert_with(|| read(&source.text)).as_ref()?;
            if read(text)?.is_worse(before) {
                return None;
            }
        }
        Some(fixed.findings.len())
    }
}
