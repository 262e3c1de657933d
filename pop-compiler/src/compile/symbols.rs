//! The names of a workflow and their meaning, gathered on request from the checked workflow.

use std::collections::HashMap;

use crate::ast::{Declared, Input, Value, ValueKind};
use crate::catalog::{Catalog, OperationType};
use crate::check::Checked;
use crate::expr::{Native, Part, Reference, Segment, write_segment};
use crate::model::{Model, Operation, Target};
use crate::reference::{self, RUN_TOKENS};
use crate::source::{FileId, Span, Spanned};
use crate::types::{Type, TypeExpr};

/// A name in a text: a definition or a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// Place of the name, or of the whole reference, such as `${probe.file}`.
    pub span: Span,
    /// Meaning of the name.
    pub target: SymbolTarget,
    /// Type in the type language; none if unknown. For a reference it is the type of the value, for an operation or an
    /// operation type that of the output, and for a named type its definition.
    pub ty: Option<String>,
}

impl Symbol {
    /// Whether the symbol is the definition of its target.
    pub fn is_definition(&self) -> bool {
        self.target.definition == Some(self.span)
    }
}

/// Target of a [`Symbol`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SymbolTarget {
    /// Kind of the target.
    pub kind: SymbolKind,
    /// Name of the target, such as `probe`; empty for all inputs, and for the item of a fan-out.
    pub name: String,
    /// Path from the target, as written in a reference, such as `.streams[0]`; mostly empty.
    pub path: String,
    /// Place of the definition. None for built-in names, and for names that code defines.
    pub definition: Option<Span>,
}

/// Kind of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SymbolKind {
    /// An input of the workflow.
    Input,
    /// All inputs.
    Inputs,
    /// An output of the workflow.
    Output,
    /// An operation, or a part of its output.
    Operation,
    /// An operation type.
    OperationType,
    /// A workflow used as an operation.
    Workflow,
    /// An input of an operation type: a key of `with`. The definition is that of the operation type.
    Parameter,
    /// A named type.
    Type,
    /// The item of a fan-out, or a part of it.
    Item,
    /// Index of a fan-out's item.
    Index,
    /// A property of the run, such as its id.
    Run,
}

/// The symbols of a checked workflow, by place.
pub(super) fn of_workflow(model: &Model<'_>, checked: &Checked) -> Vec<Symbol> {
    let workflow = model.workflow;
    let types = workflow.types.iter().map(|def| (def.name.value.as_str(), def.name.span)).collect();
    let mut gather = Gather { model, types, found: Vec::new() };
    for input in &workflow.inputs {
        gather.input(input);
    }
    for def in &workflow.types {
        let name = &def.name;
        gather.add(name.span, SymbolKind::Type, &name.value, Some(name.span), Some(&def.ty.ty));
        gather.types(&def.ty);
    }
    for def in &workflow.operation_types {
        let kind = model.catalog.get(&def.name.value);
        let span = def.name.span;
        let output = kind.map(|kind| &kind.output);
        gather.add(span, SymbolKind::OperationType, &def.name.value, Some(span), output);
        for declared in [&def.input, &def.output].into_iter().flatten() {
            if let Declared::Expr(ty) = declared {
                gather.types(ty);
            }
        }
    }
    for operation in &model.operations {
        gather.operation(operation);
    }
    for (field, ty) in workflow.outputs.iter().zip(&checked.outputs) {
        let name = &field.name;
        gather.add(name.span, SymbolKind::Output, &name.value, Some(name.span), Some(ty));
        gather.value(&field.value, None);
    }
    if let Some(link) = &workflow.run.link {
        gather.value(link, None);
    }
    gather.found.sort_by_key(|symbol| symbol.span);
    gather.found
}

/// The operation types of the catalog in `file`. In `catalog`, its text is file 0.
pub(super) fn of_catalog(catalog: &Catalog, file: FileId) -> Vec<Symbol> {
    let symbol = |kind: &OperationType| {
        let span = kind.declared.filter(|span| span.file == FileId(0))?;
        let span = Span { file, ..span };
        Some(symbol(span, SymbolKind::OperationType, &kind.name, Some(span), Some(&kind.output)))
    };
    let mut found: Vec<Symbol> = catalog.iter().filter_map(symbol).collect();
    found.sort_by_key(|symbol| symbol.span);
    found
}

fn symbol(span: Span, kind: SymbolKind, name: &str, definition: Option<Span>, ty: Option<&Type>) -> Symbol {
    let target = SymbolTarget { kind, name: name.to_owned(), path: String::new(), definition };
    let ty = ty.filter(|ty| **ty != Type::Error).map(Type::to_string);
    Symbol { span, target, ty }
}

struct Gather<'m, 'a> {
    model: &'m Model<'a>,
    /// Place of each named type's definition.
    types: HashMap<&'m str, Span>,
    found: Vec<Symbol>,
}

impl Gather<'_, '_> {
    fn add(&mut self, span: Span, kind: SymbolKind, name: &str, definition: Option<Span>, ty: Option<&Type>) {
        self.found.push(symbol(span, kind, name, definition, ty));
    }

    fn input(&mut self, input: &Input) {
        let name = &input.name;
        let ty = &input.ty.value;
        self.add(name.span, SymbolKind::Input, &name.value, Some(name.span), Some(&ty.ty));
        self.types(ty);
    }

