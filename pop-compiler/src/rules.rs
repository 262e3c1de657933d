//! The rules, one file each; [`ALL`] is the table. A file holds the rule's explanation, a bad and a good example, and
//! the texts of its findings. If a rule needs only the resolved workflow, its `check` is in its file, too.

pub(crate) mod allow_not_possible;
pub(crate) mod allow_without_reason;
pub(crate) mod bad_default;
pub(crate) mod bad_duration;
pub(crate) mod bad_image;
pub(crate) mod bad_kubernetes_name;
pub(crate) mod bad_kubernetes_settings;
pub(crate) mod bad_quantity;
pub(crate) mod bad_schema;
pub(crate) mod bad_sleep;
pub(crate) mod bad_sub_workflow;
pub(crate) mod bad_type;
pub(crate) mod bad_version;
pub(crate) mod bad_volume;
pub(crate) mod catalog_conflict;
pub(crate) mod constant_when;
pub(crate) mod cycle;
pub(crate) mod empty_workflow;
pub(crate) mod extra_input;
pub(crate) mod foreign_reference;
pub(crate) mod large_literal;
pub(crate) mod many_cores;
pub(crate) mod missing_import;
pub(crate) mod missing_index;
pub(crate) mod missing_input;
pub(crate) mod missing_key;
pub(crate) mod not_a_list;
pub(crate) mod object_in_text;
pub(crate) mod optional_in_text;
pub(crate) mod optional_into_required;
pub(crate) mod redundant_after;
pub(crate) mod reserved_name;
pub(crate) mod retry_without_timeout;
pub(crate) mod secret_leak;
pub(crate) mod self_reference;
pub(crate) mod skipped_with;
pub(crate) mod stdout_mismatch;
pub(crate) mod tiny_memory;
pub(crate) mod type_mismatch;
pub(crate) mod undeclared_field;
pub(crate) mod unknown_field;
pub(crate) mod unknown_input;
pub(crate) mod unknown_key;
pub(crate) mod unknown_operation;
pub(crate) mod unknown_operation_type;
pub(crate) mod unknown_output;
pub(crate) mod unknown_rule;
pub(crate) mod unknown_type;
pub(crate) mod unpinned_image;
pub(crate) mod unreachable;
pub(crate) mod untyped_edge;
pub(crate) mod unused_input;
pub(crate) mod unused_operation;
pub(crate) mod unused_type;
pub(crate) mod useless_allow;
pub(crate) mod useless_fallback;
pub(crate) mod workflow_cycle;
pub(crate) mod wrong_shape;

use crate::budget::MORE_FINDINGS;
pub use crate::diagnostic::Rule;
use crate::diagnostic::{Diagnostic, Edit, Location, shorten};
pub(crate) use crate::expr::rules::{bad_expression, bad_pointer};
use crate::model::{Model, Operation};
use crate::source::{Span, Spanned};
use crate::suggest::Near;
pub(crate) use crate::syntax::rules::{duplicate_name, syntax};
pub(crate) use crate::template::rules::too_large;
use crate::types::Type;

/// All rules of the workflow language, by name.
pub const ALL: &[&Rule] = &[
    &allow_not_possible::RULE,
    &allow_without_reason::RULE,
    &bad_default::RULE,
    &bad_duration::RULE,
    &bad_expression::RULE,
    &bad_image::RULE,
    &bad_kubernetes_name::RULE,
    &bad_kubernetes_settings::RULE,
    &bad_pointer::RULE,
    &bad_quantity::RULE,
    &bad_schema::RULE,
    &bad_sleep::RULE,
    &bad_sub_workflow::RULE,
    &bad_type::RULE,
    &bad_version::RULE,
    &bad_volume::RULE,
    &catalog_conflict::RULE,
    &constant_when::RULE,
    &cycle::RULE,
    &duplicate_name::RULE,
    &empty_workflow::RULE,
    &extra_input::RULE,
    &foreign_reference::RULE,
    &large_literal::RULE,
    &many_cores::RULE,
    &missing_import::RULE,
    &missing_index::RULE,
    &missing_input::RULE,
    &missing_key::RULE,
    &not_a_list::RULE,
    &object_in_text::RULE,
    &optional_in_text::RULE,
    &optional_into_required::RULE,
    &redundant_after::RULE,
    &reserved_name::RULE,
    &retry_without_timeout::RULE,
    &secret_leak::RULE,
    &self_reference::RULE,
    &skipped_with::RULE,
    &stdout_mismatch::RULE,
    &syntax::RULE,
    &tiny_memory::RULE,
    &too_large::RULE,
    &type_mismatch::RULE,
    &undeclared_field::RULE,
    &unknown_field::RULE,
    &unknown_input::RULE,
    &unknown_key::RULE,
    &unknown_operation::RULE,
    &unknown_operation_type::RULE,
    &unknown_output::RULE,
    &unknown_rule::RULE,
    &unknown_type::RULE,
    &unpinned_image::RULE,
    &unreachable::RULE,
    &untyped_edge::RULE,
    &unused_input::RULE,
    &unused_operation::RULE,
    &unused_type::RULE,
    &useless_allow::RULE,
    &useless_fallback::RULE,
    &workflow_cycle::RULE,
    &wrong_shape::RULE,
];

