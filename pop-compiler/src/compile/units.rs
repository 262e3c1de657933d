//! Workflows that stand as operations of others. Each file is compiled once, in its own scope; what others see of it is
//! a [`Unit`]: an operation type, and the template whose operations take its place.

use std::collections::HashMap;
use std::mem;
use std::rc::Rc;
use std::sync::Arc;

use super::Options;
use crate::agenda::AgendaTemplate;
use crate::ast::{Operation, Workflow};
use crate::catalog::{Catalog, OperationType};
use crate::check;
use crate::diagnostic::{Diagnostic, Severity};
use crate::generator::number;
use crate::model::{Model, Unit};
use crate::resolve::{self, Imports, Merged, SubWorkflow, beside};
use crate::source::{FileId, Format, Places, Sources, Span, Spanned};
use crate::syntax;
use crate::types::{Record, Type};
use crate::{budget, decode, lower, rules};

/// Workflows inside workflows.
const MAX_NESTING: usize = 16;

/// Operations that a workflow may make with all that it contains.
const MAX_OPERATIONS: usize = 200_000;

/// One compilation: the files read so far and what was found in them.
pub(super) struct Pipeline<'o> {
    pub(super) options: &'o Options<'o>,
    pub(super) sources: Sources,
    pub(super) out: Vec<Diagnostic>,
    units: HashMap<String, Option<Rc<Unit>>>,
    /// Files that are being compiled, each named by the one before it.
    open: Vec<String>,
}

impl<'o> Pipeline<'o> {
    pub(super) fn new(options: &'o Options<'o>) -> Self {
        Self { options, sources: Sources::new(), out: Vec::new(), units: HashMap::new(), open: Vec::new() }
    }

    /// From text to a workflow and all that it may use. Only what was found in this file is in `out` afterwards; what
    /// was found before, and in the workflows it contains, is given back.
    pub(super) fn read(&mut self, file: FileId, format: Format) -> (Workflow, Merged, Vec<Diagnostic>) {
        let mut others = mem::take(&mut self.out);
        let source = self.sources.get(file).cloned();
        let (name, text) = source.map(|s| (s.name, s.text)).unwrap_or_default();
        let tree = syntax::parse(file, &text, format, &mut self.out);
        let workflow = decode::workflow(file, tree, &mut self.out);
        let mut own = mem::take(&mut self.out);
        self.open.push(beside("", &name));
        let mut found: Vec<(&Spanned<String>, Rc<Unit>)> = Vec::new();
        let mut known: HashMap<&str, Option<Rc<Unit>>> = HashMap::new();
        let mut count = workflow.operations.len();
        for operation in workflow.operations.iter().filter(|_| workflow.nests) {
            let Some(path) = &operation.workflow else { continue };
            let unit = known.entry(&path.value).or_insert_with(|| self.unit(&name, path)).clone();
            let Some(unit) = unit else { continue };
            count = count.saturating_add(unit.operations);
            if count > MAX_OPERATIONS {
                own.push(rules::bad_sub_workflow::too_large(path.span, MAX_OPERATIONS));
                break;
            }
            if !found.iter().any(|(other, _)| other.value == path.value) {
                found.push((path, unit));
            }
        }
        taken(&workflow, &mut own);
        self.open.pop();
        others.append(&mut self.out);
        self.out = own;
        let imports = Imports { loader: self.options.loader, catalogs: self.options.catalogs };
        let mut of_catalogs = Vec::new();
        let mut merged = resolve::merge(&workflow, &imports, &mut self.sources, &mut of_catalogs);
        if of_catalogs.iter().any(|d| d.rule == rules::missing_import::RULE.id) {
            merged.incomplete = true;
        }
        self.out.append(&mut of_catalogs);
        budget::enforce(&mut self.out);
        for (path, unit) in found {
            let kind = import(&mut merged.catalog, path, &unit, &mut self.out);
            merged.workflows.insert(path.value.clone(), SubWorkflow { kind, unit });
        }
        (workflow, merged, others)
    }

