//! The pipeline: text → tree → workflow → resolved → checked → template → agenda. Every door goes through here.

mod allows;
mod native;
mod units;

use std::collections::{HashMap, HashSet};

use crate::agenda::{Agenda, AgendaTemplate};
use crate::ast::Workflow;
use crate::catalog::Catalog;
use crate::diagnostic::{Diagnostic, Label, Location, has_errors};
use crate::resolve::Imports;
use crate::rules::untyped_edge::{self, Coverage};
use crate::severities::{self, Severities};
use crate::source::{FileId, Source, Sources, Span, Spanned};
use crate::source_map::{self, Mention};
use crate::syntax::Door;
use crate::{check, lower, resolve, rules};
use units::Pipeline;

pub use native::{check_native, data, is_native, place_in_data};
pub(crate) use units::Unit;

/// What a compilation may use besides the text.
pub struct Options<'o> {
    /// Reads a catalog file that the workflow names, by its path relative to where the workflow's own path is relative
    /// to. The error is a fragment such as "no such file".
    pub loader: &'o dyn Fn(&str) -> Result<Source, String>,
    /// Catalogs made by code, such as those of the Rust door.
    pub catalogs: &'o [Catalog],
    /// What the project says about the rules.
    pub severities: &'o Severities,
}

impl Default for Options<'_> {
    /// No files, no catalogs.
    fn default() -> Self {
        Self {
            loader: &|_| Err("files can't be read here".to_owned()),
            catalogs: &[],
            severities: &severities::NONE,
        }
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
    /// How many of the references to outputs are checked.
    pub coverage: Coverage,
    /// Where each reference stands.
    pub mentions: Vec<Mention>,
    /// All findings, by place.
    pub diagnostics: Vec<Diagnostic>,
}

impl Compiled {
    /// Adds findings about one more file, whose spans are of file 0.
    pub fn add(&mut self, source: Source, findings: Vec<Diagnostic>) {
        let file = self.sources.add(source);
        let place = |label: &mut Label| {
            if let Location::Span(span) = &mut label.at {
                span.file = file;
            }
        };
        for mut finding in findings {
            place(&mut finding.primary);
            finding.secondary.iter_mut().for_each(place);
            finding.fix.iter_mut().for_each(|edit| edit.span.file = file);
            self.diagnostics.push(finding);
        }
    }

    fn nothing(sources: Sources) -> Self {
        Self {
            sources,
            workflow_name: String::new(),
            template: None,
            agenda: None,
            catalog: Catalog::new(),
            source_map: HashMap::new(),
            coverage: Coverage::default(),
            mentions: Vec::new(),
            diagnostics: Vec::new(),
        }
    }
}

/// Compiles one workflow. Never stops at the first finding, never panics on any text.
pub fn compile(source: Source, door: Door, options: &Options<'_>) -> Compiled {
    let mut pipeline = Pipeline::new(options);
    let file = pipeline.sources.add(source);
    let (workflow, merged, mut others) = pipeline.read(file, door);
    let Pipeline { sources, mut out, .. } = pipeline;
    let mut model = resolve::resolve(&workflow, &merged, &mut out);
    let checked = check::check(&mut model, &mut out);
    merged.hold_back(&mut out);
    let wanted = options.severities.level(untyped_edge::RULE.id).is_some();
    let coverage = untyped_edge::coverage(&model, wanted.then_some(&mut out));
    out.append(&mut others);
    one_file_each(&mut out, &sources);
    allows::apply(&mut out, &sources);
    options.severities.apply(&mut out);
    finish(&mut out, &sources);
    let template = (!has_errors(&out)).then(|| lower::template(&model, &checked));
    let source_map = units::places(&model);
    let mut agenda = None;
    if let Some(template) = template.as_ref().filter(|_| workflow.inputs.is_empty()) {
        match template.expand(&serde_json::json!({})) {
            Ok(mut expanded) => {
                lower::seal(&mut expanded);
                agenda = Some(expanded);
            }
            Err(findings) => out.extend(
                findings.into_iter().map(|f| placed(f, template, &source_map, workflow.operations_span)),
            ),
        }
    }
    let mentions = source_map::mentions(&workflow);
    let workflow_name = workflow.name.value.clone();
    let catalog = merged.catalog;
    Compiled {
        sources,
        workflow_name,
        template,
        agenda,
        catalog,
        source_map,
        coverage,
        mentions,
        diagnostics: out,
    }
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
    load_catalog_with(source, &|_| Err("files can't be read here".to_owned()))
}

/// As [`load_catalog`]; `loader` reads the JSON Schema files that the catalog names.
pub fn load_catalog_with(source: &Source, loader: &dyn Fn(&str) -> Result<Source, String>) -> LoadedCatalog {
    let mut sources = Sources::new();
    let mut out = Vec::new();
    let name = Spanned::new(source.name.to_string(), Span::default());
    let workflow = Workflow { catalogs: vec![name], ..Workflow::default() };
    let all = |path: &str| if *path == *source.name { Ok(source.clone()) } else { loader(path) };
    let imports = Imports { loader: &all, catalogs: &[] };
    let catalog = resolve::merge(&workflow, &imports, &mut sources, &mut out).catalog;
    finish(&mut out, &sources);
    LoadedCatalog { sources, catalog, diagnostics: out }
}

/// A finding of the expansion speaks of the template; this puts it where the operation was written.
fn placed(
    mut finding: Diagnostic,
    template: &AgendaTemplate,
    places: &HashMap<String, Span>,
    otherwise: Span,
) -> Diagnostic {
    if let Location::Pointer(pointer) = &finding.primary.at {
        let index = pointer.split('/').nth(3).and_then(|n| n.parse::<usize>().ok());
        let operation = index.and_then(|n| template.agenda.operations.get(n));
        let span = operation.and_then(|o| places.get(&o.name)).copied().unwrap_or(otherwise);
        finding.primary.at = Location::Span(span);
    }
    finding
}

/// A file that was read for several workflows has several ids; its findings get the first.
fn one_file_each(out: &mut [Diagnostic], sources: &Sources) {
    let mut first: HashMap<&str, FileId> = HashMap::new();
    let ids: Vec<FileId> =
        sources.iter().map(|(id, s)| *first.entry(s.name.as_ref()).or_insert(id)).collect();
    if first.len() == ids.len() {
        return;
    }
    let place = |span: &mut Span| span.file = ids.get(span.file.0 as usize).copied().unwrap_or(span.file);
    for finding in out {
        for label in std::iter::once(&mut finding.primary).chain(&mut finding.secondary) {
            if let Location::Span(span) = &mut label.at {
                place(span);
            }
        }
        finding.fix.iter_mut().for_each(|edit| place(&mut edit.span));
    }
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
