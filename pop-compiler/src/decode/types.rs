//! `[types]`, and types wherever they stand: a string in the type language, or a table that is a record.

use std::sync::Arc;

use super::Decoder;
use crate::ast::TypeDef;
use crate::source::Spanned;
use crate::tree::{Entry, Node, Tree};
use crate::types::{REST, Record, Type, TypeExpr, parse_expr};
use crate::{budget, rules};

impl Decoder<'_> {
    pub(super) fn type_defs(&mut self, tree: Tree) -> Vec<TypeDef> {
        let entries = self.table(tree, "`types`").unwrap_or_default();
        let mut defs = Vec::with_capacity(entries.len());
        for Entry { key, value } in entries {
            if Type::parse(&key.value).ok() != Some(Type::Named(key.value.as_str().into())) {
                self.out.push(rules::reserved_name::type_name(&key));
                continue;
            }
            let ty = self.type_expr(value).unwrap_or(TypeExpr { ty: Type::Error, names: Vec::new() });
            defs.push(TypeDef { name: key, ty });
        }
        defs
    }

    /// Recursion is bounded by the depth of the tree.
    pub(super) fn type_expr(&mut self, tree: Tree) -> Option<TypeExpr> {
        match tree.node {
            Node::String(text) => match parse_expr(&text.value) {
                Ok((ty, names)) => {
                    let names = names
                        .into_iter()
                        .map(|(range, name)| Spanned::new(name, text.span(self.file, range.start, range.end)))
                        .collect();
                    Some(TypeExpr { ty, names })
                }
                Err((range, message)) => {
                    let span = text.span(self.file, range.start, range.end);
                    let span = if span.start == span.end { tree.span } else { span };
                    let all = Spanned::new(text.value, tree.span);
                    self.out.push(rules::bad_type::in_text(span, &all, &message));
                    budget::enforce(self.out);
                    None
                }
            },
            Node::Table(table) => {
                let mut record = RecordOf::default();
                for Entry { key, value } in table.entries {
                    let ty = self.type_expr(value);
                    record.add(key.value, ty);
                }
                Some(record.finish())
            }
            node => self.wrong_shape(
                &node,
                tree.span,
                "a type",
                "a string such as \"list<int>\", or a table of fields",
            ),
        }
    }
}

/// A record, field by field.
#[derive(Default)]
pub(super) struct RecordOf {
    names: Vec<Spanned<Arc<str>>>,
    fields: Vec<(Arc<str>, Type)>,
    rest: Option<Type>,
}

impl RecordOf {
    /// A field, or the further ones; `ty` is none where it could not be read.
    pub(super) fn add(&mut self, name: String, ty: Option<TypeExpr>) {
        let TypeExpr { ty, names } = ty.unwrap_or(TypeExpr { ty: Type::Error, names: Vec::new() });
        self.names.extend(names);
        if name == REST {
            self.rest = Some(ty);
        } else {
            self.fields.push((name.into(), ty));
        }
    }

    pub(super) fn finish(self) -> TypeExpr {
        TypeExpr { ty: Record::new(self.fields).with_rest(self.rest).into_type(), names: self.names }
    }
}
