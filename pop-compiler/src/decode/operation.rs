//! `[operations.NAME]`.

use std::mem;

use super::workflow::is_lower;
use super::{Decoder, take};
use crate::ast::{Operation, Settings, Workflow};
use crate::rules;
use crate::source::{Span, Spanned};
use crate::tree::{Entry, KeyIndex, Node, Tree};

const OPERATION: &[&str] =
    &["uses", "workflow", "with", "after", "when", "each", "retry", "timeout", "resources", "description"];

/// What a sub-workflow says for each of its operations itself.
const OWN: &[&str] = &["uses", "retry", "timeout", "resources"];

impl Decoder<'_> {
    pub(super) fn operations(&mut self, workflow: &mut Workflow, mut tree: Tree) {
        let (mut names, mut count) = (KeyIndex::default(), 0);
        if let Node::Table(table) = &mut tree.node {
            names = mem::take(&mut table.index);
            count = table.entries.len();
        }
        let entries = self.table(tree, "`operations`").unwrap_or_default();
        if entries.len() < count {
            names = KeyIndex::default(); // what is null is no operation
        }
        let mut all_lower = true;
        let operation = |entry: Entry| {
            all_lower &= is_lower(&entry.key.value);
            self.inside = Some(self.inside.map_or(0, |i| i + 1));
            self.operation(entry)
        };
        let operations: Vec<Operation> = entries.into_iter().map(operation).collect();
        self.inside = None;
        // names that are all in small letters differ in more than case
        if !all_lower {
            self.same_but_for_case(operations.iter().map(|o| &o.name));
        }
        names.fill(operations.len(), |i| &operations[i].name.value);
        workflow.operations = operations;
        workflow.names = names;
    }

    fn operation(&mut self, Entry { key: name, value }: Entry) -> Operation {
        if let Some(finding) = rules::reserved_name::operation(&name) {
            self.out.push(finding);
        }
        let readable = matches!(value.node, Node::Table(_));
        let mut operation = Operation {
            name,
            uses: None,
            workflow: None,
            with: None,
            after: Box::default(),
            after_span: Span::default(),
            when: None,
            each: None,
            settings: Settings::default(),
            description: None,
        };
        let what = format_args!("the operation `{}`", operation.name.value);
        let mut entries = self.table(value, what).unwrap_or_default();
        let mut own: Vec<Spanned<String>> = Vec::new();
        if entries.iter().any(|entry| entry.key.value == "workflow") {
            let keys = entries.iter().map(|entry| &entry.key);
            own.extend(keys.filter(|key| OWN.contains(&key.value.as_str())).cloned());
        }
        let mut used = false;
        for i in 0..entries.len() {
            let value = take(&mut entries[i]);
            let mut key = entries[i].key.value.as_str();
            loop {
                match key {
                    "uses" => {
                        used = true;
                        operation.uses = self.string(value, "`uses`");
                    }
                    "workflow" => {
                        used = true;
                        operation.workflow = self.string(value, "`workflow`").map(Box::new);
                    }
                    "with" => operation.with = Some(self.value(value)),
                    "after" => {
                        operation.after_span = value.span;
                        operation.after = self.strings(value, "`after`").into();
                    }
                    "when" => operation.when = Some(Box::new(self.condition(value))),
                    "each" => operation.each = Some(Box::new(self.value(value))),
                    "retry" => self.retry(value, &mut operation.settings),
                    "timeout" => operation.settings.timeout = self.duration(value, "`timeout`").map(Box::new),
                    "resources" => operation.settings.resources = self.resources(value).map(Box::new),
                    "description" => {
                        operation.description = self.string(value, "`description`").map(|s| s.value.into());
                    }
                    _ => {
                        if let Some(with) = dotted(&value) {
                            // the rest of the name; what it refers to is used all the same
                            used = true;
                            let what = what.to_string();
                            self.out.push(rules::unknown_key::dotted(
                                &entries[i].key,
                                &operation.name.value,
                                &what,
                            ));
                            operation.with = Some(self.value(with.clone()));
                        } else if let Some(meant) = self.unknown_key(&entries, i, &value, what, OPERATION) {
                            key = meant;
                            continue;
                        }
                    }
                }
                break;
            }
        }
        if operation.workflow.is_some() {
            self.nests = true;
            self.out.extend(own.iter().map(rules::bad_sub_workflow::key));
            operation.uses = None;
        }
        if !used && readable {
            self.out.push(rules::missing_key::report(
                operation.name.span,
                &what.to_string(),
                "uses",
                "uses = \"…\"",
            ));
        }
        operation
    }
}

/// What an operation that stands inside another one is given: `[operations.load.data]`, where `"load.data"` was meant.
fn dotted(value: &Tree) -> Option<&Tree> {
    let Node::Table(table) = &value.node else { return None };
    let entry = |name: &str| table.entries.iter().find(|entry| entry.key.value == name);
    entry("uses").or_else(|| entry("workflow"))?;
    entry("with").map(|entry| &entry.value).or(Some(value))
}