/// Rules that only agendas and templates in their JSON form can break, by name. Their examples are agendas; a rule
/// without examples is about size.
pub const AGENDA_RULES: &[&Rule] = &[&MORE_FINDINGS];

/// Rules about one operation of the resolved workflow. All rules check an operation before the next one, while its data
/// is in the processor's cache: memory access dominates the time for a large workflow.
pub(crate) const OF_OPERATIONS: &[fn(&Model<'_>, &Operation<'_>, &mut Vec<Diagnostic>)] =
    &[bad_sleep::check, constant_when::check, large_literal::of_operation, retry_without_timeout::check];

/// Rules about the whole resolved workflow.
pub(crate) const CHECKS: &[fn(&Model<'_>, &mut Vec<Diagnostic>)] = &[
    large_literal::check,
    redundant_after::check,
    unreachable::check,
    unused_input::check,
    unused_operation::check,
    unused_type::check,
];

/// The rule of this name, for workflows or for agendas.
pub fn explained(id: &str) -> Option<&'static Rule> {
    AGENDA_RULES.iter().find(|rule| rule.id == id).copied().or_else(|| find(id))
}

/// The rule of this name, for workflows.
pub fn find(id: &str) -> Option<&'static Rule> {
    ALL.iter().find(|r| r.id == id).copied()
}

/// A value at its place of use.
#[derive(Clone, Copy)]
pub(crate) struct Given<'a> {
    /// Such as `probe.video`; empty when it has no name.
    pub(crate) name: &'a str,
    pub(crate) ty: &'a Type,
    pub(crate) span: Span,
}

impl Given<'_> {
    fn at(&self, path: &str) -> String {
        if self.name.is_empty() { format!("the value{path}") } else { format!("`{}{path}`", self.name) }
    }
}

/// The target of a value.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) name: &'a str,
    pub(crate) ty: &'a Type,
    pub(crate) declared: Option<Span>,
}

impl Target<'_> {
    fn at(&self, path: &str, ty: &Type) -> String {
        format!("`{}{path}: {}`", self.name, shorten(&ty.to_string()))
    }

    fn place(&self, finding: Diagnostic) -> Diagnostic {
        match self.declared {
            Some(span) => finding.also(span, "declared here"),
            None => finding,
        }
    }
}

/// Where the settings of one operation type stand. Pointers are those of the agenda's form.
pub(crate) trait Places {
    /// Whether the setting is present, valid or not.
    fn has(&self, pointer: &str) -> bool;

    /// Whether the setting is present, but could not be read; its fault was reported.
    fn unread(&self, pointer: &str) -> bool;

    /// Place of the setting's key.
    fn key(&self, pointer: &str) -> Location;

    /// Place of the setting's value.
    fn value(&self, pointer: &str) -> Location;

    /// The key of a setting as people write it at these places.
    fn name(&self, key: &'static str) -> &'static str;
}

/// A key as a part of a pointer.
pub(crate) fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Adds "did you mean". If the suggestion is certain and the text to replace is exactly the name, the function adds the
/// edit.
fn meant<'n>(finding: Diagnostic, name: &Spanned<String>, near: impl Into<Near<'n>>) -> Diagnostic {
    let Near { name: near, certain } = near.into();
    let finding = finding.help(format!("did you mean `{near}`?"));
    if !certain {
        return finding;
    }
    finding.rename(name.span, &name.value, near)
}

/// Adds the right form of `text`, which is in quotes, and the edit.
fn written(finding: Diagnostic, text: &Spanned<String>, right: Option<String>) -> Diagnostic {
    match right {
        Some(right) => finding.help(format!("write `{right}`")).rename(text.span, &text.value, &right),
        None => finding,
    }
}

/// As [`written`], for a text at any place; an agenda has no text to edit.
fn written_at(finding: Diagnostic, at: Location, text: &str, right: Option<String>) -> Diagnostic {
    let Some(right) = right else { return finding };
    let finding = finding.help(format!("write `{right}`"));
    match at {
        Location::Span(span) => finding.rename(span, text, &right),
        Location::Pointer(_) => finding,
    }
}

/// Adds edits that change a value, and shows the new value if there is only one edit.
fn valued(finding: Diagnostic, edits: Option<Vec<Edit>>) -> Diagnostic {
    let Some(edits) = edits else { return finding };
    let finding = match edits.as_slice() {
        [one] if !one.replacement.is_empty() => {
            finding.help(format!("write `{}`", shorten(&one.replacement)))
        }
        _ => finding,
    };
    edits.into_iter().fold(finding, |finding, edit| finding.edit(edit.span, edit.replacement))
}

/// Names after an introduction, at most eight.
fn list_of<'n>(intro: &str, names: impl Iterator<Item = &'n str>) -> String {
    let mut names = names;
    let first: Vec<String> = names.by_ref().take(8).map(|n| format!("`{n}`")).collect();
    let more = match names.size_hint() {
        (n, Some(most)) if n == most => n,
        _ => names.count(),
    };
    match (first.len(), more) {
        (0, _) => format!("{intro} none"),
        (_, 0) => format!("{intro} {}", first.join(", ")),
        _ => format!("{intro} {} and {more} more", first.join(", ")),
    }
}

#[cfg(test)]
mod tests;
