//! Fixes up to a fixpoint: rounds of fixes until no certain fix is left. Each round is tried before it counts.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::drafts::OF_NAMES;
use super::entry::Lexed;
use super::{Fixed, apply, make};
use crate::diagnostic::{Diagnostic, Location, Severity};
use crate::rules;
use crate::source::{FileId, Format, Sources};

/// Most rounds. One fix may reveal the next; real files need two or three rounds.
const MAX_ROUNDS: usize = 128;

/// Most attempts to fix errors that follow from a fixed name.
const MAX_FOLLOWING: usize = 4;

/// Most bytes that are compiled, in total, to try fixes one by one.
const MOST_TRIED: usize = 64 << 20;

/// New texts of every fixed file.
pub type Changed = BTreeMap<String, String>;

/// A compilation, as the fixes need it.
pub trait Compilation {
    /// The texts.
    fn sources(&self) -> &Sources;
    /// The findings.
    fn findings(&self) -> &[Diagnostic];
    /// The findings, for withdrawing fixes.
    fn findings_mut(&mut self) -> &mut Vec<Diagnostic>;
}

/// The files and their permissions.
pub struct Files<'f, C, E> {
    /// Compiles the workflow with the changed texts so far.
    pub compile: &'f mut dyn FnMut(&Changed) -> Result<C, E>,
    /// Key of a file in [`Changed`], by its name in the sources: one file may have several names. None for a file that
    /// must not change.
    pub key: &'f dyn Fn(&str) -> Option<String>,
    /// Callback for each applied fix: the findings before the fix, and the position of the fixed one.
    pub told: &'f mut dyn FnMut(&C, usize),
}

