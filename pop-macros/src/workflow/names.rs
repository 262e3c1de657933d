//! Names that the module of a workflow has for itself. A type of the user's with such a name would be hidden by it there, so
//! it is spoken of as `super::…`.

use syn::visit_mut::{self, VisitMut};
use syn::{Path, PathSegment, Token};

use super::tree::{Value, Workflow};

const TAKEN: [&str; 4] = ["Inputs", "Outputs", "Flow", "Client"];

/// Makes every use of a hidden type reach it.
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
        Value::Map(_, entries) | Value::Object(entries, _) => {
            for (_, inner) in entries {
                self::value(inner);
            }
        }
        Value::Some(_, inner) | Value::Json(_, inner) => self::value(inner),
        Value::Lit(..) | Value::Text(..) | Value::None(_) | Value::Reference(_) => {}
    }
}
