//! The compiler's findings in a problem document. The server does not have an agenda's text, so findings carry JSON
//! pointers and the names of the operations behind them.

use pop_compiler::diagnostic::{Diagnostic, Location};
use pop_compiler::render::json;
use pop_compiler::source::Sources;
use serde_json::Value;

/// Converts findings to JSON; `names` are the names of the agenda's operations.
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

/// The name of the operation behind a finding.
fn operation<'n>(finding: &Diagnostic, names: &'n [String]) -> Option<&'n str> {
    let Location::Pointer(pointer) = &finding.primary.at else { return None };
    let rest = pointer.strip_prefix("/agenda").unwrap_or(pointer).strip_prefix("/operations/")?;
    let index = rest.split('/').next()?.parse::<usize>().ok()?;
    names.get(index).map(String::as_str)
}
