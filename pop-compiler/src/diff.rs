//! The consequences of a new version of a workflow for its users: of each change, and of all together.

mod interface;
mod within;

use std::collections::{BTreeSet, HashSet};

use serde_json::Value as Json;

use crate::agenda::{AgendaTemplate, Operation, Params, keys};
use crate::diagnostic::shorten;
use crate::reference::{self, Fallback};
use crate::types::Type;

/// The part of a [`RunSpec`](crate::agenda::RunSpec) with the type of the output.
const OUTPUT: &str = "output";
/// The key of a type that may run twice, in an agenda.
const IDEMPOTENT: &str = "idempotent";

/// Consequence of a change, from harmless to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// No consequence.
    Compatible,
    /// Typed clients no longer show the exact inputs and outputs, but their requests and expectations still work.
    Regenerate,
    /// The same inputs may give other results.
    Recompute,
    /// The server may reject a client's inputs, or outputs may be missing.
    Breaking,
}

impl Verdict {
    /// The verdict as a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Compatible => "compatible",
            Self::Regenerate => "regenerate",
            Self::Recompute => "recompute",
            Self::Breaking => "breaking",
        }
    }

    /// The verdict as a sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Compatible => "clients and results stay valid",
            Self::Regenerate => "clients must be regenerated",
            Self::Recompute => "results must be recomputed",
            Self::Breaking => "clients break",
        }
    }
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Consequence of the change.
    pub verdict: Verdict,
    /// Place, such as `operations/encode/with/height`.
    pub at: String,
    /// The difference, for people.
    pub message: String,
    /// The operation around the place.
    pub operation: Option<String>,
}

/// All differences, the worst first, then by place. The list is empty exactly if both templates have the same digest,
/// which is the server's criterion.
pub fn diff(old: &AgendaTemplate, new: &AgendaTemplate) -> Vec<Change> {
    let mut diff = Differ::default();
    if old == new {
        return diff.changes;
    }
    interface::compare(&mut diff, old, new);
    diff.header(old, new);
    diff.settings(old, new);
    diff.operations(old, new);
    if diff.changes.is_empty() && old.digest() != new.digest() {
        diff.add(Verdict::Compatible, "template", "written differently, with the same meaning");
    }
    let mut changes = diff.changes;
    changes.sort_by(|a, b| (b.verdict, &a.at, &a.message).cmp(&(a.verdict, &b.at, &b.message)));
    changes
}

/// The verdict on all changes: the worst of them.
pub fn verdict(changes: &[Change]) -> Verdict {
    changes.iter().map(|change| change.verdict).max().unwrap_or(Verdict::Compatible)
}

/// Parameters of an operation that change how it runs, and not its output.
const HOW: &[&str] =
    &[keys::DEPENDS_ON, keys::RETRY, keys::TIMEOUT, keys::RESOURCES, keys::DESCRIPTION, keys::GENERATED_BY];

#[derive(Default)]
struct Differ {
    changes: Vec<Change>,
    operation: Option<String>,
}

impl Differ {
    fn add(&mut self, verdict: Verdict, at: impl Into<String>, message: impl Into<String>) {
        let operation = self.operation.clone();
        self.changes.push(Change { verdict, at: at.into(), message: message.into(), operation });
    }

    /// Compares `[workflow]`: the name is that of clients; the rest is for people.
    fn header(&mut self, old: &AgendaTemplate, new: &AgendaTemplate) {
        for (key, verdict) in [
            ("name", Verdict::Regenerate),
            ("version", Verdict::Compatible),
            ("description", Verdict::Compatible),
        ] {
            let get =
                |t: &AgendaTemplate| t.agenda.params.get(keys::WORKFLOW).and_then(|w| w.get(key)).cloned();
            self.values(verdict, &format!("workflow/{key}"), get(old).as_ref(), get(new).as_ref());
        }
    }

