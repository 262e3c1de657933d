//! Names: from the workflow as written to a [`Model`] in which every name is bound. Types are `check`'s part.

mod imports;

use std::cell::Cell;
use std::collections::HashMap;

use crate::ast::{Value, ValueKind, Workflow};
use crate::catalog::Catalog;
use crate::check::{Edge, Model, Operation, Target};
use crate::diagnostic::Diagnostic;
use crate::expr::{Native, Part, Reference, Root, Segment};
use crate::rules;
use crate::source::Spanned;
use crate::types::Type;

pub(crate) use imports::{Imports, Merged, SubWorkflow, beside, merge};

/// Alternatives of unions that are tried in one file.
const TRIES: u32 = 100_000;

/// Misspelt names for which a similar one is looked for; more would take long in a large workflow, and nobody reads them.
const SUGGESTIONS: usize = 200;

/// Binds every name of the workflow.
pub(crate) fn resolve<'a>(
    workflow: &'a Workflow,
    Merged { catalog, used_types, workflows, .. }: &'a Merged,
    out: &mut Vec<Diagnostic>,
) -> Model<'a> {
    let mut index: HashMap<&str, usize> = HashMap::with_capacity(workflow.operations.len());
    for (i, operation) in workflow.operations.iter().enumerate() {
        index.entry(operation.name.value.as_str()).or_insert(i);
    }
    let inputs =
        workflow.inputs.iter().enumerate().map(|(i, input)| (input.name.value.as_str(), i)).collect();
    let mut resolver = Resolver {
        workflow,
        index,
        inputs,
        used_inputs: vec![false; workflow.inputs.len()],
        targets: vec![Target::Unknown; workflow.references as usize],
        suggestions: SUGGESTIONS,
        out,
    };
    let operations: Vec<Operation<'a>> =
        (0..workflow.operations.len()).map(|i| resolver.operation(i, catalog, workflows)).collect();
    let mut read = Vec::new();
    for output in &workflow.outputs {
        resolver.value(&output.value, None, &mut read);
    }
    if let Some(link) = &workflow.run.link {
        let mut edges = Vec::new();
        resolver.value(link, None, &mut edges);
        if let Some(edge) = edges.first() {
            let message = "`link` is needed before any operation has run";
            resolver.out.push(rules::bad_expression::report(edge.span, message, "use an input"));
        }
    }
    let Resolver { used_inputs, targets, index, .. } = resolver;
    fan_out_names(workflow, &index, out);
    let references = vec![Type::Error; targets.len()];
    Model {
        workflow,
        catalog,
        inputs: &workflow.inputs,
        operations,
        outputs: read.into_iter().map(|edge| edge.to).collect(),
        used_types,
        used_inputs,
        targets,
        references,
        tries: Cell::new(TRIES),
    }
}

struct Resolver<'a, 'o> {
    workflow: &'a Workflow,
    index: HashMap<&'a str, usize>,
    inputs: HashMap<&'a str, usize>,
    used_inputs: Vec<bool>,
    targets: Vec<Target>,
    suggestions: usize,
    out: &'o mut Vec<Diagnostic>,
}

