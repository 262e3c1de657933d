//! Values against types: what is written in `with`, `when` and defaults, with references of known types in it.

use std::collections::HashSet;

use serde_json::Value as Json;

use super::refs::written;
use crate::ast::{self, Value, ValueKind};
use crate::catalog::OperationType;
use crate::diagnostic::{Diagnostic, has_errors};
use crate::expr::{self, Reference, Root, Segment, Template};
use crate::model::{Model, Target};
use crate::rules::{self, Given};
use crate::source::{Span, Spanned};
use crate::types::{Record, Type};
use crate::{budget, coerce, suggest};

/// Where a value goes: a chain of steps that is only written out when there is something to say.
#[derive(Clone, Copy)]
pub(super) struct Place<'p> {
    parent: Option<&'p Place<'p>>,
    step: Step<'p>,
    declared: Option<Span>,
    /// The operation it belongs to, or else the table.
    owner: &'p str,
    /// Inside something declared secret.
    secret: bool,
}

#[derive(Clone, Copy)]
enum Step<'p> {
    Root(&'p str),
    Field(&'p str),
    Item(usize),
}

impl<'p> Place<'p> {
    pub(super) fn root(owner: &'p str, name: &'p str, declared: Option<Span>) -> Self {
        Self { parent: None, step: Step::Root(name), declared, owner, secret: false }
    }

    fn inside(&'p self, step: Step<'p>) -> Self {
        Place { parent: Some(self), step, ..*self }
    }

    fn name(&self) -> String {
        let mut steps = Vec::new();
        let mut at = Some(self);
        while let Some(place) = at {
            steps.push(match &place.step {
                Step::Root(name) => (*name).to_owned(),
                Step::Field(name) => format!(".{name}"),
                Step::Item(i) => format!("[{i}]"),
            });
            at = place.parent;
        }
        steps.into_iter().rev().collect()
    }
}

/// Checks `with` against the operation type.
pub(super) fn inputs(
    model: &Model<'_>,
    ast: &ast::Operation,
    kind: &OperationType,
    out: &mut Vec<Diagnostic>,
) {
    let owner = ast.name.value.as_str();
    let input = model.types().resolve(&kind.input);
    let Type::Record(record) = input else {
        if let Some(with) = &ast.with {
            check(model, with, &kind.input, &Place::root(owner, "with", kind.declared), out);
        }
        return;
    };
    let nothing = Vec::new();
    let (fields, span) = match &ast.with {
        None => (&nothing, ast.name.span),
        Some(Value { kind: ValueKind::Record(fields), span }) => (fields, *span),
        Some(other) => {
            return check(model, other, &kind.input, &Place::root(owner, "with", kind.declared), out);
        }
    };
    let given: HashSet<&str> = fields.iter().map(|f| f.name.value.as_str()).collect();
    let complete = record.iter().all(|(name, _)| given.contains(name));
    for field in fields {
        let name = &field.name;
        let known = record.get(&name.value);
        if known.is_none() {
            let guesses = &model.guesses;
            if record.rest().is_none() {
                let needless = complete && field.value.first_reference().is_none();
                out.push(rules::extra_input::report(name, &kind.name, record, needless, &given, guesses));
            } else if let Some(near) = misspelt(model, record, &name.value, &given) {
                out.push(if model.types().accepts_null(near.1) {
                    rules::undeclared_field::report(name, &format!("`{}`", kind.name), near.0)
                } else {
                    rules::extra_input::report(name, &kind.name, record, false, &given, guesses)
                });
            }
            budget::enforce(out);
        }
        if let Some(ty) = known.or(record.rest()) {
            check(model, &field.value, ty, &Place::root(owner, &name.value, kind.declared), out);
        }
    }
    missing(model, fields, record, span, &|| format!("`{}`", kind.name), out);
}

/// The field of an open record that `name`, which it does not name, was probably meant for, and its type: one that is not
/// given.
fn misspelt<'r>(
    model: &Model<'_>,
    record: &'r Record,
    name: &str,
    given: &HashSet<&str>,
) -> Option<(&'r str, &'r Type)> {
    let known = record.iter().map(|(n, _)| n).filter(|n| !given.contains(n));
    let near = suggest::nearest(name, model.guesses.among(known)).filter(|near| near.certain)?.name;
    Some((near, record.get(near)?))
}

