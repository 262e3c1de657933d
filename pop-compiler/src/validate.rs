//! Checks of an agenda in its native JSON form. Findings carry JSON pointers into the document; rule names are those of
//! the workflow language.

mod settings;

use std::collections::HashMap;

use serde_json::Value;

use crate::agenda::{Agenda, AgendaTemplate, keys};
use crate::diagnostic::{Diagnostic, Location, Severity};
use crate::graph::{self, Graph};
use crate::reference::{self, Token};
use crate::suggest;

/// Names without `.out` that mean something while an agenda runs.
const RUN_TOKENS: [&str; 3] = ["pop.agendaId", "pop.customerId", "pop.operationName"];

/// How many findings are told; the rest is counted.
const MOST_FINDINGS: usize = 1000;

/// How many names are compared, in all, to guess which ones were meant.
const MOST_GUESSES: usize = 250_000;

/// The longest pointer that is told, in bytes; a longer one ends at a parent.
const LONGEST_POINTER: usize = 1000;

/// Every fault of an agenda; of very many, the first thousand and how many more there are.
pub fn agenda(agenda: &Agenda) -> Vec<Diagnostic> {
    Checker::new("", agenda, false).run()
}

/// Every fault of a template that shows before it is filled in.
pub fn template(template: &AgendaTemplate) -> Vec<Diagnostic> {
    Checker::new("/agenda", &template.agenda, true).run()
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
    /// Names without `.out` may be inputs.
    template: bool,
    /// A template whose operations may get their names from inputs.
    open_names: bool,
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
            template,
            open_names: template && agenda.operations.iter().any(|o| o.name.contains("@<")),
        }
    }

    fn run(mut self) -> Vec<Diagnostic> {
        if self.agenda.operations.is_empty() {
            let message = "the agenda has no operations, so there is nothing to do";
            let finding = self.error("empty-workflow", "/operations", message);
            self.add(finding.help("add at least one operation"));
            return self.findings;
        }
        self.check_names();
        for (i, operation) in self.agenda.operations.iter().enumerate() {
            self.check_references(i);
            let at = format!("{}/operations/{i}", self.prefix);
            settings::check(operation, &at, self.template, &mut |finding| self.add(finding));
        }
        self.check_agenda_params();
        self.check_cycles();
        if self.more > 0 {
            let message = format!("{} more findings are not shown", self.more);
            let at = Location::Pointer(self.prefix.to_owned());
            self.findings.push(Diagnostic::new("more-findings", Severity::Info, at, message));
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
                    self.error("missing-name", &format!("/operations/{i}"), "the operation has no name");
                self.add(
                    finding.help("give it a `name`; others refer to its output as `@<name.out::/field>`"),
                );
            } else if let Some(&first) = folded.get(&name.to_lowercase()) {
                let other = &self.agenda.operations[first].name;
                let message = if other == name {
                    format!("two operations are called `{name}`")
                } else {
                    format!(
                        "`{name}` and `{other}` differ only in letter case, which does not tell names apart"
                    )
                };
                let place = Location::Pointer(format!("{}/operations/{first}/name", self.prefix));
                let finding = self.error("duplicate-name", &format!("/operations/{i}/name"), message);
                self.add(finding.also(place, "the first one"));
            } else {
                folded.insert(name.to_lowercase(), i);
            }
            self.names.entry(name).or_insert(i);
            if operation.kind.is_empty() {
                let message = format!("operation `{name}` has no type");
                let finding = self.error("missing-key", &format!("/operations/{i}"), message);
                self.add(finding.help("give it a `type`, such as `pop.log`"));
            }
        }
    }

    fn check_references(&mut self, i: usize) {
        let agenda = self.agenda;
        let operation = &agenda.operations[i];
        graph::mentions(operation, &mut |mention| {
            let is_self = mention.name == operation.name;
            if !is_self && self.knows(mention.name) || self.is_full() {
                return;
            }
            let pointer = format!("/operations/{i}{}{}", mention.field, mention.rest);
            let shown = mention.token.unwrap_or(mention.name);
            if is_self {
                let message = format!("operation `{}` waits for itself (`{shown}`)", operation.name);
                self.add(self.error("self-reference", &pointer, message));
            } else {
                let rule = if mention.token.is_some() { "unknown-output" } else { "unknown-operation" };
                self.unknown(rule, &pointer, shown, mention.name);
            }
        });
        let mut plain = |field: &str, value: &Value| {
            reference::scan(value, &mut |rest, _, token| {
                self.check_plain_name(token, &|| format!("/operations/{i}{field}{rest}"));
            });
        };
        plain("/payload", &operation.payload);
        if let Some(when) = operation.params.get(keys::WHEN) {
            plain("/params/pop.when", when);
        }
    }

    /// In a template a fanned-out operation is also known by its instances, and a name may come from an input.
    fn knows(&self, name: &str) -> bool {
        let base = || name.rsplit_once('.').filter(|(_, n)| *n == "*" || n.parse::<usize>().is_ok());
        self.names.contains_key(name)
            || self.open_names
            || (self.template
                && base()
                    .and_then(|(b, _)| self.names.get(b))
                    .is_some_and(|&i| self.agenda.operations[i].params.contains_key(keys::EACH)))
    }

    fn check_plain_name(&mut self, token: &Token<'_>, pointer: &dyn Fn() -> String) {
        let name = token.name;
        if reference::operation_of(name).is_some() {
            return;
        }
        if RUN_TOKENS.contains(&name) {
            if token.default.is_none() && !token.path().is_empty() && !self.is_full() {
                let message = format!("`{name}` is a text, so `{}` leads nowhere", token.text);
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
        let message = format!("nothing is called `{name}` when an agenda runs");
        self.add(self.error("unknown-output", &pointer(), message).help(help));
    }

    fn unknown(&mut self, rule: &'static str, pointer: &str, shown: &str, name: &str) {
        let message = format!("`{shown}` needs an operation `{name}`, but there is none");
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
                    Some(name) if !self.knows(name) && !self.is_full() => {
                        self.unknown("unknown-output", &pointer(), token.text, name);
                    }
                    Some(_) => {}
                    None => self.check_plain_name(token, &pointer),
                }
            });
        }
        let at = format!("{}/params", self.prefix);
        settings::check_agenda(params, &at, self.template, &mut |finding| self.add(finding));
    }

    fn check_cycles(&mut self) {
        let graph = Graph::new(self.agenda);
        for cycle in graph.cycles() {
            let Some(&first) = cycle.first() else { continue };
            if self.is_full() {
                continue;
            }
            let mut path: Vec<String> = cycle.iter().map(|&i| format!("`{}`", graph.name(i))).collect();
            path.push(format!("`{}`", graph.name(first)));
            let message = format!("these operations wait for each other: {}", path.join(" → "));
            let finding = self.error("cycle", &format!("/operations/{first}"), message);
            self.add(finding.help(
                "drop one of these references or `dependsOn` entries; each arrow points to the one that waits",
            ));
        }
    }
}

/// A pointer that is too long to be told, cut at a parent.
fn shortened(mut pointer: String) -> String {
    if pointer.len() > LONGEST_POINTER {
        let parent = pointer.as_bytes()[..LONGEST_POINTER].iter().rposition(|b| *b == b'/');
        pointer.truncate(parent.unwrap_or_default());
    }
    pointer
}

/// Whether a document is a template rather than an agenda: it has an `agenda` inside.
pub fn is_template(document: &Value) -> bool {
    document.get("agenda").is_some_and(Value::is_object)
}

#[cfg(test)]
mod tests;