    /// The workflow at `path`, as the file `from` names it.
    fn unit(&mut self, from: &str, path: &Spanned<String>) -> Option<Rc<Unit>> {
        let full = beside(from, &path.value);
        if let Some(start) = self.open.iter().position(|open| *open == full) {
            let mut circle: Vec<&str> = self.open[start..].iter().map(String::as_str).collect();
            circle.push(&full);
            self.out.push(rules::workflow_cycle::report(path.span, &circle));
            return None;
        }
        if self.open.len() > MAX_NESTING {
            self.out.push(rules::workflow_cycle::too_deep(path.span, MAX_NESTING));
            return None;
        }
        if let Some(known) = self.units.get(&full) {
            return known.clone();
        }
        let loaded = match Format::from_path(&full) {
            Some(format) => (self.options.loader)(&full).map(|source| (source, format)),
            None => Err("the file name must end in `.toml` or `.json`".to_owned()),
        };
        let unit = match loaded {
            Ok((source, format)) => {
                let file = self.sources.add(source);
                self.compile(file, path, &full, format).map(Rc::new)
            }
            Err(why) => {
                self.out.push(rules::missing_import::workflow(path, &why));
                None
            }
        };
        self.units.insert(full, unit.clone());
        unit
    }

    fn compile(&mut self, file: FileId, path: &Spanned<String>, name: &str, format: Format) -> Option<Unit> {
        let (workflow, merged, mut others) = self.read(file, format);
        if workflow.is_catalog {
            self.out.push(rules::missing_import::not_a_workflow(path));
            others.append(&mut self.out);
            self.out = others;
            return None;
        }
        let mut model = resolve::resolve(&workflow, &merged, &mut self.out);
        let checked = check::check(&mut model, false, &mut self.out);
        merged.hold_back(&mut self.out);
        let hopeless = |finding: &Diagnostic| {
            let rule = rules::find(finding.rule);
            finding.severity == Severity::Error && !rule.is_some_and(|rule| rule.allowable)
        };
        let complete = model.operations.iter().all(|o| o.sub.is_none_or(|unit| unit.template.is_some()));
        let fine = complete && !self.out.iter().any(hopeless);
        let broken = self.out.iter().any(|finding| finding.rule == rules::syntax::RULE.id && !finding.read);
        let template = if fine {
            lower::template(&model, &checked).map_err(|finding| self.out.push(*finding)).ok()
        } else {
            None
        };
        let inputs = workflow.inputs.iter().map(|input| {
            let ty = &input.ty.value.ty;
            let ty = if input.default.is_some() { ty.clone().optional() } else { ty.clone() };
            (Arc::from(input.name.value.as_str()), ty)
        });
        let outputs = workflow.outputs.iter().zip(&checked.outputs);
        let outputs = outputs.map(|(field, ty)| (field.name.value.as_str(), ty.clone()));
        let kind = OperationType {
            description: workflow.description.clone(),
            input: Type::Record(Arc::new(Record::new(inputs.collect::<Vec<_>>()))),
            output: Type::record(outputs.collect::<Vec<_>>()),
            declared: Some(if workflow.name.value.is_empty() {
                workflow.operations_span
            } else {
                workflow.name.span
            }),
            ..OperationType::new(name)
        };
        let inner = inner_places(&model, template.as_ref());
        let operations = template.as_ref().map_or(workflow.operations.len(), |t| t.agenda.operations.len());
        let defaults = lower::defaults(&workflow);
        others.append(&mut self.out);
        budget::enforce(&mut others);
        self.out = others;
        let types = merged.catalog.types.clone();
        (!broken).then_some(Unit {
            kind,
            types,
            catalog: merged.catalog,
            template,
            inputs: defaults,
            places: places(workflow.operations, inner),
            operations,
        })
    }
}

/// Where each operation of sub-workflows was named. One that joins two conditions of another operation (see
/// `lower::inline`) stands where that one does, one that gives an output where the sub-workflow does.
pub(super) fn inner_places(model: &Model<'_>, template: Option<&AgendaTemplate>) -> Vec<(String, Span)> {
    if !model.workflow.nests {
        return Vec::new();
    }
    let mut own = HashMap::with_capacity(model.operations.len());
    let mut inner = HashMap::new();
    for operation in &model.operations {
        let name = &operation.ast.name;
        own.insert(name.value.as_str(), name.span);
        for (of, span) in operation.sub.iter().flat_map(|unit| unit.places.iter()) {
            inner.insert(format!("{}/{of}", name.value), span);
        }
    }
    // what a sub-workflow became has more names than it was written with
    for operation in template.iter().flat_map(|t| &t.agenda.operations) {
        let name = operation.name.as_str();
        if own.contains_key(name) || inner.contains_key(name) {
            continue;
        }
        let of = name.trim_end_matches(".when");
        let place = || name.match_indices('/').find_map(|(i, _)| own.get(&name[..i]));
        if let Some(place) = own.get(of).or_else(|| inner.get(of)).or_else(place).copied() {
            inner.insert(name.to_owned(), place);
        }
    }
    inner.into_iter().collect()
}