fn missing(
    model: &Model<'_>,
    fields: &[ast::Field],
    record: &Record,
    span: Span,
    of: &dyn Fn() -> String,
    out: &mut Vec<Diagnostic>,
) {
    let required = record.iter().filter(|(_, ty)| !model.types().accepts_null(ty));
    // a field that is misspelt has been reported; it is not missing as well
    let unknown = fields.iter().filter(|f| record.get(&f.name.value).is_none()).count();
    let given: HashSet<&str> = fields.iter().map(|f| f.name.value.as_str()).collect();
    let lacking: Vec<(&str, &Type)> = required.filter(|(name, _)| !given.contains(name)).collect();
    let lacking: Vec<(&str, &Type)> = if unknown == 0 {
        lacking
    } else {
        let meant: HashSet<&str> = fields
            .iter()
            .filter(|f| record.get(&f.name.value).is_none())
            .filter_map(|f| {
                if record.rest().is_some() {
                    return misspelt(model, record, &f.name.value, &given).map(|near| near.0);
                }
                let known = model.guesses.among(record.iter().map(|(n, _)| n));
                suggest::closest(&f.name.value, known)
            })
            .collect();
        lacking.into_iter().filter(|(name, _)| !meant.contains(name)).collect()
    };
    if !lacking.is_empty() {
        out.push(rules::missing_input::report(span, &of(), &lacking));
    }
}

/// Checks a value against a type. Recursion is bounded by the depth of the source.
pub(super) fn check(
    model: &Model<'_>,
    value: &Value,
    expected: &Type,
    place: &Place<'_>,
    out: &mut Vec<Diagnostic>,
) {
    budget::enforce(out);
    let types = model.types();
    let ty = types.resolve(expected);
    match ty {
        Type::Any if types.secrets => return leaks(model, value, place, out),
        Type::Any | Type::Error => return,
        Type::Union(members) if members.iter().any(|member| is_anything(model, member)) => {
            return leaks(model, value, place, out);
        }
        _ => {}
    }
    let place = &Place { secret: place.secret || matches!(ty, Type::Secret(_)), ..*place };
    // a name may stand for `any` among alternatives
    let is_any = |ty: &Type| matches!(ty, Type::Any | Type::Error);
    if !matches!(value.kind, ValueKind::Text(_)) && !shapes(model, ty, is_any).is_empty() {
        return leaks(model, value, place, out);
    }
    let literal = |shown: &str, out: &mut Vec<Diagnostic>| {
        if budget::is_spent(out) {
            return budget::count(out, &rules::type_mismatch::RULE, value.span);
        }
        let name = place.name();
        let target = rules::Target { name: &name, ty: expected, declared: place.declared };
        let edits = coerce::edits(types, expected, value);
        out.push(rules::type_mismatch::literal(shown, value.span, &target, edits));
    };
    match &value.kind {
        ValueKind::Error => {}
        ValueKind::Text(template) => text(model, value, template, expected, place, out),
        ValueKind::Null | ValueKind::Bool(_) | ValueKind::Number(_) => {
            let json = value.to_json().unwrap_or_default();
            if !types.accepts(ty, &json) {
                literal(&json.to_string(), out);
            }
        }
        ValueKind::List(items) => match shapes(model, ty, |t| matches!(t, Type::List(_))).as_slice() {
            [] => literal("[…]", out),
            [Type::List(item)] => {
                for (i, value) in items.iter().enumerate() {
                    check(model, value, item, &place.inside(Step::Item(i)), out);
                }
            }
            several => one_of(model, value, several, expected, place, out),
        },
        ValueKind::Record(fields) => {
            match shapes(model, ty, |t| matches!(t, Type::Record(_) | Type::Map(_))).as_slice() {
                [] => literal("{…}", out),
                [Type::Map(item)] => {
                    for field in fields {
                        check(model, &field.value, item, &place.inside(Step::Field(&field.name.value)), out);
                    }
                }
                [Type::Record(record)] => {
                    let of = || format!("`{}`", place.name());
                    let given: HashSet<&str> = match record.rest() {
                        Some(_) => fields.iter().map(|f| f.name.value.as_str()).collect(),
                        None => HashSet::new(),
                    };
                    for field in fields {
                        let name = &field.name;
                        let known = record.get(&name.value);
                        if known.is_none() {
                            let guesses = &model.guesses;
                            if record.rest().is_none() {
                                out.push(rules::unknown_field::report(name, &of(), record, guesses));
                            } else if let Some(near) = misspelt(model, record, &name.value, &given) {
                                out.push(if model.types().accepts_null(near.1) {
                                    rules::undeclared_field::report(name, &of(), near.0)
                                } else {
                                    rules::unknown_field::report(name, &of(), record, guesses)
                                });
                            }
                            budget::enforce(out);
                        }
                        if let Some(ty) = known.or(record.rest()) {
                            check(model, &field.value, ty, &place.inside(Step::Field(&name.value)), out);
                        }
                    }
                    missing(model, fields, record, value.span, &of, out);
                }
                several => one_of(model, value, several, expected, place, out),
            }
        }
    }
}

