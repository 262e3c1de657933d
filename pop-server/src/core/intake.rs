//! From a submit request to an agenda that may be taken in: the template is expanded, the agenda is checked. The checks
//! themselves are the compiler's.

use pop_compiler::agenda::Agenda;
use pop_sdk::api::SubmitRequest;
use serde_json::Value;

/// Why a submit request is not taken in.
#[derive(Clone, Debug, PartialEq)]
pub enum Rejection {
    /// The request itself makes no sense.
    Request(String),
    /// The agenda has faults: the compiler's findings, as `popc check --format json` prints them.
    Findings(Vec<Value>),
}

/// The agenda that the request asks for, without a server-given id.
pub fn prepare(request: SubmitRequest) -> Result<Agenda, Rejection> {
    let mut agenda = match (request.agenda, request.template) {
        (Some(agenda), None) => {
            if request.inputs.is_some() {
                return Err(Rejection::Request("`inputs` belong to a `template`; an `agenda` takes none".to_owned()));
            }
            agenda
        }
        (None, Some(_template)) => {
            return Err(Rejection::Request("templates can't be expanded yet".to_owned()));
        }
        (Some(_), Some(_)) => {
            return Err(Rejection::Request("give either `agenda` or `template`, not both".to_owned()));
        }
        (None, None) => return Err(Rejection::Request("give an `agenda` or a `template`".to_owned())),
    };
    agenda.id = None;
    if agenda.operations.is_empty() {
        return Err(Rejection::Findings(vec![serde_json::json!({
            "rule": "empty-workflow", "severity": "error", "message": "the agenda has no operations",
            "pointer": "/operations",
        })]));
    }
    Ok(agenda)
}
