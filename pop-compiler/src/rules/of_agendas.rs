//! Rules that only agendas and templates in their JSON form can break; a workflow's compiler never does.

use super::Rule;
use crate::diagnostic::Severity;

/// These rules, by name. Their examples are agendas; a rule without examples is about size.
pub const AGENDA_RULES: &[&Rule] = &[&MORE_FINDINGS];

/// Says how many findings are not shown.
pub(crate) const MORE_FINDINGS: Rule = Rule {
    id: "more-findings",
    severity: Severity::Info,
    summary: "there are more findings than are shown",
    explanation: "Of very many findings only the first are shown, the errors before the others; the rest is counted. Mend the first ones, and check again.",
    bad: "",
    good: "",
    absence: false,
};