/// Whether a type, or one of the members of a union, is anything by its name.
fn is_anything(model: &Model<'_>, ty: &Type) -> bool {
    match model.types().resolve(ty) {
        Type::Any | Type::Error => true,
        Type::Union(members) => members.iter().any(|member| is_anything(model, member)),
        _ => false,
    }
}

/// The members of a type (itself, or those of a union) of a certain shape.
fn shapes<'t>(model: &'t Model<'_>, ty: &'t Type, wanted: fn(&Type) -> bool) -> Vec<&'t Type> {
    match model.types().resolve(ty) {
        Type::Union(members) => members.iter().flat_map(|m| shapes(model, m, wanted)).collect(),
        Type::Secret(inner) => shapes(model, inner, wanted),
        one if wanted(one) => vec![one],
        _ => Vec::new(),
    }
}

fn one_of(
    model: &Model<'_>,
    value: &Value,
    members: &[&Type],
    expected: &Type,
    place: &Place<'_>,
    out: &mut Vec<Diagnostic>,
) {
    let fits = members.iter().any(|member| {
        model.tries.set(model.tries.get().saturating_sub(1));
        if model.tries.get() == 0 {
            return true;
        }
        let mut scratch = Vec::new();
        check(model, value, member, place, &mut scratch);
        !has_errors(&scratch)
    });
    if !fits {
        let name = place.name();
        let target = rules::Target { name: &name, ty: expected, declared: place.declared };
        let shown = if matches!(value.kind, ValueKind::List(_)) { "[…]" } else { "{…}" };
        out.push(rules::type_mismatch::literal(shown, value.span, &target, None));
    }
}

