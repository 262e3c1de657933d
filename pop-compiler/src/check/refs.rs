//! The type of each reference: step by step into the type of what it starts from. Each reference is typed once.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;

use crate::ast::{Input, Value, ValueKind};
use crate::budget;
use crate::diagnostic::Diagnostic;
use crate::expr::{Reference, Root, Segment, write_name, write_segment};
use crate::model::{Model, Target};
use crate::rules;
use crate::source::{Span, Spanned};
use crate::suggest::{self, Guesses};
use crate::types::{Type, Types, type_of};

/// Types the references of a value, and looks at texts that references are written into. Recursion is bounded by the
/// depth of the source.
pub(super) fn in_value(
    model: &mut Model<'_>,
    inside: Option<usize>,
    value: &Value,
    out: &mut Vec<Diagnostic>,
) {
    match &value.kind {
        ValueKind::Text(template) => {
            let whole = template.parts.len() == 1;
            for reference in template.references() {
                let ty = reference_type(model, inside, reference, out);
                budget::enforce(out);
                if !whole {
                    let name = || format!("`{}`", written(reference));
                    if is_composite(model.types(), &ty) {
                        out.push(rules::object_in_text::report(reference.span, &name(), &ty));
                    } else if reference.default.is_none() && is_optional(model.types(), &ty) {
                        out.push(rules::optional_in_text::report(reference.span, &name()));
                    }
                }
                if let Some(slot) = model.references.get_mut(reference.id as usize) {
                    *slot = ty;
                }
            }
        }
        ValueKind::List(items) => items.iter().for_each(|v| in_value(model, inside, v, out)),
        ValueKind::Record(fields) => fields.iter().for_each(|f| in_value(model, inside, &f.value, out)),
        ValueKind::Error | ValueKind::Null | ValueKind::Bool(_) | ValueKind::Number(_) => {}
    }
}

/// The reference as it was written, without `${`, default and `}`.
pub(super) fn written(reference: &Reference) -> String {
    let mut text = match &reference.root.value {
        Root::Operation(name) => write_name(name),
        Root::Inputs => "inputs".into(),
        Root::Run => "run".into(),
        Root::Each => "each".into(),
        Root::EachIndex => "each_index".into(),
    };
    reference.path.iter().for_each(|s| text += &write_segment(&s.value));
    text
}

fn is_composite(types: &Types, ty: &Type) -> bool {
    match types.resolve(ty) {
        Type::List(_) | Type::Map(_) | Type::Record(_) => true,
        Type::Union(members) => members.iter().any(|m| is_composite(types, m)),
        Type::Secret(inner) => is_composite(types, inner),
        _ => false,
    }
}

fn is_optional(types: &Types, ty: &Type) -> bool {
    matches!(types.resolve(ty), Type::Null | Type::Union(_) | Type::Secret(_)) && types.accepts_null(ty)
}

fn reference_type(
    model: &Model<'_>,
    inside: Option<usize>,
    reference: &Reference,
    out: &mut Vec<Diagnostic>,
) -> Type {
    let target = model.targets.get(reference.id as usize).copied().unwrap_or(Target::Unknown);
    let path = reference.path.as_slice();
    let mut walk = Walk {
        types: model.types(),
        guesses: &model.guesses,
        out,
        start: Start::Nothing,
        further: Cell::new(false),
        id: reference.id,
        perhaps: &model.perhaps,
        walked: &[],
    };
    let ty = match target {
        Target::Unknown => return Type::Error,
        Target::RunId => Type::String,
        Target::RunCustomer => Type::String.optional(),
        Target::EachIndex => Type::Int,
        Target::Inputs => {
            Type::record(model.inputs.iter().map(|i| (i.name.value.as_str(), input_type(model.types(), i))))
        }
        Target::Input(i) => {
            let input = &model.inputs[i];
            walk.start = Start::Input(&input.name.value);
            walk.along(input_type(model.types(), input), path.get(1..).unwrap_or_default())
        }
        Target::Each => {
            walk.start = Start::Each;
            let item = inside.and_then(|i| model.operations[i].item.clone()).unwrap_or(Type::Error);
            walk.along(item, path)
        }
        Target::Item(i, n) => {
            let operation = &model.operations[i];
            let name = &operation.ast.name.value;
            if let Some(each) = &operation.ast.each
                && let Some(finding) = out_of_range(each, n, reference.root.span, name, reference)
            {
                walk.out.push(finding);
                return Type::Error;
            }
            walk.start = Start::Item(name, n);
            walk.along(operation.output.clone(), path)
        }
        Target::Items(i) => {
            let operation = &model.operations[i];
            walk.start = Start::Items(&operation.ast.name.value);
            match walk.along(operation.output.clone(), path) {
                Type::Error => Type::Error,
                ty => ty.list(),
            }
        }
        Target::Operation(i) => {
            let operation = &model.operations[i];
            let name = &operation.ast.name.value;
            walk.start = Start::Operation(name);
            let output = operation.output.clone();
            match (&operation.ast.each, path.split_first()) {
                (None, _) => walk.along(output, path),
                (Some(_), Some((Spanned { value: Segment::All, .. }, rest))) => {
                    walk.start = Start::Items(name);
                    match walk.along(output, rest) {
                        Type::Error => Type::Error,
                        ty => ty.list(),
                    }
                }
                (Some(each), Some((Spanned { value: Segment::Index(n), span }, rest))) => {
                    if let Some(finding) = out_of_range(each, *n, *span, name, reference) {
                        walk.out.push(finding);
                        return Type::Error;
                    }
                    walk.start = Start::Item(name, *n);
                    walk.along(output, rest)
                }
                (Some(each), _) => {
                    walk.out.push(rules::missing_index::report(name, reference.root.span, each.span));
                    Type::Error
                }
            }
        }
    };
    let ty = if ty == Type::Error { return ty } else { ty };
    let Some(default) = &reference.default else { return ty };
    let types = model.types();
    // a native token's default has no place of its own
    if default.span != reference.span && is_always_there(model, target, reference, &ty) {
        out.push(rules::useless_fallback::report(default.span, &written(reference), &ty));
        budget::enforce(out);
    }
    let or_default = |ty: &Type| {
        let left = without_null(types, ty);
        if types.accepts(&left, &default.value) { left } else { Type::union([left, type_of(&default.value)]) }
    };
    match &ty {
        // it stands in for each item
        Type::List(item) if of_all(target, reference) => or_default(item).list(),
        ty => or_default(ty),
    }
}