/// Identity of a finding across edits of its file: file, rule and message.
type Known = (String, &'static str, String);

/// Applies all harmless fixes, and returns the compilation of the result. A fix does harm
///
/// - if it makes a file unreadable, or leaves the file so,
/// - if the table that it changes has a new error (for a fixed name, an error without a fix),
/// - if it adds an entry and there is a new error,
/// - if it only removes something and there is any new finding.
///
/// A new finding elsewhere is no harm.
///
/// # Errors
/// Errors of `compile`.
pub fn all<C: Compilation, E>(files: &mut Files<'_, C, E>) -> Result<(C, Changed), E> {
    let before = (files.compile)(&Changed::new())?;
    let Files { compile, key, told } = files;
    let mut hopeless: HashSet<String> = HashSet::new();
    // changes to what can't be read count when nothing is left that can't be read; which files that is not true of shows
    // at the end
    loop {
        let open = |name: &str| key(name).filter(|key| !hopeless.contains(key));
        if unreadable(&before, &open).is_empty() {
            break;
        }
        let first = compile(&Changed::new())?;
        let silent = &mut Files { compile: &mut **compile, key: &open, told: &mut |_, _| {} };
        let left = unreadable(&fixpoint(silent, first)?.0, &open);
        if left.is_empty() {
            break;
        }
        hopeless.extend(left);
    }
    let key = &|name: &str| key(name).filter(|key| !hopeless.contains(key));
    fixpoint(&mut Files { compile: &mut **compile, key, told: &mut **told }, before)
}

/// Changeable files with syntax errors.
fn unreadable(compiled: &impl Compilation, key: &dyn Fn(&str) -> Option<String>) -> HashSet<String> {
    let syntax = compiled.findings().iter().filter(|finding| finding.rule == rules::syntax::RULE.id);
    syntax.filter_map(|finding| key(&known(finding, compiled).0)).collect()
}

/// Applies round after round, starting with the first compilation.
fn fixpoint<C: Compilation, E>(files: &mut Files<'_, C, E>, first: C) -> Result<(C, Changed), E> {
    let (mut changed, mut compiled) = (Changed::new(), first);
    let mut refused: HashSet<Known> = HashSet::new();
    let mut left = MOST_TRIED;
    for _ in 0..MAX_ROUNDS {
        withdraw(&mut compiled, &refused, files.key);
        let fixed = apply(compiled.findings(), compiled.sources());
        if fixed.findings.is_empty() {
            break;
        }
        let mut next =
            attempt(files, &compiled, &fixed, &changed)?.map(|next| (fixed.findings.clone(), next));
        if next.is_none() {
            let size: usize = compiled.sources().iter().map(|(_, source)| source.text.len()).sum();
            for i in &fixed.findings {
                left = left.saturating_sub(size);
                let one = make([(*i, &compiled.findings()[*i])], compiled.sources());
                let tried = if left > 0 { attempt(files, &compiled, &one, &changed)? } else { None };
                if let Some(tried) = tried {
                    next = Some((vec![*i], tried));
                    break;
                }
                refused.insert(known(&compiled.findings()[*i], &compiled));
            }
        }
        if let Some((findings, (after, texts))) = next {
            for i in findings {
                (files.told)(&compiled, i);
            }
            (compiled, changed) = (after, texts);
        }
    }
    withdraw(&mut compiled, &refused, files.key);
    Ok((compiled, changed))
}

/// Removes the edits of findings whose fix was refused, or would change a protected file.
fn withdraw(compiled: &mut impl Compilation, refused: &HashSet<Known>, key: &dyn Fn(&str) -> Option<String>) {
    let names: HashMap<FileId, bool> =
        compiled.sources().iter().map(|(id, source)| (id, key(&source.name).is_some())).collect();
    let mut diagnostics = std::mem::take(compiled.findings_mut());
    for finding in diagnostics.iter_mut().filter(|finding| !finding.fix.is_empty()) {
        let open = finding.fix.iter().all(|edit| names.get(&edit.span.file) == Some(&true));
        if !open || refused.contains(&known(finding, compiled)) {
            finding.fix.clear();
        }
    }
    *compiled.findings_mut() = diagnostics;
}

/// The result of some fixes, unless they do harm.
fn attempt<C: Compilation, E>(
    files: &mut Files<'_, C, E>,
    before: &C,
    fixed: &Fixed,
    changed: &Changed,
) -> Result<Option<(C, Changed)>, E> {
    let mut texts = changed.clone();
    let mut now = HashSet::new();
    for (file, text) in &fixed.files {
        let key = before.sources().get(*file).and_then(|source| (files.key)(&source.name));
        // under another name it has been changed in this round
        if let Some(key) = key.filter(|key| now.insert(key.clone())) {
            texts.insert(key, text.clone());
        }
    }
    let after = (files.compile)(&texts)?;
    let mut follow = Vec::new();
    if does_harm(before, fixed, &after, &mut follow) || !settles(files, before, &after, &follow, &texts)? {
        return Ok(None);
    }
    Ok(Some((after, texts)))
}

/// Whether there are fewer errors than before, after fixes of the errors that followed.
fn settles<C: Compilation, E>(
    files: &mut Files<'_, C, E>,
    before: &C,
    after: &C,
    follow: &[usize],
    texts: &Changed,
) -> Result<bool, E> {
    if follow.is_empty() {
        return Ok(true);
    }
    let errors = |compiled: &C| {
        compiled.findings().iter().filter(|finding| finding.severity == Severity::Error).count()
    };
    let mut texts = texts.clone();
    let mut fixed = make(follow.iter().map(|i| (*i, &after.findings()[*i])), after.sources());
    let mut sources = after.sources();
    let mut next;
    for _ in 0..MAX_FOLLOWING {
        for (file, text) in &fixed.files {
            let key = sources.get(*file).and_then(|source| (files.key)(&source.name));
            texts.extend(key.map(|key| (key, text.clone())));
        }
        next = (files.compile)(&texts)?;
        if errors(&next) < errors(before) {
            return Ok(true);
        }
        fixed = apply(next.findings(), next.sources());
        if fixed.findings.is_empty() {
            break;
        }
        sources = next.sources();
    }
    Ok(false)
}

/// Whether some fixes do harm. Errors that follow from a fixed name and have a fix are left to `follow`.
fn does_harm<C: Compilation>(before: &C, fixed: &Fixed, after: &C, follow: &mut Vec<usize>) -> bool {
    let names: HashSet<&str> = before.sources().iter().map(|(_, source)| source.name.as_ref()).collect();
    let unreadable = |compiled: &C| {
        let syntax = compiled.findings().iter().filter(|d| d.rule == rules::syntax::RULE.id);
        syntax.filter(|d| names.contains(known(d, compiled).0.as_str())).count()
    };
    if unreadable(after) > unreadable(before) {
        return true;
    }
    let mut old: HashMap<Known, usize> = HashMap::new();
    for finding in before.findings() {
        *old.entry(known(finding, before)).or_default() += 1;
    }
    let made = || fixed.findings.iter().map(|i| &before.findings()[*i]);
    // of JSON that could not be read nothing was known
    let mends = |finding: &Diagnostic| finding.rule == rules::syntax::RULE.id;
    let hidden = made().all(mends)
        && fixed.files.iter().any(|(file, _)| {
            before.sources().get(*file).is_some_and(|source| source.format() == Some(Format::Json))
        });
    let names_mended =
        made().all(|finding| finding.rule == rules::unknown_key::RULE.id || OF_NAMES.contains(&finding.rule));
    let adds = made().any(|finding| finding.rule == rules::missing_key::RULE.id);
    let takes = made().all(|finding| finding.fix.iter().all(|edit| edit.replacement.is_empty()));
    let mut tables: Option<HashMap<String, Vec<std::ops::Range<usize>>>> = None;
    for (i, finding) in after.findings().iter().enumerate() {
        let name = known(finding, after);
        let new = match old.get_mut(&name) {
            Some(n) if *n > 0 => {
                *n -= 1;
                false
            }
            _ => true,
        };
        if !new || hidden || !names.contains(name.0.as_str()) {
            continue;
        }
        if takes && finding.rule != rules::unused_type::RULE.id {
            return true;
        }
        if adds && finding.severity == Severity::Error {
            return true;
        }
        // what a name that had no meaning leads to was not checked before, and can be fixed in turn
        let follows = names_mended && !finding.fix.is_empty();
        if finding.severity == Severity::Error && follows {
            follow.push(i);
        } else if finding.severity == Severity::Error {
            let Location::Span(span) = finding.primary.at else { return true };
            let tables = tables.get_or_insert_with(|| changed_tables(before, fixed));
            let inside = |table: &std::ops::Range<usize>| table.contains(&span.range().start);
            if tables.get(&name.0).is_some_and(|tables| tables.iter().any(inside)) {
                return true;
            }
        }
    }
    false
}

/// The changed tables, in the new texts.
fn changed_tables(before: &impl Compilation, fixed: &Fixed) -> HashMap<String, Vec<std::ops::Range<usize>>> {
    let mut found = HashMap::new();
    for (file, text) in &fixed.files {
        let Some(source) = before.sources().get(*file) else { continue };
        let Some(format) = source.format() else { continue };
        let mut edits: Vec<_> = fixed
            .findings
            .iter()
            .flat_map(|i| &before.findings()[*i].fix)
            .filter(|edit| edit.span.file == *file)
            .collect();
        edits.sort_by_key(|edit| edit.span.start);
        edits.dedup();
        let lexed = Lexed::new(text, format);
        let (mut grown, mut shrunk) = (0, 0);
        let mut tables: Vec<std::ops::Range<usize>> = Vec::new();
        for edit in edits {
            let at = edit.span.range().start + grown - shrunk;
            if tables.last().is_none_or(|last| !last.contains(&at) || lexed.around(at) != *last) {
                tables.push(lexed.around(at));
            }
            grown += edit.replacement.len();
            shrunk += edit.span.range().len();
        }
        found.insert(source.name.to_string(), tables);
    }
    found
}

fn known(finding: &Diagnostic, compiled: &impl Compilation) -> Known {
    let file = match finding.primary.at {
        Location::Span(span) => compiled.sources().get(span.file),
        Location::Pointer(_) => compiled.sources().iter().next().map(|(_, source)| source),
    };
    (file.map(|source| source.name.to_string()).unwrap_or_default(), finding.rule, finding.message.clone())
}
