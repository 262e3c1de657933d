//! Checks of an agenda in its native JSON form. Findings carry JSON pointers into the document; rule names are those of
//! the workflow language.

mod settings;

use std::collections::HashMap;

use serde_json::Value;

use crate::agenda::{Agenda, AgendaTemplate, keys};
use crate::diagnostic::{Diagnostic, Location};
use crate::graph::{self, Graph};
use crate::reference::{self, Token};
use crate::suggest;

/// Names without `.out` that mean something while an agenda runs.
const RUN_TOKENS: [&str; 3] = ["pop.agendaId", "pop.customerId", "pop.operationName"];

/// Every fault of an agenda.
pub fn agenda(agenda: &Agenda) -> Vec<Diagnostic> {
    let mut checker =
        Checker { prefix: "", agenda, findings: Vec::new(), names: HashMap::new(), template: false };
    checker.run();
    checker.findings
}

/// Every fault of a template that shows before it is filled in.
pub fn template(template: &AgendaTemplate) -> Vec<Diagnostic> {
    let agenda = &template.agenda;
    let mut checker =
        Checker { prefix: "/agenda", agenda, findings: Vec::new(), names: HashMap::new(), template: true };
    checker.run();
    checker.findings
}

struct Checker<'a> {
    prefix: &'static str,
    agenda: &'a Agenda,
    findings: Vec<Diagnostic>,
    /// Name → index of the operation.
    names: HashMap<&'a str, usize>,
    /// Names without `.out` may be inputs.
    template: bool,
}

impl Checker<'_> {
    fn run(&mut self) {
        if self.agenda.operations.is_empty() {
            self.error(
                "empty-workflow",
                "/operations".into(),
                "the agenda has no operations, so there is nothing to do",
            )
            .help
            .push("add at least one operation".into());
            return;
        }
        self.check_names();
        for i in 0..self.agenda.operations.len() {
            self.check_references(i);
            settings::check(
                &self.agenda.operations[i],
                &format!("{}/operations/{i}", self.prefix),
                &mut self.findings,
            );
        }
        self.check_result();
        self.check_cycles();
    }

    fn error(&mut self, rule: &'static str, pointer: String, message: impl Into<String>) -> &mut Diagnostic {
        let at = Location::Pointer(format!("{}{pointer}", self.prefix));
        self.findings.push(Diagnostic::error(rule, at, message));
        let last = self.findings.len() - 1;
        &mut self.findings[last]
    }

    fn check_names(&mut self) {
        let mut folded: HashMap<String, usize> = HashMap::new();
        for (i, operation) in self.agenda.operations.iter().enumerate() {
            let name = operation.name.as_str();
            if name.is_empty() {
                self.error("missing-name", format!("/operations/{i}"), "the operation has no name")
                    .help
                    .push("give it a `name`; others refer to its output as `@<name.out::/field>`".into());
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
                let finding = self.error("duplicate-name", format!("/operations/{i}/name"), message);
                *finding = finding.clone().also(place, "the first one");
            } else {
                folded.insert(name.to_lowercase(), i);
            }
            self.names.entry(name).or_insert(i);
            if operation.kind.is_empty() {
                let message = format!("operation `{name}` has no type");
                self.error("missing-key", format!("/operations/{i}"), message)
                    .help
                    .push("give it a `type`, such as `pop.log`".into());
            }
        }
    }

    fn check_references(&mut self, i: usize) {
        let operation = &self.agenda.operations[i];
        let at = format!("/operations/{i}");
        for dependency in graph::dependencies(operation) {
            let pointer = format!("{at}{}", dependency.pointer);
            let shown = dependency.token.as_deref().unwrap_or(&dependency.name);
            if dependency.name == operation.name {
                let message = format!("operation `{}` waits for itself (`{shown}`)", operation.name);
                self.error("self-reference", pointer, message);
            } else if !self.knows(&dependency.name) {
                let rule = if dependency.token.is_some() { "unknown-output" } else { "unknown-operation" };
                self.unknown(rule, pointer, shown, &dependency.name);
            }
        }
        reference::scan(&operation.payload, &mut |place, _, token| {
            self.check_plain_name(token, &format!("{at}/payload{place}"));
        });
        if let Some(when) = operation.params.get(keys::WHEN) {
            reference::scan(when, &mut |place, _, token| {
                self.check_plain_name(token, &format!("{at}/params/{}{place}", keys::WHEN));
            });
        }
    }

    /// In a template a fanned-out operation is also known by its instances.
    fn knows(&self, name: &str) -> bool {
        let base = || name.rsplit_once('.').filter(|(_, n)| *n == "*" || n.parse::<usize>().is_ok());
        self.names.contains_key(name)
            || (self.template
                && base().and_then(|(b, _)| self.names.get(b)).is_some_and(|&i| {
                    self.agenda.operations[i].params.contains_key(keys::EACH)
                }))
            // The name itself may come from an input.
            || (self.template && self.agenda.operations.iter().any(|o| o.name.contains("@<")))
    }

    fn check_plain_name(&mut self, token: &Token<'_>, pointer: &str) {
        let name = token.name;
        if reference::operation_of(name).is_some() || RUN_TOKENS.contains(&name) || self.template {
            return;
        }
        let message = format!("nothing is called `{name}` when an agenda runs");
        let help = if self.names.contains_key(name) {
            let rest = &token.text[2 + name.len()..];
            format!("did you mean the output of that operation, `@<{name}.out{rest}`?")
        } else if let Some(near) = suggest::closest(name, RUN_TOKENS) {
            format!("did you mean `@<{near}>`?")
        } else {
            "refer to an operation's output as `@<name.out::/field>`; write `\\@<` for the text itself".into()
        };
        self.error("unknown-output", pointer.to_owned(), message).help.push(help);
    }

    fn unknown(&mut self, rule: &'static str, pointer: String, shown: &str, name: &str) {
        let near =
            suggest::closest(name, self.agenda.operations.iter().map(|o| o.name.as_str())).map(str::to_owned);
        let finding =
            self.error(rule, pointer, format!("`{shown}` needs an operation `{name}`, but there is none"));
        if let Some(near) = near {
            finding.help.push(format!("did you mean `{near}`?"));
        }
    }

    fn check_result(&mut self) {
        let Some(result) = self.agenda.params.get(keys::RESULT) else { return };
        reference::scan(result, &mut |place, _, token| {
            let pointer = format!("/params/{}{place}", keys::RESULT);
            match reference::operation_of(token.name) {
                Some(name) if !self.knows(name) => self.unknown("unknown-output", pointer, token.text, name),
                Some(_) => {}
                None => self.check_plain_name(token, &pointer),
            }
        });
    }

    fn check_cycles(&mut self) {
        let graph = Graph::new(self.agenda);
        for cycle in graph.cycles() {
            let Some(&first) = cycle.first() else { continue };
            let mut path: Vec<String> = cycle.iter().map(|&i| format!("`{}`", graph.name(i))).collect();
            path.push(format!("`{}`", graph.name(first)));
            let message = format!("these operations wait for each other: {}", path.join(" → "));
            self.error("cycle", format!("/operations/{first}"), message)
                .help
                .push("drop one of these references or `dependsOn` entries; each arrow points to the one that waits".into());
        }
    }
}

/// Whether a document is a template rather than an agenda: it has an `agenda` inside.
pub fn is_template(document: &Value) -> bool {
    document.get("agenda").is_some_and(Value::is_object)
}

#[cfg(test)]
mod tests;