/// Whether a reference leads to a list with something of each item of a fan-out.
fn of_all(target: Target, reference: &Reference) -> bool {
    let all = matches!(reference.path.first(), Some(Spanned { value: Segment::All, .. }));
    matches!(target, Target::Items(_)) || (all && matches!(target, Target::Operation(_)))
}

/// What an input is inside the workflow: a default stands in for null, so one that has a default is always there.
fn input_type(types: &Types, input: &Input) -> Type {
    let ty = &input.ty.value.ty;
    let always = input.default.as_ref().is_some_and(|default| !matches!(default.kind, ValueKind::Null));
    // what may be anything stays that
    if always && *types.resolve(ty) != Type::Any { without_null(types, ty) } else { ty.clone() }
}

/// Whether what a reference leads to is there and not null, whatever happens in a run.
fn is_always_there(model: &Model<'_>, target: Target, reference: &Reference, ty: &Type) -> bool {
    // an operation may end without an output
    let there = matches!(target, Target::Input(_) | Target::Each | Target::EachIndex | Target::RunId);
    // a list may be shorter
    let counts = |s: &Spanned<Segment>| match &s.value {
        Segment::Index(_) => true,
        Segment::Field(name) => name.bytes().all(|b| b.is_ascii_digit()),
        Segment::All => false,
    };
    there
        && *model.types().resolve(ty) != Type::Error
        && !model.types().accepts_null(ty)
        && !reference.path.iter().any(counts)
}

/// A finding when `n` is past the end of the list that `each` writes out.
fn out_of_range(each: &Value, n: u64, span: Span, name: &str, reference: &Reference) -> Option<Diagnostic> {
    let ValueKind::List(items) = &each.kind else { return None };
    let beyond = usize::try_from(n).is_ok_and(|n| n >= items.len()) && reference.default.is_none();
    beyond.then(|| rules::unknown_output::index(span, name, items.len(), each.span))
}

fn without_null(types: &Types, ty: &Type) -> Type {
    if !types.accepts_null(ty) {
        return ty.clone();
    }
    match types.resolve(ty) {
        Type::Union(members) => {
            let others = members.iter().filter(|member| *types.resolve(member) != Type::Null);
            Type::union(others.map(|member| without_null(types, member)).collect::<Vec<_>>())
        }
        Type::Null => Type::union([]),
        Type::Secret(inner) => Type::Secret(without_null(types, inner).into()),
        _ => ty.clone(),
    }
}

struct Walk<'w, 'o> {
    types: &'w Types,
    guesses: &'w Guesses,
    out: &'o mut Vec<Diagnostic>,
    start: Start<'w>,
    /// Whether the last step went to a field that its record allows, but does not name.
    further: Cell<bool>,
    /// The number of the reference, and where it is kept when it may find nothing.
    id: u32,
    perhaps: &'w RefCell<HashSet<u32>>,
    /// The steps so far.
    walked: &'w [Spanned<Segment>],
}

