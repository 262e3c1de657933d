//! `unreachable`: an operation that never runs.

use super::Rule;
use crate::ast::ValueKind;
use crate::diagnostic::{Diagnostic, Severity};
use crate::model::Model;

pub(crate) const RULE: Rule = Rule {
    id: "unreachable",
    severity: Severity::Warning,
    summary: "an operation that never runs",
    explanation: "With `when = false` an operation never runs, and neither does an operation that needs its output. Remove the operation, or decide at run time: `when = \
\"${inputs.really}\"`.",
    bad: r#"[workflow]
name = "example"

[operations.first]
uses = "pop.transform"
with = { value = { n = 1 } }
when = false

[operations.second]
uses = "pop.log"
with = { message = "${first.n}" }
"#,
    good: r#"[workflow]
name = "example"

[inputs]
really = "bool"

[operations.first]
uses = "pop.transform"
with = { value = { n = 1 } }
when = "${inputs.really}"

[operations.second]
uses = "pop.log"
with = { message = "${first.n}" }
"#,
    absence: false,
    allowable: true,
};

/// Reports each `when = false`, with the operations that never run because of it.
pub(crate) fn check(model: &Model<'_>, out: &mut Vec<Diagnostic>) {
    let never = |i: usize| {
        let when = model.operations[i].ast.when.as_deref();
        when.filter(|when| matches!(when.kind, ValueKind::Bool(false)))
    };
    let roots: Vec<usize> = (0..model.operations.len()).filter(|i| never(*i).is_some()).collect();
    if roots.is_empty() {
        return;
    }
    let mut next = vec![Vec::new(); model.operations.len()];
    for (i, operation) in model.operations.iter().enumerate() {
        // `after` and a reference with a default go on when the other one is skipped
        operation.edges.iter().filter(|e| !e.soft).for_each(|e| next[e.to].push((i, e.span)));
    }
    let mut seen = vec![false; model.operations.len()];
    for root in roots {
        let Some(when) = never(root) else { continue };
        let name = &model.operations[root].ast.name.value;
        let mut finding =
            RULE.at(when.span, format!("`{name}` never runs: its `when` is `false`")).label("never true");
        let mut open = vec![root];
        while let Some(i) = open.pop() {
            for (to, span) in &next[i] {
                if !std::mem::replace(&mut seen[*to], true) && never(*to).is_none() {
                    open.push(*to);
                    if finding.secondary.len() < 8 {
                        let name = &model.operations[*to].ast.name.value;
                        finding = finding.also(*span, format!("so `{name}` never runs either"));
                    }
                }
            }
        }
        out.push(finding);
    }
}
