//! The compiler's findings in a problem document. An agenda comes without its text, so they carry JSON pointers, and the
//! names of the operations that these lead to.

use pop_compiler::diagnostic::{Diagnostic, Location};
use pop_compiler::render::json;
use pop_compiler::source::Sources;
use serde_json::Value;

/// `names` are those of the agenda's operations.
pub(super) fn to_json(findings: &[Diagnostic], names: &[String]) -> Vec<Value> {
    let sources = Sources::default();
    let one = |finding: &Diagnostic| {
        let mut value = json::one(finding, &sources);
        if let (Value::Object(map), Some(name)) = (&mut value, operation(finding, names)) {
            map.insert("operation".to_owned(), name.into());
        }
        value
    };
    findings.iter().map(one).collect()
}

/// The operation that a finding is about.
fn operation<'n>(finding: &Diagnostic, names: &'n [String]) -> Option<&'n str> {
    let Location::Pointer(pointer) = &finding.primary.at else { return None };
    let rest = pointer.strip_prefix("/agenda").unwrap_or(pointer).strip_prefix("/operations/")?;
    let index = rest.split('/').next()?.parse::<usize>().ok()?;
    names.get(index).map(String::as_str)
}
