//! The compiler's findings in a problem document. An agenda comes without its text, so they carry JSON pointers.

use pop_compiler::diagnostic::Diagnostic;
use pop_compiler::render::json;
use pop_compiler::source::Sources;
use serde_json::Value;

pub(super) fn to_json(findings: &[Diagnostic]) -> Vec<Value> {
    let sources = Sources::default();
    findings.iter().map(|finding| json::one(finding, &sources)).collect()
}
