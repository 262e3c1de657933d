//! What the edits of findings would make of the texts: one that brings a fault with it is no fix.

use std::collections::HashMap;

use super::judge::{Judge, Reading};
use crate::diagnostic::Diagnostic;
use crate::fix;
use crate::source::{FileId, Sources};

/// Takes back the fixes that do harm, alone or together with others.
pub(super) fn all(out: &mut [Diagnostic], sources: &Sources, judge: &Judge) {
    let wanted: Vec<usize> = (0..out.len()).filter(|i| !out[*i].fix.is_empty()).collect();
    if wanted.is_empty() {
        return;
    }
    let mut trial = Trial { sources, judge, before: HashMap::new() };
    if trial.does_no_harm(out, &wanted) == Some(wanted.len()) {
        return;
    }
    let mut kept: Vec<usize> = Vec::new();
    for i in wanted {
        if trial.does_no_harm(out, &[i]) != Some(1) {
            out[i].fix.clear();
            continue;
        }
        kept.push(i);
    }
    if trial.does_no_harm(out, &kept).is_some() {
        return;
    }
    // each is fine alone, so two of them want the same: neither is certain
    let mut made: Vec<usize> = Vec::new();
    for i in kept {
        made.push(i);
        if trial.does_no_harm(out, &made).is_some() {
            continue;
        }
        let same = |other: usize| {
            out[other].fix.iter().map(|e| &e.replacement).eq(out[i].fix.iter().map(|e| &e.replacement))
        };
        let rivals: Vec<usize> = made.iter().copied().filter(|other| same(*other)).collect();
        made.retain(|other| !rivals.contains(other));
        rivals.into_iter().for_each(|rival| out[rival].fix.clear());
    }
}

struct Trial<'t> {
    sources: &'t Sources,
    judge: &'t Judge,
    /// What is wrong with each text as it is.
    before: HashMap<FileId, Option<Reading>>,
}

impl Trial<'_> {
    /// How many of the fixes can be made together, if no text is worse for it.
    fn does_no_harm(&mut self, out: &[Diagnostic], which: &[usize]) -> Option<usize> {
        let fixed = fix::make(which.iter().map(|i| (*i, &out[*i])), self.sources);
        for (file, text) in &fixed.files {
            let source = self.sources.get(*file)?;
            let Some(door) = source.door() else { continue };
            let read = |text: &str| self.judge.read(text, door, &source.name);
            let before = self.before.entry(*file).or_insert_with(|| read(&source.text)).as_ref()?;
            if read(text)?.is_worse(before) {
                return None;
            }
        }
        Some(fixed.findings.len())
    }
}