    /// Compares the settings of the run, and how the workflow's operation types run.
    fn settings(&mut self, old: &AgendaTemplate, new: &AgendaTemplate) {
        let link = |t: &AgendaTemplate| t.agenda.link_id.clone().map(Json::from);
        self.values(Verdict::Compatible, "run/link", link(old).as_ref(), link(new).as_ref());
        let (old_params, new_params) = (&old.agenda.params, &new.agenda.params);
        for key in both(old_params, new_params) {
            let (at, verdict) = match key {
                keys::WORKFLOW | keys::TYPES | keys::RESULT => continue,
                keys::MAXIMUM_ATTEMPTS => ("run/maximum_attempts".into(), Verdict::Compatible),
                keys::ON_FAILURE => ("run/on_failure".into(), Verdict::Compatible),
                keys::DEFAULT_INSIGHT => ("run/insight".into(), Verdict::Compatible),
                "pop.run" => ("run".into(), Verdict::Compatible),
                other => (format!("params/{other}"), Verdict::Recompute),
            };
            self.values(verdict, &at, old_params.get(key), new_params.get(key));
        }
        for key in both(&old.static_parameters, &new.static_parameters) {
            let (old, new) = (old.static_parameters.get(key), new.static_parameters.get(key));
            self.values(Verdict::Recompute, &format!("staticParameters/{key}"), old, new);
        }
        let types = |p: &Params| p.get(keys::TYPES).and_then(Json::as_object).cloned().unwrap_or_default();
        let (old_types, new_types) = (types(old_params), types(new_params));
        let used = |t: &AgendaTemplate| -> HashSet<String> {
            t.agenda.operations.iter().map(|o| o.kind.clone()).collect()
        };
        let (old_used, new_used) = (used(old), used(new));
        for name in both(&old_types, &new_types) {
            let (old_type, new_type) = (old_types.get(name), new_types.get(name));
            // one that came or went with its operations has been reported with them
            if old_type.is_some() == new_type.is_some() || old_used.contains(name) == new_used.contains(name)
            {
                self.kind(name, old_type, new_type);
            }
        }
        for key in
            both(&old.params, &new.params).into_iter().filter(|k| ![keys::INPUTS, keys::OUTPUTS].contains(k))
        {
            self.values(
                Verdict::Recompute,
                &format!("params/{key}"),
                old.params.get(key),
                new.params.get(key),
            );
        }
    }

    /// Compares one operation type: how it runs, and its output.
    fn kind(&mut self, name: &str, old: Option<&Json>, new: Option<&Json>) {
        let at = format!("catalog/{name}");
        let schema = |spec: Option<&Json>| spec.and_then(|spec| spec.get(OUTPUT)).cloned();
        let (old_output, new_output) = (schema(old), schema(new));
        if old_output != new_output {
            let text = |schema: &Json| Json::from(Type::from_schema(schema).to_string());
            let (old, new) = (old_output.as_ref().map(text), new_output.as_ref().map(text));
            match (old, new) {
                (Some(old), Some(new)) if old == new => {
                    let message = format!("the definition of {} has changed", shown(&old));
                    self.add(Verdict::Recompute, format!("{at}/{OUTPUT}"), message);
                }
                (old, new) => {
                    let at = format!("{at}/{OUTPUT}");
                    self.values(Verdict::Recompute, &at, old.as_ref(), new.as_ref());
                }
            }
        }
        let idempotent = |spec: Option<&Json>| spec.and_then(|spec| spec.get(IDEMPOTENT)).cloned();
        let place = format!("{at}/{IDEMPOTENT}");
        self.values(Verdict::Compatible, &place, idempotent(old).as_ref(), idempotent(new).as_ref());
        let without = |spec: Option<&Json>| {
            let mut spec = spec.cloned().unwrap_or_else(|| Json::Object(Params::new()));
            if let Json::Object(spec) = &mut spec {
                spec.shift_remove(OUTPUT);
                spec.shift_remove(IDEMPOTENT);
            }
            spec
        };
        self.values(Verdict::Recompute, &at, Some(&without(old)), Some(&without(new)));
    }

