//! `[types]`, and types wherever they stand: a string in the type language, or a table that is a record.

use std::sync::Arc;

use super::Decoder;
use crate::ast::TypeDef;
use crate::source::Spanned;
use crate::tree::{Entry, Node, Tree};
use crate::types::{REST, Record, Type, TypeExpr, parse_expr};
use crate::{limit, rules};

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
                    limit::hold(self.out);
                    None
                }
            },
            Node::Table(table) => {
                let mut names = Vec::new();
                let mut fields: Vec<(Arc<str>, Type)> = Vec::with_capacity(table.entries.len());
                let mut rest = None;
                for Entry { key, value } in table.entries {
                    let expr =
                        self.type_expr(value).unwrap_or(TypeExpr { ty: Type::Error, names: Vec::new() });
                    names.extend(expr.names);
                    if key.value == REST {
                        rest = Some(expr.ty);
                    } else {
                        fields.push((key.value.into(), expr.ty));
                    }
                }
                Some(TypeExpr { ty: Record::new(fields).with_rest(rest).into_type(), names })
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
