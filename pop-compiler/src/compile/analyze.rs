//! Analysis of a text for editors: all findings, and the meaning of each name.

use super::symbols::{self, Symbol};
use super::{Options, front};
use crate::diagnostic::Diagnostic;
use crate::source::{Format, Source, Sources};
use crate::{budget, rules};

/// Result of an analysis.
#[derive(Debug)]
pub struct Analysis {
    /// The text as file 0, and the text of every file that it names.
    pub sources: Sources,
    /// All findings, by place. Findings that only an agenda can show, such as oversized fan-outs, are not included.
    pub diagnostics: Vec<Diagnostic>,
    /// The names of the text with their meaning, by place. Unknown names are left out.
    pub symbols: Vec<Symbol>,
}

impl Analysis {
    /// The innermost symbol at a byte of the text.
    pub fn symbol_at(&self, offset: u32) -> Option<&Symbol> {
        let around = self.symbols.iter().filter(|s| s.span.start <= offset && offset < s.span.end);
        around.min_by_key(|symbol| symbol.span.end - symbol.span.start)
    }
}

/// Analyzes one workflow, or one catalog: the first half of [`compile`](super::compile), for editors. Never stops at the
/// first finding; in a broken text, what can be read has its symbols.
///
/// ```
/// use pop_compiler::source::Source;
/// use pop_compiler::{Format, Options, SymbolKind, analyze};
///
/// let text = r#"
/// [workflow]
/// name = "hello"
///
/// [inputs]
/// who = "string"
///
/// [operations.greet]
/// uses = "pop.log"
/// with = { message = "hello ${inputs.who}" }
/// "#;
/// let analysis = analyze(Source::new("hello.pop.toml", text), Format::Toml, &Options::default());
/// assert!(analysis.diagnostics.is_empty());
///
/// let cursor = u32::try_from(text.find("inputs.who").unwrap()).unwrap();
/// let symbol = analysis.symbol_at(cursor).unwrap();
/// assert_eq!(analysis.sources.text(symbol.span), "${inputs.who}");
/// assert_eq!((symbol.target.kind, symbol.target.name.as_str()), (SymbolKind::Input, "who"));
/// assert_eq!(symbol.ty.as_deref(), Some("string"));
/// assert_eq!(analysis.sources.text(symbol.target.definition.unwrap()), "who");
/// ```
pub fn analyze(source: Source, format: Format, options: &Options<'_>) -> Analysis {
    let mut read = front::read(source, format, options);
    let (model, checked, out) = read.check(options);
    budget::report(out);
    let mut found = symbols::of_workflow(&model, &checked);
    if let Some(catalog) = &read.catalog {
        found = symbols::of_catalog(catalog, read.workflow.operations_span.file);
        read.out.iter_mut().for_each(rules::wrong_shape::is_catalog);
    }
    Analysis { sources: read.sources, diagnostics: read.out, symbols: found }
}
