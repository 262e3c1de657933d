//! Asks the compiler, and puts its findings at the user's tokens. What the operation types and named types are is not
//! known while a macro expands: they count as `any` here, rustc checks them, and so does the compiler at run time.

use pop_compiler::catalog::{Catalog, OperationType};
use pop_compiler::diagnostic::{Diagnostic, Location, Severity};
use pop_compiler::source::{Source, Span as TextSpan};
use pop_compiler::types::Type;
use pop_compiler::{Door, Options};
use proc_macro2::Span;

use super::json::{self, Text};
use super::parse::Workflow;

pub(super) fn check(workflow: &Workflow, text: &Text) -> Vec<syn::Error> {
    let mut catalog = Catalog::new();
    for operation in &workflow.operations {
        catalog.insert(OperationType::new(json::kind(&operation.kind)));
    }
    for input in &workflow.inputs {
        for (name, _) in json::named_types(&input.ty) {
            catalog.types.define(name, Type::Any);
        }
    }
    let options = Options { catalogs: &[catalog], ..Options::default() };
    let compiled = pop_compiler::compile(Source::new("workflow!", text.text.as_str()), Door::Json, &options);
    let errors = compiled.diagnostics.iter().filter(|d| d.severity == Severity::Error);
    errors
        .map(|finding| syn::Error::new(token(text, finding, workflow.ident.span()), message(finding)))
        .collect()
}

/// The token of the smallest piece that holds the beginning of the finding.
fn token(text: &Text, finding: &Diagnostic, otherwise: Span) -> Span {
    let Location::Span(TextSpan { start, .. }) = &finding.primary.at else { return otherwise };
    let start = *start as usize;
    text.spans
        .iter()
        .filter(|(range, _)| range.contains(&start))
        .min_by_key(|(range, _)| range.len())
        .map_or(otherwise, |(_, span)| *span)
}

fn message(finding: &Diagnostic) -> String {
    let mut text = format!("{} [{}]", finding.message, finding.rule);
    for help in &finding.help {
        text += &format!("\nhelp: {help}");
    }
    text
}
