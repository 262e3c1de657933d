//! Asks the compiler, and puts its findings at the user's tokens. What the operation types and named types are is not
//! known while a macro expands: they count as `any` here, rustc checks them, and so does the compiler at run time.

use std::collections::HashSet;

use pop_compiler::catalog::{Catalog, OperationType};
use pop_compiler::diagnostic::{Location, Severity};
use pop_compiler::source::{Source, Span as TextSpan};
use pop_compiler::types::Type;
use pop_compiler::{Format, Options};
use proc_macro2::Span;

use super::json::{self, Owner, Text};
use super::tree::{Reference, Start, Workflow};
use super::types::named_types;

/// What the compiler says.
pub(super) struct Verdict {
    pub(super) errors: Vec<syn::Error>,
    /// Parts with findings: rustc need not look at them, it would only repeat them.
    pub(super) faulty: HashSet<Owner>,
}

pub(super) fn check(workflow: &Workflow, text: &Text) -> Verdict {
    let mut catalog = Catalog::new();
    catalog.insert(OperationType::new(json::UNREAD));
    for kind in workflow.operations.iter().filter_map(|operation| operation.kind.as_ref()) {
        catalog.insert(OperationType::new(json::kind(kind)));
    }
    for input in &workflow.inputs {
        for (name, _) in named_types(&input.ty) {
            catalog.types.define(name, Type::Any);
        }
    }
    let options = Options { catalogs: &[catalog], ..Options::default() };
    let compiled =
        pop_compiler::compile(Source::new("workflow!", text.text.as_str()), Format::Json, &options);
    // What needs something that could not be read would only be found for that.
    let unsure = unsure(workflow);
    let mut verdict = Verdict { errors: Vec::new(), faulty: unsure.clone() };
    for finding in compiled.diagnostics.iter().filter(|d| d.severity == Severity::Error) {
        let start = start(&finding.primary.at);
        let places = finding.secondary.iter().filter_map(|label| self::start(&label.at)).chain(start);
        let owners: HashSet<Owner> = places.filter_map(|at| owner(text, at)).collect();
        if start.and_then(|at| owner(text, at)).is_some_and(|owner| unsure.contains(&owner)) {
            continue;
        }
        // rustc sees whether a secret goes where a `Secret` is asked for.
        // What a constant is rustc sees, and the compiler when the program asks it.
        if start.is_some_and(|at| text.constants.iter().any(|range| range.contains(&at))) {
            continue;
        }
        let typed = |at: usize| text.typed.iter().any(|range| range.contains(&at));
        if finding.rule == "secret-leak" && start.is_some_and(typed) {
            continue;
        }
        verdict.faulty.extend(owners);
        let span = token(text, start, workflow.ident.span());
        verdict.errors.push(syn::Error::new(span, crate::findings::message(finding)));
    }
    verdict
}

/// The parts that were not read as a whole, or use an operation of which nothing is known.
fn unsure(workflow: &Workflow) -> HashSet<Owner> {
    let mut unsure: HashSet<Owner> = HashSet::new();
    if workflow.operations.iter().all(|operation| !operation.broken) {
        return unsure;
    }
    let unknown = |reference: &&Reference| match workflow.start(&reference.root, None) {
        Start::Operation(operation) => operation.kind.is_none(),
        _ => false,
    };
    for (i, operation) in workflow.operations.iter().enumerate() {
        let references = operation.references().into_iter().chain(operation.list_references());
        if operation.broken || references.into_iter().any(|r| unknown(&r)) {
            unsure.insert(Owner::Operation(i));
        }
    }
    let mut references = Vec::new();
    workflow.result.iter().for_each(|value| value.references(&mut references));
    if references.iter().any(unknown) {
        unsure.insert(Owner::Result);
    }
    unsure
}

fn start(at: &Location) -> Option<usize> {
    match at {
        Location::Span(TextSpan { start, .. }) => Some(*start as usize),
        Location::Pointer(_) => None,
    }
}

fn owner(text: &Text, at: usize) -> Option<Owner> {
    text.owners.iter().find(|(range, _)| range.contains(&at)).map(|(_, owner)| *owner)
}

/// The token of the smallest piece that holds the beginning of the finding.
fn token(text: &Text, start: Option<usize>, otherwise: Span) -> Span {
    let Some(start) = start else { return otherwise };
    text.spans
        .iter()
        .filter(|(range, _)| range.contains(&start))
        .min_by_key(|(range, _)| range.len())
        .map_or(otherwise, |(_, span)| *span)
}
