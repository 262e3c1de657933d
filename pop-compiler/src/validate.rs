//! Checks of an agenda in its native JSON form. Findings carry JSON pointers into the document, and names of the
//! workflow language's rules.

mod generators;
mod settings;

use std::collections::HashMap;

use serde_json::Value;

use crate::agenda::{Agenda, AgendaTemplate, EdgeKind, Mention, Operation, keys, mentions};
use crate::budget::MORE_FINDINGS;
use crate::diagnostic::{Diagnostic, Location};
use crate::generator::{Promise, Promises, Wanted};
use crate::graph::Graph;
use crate::reference::{self, RUN_TOKENS, Token};
use crate::suggest;

/// Findings that are shown; the rest is counted.
const MOST_FINDINGS: usize = 1000;

/// Most comparisons of names, in total, for suggestions.
const MOST_GUESSES: usize = 250_000;

/// Longest pointer in a finding, in bytes; a longer one ends at a parent.
const LONGEST_POINTER: usize = 1000;

/// Every fault of an agenda. Of very many faults, the first thousand and the number of the others.
pub fn agenda(agenda: &Agenda) -> Vec<Diagnostic> {
    Checker::new("", agenda, false).run()
}

/// Every fault of a template that shows before its expansion.
pub fn template(template: &AgendaTemplate) -> Vec<Diagnostic> {
    Checker::new("/agenda", &template.agenda, true).run()
}

/// Every fault of a generator's operations, checked beside those of the agenda. Pointers begin with `/operations`.
pub fn generated(operations: &Agenda, promises: &[Promise], around: &dyn Around) -> Vec<Diagnostic> {
    let checker = Checker { around: Some(around), ..Checker::new("", operations, false) };
    checker.run_generated(promises)
}

/// The agenda that a generator extends while it runs.
pub trait Around {
    /// Whether others may refer to this name: an operation, or a promise of another generator.
    fn knows(&self, name: &str) -> bool;

    /// Whether an operation has or will have this name in any letter case; `folded` is in lower case.
    fn is_taken(&self, folded: &str) -> bool;

    /// The family (`encode.*`) with this stem, if there is one.
    fn family(&self, name: &str) -> Option<String>;
}

struct Checker<'a> {
    prefix: &'static str,
    agenda: &'a Agenda,
    findings: Vec<Diagnostic>,
    /// Findings beyond [`MOST_FINDINGS`].
    more: usize,
    /// Comparisons left of [`MOST_GUESSES`].
    guesses: usize,
    /// Name → index of the operation.
    names: HashMap<&'a str, usize>,
    /// Promises of the generators.
    promises: Promises,
    /// Names without `.out` may be inputs.
    template: bool,
    /// A template whose operations may get their names from inputs.
    open_names: bool,
    /// The agenda around these operations.
    around: Option<&'a dyn Around>,
}

impl<'a> Checker<'a> {
    fn new(prefix: &'static str, agenda: &'a Agenda, template: bool) -> Self {
        Self {
            prefix,
            agenda,
            findings: Vec::new(),
            more: 0,
            guesses: MOST_GUESSES,
            names: HashMap::new(),
            promises: Promises::new(&agenda.operations),
            template,
            open_names: template && agenda.operations.iter().any(|o| o.name.contains("@<")),
            around: None,
        }
    }

    fn run(mut self) -> Vec<Diagnostic> {
        if self.agenda.operations.is_empty() {
            let message = "the agenda has no operations";
            let finding = self.error("empty-workflow", "/operations", message);
            self.add(finding.help("add at least one operation"));
            return self.findings;
        }
        self.check_operations();
        self.check_agenda_params();
        self.check_cycles(&Graph::new(self.agenda));
        self.findings()
    }

    fn run_generated(mut self, promises: &[Promise]) -> Vec<Diagnostic> {
        self.check_operations();
        self.check_kept(promises);
        let families = promises.iter().filter(|p| matches!(p, Promise::Family(_))).map(Promise::stem);
        let families: Vec<&str> = families.collect();
        self.check_cycles(&Graph::with_families(self.agenda, &families));
        self.findings()
    }

    fn check_operations(&mut self) {
        self.check_names();
        self.check_promised_names();
        for (i, operation) in self.agenda.operations.iter().enumerate() {
            self.check_references(i);
            let at = format!("{}/operations/{i}", self.prefix);
            settings::check(operation, &at, self.template, &mut |finding| self.add(finding));
            self.check_fan_out(i);
        }
    }

    fn findings(mut self) -> Vec<Diagnostic> {
        if self.more > 0 {
            let message = format!("{} more findings are not shown", self.more);
            let at = Location::Pointer(self.prefix.to_owned());
            let finding = MORE_FINDINGS.at(at, message);
            self.findings.push(Diagnostic { more: [0, 0, self.more], ..finding }); // all of these are errors
        }
        self.findings
    }