impl<'a> Resolver<'a, '_> {
    fn operation(
        &mut self,
        i: usize,
        catalog: &'a Catalog,
        workflows: &'a HashMap<String, SubWorkflow>,
    ) -> Operation<'a> {
        let ast = &self.workflow.operations[i];
        let kind = ast.uses.as_ref().and_then(|uses| {
            let found = catalog.get(&uses.value);
            if found.is_none() {
                let known = catalog.iter().map(|t| t.name.as_ref());
                self.out.push(rules::unknown_operation_type::report(uses, known));
            }
            found
        });
        let sub = ast.workflow.as_ref().and_then(|path| workflows.get(&path.value));
        let (kind, sub) = (kind.or(sub.map(|s| &s.kind)), sub.map(|s| s.unit.as_ref()));
        let mut edges = Vec::new();
        for value in [&ast.with, &ast.when].into_iter().flatten() {
            self.value(value, Some(i), &mut edges);
        }
        if let Some(each) = &ast.each {
            let mut over = Vec::new();
            self.value(each, None, &mut over);
            match (&each.kind, over.first()) {
                // the length of a list that is written out is known, whatever its items refer to
                (ValueKind::List(_), _) | (_, None) => edges.append(&mut over),
                (_, Some(edge)) => {
                    let name = &self.workflow.operations[edge.to].name.value;
                    self.out.push(rules::each_over_output::report(edge.span, name));
                }
            }
        }
        for name in &ast.after {
            if let Some(to) = self.index.get(name.value.as_str()) {
                edges.push(Edge { to: *to, span: name.span, soft: true, order: true });
            } else {
                let known = suggestions(&self.index, &mut self.suggestions);
                self.out.push(rules::unknown_operation::report(name, known));
            }
        }
        edges.retain(|edge| {
            if edge.to == i {
                self.out.push(rules::self_reference::report(&ast.name.value, edge.span));
            }
            edge.to != i
        });
        Operation { ast, kind, sub, edges, item: None, output: Type::Error, conditional: false }
    }

    /// Binds the references of a value. Recursion is bounded by the depth of the source.
    fn value(&mut self, value: &'a Value, inside: Option<usize>, edges: &mut Vec<Edge>) {
        match &value.kind {
            ValueKind::Text(template) => {
                for part in &template.parts {
                    match part {
                        Part::Text(_) => {}
                        Part::Reference(reference) => self.reference(reference, inside, edges),
                        Part::Native(native) => self.native(native, edges),
                    }
                }
            }
            ValueKind::List(items) => items.iter().for_each(|v| self.value(v, inside, edges)),
            ValueKind::Record(fields) => fields.iter().for_each(|f| self.value(&f.value, inside, edges)),
            ValueKind::Error | ValueKind::Null | ValueKind::Bool(_) | ValueKind::Number(_) => {}
        }
    }

    fn reference(&mut self, reference: &'a Reference, inside: Option<usize>, edges: &mut Vec<Edge>) {
        let target = match &reference.root.value {
            Root::Operation(name) => {
                if let Some(to) = self.index.get(name.as_str()) {
                    let soft = reference.default.is_some();
                    edges.push(Edge { to: *to, span: reference.span, soft, order: false });
                    Target::Operation(*to)
                } else {
                    let name = Spanned::new(name.clone(), reference.root.span);
                    let is_input = self.inputs.contains_key(name.value.as_str());
                    let known = suggestions(&self.index, &mut self.suggestions);
                    self.out.push(rules::unknown_output::report(&name, known, is_input));
                    Target::Unknown
                }
            }
            Root::Inputs => self.input(reference),
            Root::Run => match reference.path.as_slice() {
                [only] if only.value == Segment::Field("id".into()) => Target::RunId,
                [only] if only.value == Segment::Field("customer".into()) => Target::RunCustomer,
                _ => {
                    let span = reference.path.last().map_or(reference.root.span, |s| s.span);
                    self.out.push(rules::unknown_field::of_run(span));
                    Target::Unknown
                }
            },
            root @ (Root::Each | Root::EachIndex) => {
                let fanned = inside.is_some_and(|i| self.workflow.operations[i].each.is_some());
                if !fanned {
                    self.out.push(rules::bad_expression::each_outside(reference.root.span));
                    Target::Unknown
                } else if *root == Root::Each {
                    Target::Each
                } else {
                    if let Some(step) = reference.path.first() {
                        self.out.push(rules::unknown_field::of_index(step.span));
                    }
                    Target::EachIndex
                }
            }
        };
        if let Some(slot) = self.targets.get_mut(reference.id as usize) {
            *slot = target;
        }
    }

    fn input(&mut self, reference: &Reference) -> Target {
        let Some(first) = reference.path.first() else {
            self.used_inputs.fill(true);
            return Target::Inputs;
        };
        let Segment::Field(name) = &first.value else {
            self.out.push(rules::bad_expression::report(
                first.span,
                "an input has a name",
                "expected `.name`",
            ));
            return Target::Unknown;
        };
        if let Some(i) = self.inputs.get(name.as_str()) {
            self.used_inputs[*i] = true;
            Target::Input(*i)
        } else {
            let known = suggestions(&self.inputs, &mut self.suggestions);
            self.out.push(rules::unknown_input::report(name, first.span, known));
            Target::Unknown
        }
    }

    /// POP's own tokens make edges too. A name that is no input may be a parameter of the template, so it is no fault.
    fn native(&mut self, native: &Native, edges: &mut Vec<Edge>) {
        let Some(reference) = &native.reference else { return };
        let target = match &reference.root.value {
            Root::Operation(name) => self.native_output(name, native, reference, edges),
            _ => match reference.path.first().map(|step| &step.value) {
                None => {
                    self.used_inputs.fill(true);
                    Target::Inputs
                }
                Some(Segment::Field(name)) => match self.inputs.get(name.as_str()) {
                    Some(i) => {
                        self.used_inputs[*i] = true;
                        Target::Input(*i)
                    }
                    None => Target::Unknown,
                },
                Some(_) => Target::Unknown,
            },
        };
        if let Some(slot) = self.targets.get_mut(reference.id as usize) {
            *slot = target;
        }
    }

    fn native_output(
        &mut self,
        name: &str,
        native: &Native,
        reference: &Reference,
        edges: &mut Vec<Edge>,
    ) -> Target {
        let fanned = |i: &usize| self.workflow.operations[*i].each.is_some();
        let item = name.rsplit_once('.').and_then(|(stem, n)| {
            let to = self.index.get(stem).copied().filter(fanned)?;
            if n == "*" { Some(Target::Items(to)) } else { n.parse().ok().map(|n| Target::Item(to, n)) }
        });
        let target = match self.index.get(name).copied() {
            // the whole of a fan-out has no output of its own: the agenda's checks say what is wrong with that
            Some(to) => Some(Target::Operation(to)),
            None => item,
        };
        if let Some(target) = target {
            let soft = reference.default.is_some();
            edges.extend(target.operation().map(|to| Edge { to, span: native.span, soft, order: false }));
            return target;
        }
        let name = Spanned::new(name.to_owned(), native.span);
        let known = suggestions(&self.index, &mut self.suggestions);
        self.out.push(rules::unknown_output::report(&name, known, false));
        Target::Unknown
    }
}

/// The names to look for a similar one in; none once enough have been looked for.
fn suggestions<'n>(names: &HashMap<&'n str, usize>, left: &mut usize) -> impl Iterator<Item = &'n str> {
    let take = if *left > 0 { names.len() } else { 0 };
    *left = left.saturating_sub(1);
    names.keys().copied().take(take)
}

/// Operations that are called as an item of a fan-out would be: `encode.0` beside a fanned-out `encode`.
fn fan_out_names(workflow: &Workflow, index: &HashMap<&str, usize>, out: &mut Vec<Diagnostic>) {
    for operation in &workflow.operations {
        let Some((stem, number)) = operation.name.value.rsplit_once('.') else { continue };
        if !number.is_empty()
            && number.bytes().all(|b| b.is_ascii_digit())
            && let Some(i) = index.get(stem)
            && let fan_out = &workflow.operations[*i]
            && fan_out.each.is_some()
        {
            out.push(rules::duplicate_name::of_fan_out(&operation.name, &fan_out.name));
        }
    }
}