fn text(
    model: &Model<'_>,
    value: &Value,
    template: &Template,
    expected: &Type,
    place: &Place<'_>,
    out: &mut Vec<Diagnostic>,
) {
    let types = model.types();
    if let Some(reference) = template.as_reference() {
        let Some(ty) = model.references.get(reference.id as usize) else { return };
        let Err(mismatch) = types.assign(ty, expected) else { return };
        let (given, name) = (written(reference), place.name());
        let given = Given { name: &given, ty, span: reference.span };
        let target = rules::Target { name: &name, ty: expected, declared: place.declared };
        if mismatch.leak {
            if !place.secret {
                out.push(leak(model, reference, &mismatch.path, place));
            }
            return;
        }
        out.push(if mismatch.witness == Some(Json::Null) {
            rules::optional_into_required::report(&given, &target, &mismatch)
        } else {
            // one for a list of one
            let fits = types.assign(&ty.clone().list(), expected).is_ok();
            let edits = fits.then(|| coerce::wrap(value.span));
            rules::type_mismatch::report(&given, &target, &mismatch, edits)
        });
        return;
    }
    if template.is_native() {
        return;
    }
    if types.secrets && !place.secret && !takes_secret(model, expected) {
        leaks(model, value, place, out);
    }
    if template.broken {
        return;
    }
    let name = || place.name();
    if let Some(text) = template.as_text() {
        if !types.accepts(expected, &Json::from(text)) {
            let name = name();
            let target = rules::Target { name: &name, ty: expected, declared: place.declared };
            let words = words(types.resolve(expected));
            let edits = coerce::edits(types, expected, value);
            out.push(if let Some(right) = meant(model, text, value.span) {
                rules::type_mismatch::bare(text, &right, value.span, &target)
            } else if words.is_empty() {
                rules::type_mismatch::literal(&format!("{text:?}"), value.span, &target, edits)
            } else {
                rules::type_mismatch::word(text, value.span, &target, &words, edits)
            });
        }
        return;
    }
    let accepts_text = !shapes(model, expected, |t| {
        matches!(
            t,
            Type::String
                | Type::Url
                | Type::Path
                | Type::Duration
                | Type::Bytes
                | Type::Datetime
                | Type::Any
                | Type::Error
        )
    })
    .is_empty();
    if !accepts_text {
        let name = name();
        let target = rules::Target { name: &name, ty: expected, declared: place.declared };
        out.push(rules::type_mismatch::literal("a text", value.span, &target, None));
    }
}

/// The reference that a text was meant to be: one without its `${…}`, or in the form of another language.
pub(super) fn meant(model: &Model<'_>, text: &str, span: Span) -> Option<String> {
    let inside = |place: Span| place.file == span.file && span.start <= place.start && place.end <= span.end;
    if is_bare_reference(model, text) {
        return Some(format!("${{{text}}}"));
    }
    let found = model.foreign.iter().find(|found| found.shown == text && inside(found.span))?;
    Some(found.right.clone())
}

/// Whether a text is a reference without its `${…}`: `inputs.skip`, `probe.has_video`.
fn is_bare_reference(model: &Model<'_>, text: &str) -> bool {
    let known = |reference: &Reference| match (&reference.root.value, reference.path.first()) {
        (Root::Inputs, Some(Spanned { value: Segment::Field(name), .. })) => {
            model.inputs.iter().any(|input| input.name.value == *name)
        }
        (Root::Operation(name), Some(_)) => model.workflow.find(name).is_some(),
        _ => false,
    };
    text.len() < 200
        && text.contains('.')
        && !text.contains(['$', '}'])
        && expr::alone(text).is_some_and(|reference| known(&reference))
}

/// Reports the references of a value that hold a secret and go where it shows. Recursion as above.
pub(super) fn leaks(model: &Model<'_>, value: &Value, place: &Place<'_>, out: &mut Vec<Diagnostic>) {
    if !model.types().secrets || place.secret {
        return;
    }
    match &value.kind {
        ValueKind::Text(template) => {
            for reference in template.references() {
                let ty = model.references.get(reference.id as usize);
                if let Some(path) = ty.and_then(|ty| model.types().secret_in(ty)) {
                    out.push(leak(model, reference, &path, place));
                }
            }
        }
        ValueKind::List(items) => {
            for (i, item) in items.iter().enumerate() {
                leaks(model, item, &place.inside(Step::Item(i)), out);
            }
        }
        ValueKind::Record(fields) => {
            for field in fields {
                leaks(model, &field.value, &place.inside(Step::Field(&field.name.value)), out);
            }
        }
        _ => {}
    }
}

fn leak(model: &Model<'_>, reference: &Reference, path: &str, place: &Place<'_>) -> Diagnostic {
    let target = model.targets.get(reference.id as usize).copied().unwrap_or(Target::Unknown);
    let origin = match target {
        Target::Input(i) => Some(model.inputs[i].ty.span),
        target => target.operation().and_then(|i| model.operations[i].kind?.declared),
    };
    let from = format!("{}{path}", written(reference));
    let to = format!("{}.{}", place.owner, place.name());
    rules::secret_leak::report(&from, &to, reference.span, origin, place.declared)
}

