//! `[operations.NAME]`.

use super::Decoder;
use crate::ast::{Operation, Settings};
use crate::rules;
use crate::source::{Span, Spanned};
use crate::tree::{Entry, Node, Tree};

const OPERATION: &[&str] =
    &["uses", "workflow", "with", "after", "when", "each", "retry", "timeout", "resources", "description"];

impl Decoder<'_> {
    pub(super) fn operations(&mut self, tree: Tree) -> Vec<Operation> {
        let entries = self.table(tree, "`operations`").unwrap_or_default();
        let operations: Vec<Operation> = entries.into_iter().map(|e| self.operation(e)).collect();
        self.same_but_for_case(operations.iter().map(|o| &o.name));
        operations
    }

    fn operation(&mut self, Entry { key: name, value }: Entry) -> Operation {
        if let Some(finding) = rules::reserved_name::operation(&name) {
            self.out.push(finding);
        }
        let what = format!("the operation `{}`", name.value);
        let readable = matches!(value.node, Node::Table(_));
        let mut operation = Operation {
            name,
            uses: None,
            workflow: None,
            with: None,
            after: Vec::new(),
            after_span: Span::default(),
            when: None,
            each: None,
            settings: Settings::default(),
            description: None,
        };
        let mut used = false;
        let mut own: Vec<Spanned<String>> = Vec::new();
        for Entry { key, value } in self.table(value, &what).unwrap_or_default() {
            if ["uses", "each", "retry", "timeout", "resources"].contains(&key.value.as_str()) {
                own.push(key.clone());
            }
            match key.value.as_str() {
                "uses" => {
                    used = true;
                    operation.uses = self.string(value, "`uses`");
                }
                "workflow" => {
                    used = true;
                    operation.workflow = self.string(value, "`workflow`");
                }
                "with" => operation.with = Some(self.value(value)),
                "after" => {
                    operation.after_span = value.span;
                    operation.after = self.strings(value, "`after`");
                }
                "when" => operation.when = Some(self.value(value)),
                "each" => operation.each = Some(self.value(value)),
                "retry" => self.retry(value, &mut operation.settings),
                "timeout" => operation.settings.timeout = self.duration(value, "`timeout`"),
                "resources" => operation.settings.resources = self.resources(value),
                "description" => operation.description = self.string(value, "`description`").map(|s| s.value),
                _ => {
                    used |= key.value == "use" || key.value == "type";
                    self.unknown_key(&key, &what, OPERATION);
                }
            }
        }
        if operation.workflow.is_some() {
            self.out.extend(own.iter().map(rules::bad_sub_workflow::key));
            (operation.uses, operation.each) = (None, None);
        }
        if !used && readable {
            self.out.push(rules::missing_key::report(
                operation.name.span,
                &what,
                "uses",
                "uses = \"…\" says which operation type runs",
            ));
        }
        operation
    }
}
