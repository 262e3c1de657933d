//! The pipeline: text → tree → workflow → resolved → checked → template → agenda. Every door goes through here.

mod native;

use std::collections::{HashMap, HashSet};

use crate::agenda::{Agenda, AgendaTemplate};
use crate::ast::Workflow;
use crate::catalog::Catalog;
use crate::diagnostic::{Diagnostic, Location, has_errors};
use crate::resolve::Imports;
use crate::source::{Source, Sources, Span, Spanned};
use crate::source_map::{self, Mention};
use crate::syntax::{self, Door};
use crate::{check, decode, lower, resolve, rules};

pub use native::{check_native, data, is_native, place_in_data};

/// What a compilation may use besides the text.
pub struct Options<'o> {
    /// Reads a catalog file that the workflow names, by its path relative to where the workflow's own path is relative
    /// to. The error is a fragment such as "no such file".
    pub loader: &'o dyn Fn(&str) -> Result<Source, String>,
    /// Catalogs made by code, such as those of the Rust door.
    pub catalogs: &'o [Catalog],
}

impl Default for Options<'_> {
    /// No files, no catalogs.
    fn default() -> Self {
        Self { loader: &|_| Err("files can't be read here".to_owned()), catalogs: &[] }
    }
}

/// What came of a compilation.
#[derive(Debug)]
pub struct Compiled {
    /// The workflow's text, and that of every catalog it named.
    pub sources: Sources,
    /// The name in `[workflow]`; empty when there is none.
    pub workflow_name: String,
    /// The template; none when there are errors.
    pub template: Option<AgendaTemplate>,
    /// The agenda; none when there are errors, or inputs.
    pub agenda: Option<Agenda>,
    /// Every operation type that the workflow could use.
    pub catalog: Catalog,
    /// Where each operation was named.
    pub source_map: HashMap<String, Span>,
    /// Where each reference stands.
    pub mentions: Vec<Mention>,
    /// All findings, by place.
    pub diagnostics: Vec<Diagnostic>,
}

impl Compiled {
    fn nothing(sources: Sources) -> Self {
        Self {
            sources,
            workflow_name: String::new(),
            template: None,
            agenda: None,
            catalog: Catalog::new(),
            source_map: HashMap::new(),
            mentions: Vec::new(),
            diagnostics: Vec::new(),
        }
    }
}

/// Compiles one workflow. Never stops at the first finding, never panics on any text.
pub fn compile(source: Source, door: Door, options: &Options<'_>) -> Compiled {
    let mut sources = Sources::new();
    let text = source.text.clone();
    let file = sources.add(source);
    let mut out = Vec::new();

    let tree = syntax::parse(file, &text, door, &mut out);
    let workflow = decode::workflow(file, tree, &mut out);
    let imports = Imports { loader: options.loader, catalogs: options.catalogs };
    let before = out.len();
    let catalog = resolve::merge(&workflow, &imports, &mut sources, &mut out);
    let missing_catalog = out[before..].iter().any(|d| d.rule == rules::missing_import::RULE.id);
    let mut model = resolve::resolve(&workflow, &catalog, &mut out);
    let checked = check::check(&mut model, &mut out);

    if missing_catalog {
        // what a catalog that can't be read would have defined is not unknown
        let held = [rules::unknown_operation_type::RULE.id, rules::unknown_type::RULE.id];
        out.retain(|d| !held.contains(&d.rule));
    }
    finish(&mut out, &sources);
    let template = (!has_errors(&out)).then(|| lower::template(&model, &checked));
    let mut agenda = None;
    if let Some(template) = template.as_ref().filter(|_| workflow.inputs.is_empty()) {
        match template.expand(&serde_json::json!({})) {
            Ok(mut expanded) => {
                lower::seal(&mut expanded);
                agenda = Some(expanded);
            }
            Err(findings) => out.extend(findings.into_iter().map(|f| placed(f, &model, &checked.order))),
        }
    }
    let source_map = workflow.operations.iter().map(|o| (o.name.value.clone(), o.name.span)).collect();
    let mentions = source_map::mentions(&workflow);
    let workflow_name = workflow.name.value.clone();
    Compiled { sources, workflow_name, template, agenda, catalog, source_map, mentions, diagnostics: out }
}

/// What came of reading a catalog by itself.
#[derive(Debug)]
pub struct LoadedCatalog {
    /// The catalog's text.
    pub sources: Sources,
    /// Its operation types, and the built-in ones.
    pub catalog: Catalog,
    /// All findings, by place.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a catalog file (TOML or JSON, by its name) by itself.
pub fn load_catalog(source: &Source) -> LoadedCatalog {
    let mut sources = Sources::new();
    let mut out = Vec::new();
    let name = Spanned::new(source.name.to_string(), Span::default());
    let workflow = Workflow { catalogs: vec![name], ..Workflow::default() };
    let imports = Imports { loader: &|_| Ok(source.clone()), catalogs: &[] };
    let catalog = resolve::merge(&workflow, &imports, &mut sources, &mut out);
    finish(&mut out, &sources);
    LoadedCatalog { sources, catalog, diagnostics: out }
}

/// A finding of the expansion speaks of the template; this puts it where the operation was written.
fn placed(mut finding: Diagnostic, model: &check::Model<'_>, order: &[usize]) -> Diagnostic {
    if let Location::Pointer(pointer) = &finding.primary.at {
        let index = pointer.split('/').nth(3).and_then(|n| n.parse::<usize>().ok());
        let operation = index.and_then(|n| order.get(n)).and_then(|i| model.operations.get(*i));
        let span = operation.map_or(model.workflow.operations_span, |o| o.ast.name.span);
        finding.primary.at = Location::Span(span);
    }
    finding
}

/// Holds back what a broken file makes look absent, removes doubles, and sorts by place.
fn finish(out: &mut Vec<Diagnostic>, sources: &Sources) {
    let line = |finding: &Diagnostic| match finding.primary.at {
        Location::Span(span) => {
            sources.get(span.file).map(|source| (span.file, source.position(span.start).line))
        }
        Location::Pointer(_) => None,
    };
    let syntax = rules::syntax::RULE.id;
    let broken: HashSet<_> = out.iter().filter(|d| d.rule == syntax).filter_map(line).collect();
    if !broken.is_empty() {
        out.retain(|d| {
            let absence = rules::find(d.rule).is_some_and(|rule| rule.absence);
            d.rule == syntax || !(absence || line(d).is_some_and(|at| broken.contains(&at)))
        });
    }
    out.sort_by(|a, b| (&a.primary.at, a.rule).cmp(&(&b.primary.at, b.rule)));
    out.dedup_by(|a, b| a.rule == b.rule && a.primary.at == b.primary.at && a.message == b.message);
}