    fn add(&mut self, finding: Diagnostic) {
        if self.findings.len() < MOST_FINDINGS {
            self.findings.push(finding);
        } else {
            self.more += 1;
        }
    }

    fn error(&self, rule: &'static str, pointer: &str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(rule, Location::Pointer(shortened(format!("{}{pointer}", self.prefix))), message)
    }

    fn is_full(&mut self) -> bool {
        let full = self.findings.len() >= MOST_FINDINGS;
        self.more += usize::from(full);
        full
    }

    fn check_names(&mut self) {
        let mut folded: HashMap<String, usize> = HashMap::new();
        for (i, operation) in self.agenda.operations.iter().enumerate() {
            let name = operation.name.as_str();
            if name.is_empty() {
                let finding =
                    self.error("missing-key", &format!("/operations/{i}"), "the operation has no name");
                self.add(
                    finding
                        .help("add a `name`; other operations refer to the output as `@<name.out::/field>`"),
                );
            } else if let Some(&first) = folded.get(&name.to_lowercase()) {
                let other = &self.agenda.operations[first].name;
                let message = if other == name {
                    format!("duplicate operation name `{name}`")
                } else {
                    format!("the names `{name}` and `{other}` differ only in letter case")
                };
                let place = Location::Pointer(format!("{}/operations/{first}/name", self.prefix));
                let finding = self.error("duplicate-name", &format!("/operations/{i}/name"), message);
                self.add(finding.also(place, "first used here"));
            } else {
                let lower = name.to_lowercase();
                if self.around.is_some_and(|around| around.is_taken(&lower)) {
                    let message = format!("the name `{name}` is taken by another operation of the agenda");
                    self.add(self.error("duplicate-name", &format!("/operations/{i}/name"), message));
                }
                folded.insert(lower, i);
            }
            self.names.entry(name).or_insert(i);
            for (key, text) in [("name", name), ("type", operation.kind.as_str())] {
                if text.chars().any(char::is_control) {
                    let message = format!(
                        "invalid operation {key} `{}`: control characters are not allowed",
                        text.escape_debug()
                    );
                    let finding = self.error("reserved-name", &format!("/operations/{i}/{key}"), message);
                    self.add(finding.help("remove the control character"));
                }
            }
            if operation.kind.is_empty() {
                let message = format!("operation `{name}` has no type");
                let finding = self.error("missing-key", &format!("/operations/{i}"), message);
                self.add(finding.help("add a `type`, such as `pop.log`"));
            }
        }
    }

    fn check_references(&mut self, i: usize) {
        let agenda = self.agenda;
        let operation = &agenda.operations[i];
        mentions(operation, &mut |mention| {
            let is_self = mention.name == operation.name || self.is_own_item(operation, mention.name);
            if is_self && !self.is_full() {
                let shown = mention.token.unwrap_or(mention.name);
                let message = format!("operation `{}` waits for itself (`{shown}`)", operation.name);
                let pointer = format!("/operations/{i}{}{}", mention.field, mention.rest);
                self.add(self.error("self-reference", &pointer, message));
            } else if !is_self {
                self.check_mention(&mention, &|| format!("/operations/{i}{}{}", mention.field, mention.rest));
            }
        });
        let mut plain = |field: &str, value: &Value| {
            reference::scan(value, &mut |rest, _, token| {
                self.check_plain_name(token, &|| format!("/operations/{i}{field}{rest}"));
            });
        };
        plain("/payload", &operation.payload);
        for (key, field) in [(keys::WHEN, "/params/pop.when"), (keys::EACH, "/params/pop.each")] {
            if let Some(value) = operation.params.get(key) {
                plain(field, value);
            }
        }
    }

    /// Whether a name means an item of the operation itself, which fans out.
    fn is_own_item(&self, operation: &Operation, name: &str) -> bool {
        operation.params.contains_key(keys::EACH)
            && !self.names.contains_key(name)
            && item(name).is_some_and(|(stem, _)| stem == operation.name)
    }

    /// Checks that the target of a mention exists, or will exist.
    fn check_mention(&mut self, mention: &Mention<'_, '_>, pointer: &dyn Fn() -> String) {
        let shown = mention.token.unwrap_or(mention.name);
        let family = match self.promises.find(mention.name) {
            Some((at, Wanted::Whole)) => {
                let promise = &self.promises.list()[at].promise;
                (promise.stem() != promise.text() && promise.stem() == mention.name).then(|| promise.text())
            }
            _ => self.around.and_then(|around| around.family(mention.name)),
        };
        if let Some(family) =
            family.filter(|_| mention.token.is_some() && !self.names.contains_key(mention.name))
        {
            if !self.is_full() {
                let message =
                    format!("missing index in `{shown}`: `{}` has one output for each item", mention.name);
                let finding = self.error("missing-index", &pointer(), message);
                let name = mention.name;
                self.add(finding.help(format!(
                    "write `@<{family}.out>` for the list of all, or `@<{name}.0.out>` for the first"
                )));
            }
        } else if !self.knows(mention.name) && !self.is_full() {
            let rule = if mention.token.is_some() { "unknown-output" } else { "unknown-operation" };
            self.unknown(rule, &pointer(), shown, mention.name);
        }
    }

