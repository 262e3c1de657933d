//! Names: from the workflow as written to a [`Model`] in which every name is bound. Types are `check`'s part.

mod foreign;
mod imports;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use hashbrown::HashMap as FastMap;

use crate::ast::{Foreign, Value, ValueKind, Workflow};
use crate::budget;
use crate::catalog::Catalog;
use crate::diagnostic::Diagnostic;
use crate::expr::{Native, Part, Reference, Root, Segment};
use crate::model::{Edge, Meant, Model, Operation, Target};
use crate::reference as token;
use crate::rules;
use crate::source::{Mention, Span, Spanned};
use crate::suggest::{self, Guesses, Near};
use crate::types::Type;

use foreign::Named;
pub(crate) use imports::{Imports, Merged, SubWorkflow, beside, merge};

/// Alternatives of unions that are tried in one file.
const TRIES: u32 = 100_000;

/// Binds every name of the workflow.
pub(crate) fn resolve<'a>(
    workflow: &'a Workflow,
    Merged { catalog, used_types, workflows, .. }: &'a Merged,
    out: &mut Vec<Diagnostic>,
) -> Model<'a> {
    let inputs =
        workflow.inputs.iter().enumerate().map(|(i, input)| (input.name.value.as_str(), i)).collect();
    let mut resolver = Resolver {
        workflow,
        inputs,
        used_inputs: vec![false; workflow.inputs.len()],
        beginnings: Vec::with_capacity(workflow.operations.len()),
        fills: workflow.nests || !workflow.inputs.is_empty(),
        targets: vec![Target::Unknown; workflow.references as usize],
        mentions: Vec::with_capacity(workflow.references as usize),
        owner: None,
        guesses: Guesses::new(),
        meant: Vec::new(),
        unclear: false,
        out,
    };
    let operations: Vec<Operation<'a>> =
        (0..workflow.operations.len()).map(|i| resolver.operation(i, catalog, workflows)).collect();
    resolver.owner = None;
    let mut read = Vec::new();
    for output in &workflow.outputs {
        resolver.value(&output.value, None, &mut read);
    }
    if let Some(link) = &workflow.run.link {
        let mut edges = Vec::new();
        resolver.value(link, None, &mut edges);
        if let Some(edge) = edges.first() {
            let message = "`link` cannot refer to an output: the link is set before any operation runs";
            resolver.out.push(rules::bad_expression::report(edge.span, message, "use an input"));
        }
    }
    resolver.unread();
    let foreign = resolver.foreign(&operations, catalog);
    let Resolver { used_inputs, beginnings, fills, targets, mentions, guesses, meant, unclear, .. } =
        resolver;
    fan_out_names(workflow, out);
    let references = vec![Type::Error; targets.len()];
    Model {
        workflow,
        catalog,
        inputs: &workflow.inputs,
        operations,
        outputs: read.into_iter().map(|edge| edge.to).collect(),
        used_types,
        used_inputs,
        meant,
        unclear,
        beginnings,
        foreign,
        fills,
        mentions,
        targets,
        references,
        perhaps: RefCell::default(),
        tries: Cell::new(TRIES),
        guesses,
    }
}

