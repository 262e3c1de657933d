//! The module of a workflow is one deeper than where the workflow is written. What is named from there, with `super::…` or
//! `self::…`, is named from inside the module; so are types of the user's whose names the module has for itself, which would
//! hide them.

use syn::visit_mut::{self, VisitMut};
use syn::{Path, PathSegment, Token};

use super::tree::{Value, Workflow};

const TAKEN: [&str; 4] = ["Inputs", "Outputs", "Flow", "Client"];

/// Makes every path reach what it names.
pub(super) fn reach(workflow: &mut Workflow) {
    let mut finder = Finder;
    finder.visit_type_mut(&mut workflow.output);
    for input in &mut workflow.inputs {
        finder.visit_type_mut(&mut input.ty);
        input.default.iter_mut().for_each(value);
    }
    for operation in &mut workflow.operations {
        operation.kind.iter_mut().for_each(path);
        for field in &mut operation.fields {
            value(&mut field.value);
        }
        operation.each.iter_mut().for_each(|each| value(&mut each.list));
    }
    workflow.result.iter_mut().for_each(value);
}

struct Finder;

impl VisitMut for Finder {
    fn visit_path_mut(&mut self, found: &mut Path) {
        path(found);
        visit_mut::visit_path_mut(self, found);
    }
}

fn path(path: &mut Path) {
    if path.leading_colon.is_none()
        && let Some(first) = path.segments.first_mut()
    {
        if first.ident == "super" {
            let span = first.ident.span();
            path.segments.insert(0, PathSegment::from(Token![super](span)));
            return;
        }
        if first.ident == "self" {
            *first = PathSegment::from(Token![super](first.ident.span()));
            return;
        }
    }
    let hidden = path.get_ident().filter(|ident| TAKEN.iter().any(|name| ident == name));
    if let Some(span) = hidden.map(proc_macro2::Ident::span) {
        path.segments.insert(0, PathSegment::from(Token![super](span)));
    }
}

fn value(value: &mut Value) {
    match value {
        Value::Record(found, fields, _) => {
            path(found);
            for field in fields {
                self::value(&mut field.value);
            }
        }
        Value::List(items, _) => items.iter_mut().for_each(self::value),
        Value::Map(found, entries) => {
            path(found);
            for (_, inner) in entries {
                self::value(inner);
            }
        }
        Value::Object(entries, _) => {
            for (_, inner) in entries {
                self::value(inner);
            }
        }
        Value::Constant(found) => path(found),
        Value::Some(_, inner) | Value::Json(_, inner) => self::value(inner),
        Value::Lit(..) | Value::Text(..) | Value::None(_) | Value::Reference(_) => {}
    }
}