/// Where each operation was named: those of the workflow itself, and `inner` ones.
pub(super) fn places(own: Vec<Operation>, inner: Vec<(String, Span)>) -> Places {
    own.into_iter().map(|operation| (operation.name.value, operation.name.span)).chain(inner).collect()
}

/// Operations whose names those of a sub-workflow could take.
fn taken(workflow: &Workflow, out: &mut Vec<Diagnostic>) {
    if !workflow.nests {
        return;
    }
    let subs: HashMap<&str, bool> = workflow
        .operations
        .iter()
        .filter(|o| o.workflow.is_some())
        .map(|o| (o.name.value.as_str(), o.each.is_some()))
        .collect();
    // With `each`, `qc.0/look` belongs to `qc` as well.
    let owner = |stem: &'_ str| {
        let fanned = || stem.rsplit_once('.').filter(|(_, n)| number(n).is_some()).map(|(stem, _)| stem);
        let known = subs.get_key_value(stem);
        let known = known.or_else(|| subs.get_key_value(fanned()?).filter(|(_, each)| **each));
        known.map(|(name, _)| *name)
    };
    for operation in &workflow.operations {
        let name = &operation.name;
        let of = name.value.match_indices('/').find_map(|(i, _)| owner(&name.value[..i]));
        out.extend(of.map(|of| rules::bad_sub_workflow::taken(name, of)));
    }
}

/// Brings the types of a unit into a catalog, under other names where these mean something else there.
fn import(
    catalog: &mut Catalog,
    path: &Spanned<String>,
    unit: &Unit,
    out: &mut Vec<Diagnostic>,
) -> OperationType {
    let clash = unit
        .types
        .names()
        .any(|name| catalog.types.get(name).is_some_and(|other| Some(other) != unit.types.get(name)));
    let stem = path.value.rsplit('/').next().and_then(|file| file.split('.').next()).unwrap_or_default();
    let rename = |name: &Arc<str>| if clash { Arc::from(format!("{stem}.{name}")) } else { name.clone() };
    for name in unit.types.names() {
        if let Some(ty) = unit.types.get(name) {
            let ty = renamed(ty, &rename);
            catalog.types.define(rename(&Arc::from(name)), ty);
        }
    }
    catalog.types.secrets |= unit.types.secrets;
    for kind in unit.catalog.iter().filter(|kind| !kind.is_built_in()) {
        let same = |own: &OperationType| {
            own.run == kind.run && own.output.to_schema(&catalog.types) == kind.output.to_schema(&unit.types)
        };
        if catalog.get(&kind.name).is_some_and(|own| !same(own)) {
            out.push(rules::catalog_conflict::across(path, &kind.name, kind.declared));
        }
    }
    OperationType {
        input: renamed(&unit.kind.input, &rename),
        output: renamed(&unit.kind.output, &rename),
        ..unit.kind.clone()
    }
}

/// A type with other names in it. Recursion is bounded by the depth of the source that the type is from.
fn renamed(ty: &Type, rename: &dyn Fn(&Arc<str>) -> Arc<str>) -> Type {
    let inner = |ty: &Arc<Type>| Arc::new(renamed(ty, rename));
    match ty {
        Type::Named(name) => Type::Named(rename(name)),
        Type::List(item) => Type::List(inner(item)),
        Type::Map(item) => Type::Map(inner(item)),
        Type::Secret(item) => Type::Secret(inner(item)),
        Type::Union(members) => Type::union(members.iter().map(|m| renamed(m, rename)).collect::<Vec<_>>()),
        Type::Record(record) => {
            let fields = record.iter().map(|(name, ty)| (Arc::from(name), renamed(ty, rename)));
            let rest = record.rest().map(|ty| renamed(ty, rename));
            Type::Record(Arc::new(Record::new(fields.collect::<Vec<_>>()).with_rest(rest)))
        }
        other => other.clone(),
    }
}