/// Where a value of type `ty` has a secret in clear text. Recursion is bounded by the depth of the source.
pub(super) fn secret_written(model: &Model<'_>, ty: &Type, value: &Value) -> Option<Span> {
    let types = model.types();
    match (types.resolve(ty), &value.kind) {
        (_, ValueKind::Null | ValueKind::Error) => None,
        (Type::Secret(_), ValueKind::Text(template)) if template.parts.is_empty() => None,
        (Type::Secret(_), _) => Some(value.span),
        (Type::Union(members), _) => members.iter().find_map(|member| {
            let fits = value.to_json().is_some_and(|value| types.accepts(member, &value));
            if fits { secret_written(model, member, value) } else { None }
        }),
        (Type::List(item), ValueKind::List(items)) => {
            items.iter().find_map(|value| secret_written(model, item, value))
        }
        (Type::Map(item), ValueKind::Record(fields)) => {
            fields.iter().find_map(|field| secret_written(model, item, &field.value))
        }
        (Type::Record(record), ValueKind::Record(fields)) => fields.iter().find_map(|field| {
            let ty = record.get(&field.name.value).or(record.rest())?;
            secret_written(model, ty, &field.value)
        }),
        _ => None,
    }
}

/// Whether one of the members of a type is a secret.
fn takes_secret(model: &Model<'_>, ty: &Type) -> bool {
    match model.types().resolve(ty) {
        Type::Secret(_) => true,
        Type::Union(members) => members.iter().any(|m| takes_secret(model, m)),
        _ => false,
    }
}

/// The texts that a union of literals takes.
fn words(ty: &Type) -> Vec<&str> {
    let members = match ty {
        Type::Union(members) => members,
        other => std::slice::from_ref(other),
    };
    members.iter().filter_map(|m| if let Type::Literal(value) = m { value.as_str() } else { None }).collect()
}

/// The type of a value. Recursion is bounded by the depth of the source.
pub(super) fn type_of(model: &Model<'_>, value: &Value) -> Type {
    match &value.kind {
        ValueKind::Error => Type::Error,
        ValueKind::Null => Type::Null,
        ValueKind::Bool(_) => Type::Bool,
        ValueKind::Number(n) => crate::types::type_of(&Json::Number(n.clone())),
        ValueKind::Text(template) => {
            if template.broken {
                Type::Error
            } else if let Some(text) = template.as_text() {
                Type::Literal(Json::from(text).into())
            } else if let Some(reference) = template.as_reference() {
                model.references.get(reference.id as usize).cloned().unwrap_or(Type::Error)
            } else if template.is_native() {
                Type::Any
            } else {
                let secret = |r: &Reference| {
                    let ty = model.references.get(r.id as usize);
                    ty.is_some_and(|ty| model.types().secret_in(ty).is_some())
                };
                if model.types().secrets && template.references().any(secret) {
                    Type::Secret(Type::String.into())
                } else {
                    Type::String
                }
            }
        }
        ValueKind::List(items) => {
            let many = items.len() > 16; // a union of that many literals says no more than `string`
            let types = items.iter().map(|v| match type_of(model, v) {
                Type::Literal(value) if many && value.is_string() => Type::String,
                ty => ty,
            });
            Type::union(types.collect::<Vec<_>>()).list()
        }
        ValueKind::Record(fields) => {
            Type::record(fields.iter().map(|f| (f.name.value.as_str(), type_of(model, &f.value))))
        }
    }
}

/// Whether a reference of the value may find its operation skipped. Recursion as above.
pub(super) fn may_be_skipped(model: &Model<'_>, value: &Value) -> bool {
    match &value.kind {
        ValueKind::Text(template) => template.references().filter(|r| r.default.is_none()).any(|r| {
            let target = model.targets.get(r.id as usize);
            target.and_then(|t| t.operation()).is_some_and(|i| model.operations[i].conditional)
        }),
        ValueKind::List(items) => items.iter().any(|v| may_be_skipped(model, v)),
        ValueKind::Record(fields) => fields.iter().any(|f| may_be_skipped(model, &f.value)),
        _ => false,
    }
}