/// What a walk starts from.
enum Start<'w> {
    Nothing,
    Input(&'w str),
    Each,
    Operation(&'w str),
    Item(&'w str, u64),
    Items(&'w str),
}

impl<'w> Walk<'w, '_> {
    /// What has been walked so far, as written.
    fn name(&self) -> String {
        let mut name = match self.start {
            Start::Nothing => String::new(),
            Start::Input(name) => format!("inputs{}", write_segment(&Segment::Field(name.to_owned()))),
            Start::Each => "each".to_owned(),
            Start::Operation(name) => write_name(name),
            Start::Item(name, n) => format!("{}[{n}]", write_name(name)),
            Start::Items(name) => format!("{}[*]", write_name(name)),
        };
        self.walked.iter().for_each(|step| name += &write_segment(&step.value));
        name
    }

    /// The type that `path` leads to; a fault is reported once and gives [`Type::Error`].
    fn along(&mut self, from: Type, path: &'w [Spanned<Segment>]) -> Type {
        let mut ty = from;
        for (i, step) in path.iter().enumerate() {
            self.walked = &path[..i];
            ty = match self.step(&ty, step) {
                Ok(next) => {
                    if self.further.take() {
                        self.out.extend(self.misspelt(&ty, step));
                        if next == Type::Any && i + 1 == path.len() {
                            self.perhaps.borrow_mut().insert(self.id);
                        }
                    }
                    next
                }
                Err(finding) => {
                    let finding = finding.map(|finding| self.without_word(*finding, &ty, &path[i..]));
                    self.out.extend(finding);
                    return Type::Error;
                }
            };
        }
        ty
    }

    /// A finding when the field that an open record does not name is near one that it names.
    fn misspelt(&self, ty: &Type, step: &Spanned<Segment>) -> Option<Diagnostic> {
        let (Type::Record(record), Segment::Field(name)) = (self.types.resolve(ty), &step.value) else {
            return None;
        };
        let near = suggest::nearest(name, self.guesses.among(record.iter().map(|(n, _)| n)));
        let near = near.filter(|near| near.certain)?;
        let of = format!("`{}`", self.name());
        Some(rules::undeclared_field::report(&Spanned::new(name.clone(), step.span), &of, near.name))
    }

    /// The edit that takes the word `outputs` out of `probe.outputs.title`, which other languages put there.
    fn without_word(&self, finding: Diagnostic, ty: &Type, path: &[Spanned<Segment>]) -> Diagnostic {
        let [Spanned { value: Segment::Field(word), span }, next, ..] = path else { return finding };
        let known = ["out", "output", "outputs", "result", "results"].contains(&word.as_str());
        if !known
            || next.span.start != span.end + 1
            || !matches!(self.step(ty, next), Ok(ty) if ty != Type::Any)
        {
            return finding;
        }
        let finding = finding.help(format!("a field follows the operation directly; drop `{word}`"));
        finding.edit(Span { end: next.span.start, ..*span }, "")
    }

    fn step(&self, ty: &Type, step: &Spanned<Segment>) -> Result<Type, Option<Box<Diagnostic>>> {
        let of = || format!("`{}`", self.name());
        let (name, index) = match &step.value {
            Segment::All => return Err(Some(Box::new(rules::not_a_list::all(step.span, &of())))),
            Segment::Field(name) => (Some(name.as_str()), name.parse::<u64>().is_ok()),
            Segment::Index(_) => (None, true),
        };
        match self.types.resolve(ty) {
            Type::Any => Ok(Type::Any),
            Type::Error => Err(None),
            Type::List(_) if name.is_some_and(|n| index && n.len() > 1 && n.starts_with('0')) => {
                Err(Some(Box::new(rules::bad_pointer::index(step.span, name.unwrap_or_default()))))
            }
            Type::List(item) if index => Ok(item.as_ref().clone()),
            Type::Map(item) if name.is_some() => {
                self.further.set(true);
                Ok(item.as_ref().clone().optional())
            }
            Type::Secret(inner) => self.step(inner, step).map(|t| Type::Secret(t.into())),
            Type::Record(record) if name.is_some() => {
                let name = name.unwrap_or_default();
                if let (None, Some(rest)) = (record.get(name), record.rest()) {
                    self.further.set(true);
                    return Ok(rest.clone().optional());
                }
                record.get(name).cloned().ok_or_else(|| {
                    let name = Spanned::new(name.to_owned(), step.span);
                    Some(Box::new(rules::unknown_field::report(&name, &of(), record, self.guesses)))
                })
            }
            Type::Union(members) => {
                // What some members have is there sometimes; what none has is a fault.
                let mut found = Vec::new();
                let mut fault = None;
                for member in members.iter() {
                    match self.step(member, step) {
                        Ok(ty) => found.push(ty),
                        Err(why) => {
                            if *member != Type::Null && fault.is_none() {
                                fault = why;
                            }
                            found.push(Type::Null);
                        }
                    }
                }
                if found.iter().all(|t| *t == Type::Null) { Err(fault) } else { Ok(Type::union(found)) }
            }
            other => Err(Some(Box::new(match name {
                Some(name) => rules::unknown_field::no_fields(name, step.span, &of(), other),
                None => rules::not_a_list::index(step.span, &of(), other),
            }))),
        }
    }
}
