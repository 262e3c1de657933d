//! From a submit request to an agenda that may be taken in: the template is expanded, the agenda is checked. The checks
//! themselves are the compiler's.

use pop_compiler::agenda::{Agenda, keys};
use pop_compiler::diagnostic::{Diagnostic, has_errors};
use pop_compiler::validate;
use pop_sdk::api::SubmitRequest;
use serde_json::{Map, Value};

/// Why a submit request is not taken in.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Rejection {
    /// The request itself is invalid.
    Request(String),
    /// The agenda, the template or the inputs have faults; and the names of the operations that pointers may lead to.
    Findings(Vec<Diagnostic>, Vec<String>),
}

/// The agenda that the request asks for, without a server-given id.
pub(super) fn prepare(request: SubmitRequest) -> Result<Agenda, Rejection> {
    let mut agenda = match (request.agenda, request.template) {
        (Some(agenda), None) if request.inputs.is_none() => agenda,
        (Some(_), None) => {
            return Err(Rejection::Request(
                "`inputs` is valid with a `template` only. Remove `inputs`, or submit a `template`"
                    .to_owned(),
            ));
        }
        (None, Some(template)) => {
            let findings = validate::template(&template);
            if has_errors(&findings) {
                return Err(Rejection::Findings(findings, names(&template.agenda)));
            }
            let inputs = request.inputs.unwrap_or_else(|| Value::Object(Map::new()));
            template.expand(&inputs).map_err(|found| Rejection::Findings(found, names(&template.agenda)))?
        }
        (Some(_), Some(_)) => {
            return Err(Rejection::Request(
                "both `agenda` and `template` are set. Send one of them".to_owned(),
            ));
        }
        (None, None) => {
            return Err(Rejection::Request(
                "neither `agenda` nor `template` is set. Send one of them".to_owned(),
            ));
        }
    };
    agenda.id = None;
    printable(&agenda)?;
    let findings = validate::agenda(&agenda);
    if has_errors(&findings) {
        return Err(Rejection::Findings(findings, names(&agenda)));
    }
    Ok(agenda)
}

/// Names and keys are matched, listed and typed again, so no control character may hide in one. A title is free text, which
/// may have several lines; a program that shows it makes it safe to show.
fn printable(agenda: &Agenda) -> Result<(), Rejection> {
    let labels = [("linkId", agenda.link_id.as_deref()), ("customerId", agenda.customer_id.as_deref())];
    let stamp = agenda.params.get(keys::WORKFLOW);
    let stamped = ["name", "version", "digest"]
        .map(|key| (key, stamp.and_then(|stamp| stamp.get(key)).and_then(Value::as_str)));
    for (field, text) in labels.into_iter().chain(stamped) {
        if let Some(text) = text.filter(|text| text.chars().any(char::is_control)) {
            let text = text.escape_debug();
            let detail = format!("invalid `{field}`: `{text}` has a control character; leave it out");
            return Err(Rejection::Request(detail));
        }
    }
    Ok(())
}

fn names(agenda: &Agenda) -> Vec<String> {
    agenda.operations.iter().map(|operation| operation.name.clone()).collect()
}