struct Resolver<'a, 'o> {
    workflow: &'a Workflow,
    inputs: FastMap<&'a str, usize>,
    used_inputs: Vec<bool>,
    beginnings: Vec<u128>,
    fills: bool,
    targets: Vec<Target>,
    mentions: Vec<Mention>,
    /// The name of the operation whose references are being bound.
    owner: Option<Span>,
    guesses: Guesses,
    meant: Vec<usize>,
    unclear: bool,
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
        self.owner = Some(ast.name.span);
        self.beginnings.push(beginning(&ast.name.value));
        self.fills |=
            ast.name.value.contains('@') || ast.uses.as_ref().is_some_and(|u| u.value.contains('@'));
        let kind = ast.uses.as_ref().and_then(|uses| {
            let found = catalog.get(&uses.value);
            if found.is_none() {
                let known = self.guesses.among(catalog.iter().map(|t| t.name.as_ref()));
                self.out.push(rules::unknown_operation_type::report(uses, known));
            }
            found
        });
        let sub = ast.workflow.as_ref().and_then(|path| workflows.get(&path.value));
        let (kind, sub) = (kind.or(sub.map(|s| &s.kind)), sub.map(|s| s.unit.as_ref()));
        let mut edges = Vec::new();
        for value in [ast.with.as_ref(), ast.when.as_deref()].into_iter().flatten() {
            self.value(value, Some(i), &mut edges);
        }
        if let Some(each) = &ast.each {
            self.fills = true;
            self.value(each, None, &mut edges);
        }
        for name in &ast.after {
            if let Some(to) = self.workflow.find(&name.value) {
                edges.push(Edge { to, span: name.span, soft: true, order: true });
            } else {
                let near = self.nearest_operation(&name.value);
                self.out.push(rules::unknown_operation::report(name, near));
                budget::enforce(self.out);
            }
        }
        edges.retain(|edge| {
            if edge.to == i {
                let report =
                    if edge.order { rules::self_reference::after } else { rules::self_reference::report };
                self.out.push(report(&ast.name.value, edge.span));
                budget::enforce(self.out);
            }
            edge.to != i
        });
        edges.shrink_to_fit();
        Operation { ast, kind, sub, edges, item: None, output: Type::Error, conditional: false }
    }

    /// Binds the references of a value. Recursion is bounded by the depth of the source.
    fn value(&mut self, value: &'a Value, inside: Option<usize>, edges: &mut Vec<Edge>) {
        match &value.kind {
            ValueKind::Text(template) => {
                for part in &template.parts {
                    let span = match part {
                        Part::Text(text) => {
                            self.bare_input(text);
                            continue;
                        }
                        Part::Reference(reference) => {
                            self.reference(reference, inside, edges);
                            reference.span
                        }
                        Part::Native(native) => {
                            self.native(native, inside, edges);
                            native.span
                        }
                    };
                    self.mentions.push(Mention { operation: self.owner, span });
                    budget::enforce(self.out);
                }
            }
            ValueKind::List(items) => items.iter().for_each(|v| self.value(v, inside, edges)),
            ValueKind::Record(fields) => fields.iter().for_each(|f| self.value(&f.value, inside, edges)),
            ValueKind::Error | ValueKind::Null | ValueKind::Bool(_) | ValueKind::Number(_) => {}
        }
    }

    /// The placeholders of other languages that name something, which counts as used.
    fn foreign(&mut self, operations: &[Operation<'_>], catalog: &Catalog) -> Vec<Meant> {
        let mut found = Vec::new();
        for placeholder in &self.workflow.foreign {
            let inputs = |name: &str| self.inputs.get(name).copied();
            let find = |name: &str| self.workflow.find(name);
            let meaning = foreign::meaning(placeholder, &inputs, operations, &find, catalog);
            let Some((right, named)) = meaning else { continue };
            match named {
                Named::Input(i) => self.used_inputs[i] = true,
                Named::Operation(i) => self.meant.push(i),
                Named::Other => {}
            }
            let Foreign { span, shown, certain, .. } = placeholder;
            found.push(Meant { span: *span, shown: shown.clone(), right, certain: *certain });
        }
        found
    }

    /// What texts under unknown keys name counts as used: `inputs.NAME`, and operations.
    fn unread(&mut self) {
        for text in &self.workflow.unread {
            let words = text.split(|c: char| !(crate::expr::is_name_char(c) || c == '.'));
            for word in words.filter(|word| !word.is_empty()) {
                let (first, rest) = word.split_once('.').unwrap_or((word, ""));
                let second = rest.split('.').next().unwrap_or_default();
                for name in [first, second] {
                    if let Some(i) = self.inputs.get(name) {
                        self.used_inputs[*i] = true;
                    }
                    self.meant.extend(self.workflow.find(name));
                }
            }
        }
    }

    /// The input of a reference without its `${…}` counts as used: that is told where the text doesn't fit.
    fn bare_input(&mut self, text: &str) {
        let name = text.strip_prefix("inputs.").and_then(|rest| rest.split(['.', '[']).next());
        if let Some(i) = name.and_then(|name| self.inputs.get(name)) {
            self.used_inputs[*i] = true;
        }
    }

    fn reference(&mut self, reference: &'a Reference, inside: Option<usize>, edges: &mut Vec<Edge>) {
        let target = match &reference.root.value {
            Root::Operation(name) => {
                if let Some(to) = self.workflow.find(name) {
                    let soft = reference.default.is_some();
                    edges.push(Edge { to, span: reference.span, soft, order: false });
                    Target::Operation(to)
                } else {
                    let name = Spanned::new(name.clone(), reference.root.span);
                    let is_input = self.inputs.contains_key(name.value.as_str());
                    if let Some(finding) = self.other_words(reference, &name, inside) {
                        self.unclear = true;
                        // whatever the word before it, the input is used
                        let field = reference.path.first().map(|step| &step.value);
                        if let Some(Segment::Field(field)) = field
                            && let Some(i) = self.inputs.get(field.as_str())
                        {
                            self.used_inputs[*i] = true;
                        }
                        self.out.push(finding);
                        return;
                    }
                    let near = if is_input { None } else { self.nearest_operation(&name.value) };
                    self.out.push(rules::unknown_output::report(&name, near, is_input));
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

    /// A finding for a reference that begins as in another language: `steps.probe`, `params.url`, `item.height`.
    fn other_words(
        &self,
        reference: &Reference,
        name: &Spanned<String>,
        inside: Option<usize>,
    ) -> Option<Diagnostic> {
        let first = match reference.path.first() {
            Some(Spanned { value: Segment::Field(field), span }) => Some((field.as_str(), *span)),
            _ => None,
        };
        match (name.value.as_str(), first) {
            ("operations" | "operation" | "steps" | "tasks" | "jobs" | "nodes", Some((field, span)))
                if self.workflow.find(field).is_some() =>
            {
                Some(rules::unknown_output::prefix(name, field, span))
            }
            ("input" | "params" | "parameters" | "args" | "arguments" | "vars" | "var", Some((field, _)))
                if self.inputs.contains_key(field) =>
            {
                Some(rules::unknown_output::root(name, "inputs"))
            }
            (_, Some(_)) if let Some(steps) = self.dotted(reference, name) => {
                Some(rules::unknown_output::dotted(name, reference, steps))
            }
            ("item", _) if inside.is_some_and(|i| self.workflow.operations[i].each.is_some()) => {
                Some(rules::unknown_output::root(name, "each"))
            }
            _ => None,
        }
    }

    /// How many steps behind it make a name with dots in it the name of an operation: `load.data.rows`, where one is called
    /// `load.data`.
    fn dotted(&self, reference: &Reference, name: &Spanned<String>) -> Option<usize> {
        let mut full = name.value.clone();
        for (i, step) in reference.path.iter().take(8).enumerate() {
            let Segment::Field(field) = &step.value else { return None };
            full = format!("{full}.{field}");
            if self.workflow.find(&full).is_some() {
                return Some(i + 1);
            }
        }
        None
    }

    fn input(&mut self, reference: &Reference) -> Target {
        let Some(first) = reference.path.first() else {
            self.used_inputs.fill(true);
            return Target::Inputs;
        };
        let Segment::Field(name) = &first.value else {
            self.out.push(rules::bad_expression::report(
                first.span,
                "invalid reference to an input: expected a name",
                "expected `.name`",
            ));
            return Target::Unknown;
        };
        if let Some(i) = self.inputs.get(name.as_str()) {
            self.used_inputs[*i] = true;
            Target::Input(*i)
        } else {
            if let Some(i) = self.workflow.find(name) {
                self.meant.push(i);
                let whole = reference.root.span;
                let near = suggest::closest(name, self.guesses.among(self.inputs.keys().copied()));
                self.out.push(rules::unknown_input::is_operation(name, whole, first.span, near));
                return Target::Unknown;
            }
            let near = self.nearest_input(name);
            self.out.push(rules::unknown_input::report(name, first.span, near));
            Target::Unknown
        }
    }

    /// The input that was probably meant, which counts as used.
    fn nearest_input(&mut self, name: &str) -> Option<Near<'a>> {
        let known = self.guesses.among(self.inputs.keys().copied());
        let near = suggest::nearest(name, known)?;
        if let Some(i) = self.inputs.get(near.name) {
            self.used_inputs[*i] = true;
        }
        Some(near)
    }

    /// The operation that was probably meant, which counts as used.
    fn nearest_operation(&mut self, name: &str) -> Option<Near<'a>> {
        let near = suggest::nearest(name, self.guesses.among(self.workflow.operation_names()));
        match near.and_then(|near| self.workflow.find(near.name)) {
            Some(i) => self.meant.push(i),
            None => self.unclear = true,
        }
        near
    }

    /// POP's own tokens make edges too.
    fn native(&mut self, native: &Native, inside: Option<usize>, edges: &mut Vec<Edge>) {
        self.fills = true;
        let Some(reference) = &native.reference else { return self.run_token(native, inside) };
        let target = match &reference.root.value {
            Root::Operation(name) => self.native_output(name, native, reference, edges),
            _ => match reference.path.first() {
                None => {
                    self.used_inputs.fill(true);
                    Target::Inputs
                }
                Some(Spanned { value: Segment::Field(name), span }) => {
                    if let Some(i) = self.inputs.get(name.as_str()) {
                        self.used_inputs[*i] = true;
                        Target::Input(*i)
                    } else {
                        let near = self.nearest_input(name);
                        self.out.push(rules::unknown_input::native(name, *span, near));
                        Target::Unknown
                    }
                }
                Some(_) => Target::Unknown,
            },
        };
        if let Some(slot) = self.targets.get_mut(reference.id as usize) {
            *slot = target;
        }
    }

    /// A token that stands for something of the run, or of the item inside a fan-out.
    fn run_token(&mut self, native: &Native, inside: Option<usize>) {
        let Some(token) = token::whole(&native.text) else { return };
        let fanned = inside.is_some_and(|i| self.workflow.operations[i].each.is_some());
        let of_item = ["pop.each", "pop.each_index"];
        if !token.name.starts_with("pop.") || fanned && of_item.contains(&token.name) {
            return; // a pointer that can't be read, which was told; or the item
        }
        if !token::RUN_TOKENS.contains(&token.name) {
            let known = token::RUN_TOKENS.into_iter().chain(of_item.into_iter().filter(|_| fanned));
            self.out.push(rules::unknown_output::native(native.span, token.name, known));
        } else if token.default.is_none() && !token.path().is_empty() {
            self.out.push(rules::bad_pointer::into_text(native.span, &native.text, token.name));
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
            let to = self.workflow.find(stem).filter(fanned)?;
            if n == "*" { Some(Target::Items(to)) } else { n.parse().ok().map(|n| Target::Item(to, n)) }
        });
        let target = match self.workflow.find(name) {
            // the whole of a fan-out has no output of its own: the agenda's checks say what is wrong with that
            Some(to) => Some(Target::Operation(to)),
            None => item,
        };
        if let Some(target) = target {
            let soft = reference.default.is_some() && token::whole(&native.text).is_some_and(|t| t.copes());
            edges.extend(target.operation().map(|to| Edge { to, span: native.span, soft, order: false }));
            return target;
        }
        let name = Spanned::new(name.to_owned(), native.span);
        let near = self.nearest_operation(&name.value);
        self.out.push(rules::unknown_output::report(&name, near, false));
        Target::Unknown
    }
}

/// The first sixteen bytes of a name, which compare as it does.
fn beginning(name: &str) -> u128 {
    let mut beginning = [0; 16];
    let length = name.len().min(beginning.len());
    beginning[..length].copy_from_slice(&name.as_bytes()[..length]);
    u128::from_be_bytes(beginning)
}

/// Operations that are called as those of a fan-out are: `encode.0` or `encode.each` beside a fanned-out `encode`.
fn fan_out_names(workflow: &Workflow, out: &mut Vec<Diagnostic>) {
    for operation in &workflow.operations {
        let Some((stem, last)) = operation.name.value.rsplit_once('.') else { continue };
        let number = !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit());
        if (number || last == "each")
            && let Some(i) = workflow.find(stem)
            && let fan_out = &workflow.operations[i]
            && fan_out.each.is_some()
        {
            out.push(rules::duplicate_name::of_fan_out(&operation.name, &fan_out.name));
        }
    }
}
