//! `redundant-after`: an `after` without an effect.

use std::collections::HashSet;

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::model::Model;

pub(crate) const RULE: Rule = Rule {
    id: "redundant-after",
    severity: Severity::Warning,
    summary: "an `after` without an effect",
    explanation: "A reference to an output already waits for its operation, and for every operation that this one refers to. A redundant `after` hides the entries that \
matter.",
    bad: r#"[workflow]
name = "example"

[operations.first]
uses = "pop.transform"
with = { value = { n = 1 } }

[operations.second]
uses = "pop.log"
with = { message = "${first.n}" }
after = ["first"]
"#,
    good: r#"[workflow]
name = "example"

[operations.first]
uses = "pop.transform"
with = { value = { n = 1 } }

[operations.second]
uses = "pop.log"
with = { message = "${first.n}" }
"#,
    absence: false,
    allowable: true,
};

/// Most edges that are followed for one operation.
const STEPS: usize = 2_000;

/// Edges that are followed for each operation of the workflow, on average.
const AVERAGE: usize = 32;

/// Checks for entries of `after` that references imply, and for duplicates.
pub(crate) fn check(model: &Model<'_>, out: &mut Vec<Diagnostic>) {
    let mut left = model.operations.len().saturating_mul(AVERAGE).saturating_add(STEPS);
    for i in 0..model.operations.len() {
        let after = &model.operations[i].ast.after;
        if after.is_empty() {
            continue;
        }
        let implied = implied(model, i, &mut left);
        let mut seen = HashSet::new();
        let why: Vec<Option<String>> = after
            .iter()
            .map(|name| {
                if !seen.insert(name.value.as_str()) {
                    Some(format!("duplicate `{}` in `after`", name.value))
                } else if implied.contains(name.value.as_str()) {
                    Some(format!(
                        "redundant `{}` in `after`: references already wait for this operation",
                        name.value
                    ))
                } else {
                    None
                }
            })
            .collect();
        report(model, i, &why, out);
    }
}

/// The operations that operation `i` waits for through references alone. An operation that may be skipped ends the
/// path, because the skip may happen before its own dependencies end.
fn implied<'m>(model: &'m Model<'_>, i: usize, left: &mut usize) -> HashSet<&'m str> {
    let mut found = HashSet::new();
    let mut open = vec![i];
    let mut seen = HashSet::from([i]);
    let mut steps = STEPS;
    while let Some(at) = open.pop() {
        for edge in model.operations[at].edges.iter().filter(|e| !e.order) {
            if steps == 0 || *left == 0 {
                return found;
            }
            steps -= 1;
            *left -= 1;
            // a reference to an output of a sub-workflow waits for one of its operations, `after` for all
            if model.operations[edge.to].sub.is_none() && seen.insert(edge.to) {
                found.insert(model.operations[edge.to].ast.name.value.as_str());
                if !model.operations[edge.to].conditional {
                    open.push(edge.to);
                }
            }
        }
    }
    found
}

fn report(model: &Model<'_>, i: usize, why: &[Option<String>], out: &mut Vec<Diagnostic>) {
    let ast = model.operations[i].ast;
    let all = why.iter().all(Option::is_some);
    for (name, reason) in ast.after.iter().zip(why) {
        let Some(reason) = reason else { continue };
        let finding = RULE.at(name.span, reason.clone()).label("no effect");
        out.push(match all {
            false => finding.drop_entry(name.span),
            // one of them takes the whole list with it
            true if name.span == ast.after[0].span => finding.drop_entry(ast.after_span),
            true => finding,
        });
    }
}
