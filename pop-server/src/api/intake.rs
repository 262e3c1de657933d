//! Turns a submit request into a checked agenda: expands the template, and runs the compiler's checks.

use pop_compiler::agenda::{Agenda, keys};
use pop_compiler::diagnostic::{Diagnostic, has_errors};
use pop_compiler::validate;
use pop_sdk::api::SubmitRequest;
use serde_json::{Map, Value};

/// Reasons for a refused submit request.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Rejection {
    /// The request itself is invalid.
    Request(String),
    /// The agenda, the template or the inputs have findings. The names are those of the operations behind the pointers.
    Findings(Vec<Diagnostic>, Vec<String>),
}

/// The agenda of a request, without the server's id.
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

/// Checks names and keys for control characters, because names are compared, listed and typed. A title is free text of
/// several lines; programs make a title safe before they show it.
fn printable(agenda: &Agenda) -> Result<(), Rejection> {
    let labels = [("linkId", agenda.link_id.as_deref()), ("customerId", agenda.customer_id.as_deref())];
    let stamp = agenda.params.get(keys::WORKFLOW);
    let stamped = ["name", "version", "digest"]
        .map(|key| (key, stamp.and_then(|stamp| stamp.get(key)).and_then(Value::as_str)));
    for (field, text) in labels.into_iter().chain(stamped) {
        if let Some(text) = text.filter(|text| text.chars().any(char::is_control)) {
            let text = text.escape_debug();
            let detail = format!("invalid `{field}`: `{text}` has a control character; remove the character");
            return Err(Rejection::Request(detail));
        }
    }
    Ok(())
}

fn names(agenda: &Agenda) -> Vec<String> {
    agenda.operations.iter().map(|operation| operation.name.clone()).collect()
}
