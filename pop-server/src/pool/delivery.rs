//! Delivers reports to a server. While the server can't be reached, requests are repeated. A refusal is final: the
//! request is split until the refused report is alone, so that the others arrive.

use std::sync::Arc;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};
use pop_sdk::api::{Failure, FailureClass, OperationState, Report, ReportResult};
use tracing::{error, info, warn};

use super::port::{PortError, ReportPort};
use crate::run::fail;

/// Number of reports in one request.
const REPORTS_PER_REQUEST: usize = 500;
/// The first and the longest pause between two tries.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// The result of one report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The report is durable.
    Accepted,
    /// The agent no longer holds the lease.
    Stale,
    /// The report is durable, except for these operations. Their outputs exceed the server's limit, so the operations
    /// were reported as failed (`OutputTooLarge`).
    AcceptedBut(Vec<String>),
    /// The server will never accept the report, for this reason.
    Refused(String),
}

/// Reports of one request, with the position of each one's answer.
type Part = (Vec<usize>, Vec<Report>);

/// Sends reports until each one has an answer. A request without an answer after `limit` is repeated. The answers are
/// in the order of the reports.
pub(super) async fn deliver(port: Arc<dyn ReportPort>, limit: Duration, reports: Vec<Report>) -> Vec<Answer> {
    let mut answers = vec![Answer::Accepted; reports.len()];
    // The last part goes first. Split parts return in their order, so reports of one agenda never overtake each other.
    let mut waiting: Vec<Part> = Vec::new();
    let mut reports = reports.into_iter().enumerate().peekable();
    while reports.peek().is_some() {
        waiting.push(reports.by_ref().take(REPORTS_PER_REQUEST).unzip());
    }
    waiting.reverse();
    while let Some(mut part) = waiting.pop() {
        // After a final answer to a part of a report, the later parts are dropped.
        let wanted = |at: &usize| matches!(answers[*at], Answer::Accepted | Answer::AcceptedBut(_));
        if !part.0.iter().all(wanted) {
            part = part.0.into_iter().zip(part.1).filter(|(at, _)| wanted(at)).unzip();
        }
        if part.0.is_empty() {
            continue;
        }
        match send(port.as_ref(), limit, &part.1).await {
            Ok(results) => {
                for (i, at) in part.0.iter().enumerate() {
                    if results.get(i) != Some(&ReportResult::Accepted) {
                        answers[*at] = Answer::Stale;
                    }
                }
            }
            Err(refusal) => refused(part, refusal, &mut waiting, &mut answers),
        }
    }
    answers
}

/// Sends one request until it has a final answer.
async fn send(
    port: &dyn ReportPort,
    limit: Duration,
    reports: &[Report],
) -> Result<Vec<ReportResult>, PortError> {
    let once = || async {
        let answer = tokio::time::timeout(limit, port.report(reports)).await;
        answer.unwrap_or_else(|_| Err(PortError::Unreachable(format!("no answer within {limit:?}"))))
    };
    let pauses =
        ExponentialBuilder::new().with_min_delay(PAUSES.0).with_max_delay(PAUSES.1).without_max_times();
    once.retry(pauses)
        .when(PortError::passes)
        .notify(|error, _| warn!(%error, "could not send a report; retrying"))
        .await
}

/// Splits a refused request, or records the answer of a report that cannot be split.
fn refused(mut part: Part, refusal: PortError, waiting: &mut Vec<Part>, answers: &mut [Answer]) {
    if matches!(refusal, PortError::Unknown(_) | PortError::Superseded(_)) {
        // The refusal does not depend on the reports: the server holds no leases of this agent.
        error!(reason = %refusal, "the server takes no reports of this pool; its work stops");
        for at in part.0 {
            answers[at] = Answer::Stale;
        }
        return;
    }
    let half = part.0.len() / 2;
    if half > 0 {
        let second = (part.0.split_off(half), part.1.split_off(half));
        waiting.extend([second, part]);
        return;
    }
    let (Some(at), Some(report)) = (part.0.pop(), part.1.pop()) else { return };
    let agenda = report.id.clone();
    let too_large = matches!(refusal, PortError::TooLarge(_));
    if too_large {
        match halves(report) {
            (first, Some(second)) => {
                info!(agenda, "a report is too large for the server and goes in two");
                waiting.extend([(vec![at], vec![second]), (vec![at], vec![first])]);
                return;
            }
            (mut report, None) => {
                if let Some(name) = without_output(&mut report) {
                    info!(
                        agenda,
                        operation = name,
                        "an output is too large for the server; its operation fails"
                    );
                    match &mut answers[at] {
                        Answer::AcceptedBut(names) => names.push(name),
                        answer => *answer = Answer::AcceptedBut(vec![name]),
                    }
                    waiting.push((vec![at], vec![report]));
                    return;
                }
            }
        }
    }
    error!(agenda, reason = %refusal, "the server refuses a report");
    answers[at] = Answer::Refused(refusal.to_string());
}

/// Turns a report of one operation's success into a failure, and returns the operation's name. None for other reports.
fn without_output(report: &mut Report) -> Option<String> {
    let [only] = report.operations.as_mut_slice() else { return None };
    if only.state != OperationState::Succeeded {
        return None;
    }
    only.state = OperationState::Failed;
    only.output = None;
    only.failure = Some(too_large());
    report.made.clear();
    Some(only.name.clone())
}

/// The failure of an operation whose output exceeds the server's limit.
pub(super) fn too_large() -> Failure {
    let message = "the output exceeds the server's size limit. Write large data to a file and pass the path";
    fail(FailureClass::User, "OutputTooLarge", message)
}

/// Splits a report into two with the same meaning in sequence; a report of one part stays whole.
fn halves(mut report: Report) -> (Report, Option<Report>) {
    let mut second = Report { id: report.id.clone(), epoch: report.epoch, ..Report::default() };
    let (operations, logs) = (!report.operations.is_empty(), !report.logs.is_empty());
    if report.end.is_some() && (operations || logs) {
        // The end moves into the second report.
    } else if operations && logs {
        second.logs = std::mem::take(&mut report.logs);
    } else if report.operations.len() > 1 {
        second.operations = report.operations.split_off(report.operations.len() / 2);
        // New operations stay with the success of their generator.
        let succeeds = |name: &str| {
            second.operations.iter().any(|o| o.name == name && o.state == OperationState::Succeeded)
        };
        (second.made, report.made) =
            std::mem::take(&mut report.made).into_iter().partition(|made| succeeds(&made.generator));
    } else if report.logs.len() > 1 {
        second.logs = report.logs.split_off(report.logs.len() / 2);
    } else {
        return (report, None);
    }
    second.end = report.end.take();
    (report, Some(second))
}

#[cfg(test)]
mod tests;