    /// Adds the named types inside a type.
    fn types(&mut self, ty: &TypeExpr) {
        for Spanned { value: name, span } in &ty.names {
            let Some(ty) = self.model.types().get(name) else { continue };
            let definition = self.types.get(&**name).copied();
            self.add(*span, SymbolKind::Type, name, definition, Some(ty));
        }
    }

    fn operation(&mut self, operation: &Operation<'_>) {
        let ast = operation.ast;
        let name = &ast.name;
        let output = output(operation);
        self.add(name.span, SymbolKind::Operation, &name.value, Some(name.span), Some(&output));
        let of =
            [(ast.uses.as_ref(), SymbolKind::OperationType), (ast.workflow.as_deref(), SymbolKind::Workflow)];
        for (written, what) in of {
            if let (Some(written), Some(kind)) = (written, operation.kind) {
                self.add(written.span, what, &written.value, kind.declared, Some(&kind.output));
            }
        }
        if let (Some(Value { kind: ValueKind::Record(fields), .. }), Some(kind)) = (&ast.with, operation.kind)
            && let Type::Record(record) = self.model.types().resolve(&kind.input)
        {
            for name in fields.iter().map(|field| &field.name) {
                if let Some(ty) = record.get(&name.value) {
                    self.add(name.span, SymbolKind::Parameter, &name.value, kind.declared, Some(ty));
                }
            }
        }
        for after in &ast.after {
            if let Some(i) = self.model.workflow.find(&after.value) {
                self.at_operation(after.span, i, String::new(), None);
            }
        }
        for value in [ast.with.as_ref(), ast.when.as_deref()].into_iter().flatten() {
            self.value(value, Some(operation));
        }
        if let Some(each) = &ast.each {
            self.value(each, None);
        }
    }

    /// Adds a reference to an operation with type `ty`, or else the type of its whole output.
    fn at_operation(&mut self, span: Span, i: usize, path: String, ty: Option<&Type>) {
        let operation = &self.model.operations[i];
        let name = &operation.ast.name;
        let whole = ty.is_none().then(|| output(operation));
        let mut symbol =
            symbol(span, SymbolKind::Operation, &name.value, Some(name.span), ty.or(whole.as_ref()));
        symbol.target.path = path;
        self.found.push(symbol);
    }

    /// Adds the references in a value of `inside`. Recursion is bounded by the depth of the source.
    fn value(&mut self, value: &Value, inside: Option<&Operation<'_>>) {
        match &value.kind {
            ValueKind::Text(template) => {
                for part in &template.parts {
                    match part {
                        Part::Text(_) => {}
                        Part::Reference(reference) => self.reference(reference, inside),
                        Part::Native(native) => self.native(native, inside),
                    }
                }
            }
            ValueKind::List(items) => items.iter().for_each(|value| self.value(value, inside)),
            ValueKind::Record(fields) => fields.iter().for_each(|field| self.value(&field.value, inside)),
            ValueKind::Error | ValueKind::Null | ValueKind::Bool(_) | ValueKind::Number(_) => {}
        }
    }

    fn native(&mut self, native: &Native, inside: Option<&Operation<'_>>) {
        if let Some(reference) = &native.reference {
            self.reference(reference, inside);
        } else if let Some(token) = reference::whole(&native.text).filter(|t| RUN_TOKENS.contains(&t.name)) {
            self.add(native.span, SymbolKind::Run, token.name, None, Some(&Type::String));
        }
    }

    fn reference(&mut self, reference: &Reference, inside: Option<&Operation<'_>>) {
        let id = reference.id as usize;
        let (Some(target), ty) = (self.model.targets.get(id), self.model.references.get(id)) else { return };
        let span = reference.span;
        let path = written(&reference.path);
        let (kind, name, path, definition) = match *target {
            Target::Unknown => return,
            Target::Operation(i) => return self.at_operation(span, i, path, ty),
            Target::Item(i, n) => return self.at_operation(span, i, format!("[{n}]{path}"), ty),
            Target::Items(i) => return self.at_operation(span, i, format!("[*]{path}"), ty),
            Target::Inputs => (SymbolKind::Inputs, "", path, None),
            Target::Input(i) => {
                let name = &self.model.inputs[i].name;
                let rest = written(reference.path.get(1..).unwrap_or_default());
                (SymbolKind::Input, name.value.as_str(), rest, Some(name.span))
            }
            Target::Each => {
                let each = inside.and_then(|operation| operation.ast.each.as_ref());
                (SymbolKind::Item, "", path, each.map(|each| each.span))
            }
            Target::EachIndex => (SymbolKind::Index, "", path, None),
            Target::RunId => (SymbolKind::Run, "id", String::new(), None),
            Target::RunCustomer => (SymbolKind::Run, "customer", String::new(), None),
        };
        let mut symbol = symbol(span, kind, name, definition, ty);
        symbol.target.path = path;
        self.found.push(symbol);
    }
}

/// Type of an operation's whole output; a list with `each`.
fn output(operation: &Operation<'_>) -> Type {
    match &operation.output {
        Type::Error => Type::Error,
        ty if operation.ast.each.is_some() => ty.clone().list(),
        ty => ty.clone(),
    }
}

fn written(path: &[Spanned<Segment>]) -> String {
    path.iter().map(|step| write_segment(&step.value)).collect()
}
