//! Reports on their way to a server. While the server can't be reached they are sent again and again; a refusal is final:
//! it is narrowed down to the report that caused it, so that the others arrive, and told to the executor.

use std::future::Future;
use std::pin::Pin;

use pop_sdk::api::{OperationState, Report, ReportRequest, ReportResult};
use pop_sdk::client::{Client, Error};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use super::agent::{TOO_LARGE, retry};
use super::executor::{Answer, Uplink};

/// How many reports travel in one request.
const REPORTS_PER_REQUEST: usize = 500;
/// Of a refusal's text so many characters are kept.
const LONGEST_REASON: usize = 2000;

/// Sends reports over HTTP.
pub(super) struct HttpUplink {
    pub(super) client: Client,
    pub(super) pool: String,
    pub(super) worker: String,
    pub(super) instance: String,
    pub(super) shutdown: CancellationToken,
}

/// Reports that travel together, each with the position that its answer has.
type Part = Vec<(usize, Report)>;

impl Uplink for HttpUplink {
    fn report(&self, reports: Vec<Report>) -> Pin<Box<dyn Future<Output = Vec<Answer>> + Send + '_>> {
        Box::pin(self.deliver(reports))
    }
}

impl HttpUplink {
    async fn deliver(&self, reports: Vec<Report>) -> Vec<Answer> {
        let mut answers = vec![Answer::Accepted; reports.len()];
        // The last is sent first. What is split goes back in its order, so reports of one agenda never overtake each other.
        let mut waiting: Vec<Part> = Vec::new();
        let mut reports = reports.into_iter().enumerate().peekable();
        while reports.peek().is_some() {
            waiting.push(reports.by_ref().take(REPORTS_PER_REQUEST).collect());
        }
        waiting.reverse();
        while let Some(mut part) = waiting.pop() {
            // Of an agenda whose report was split and refused nothing more is wanted.
            part.retain(|(at, _)| answers[*at] == Answer::Accepted);
            if part.is_empty() {
                continue;
            }
            let request = ReportRequest {
                worker: self.worker.clone(),
                instance: self.instance.clone(),
                reports: part.iter().map(|(_, report)| report.clone()).collect(),
            };
            match retry(&self.shutdown, "report", || self.client.report(&self.pool, &request)).await {
                Ok(None) => return Vec::new(),
                Ok(Some(response)) => {
                    for (i, (at, _)) in part.iter().enumerate() {
                        if response.results.get(i) != Some(&ReportResult::Accepted) {
                            answers[*at] = Answer::Stale;
                        }
                    }
                }
                Err(refusal) => self.refused(part, &refusal, &mut waiting, &mut answers),
            }
        }
        answers
    }

    /// Sends a refused request in smaller parts, or says what came of it where there are none.
    fn refused(&self, mut part: Part, refusal: &Error, waiting: &mut Vec<Part>, answers: &mut [Answer]) {
        let status = if let Error::Problem(problem) = refusal { problem.status } else { 0 };
        let reason: String = refusal.to_string().chars().take(LONGEST_REASON).collect();
        if matches!(status, 401 | 403 | 404) {
            // It is not about what the reports say: the server has no work for this pool.
            error!(pool = %self.pool, reason, "the server takes no reports of this pool; its work stops");
            for (at, _) in part {
                answers[at] = Answer::Stale;
            }
            return;
        }
        if part.len() > 1 {
            let second = part.split_off(part.len() / 2);
            waiting.extend([second, part]);
            return;
        }
        let Some((at, report)) = part.pop() else { return };
        let agenda = report.id.clone();
        if status == TOO_LARGE
            && let (first, Some(second)) = halves(report)
        {
            info!(agenda, "a report is too large for the server and goes in two");
            waiting.extend([vec![(at, second)], vec![(at, first)]]);
            return;
        }
        error!(agenda, reason, "the server refuses a report");
        answers[at] = Answer::Refused(reason);
    }
}

/// A report as two that say the same one after the other; as itself when it has nothing that could be parted.
fn halves(mut report: Report) -> (Report, Option<Report>) {
    let mut second = Report { id: report.id.clone(), epoch: report.epoch, ..Report::default() };
    let (operations, logs) = (!report.operations.is_empty(), !report.logs.is_empty());
    if report.end.is_some() && (operations || logs) {
        // The end goes by itself.
    } else if operations && logs {
        second.logs = std::mem::take(&mut report.logs);
    } else if report.operations.len() > 1 {
        second.operations = report.operations.split_off(report.operations.len() / 2);
        // What a generator made stays with its success.
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