    fn operations(&mut self, old: &AgendaTemplate, new: &AgendaTemplate) {
        let by_name = |t: &AgendaTemplate| -> std::collections::BTreeMap<String, Operation> {
            t.agenda.operations.iter().map(|o| (o.name.clone(), o.clone())).collect()
        };
        let (old, new) = (by_name(old), by_name(new));
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for name in names {
            self.operation = Some(name.clone());
            let at = format!("operations/{name}");
            match (old.get(name), new.get(name)) {
                (Some(old), Some(new)) => self.one_operation(&at, old, new),
                (None, Some(new)) => {
                    self.add(Verdict::Recompute, at, format!("added, runs `{}`", new.kind));
                }
                (Some(_), None) => self.add(Verdict::Recompute, at, "removed"),
                (None, None) => {}
            }
        }
        self.operation = None;
    }

    fn one_operation(&mut self, at: &str, old: &Operation, new: &Operation) {
        if old.kind != new.kind {
            let message = format!("`{}` is now `{}`", old.kind, new.kind);
            self.add(Verdict::Recompute, format!("{at}/uses"), message);
        }
        self.values(Verdict::Recompute, &format!("{at}/with"), Some(&old.payload), Some(&new.payload));
        for key in both(&old.params, &new.params) {
            let verdict = if HOW.contains(&key) { Verdict::Compatible } else { Verdict::Recompute };
            let shown = match key {
                keys::DEPENDS_ON => "after",
                other => other.strip_prefix("pop.").unwrap_or(other),
            };
            self.values(verdict, &format!("{at}/{shown}"), old.params.get(key), new.params.get(key));
        }
    }

    /// Compares two values, and reports the smallest places. Recursion is bounded by the depth of the values.
    fn values(&mut self, verdict: Verdict, at: &str, old: Option<&Json>, new: Option<&Json>) {
        match (old, new) {
            (None, None) => {}
            (old, new) if old == new => {}
            // whether what an operation gives may lack something is a matter of its type
            (Some(Json::String(old)), Some(Json::String(new)))
                if without_lacking(old) == without_lacking(new) => {}
            (Some(Json::Object(old)), Some(Json::Object(new))) => {
                for key in both(old, new) {
                    self.values(verdict, &format!("{at}/{key}"), old.get(key), new.get(key));
                }
            }
            (Some(Json::Array(old)), Some(Json::Array(new))) if old.len() == new.len() => {
                for (i, (old, new)) in old.iter().zip(new).enumerate() {
                    self.values(verdict, &format!("{at}/{i}"), Some(old), Some(new));
                }
            }
            (None | Some(Json::Null), Some(new)) => self.add(verdict, at, format!("added: {}", shown(new))),
            (Some(old), None | Some(Json::Null)) => {
                self.add(verdict, at, format!("removed: {}", shown(old)));
            }
            (Some(old), Some(new)) => self.add(verdict, at, format!("{} is now {}", shown(old), shown(new))),
        }
    }
}

/// A text whose references have no defaults for absent parts of outputs ([`Fallback::Lacking`]).
fn without_lacking(text: &str) -> String {
    let (mut out, mut from) = (String::with_capacity(text.len()), 0);
    for (range, token) in reference::tokens(text) {
        if token.fallback() == Some(Fallback::Lacking(Json::Null)) {
            let default = token.default.map_or(0, |default| default.len() + 1);
            out.push_str(&text[from..range.end - 1 - default]);
            from = range.end - 1;
        }
    }
    out + &text[from..]
}

fn shown(value: &Json) -> String {
    format!("`{}`", shorten(&value.to_string()))
}

/// The keys of both, without duplicates, sorted.
fn both<'k>(old: &'k Params, new: &'k Params) -> BTreeSet<&'k str> {
    old.keys().chain(new.keys()).map(String::as_str).collect()
}

#[cfg(test)]
mod tests;
