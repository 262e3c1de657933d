//! The compiler's findings in a problem document. An agenda comes without its text, so they carry JSON pointers.

use pop_compiler::diagnostic::{Diagnostic, Label, Location};
use serde_json::{Map, Value, json};

pub(super) fn to_json(findings: &[Diagnostic]) -> Vec<Value> {
    findings.iter().map(one).collect()
}

fn one(finding: &Diagnostic) -> Value {
    let mut object = Map::new();
    object.insert("rule".into(), json!(finding.rule));
    object.insert("severity".into(), json!(finding.severity.as_str()));
    object.insert("message".into(), json!(finding.message));
    place(&mut object, &finding.primary);
    let related: Vec<Value> = finding
        .secondary
        .iter()
        .map(|label| {
            let mut object = Map::new();
            place(&mut object, label);
            Value::Object(object)
        })
        .collect();
    object.insert("related".into(), Value::Array(related));
    object.insert("help".into(), json!(finding.help));
    Value::Object(object)
}

fn place(object: &mut Map<String, Value>, label: &Label) {
    if let Location::Pointer(pointer) = &label.at {
        object.insert("pointer".into(), json!(pointer));
    }
    if !label.text.is_empty() {
        object.insert("label".into(), json!(label.text));
    }
}
