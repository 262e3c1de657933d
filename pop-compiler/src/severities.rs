//! `pop.toml`: a project's severities of rules.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{FileId, Format, Source, Sources, Spanned};
use crate::syntax;
use crate::tree::{Entry, Node, Tree};
use crate::{fix, rules};

/// A project's level of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// No findings.
    Allow,
    /// Warnings.
    Warn,
    /// Errors.
    Deny,
}

/// Levels of rules; a rule without a level keeps its own severity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Severities {
    levels: BTreeMap<&'static str, Level>,
}

/// The severities of a project without `pop.toml`.
pub(crate) static NONE: Severities = Severities { levels: BTreeMap::new() };

const TOP: &[&str] = &["lints"];
const LEVELS: &[&str] = &["allow", "warn", "deny"];

impl Severities {
    /// Reads a `pop.toml`; spans of the findings are of file 0:
    ///
    /// ```toml
    /// [lints]
    /// unused-input = "deny"
    /// large-literal = "allow"
    /// ```
    pub fn parse(source: &Source) -> (Self, Vec<Diagnostic>) {
        let mut out = Vec::new();
        let mut severities = Self::default();
        let file = FileId(0);
        let tree = syntax::parse(file, &source.text, Format::Toml, &mut out);
        for Entry { key, value } in entries(tree, "`pop.toml`", &mut out) {
            if key.value == "lints" {
                for Entry { key, value } in entries(value, "`lints`", &mut out) {
                    severities.entry(&key, value, &mut out);
                }
            } else {
                out.push(rules::unknown_key::report(&key, "`pop.toml`", TOP));
            }
        }
        let mut sources = Sources::new();
        sources.add(source.clone());
        fix::complete(&mut out, &sources);
        (severities, out)
    }

    fn entry(&mut self, key: &Spanned<String>, value: Tree, out: &mut Vec<Diagnostic>) {
        let Some(rule) = rules::find(&key.value) else {
            out.push(rules::unknown_rule::report(key));
            return;
        };
        let level = match value.node {
            Node::Error => return,
            Node::String(text) => match text.value.as_str() {
                "allow" => Level::Allow,
                "warn" => Level::Warn,
                "deny" => Level::Deny,
                _ => {
                    let word = Spanned::new(text.value, value.span);
                    out.push(rules::wrong_shape::word(&word, "a level", LEVELS));
                    return;
                }
            },
            node => {
                let expected = "\"allow\", \"warn\" or \"deny\"";
                out.push(rules::wrong_shape::report(value.span, "a level", expected, node.describe()));
                return;
            }
        };
        if level != Level::Deny && !rule.allowable {
            out.push(rules::allow_not_possible::report(rule, key.span));
            return;
        }
        self.levels.insert(rule.id, level);
    }

    /// Level of a rule, if the project sets one.
    pub fn level(&self, rule: &str) -> Option<Level> {
        self.levels.get(rule).copied()
    }

    /// Sets the severity of each finding, and removes allowed ones.
    pub(crate) fn apply(&self, out: &mut Vec<Diagnostic>) {
        if self.levels.is_empty() {
            return;
        }
        out.retain_mut(|finding| match self.level(finding.rule) {
            None => true,
            Some(Level::Allow) => false,
            Some(Level::Warn) => {
                finding.becomes(Severity::Warning);
                true
            }
            Some(Level::Deny) => {
                finding.becomes(Severity::Error);
                true
            }
        });
    }
}

fn entries(tree: Tree, what: &str, out: &mut Vec<Diagnostic>) -> Vec<Entry> {
    match tree.node {
        Node::Table(table) => table.entries,
        Node::Error => Vec::new(),
        node => {
            out.push(rules::wrong_shape::report(tree.span, what, "a table", node.describe()));
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Severities, Vec<&'static str>) {
        let (severities, out) = Severities::parse(&Source::new("pop.toml", text));
        (severities, out.into_iter().map(|d| d.rule).collect())
    }

    #[test]
    fn levels_are_read() {
        let (severities, faults) = read(
            "[lints]\nunused-input = \"deny\"\nsecret-leak = \"warn\"\nuntyped-edge = \"warn\"\ncycle = \"deny\"\n",
        );
        assert_eq!(faults, [""; 0]);
        assert_eq!(severities.level("unused-input"), Some(Level::Deny));
        assert_eq!(severities.level("secret-leak"), Some(Level::Warn));
        assert_eq!(severities.level("unused-type"), None);
    }

    #[test]
    fn faults_are_found() {
        let (severities, faults) = read(
            "[lints]\nunused-inptu = \"deny\"\ncycle = \"allow\"\nunused-type = \"dney\"\nunused-input = 1\n[lint]\n",
        );
        assert_eq!(
            faults,
            ["unknown-rule", "allow-not-possible", "wrong-shape", "wrong-shape", "unknown-key"]
        );
        assert_eq!(severities, Severities::default());
        assert_eq!(read("[lints\n").1, ["syntax"]);
    }
}
