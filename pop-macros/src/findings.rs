//! How the compiler's findings read as errors of a macro.

use pop_compiler::diagnostic::Diagnostic;

/// The message, the rule, and what to do.
pub(crate) fn message(finding: &Diagnostic) -> String {
    let mut text = format!("{} [{}]", finding.message, finding.rule);
    for help in &finding.help {
        text += &format!("\nhelp: {help}");
    }
    text
}