    /// Whether a name is known. A generator may promise it, an input may set it, and a template's fanned-out operation
    /// has the names of its items.
    fn knows(&self, name: &str) -> bool {
        self.names.contains_key(name)
            || self.open_names
            || self.promises.find(name).is_some()
            || self.around.is_some_and(|around| around.knows(name))
            || (self.template
                && item(name)
                    .and_then(|(stem, _)| self.names.get(stem))
                    .is_some_and(|&i| self.agenda.operations[i].params.contains_key(keys::EACH)))
    }

    fn check_plain_name(&mut self, token: &Token<'_>, pointer: &dyn Fn() -> String) {
        let name = token.name;
        if reference::operation_of(name).is_some() {
            return;
        }
        if RUN_TOKENS.contains(&name) {
            if token.default.is_none() && !token.path().is_empty() && !self.is_full() {
                let message = format!("invalid pointer in `{}`: `{name}` is a text", token.text);
                let finding = self.error("bad-pointer", &pointer(), message);
                self.add(finding.help(format!("write `@<{name}>`")));
            }
            return;
        }
        if self.template || self.is_full() {
            return;
        }
        let help = if self.names.contains_key(name) {
            let rest = &token.text[2 + name.len()..];
            format!("did you mean the output of that operation, `@<{name}.out{rest}`?")
        } else if let Some(near) = suggest::closest(name, RUN_TOKENS) {
            format!("did you mean `@<{near}>`?")
        } else {
            "refer to an operation's output as `@<name.out::/field>`; write `\\@<` for the text itself".into()
        };
        let message = format!("unknown name `{name}` in a reference");
        self.add(self.error("unknown-output", &pointer(), message).help(help));
    }

    fn unknown(&mut self, rule: &'static str, pointer: &str, shown: &str, name: &str) {
        let message = format!("`{shown}` refers to operation `{name}`, which does not exist");
        let mut finding = self.error(rule, pointer, message);
        // One guess is always made: comparing all names once is in proportion to the agenda.
        if self.guesses > 0 {
            self.guesses = self.guesses.saturating_sub(self.agenda.operations.len());
            let names = self.agenda.operations.iter().map(|o| o.name.as_str());
            if let Some(near) = suggest::closest(name, names) {
                finding = finding.help(format!("did you mean `{near}`?"));
            }
        }
        self.add(finding);
    }

    fn check_agenda_params(&mut self) {
        let params = &self.agenda.params;
        if let Some(result) = params.get(keys::RESULT) {
            reference::scan(result, &mut |rest, _, token| {
                let pointer = || format!("/params/{}{rest}", keys::RESULT);
                match reference::operation_of(token.name) {
                    Some(name) => {
                        let kind = EdgeKind::Required;
                        let mention = Mention { name, kind, field: "", rest, token: Some(token.text) };
                        self.check_mention(&mention, &pointer);
                    }
                    None => self.check_plain_name(token, &pointer),
                }
            });
        }
        let at = format!("{}/params", self.prefix);
        settings::check_agenda(params, &at, self.template, &mut |finding| self.add(finding));
    }

    fn check_cycles(&mut self, graph: &Graph) {
        for cycle in graph.cycles() {
            let Some(first) = cycle.first().map(|&node| graph.operation(node)) else { continue };
            if self.is_full() {
                continue;
            }
            let mut path: Vec<String> = cycle.iter().map(|&i| format!("`{}`", graph.name(i))).collect();
            path.extend(path.first().cloned());
            let message = format!("operations wait for each other: {}", path.join(" → "));
            let finding = self.error("cycle", &format!("/operations/{first}"), message);
            self.add(finding.help(
                "remove one of these references or `dependsOn` entries; each arrow points to the \
                    waiting operation",
            ));
        }
    }
}

/// The fan-out and the item (`*` for all) of a name such as `encode.0`.
fn item(name: &str) -> Option<(&str, &str)> {
    name.rsplit_once('.').filter(|(_, n)| *n == "*" || n.parse::<usize>().is_ok())
}

/// A pointer, cut at a parent if it is too long.
fn shortened(mut pointer: String) -> String {
    if pointer.len() > LONGEST_POINTER {
        let parent = pointer.as_bytes()[..LONGEST_POINTER].iter().rposition(|b| *b == b'/');
        pointer.truncate(parent.unwrap_or_default());
    }
    pointer
}

/// Whether a document is a template: it contains an `agenda`.
pub fn is_template(document: &Value) -> bool {
    document.get("agenda").is_some_and(Value::is_object)
}

#[cfg(test)]
mod tests;
