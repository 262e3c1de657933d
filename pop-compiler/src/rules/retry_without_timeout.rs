//! `retry-without-timeout`: a retry on timeouts without a timeout.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::model::{Model, Operation};

pub(crate) const RULE: Rule = Rule {
    id: "retry-without-timeout",
    severity: Severity::Warning,
    summary: "a retry on timeouts without a timeout",
    explanation: "`retry` names `timeout`, but neither the operation nor its type has a `timeout`. An attempt that hangs never times out, so the retry never happens.",
    bad: r#"[workflow]
name = "example"

[operations.wait]
uses = "pop.sleep"
retry = { attempts = 3, on = ["error", "timeout"] }
"#,
    good: r#"[workflow]
name = "example"

[operations.wait]
uses = "pop.sleep"
retry = { attempts = 3, on = ["error", "timeout"] }
timeout = "5m"
"#,
    absence: true,
    allowable: true,
};

/// Checks for operations whose own `retry` names timeouts, without a timeout.
pub(crate) fn check(_: &Model<'_>, operation: &Operation<'_>, out: &mut Vec<Diagnostic>) {
    let settings = &operation.ast.settings;
    let Some(span) = settings.retry_on_timeout else { return };
    if settings.timeout.is_none() && operation.kind.is_some_and(|kind| kind.timeout.is_none()) {
        let name = &operation.ast.name.value;
        out.push(
            RULE.at(span, format!("`{name}` retries after a timeout, but has no `timeout`"))
                .label("never happens")
                .help("add `timeout = \"…\"`, the longest duration of one attempt"),
        );
    }
}
