//! The checks of the resolved workflow: order (`graph`), types of references (`refs`), values against types (`values`),
//! then the rules that look at the whole.

mod graph;
mod refs;
mod skipped;
mod values;

use crate::ast::{Input, Value, ValueKind};
use crate::budget;
use crate::coerce;
use crate::diagnostic::{Diagnostic, Location, Severity};
use crate::model::{Meant, Model};
use crate::rules;
use crate::rules::untyped_edge::{self, Coverage};
use crate::source::Span;
use crate::types::Type;

/// Parts of the type of an output that are kept.
const MAX_TYPE: usize = 20_000;

/// What checking gives besides findings.
pub(crate) struct Checked {
    /// The operations in an order in which they can run, ties by name.
    pub(crate) order: Vec<usize>,
    /// Type of each output, in the order of the source.
    pub(crate) outputs: Vec<Type>,
    pub(crate) coverage: Coverage,
}

/// Checks everything that has to do with order and types, and runs the rules; with `untyped`, also the one that reports
/// references whose types are not known.
pub(crate) fn check(model: &mut Model<'_>, untyped: bool, out: &mut Vec<Diagnostic>) -> Checked {
    if model.operations.is_empty() && !model.workflow.operations_unread {
        out.push(rules::empty_workflow::report(model.workflow.operations_span));
    }
    let (order, in_circles) = graph::order(model, out);
    for i in order.iter().rev().take(in_circles) {
        // one of them is looked at before what it waits for
        let operation = &mut model.operations[*i];
        if let Some(kind) = operation.kind.filter(|kind| kind.passes.is_none()) {
            operation.output = kind.output.clone();
        }
    }
    for input in model.inputs {
        default_of(input, model, out);
    }
    let mut counter = untyped_edge::Counter::new(untyped);
    for i in &order {
        operation(model, *i, out);
        let operation = &model.operations[*i];
        counter.operation(model, operation, out);
        for rule in rules::OF_OPERATIONS {
            rule(model, operation, out);
        }
        budget::enforce(out);
    }
    let workflow = model.workflow;
    let mut outputs = Vec::with_capacity(workflow.outputs.len());
    for output in &workflow.outputs {
        refs::in_value(model, None, &output.value, out);
        values::leaks(model, &output.value, &values::Place::root("outputs", &output.name.value, None), out);
        let ty = values::type_of(model, &output.value);
        outputs.push(if values::may_be_skipped(model, &output.value) { ty.optional() } else { ty });
    }
    if let Some(link) = &workflow.run.link {
        refs::in_value(model, None, link, out);
        values::check(model, link, &Type::String, &values::Place::root("run", "link", None), out);
    }
    counter.outputs(model, out);
    foreign(model, out);
    for rule in rules::CHECKS {
        rule(model, out);
        budget::enforce(out);
    }
    Checked { order, outputs, coverage: counter.coverage }
}

/// Tells placeholders of other languages, but for those that are why a value does not fit.
fn foreign(model: &Model<'_>, out: &mut Vec<Diagnostic>) {
    let around = |found: &Diagnostic, span: Span| match found.primary.at {
        Location::Span(place) => {
            place.file == span.file && place.start <= span.start && span.end <= place.end
        }
        Location::Pointer(_) => false,
    };
    for Meant { span, shown, right, certain } in &model.foreign {
        if !out.iter().any(|found| found.severity == Severity::Error && around(found, *span)) {
            out.push(rules::foreign_reference::report(*span, shown, right, *certain));
            budget::enforce(out);
        }
    }
}

/// Everything about one operation; those it waits for have been checked already.
fn operation(model: &mut Model<'_>, i: usize, out: &mut Vec<Diagnostic>) {
    let ast = model.operations[i].ast;
    if let Some(each) = &ast.each {
        refs::in_value(model, None, each, out);
        model.operations[i].item = Some(item_type(model, each, out));
    }
    for value in [ast.with.as_ref(), ast.when.as_deref()].into_iter().flatten() {
        refs::in_value(model, Some(i), value, out);
    }
    if let Some(when) = &ast.when {
        values::check(model, when, &Type::Bool, &values::Place::root(&ast.name.value, "when", None), out);
    }
    let operation = &model.operations[i];
    if let Some(kind) = operation.kind {
        values::inputs(model, ast, kind, out);
    }
    skipped::check(model, i, out);
    // Values handed from operation to operation could double in size at each; beyond a point nobody reads their types.
    let output = Some(output_type(model, i)).filter(|ty| ty.is_small(MAX_TYPE)).unwrap_or(Type::Any);
    let conditional =
        ast.when.is_some() || operation.edges.iter().any(|e| !e.soft && model.operations[e.to].conditional);
    let operation = &mut model.operations[i];
    operation.output = output;
    operation.conditional = conditional;
}

/// The declared output, or the type of the input that the operation hands through.
fn output_type(model: &Model<'_>, i: usize) -> Type {
    let operation = &model.operations[i];
    let Some(kind) = operation.kind else { return Type::Error };
    let Some(passed) = kind.passes else { return kind.output.clone() };
    match operation.ast.with.as_ref().map(|w| &w.kind) {
        Some(ValueKind::Record(fields)) => match fields.iter().find(|f| f.name.value == passed) {
            Some(field) => values::type_of(model, &field.value),
            None => Type::Any,
        },
        _ => Type::Any,
    }
}

/// The type of an item of `each`.
fn item_type(model: &Model<'_>, each: &Value, out: &mut Vec<Diagnostic>) -> Type {
    let ty = values::type_of(model, each);
    match model.types().resolve(&ty) {
        Type::List(item) => item.as_ref().clone(),
        Type::Any => Type::Any,
        Type::Error => Type::Error,
        _ => {
            let text = if let ValueKind::Text(template) = &each.kind { template.as_text() } else { None };
            let right = text.and_then(|text| values::meant(model, text, each.span));
            out.push(rules::not_a_list::each(each.span, &ty, text.zip(right.as_deref())));
            Type::Error
        }
    }
}

/// Checks the default of an input.
fn default_of(input: &Input, model: &Model<'_>, out: &mut Vec<Diagnostic>) {
    let Some(default) = &input.default else { return };
    let name = &input.name.value;
    if model.types().secrets
        && let Some(span) = values::secret_written(model, &input.ty.value.ty, default)
    {
        out.push(rules::secret_leak::in_default(span, name, input.ty.span));
    }
    if let Some(span) = default.first_reference() {
        out.push(rules::bad_default::reference(span, name));
    } else if let Some(value) = default.to_json()
        && !model.types().accepts(&input.ty.value.ty, &value)
    {
        let shown = value.to_string();
        let ty = &input.ty.value.ty;
        let edits = coerce::edits(model.types(), ty, default);
        out.push(rules::bad_default::report(default.span, name, ty, input.ty.span, &shown, edits));
    }
}
