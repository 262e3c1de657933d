//! The pipeline: text → tree → workflow → resolved → checked → template → agenda, for every format.

mod allows;
mod analyze;
mod front;
mod native;
mod symbols;
mod units;

use std::collections::HashSet;

use crate::agenda::{Agenda, AgendaTemplate};
use crate::ast::Workflow;
use crate::catalog::Catalog;
use crate::diagnostic::{Diagnostic, Draft, Label, Location, has_errors};
use crate::resolve::Imports;
use crate::rules::untyped_edge::Coverage;
use crate::severities::{self, Severities};
use crate::source::{FileId, Format, Mention, Places, Source, Sources, Span, Spanned};
use crate::{budget, fix, lower, resolve, rules, template};
use front::Read;

pub use analyze::{Analysis, analyze};
pub use native::{check_native, data, is_native, place_in_data};
pub use symbols::{Symbol, SymbolKind, SymbolTarget};

/// Input of a compilation besides the text.
pub struct Options<'o> {
    /// Reads a file that the workflow names. The path is relative to the same directory as the workflow's own path. The
    /// error is a fragment such as "no such file".
    pub loader: &'o dyn Fn(&str) -> Result<Source, String>,
    /// Catalogs made by code, such as those of the Rust format.
    pub catalogs: &'o [Catalog],
    /// The project's severities of rules.
    pub severities: &'o Severities,
}

impl Default for Options<'_> {
    /// No files, no catalogs, default severities.
    fn default() -> Self {
        Self {
            loader: &|_| Err("reading files is not supported here".to_owned()),
            catalogs: &[],
            severities: &severities::NONE,
        }
    }
}

/// Result of a compilation.
#[derive(Debug)]
pub struct Compiled {
    /// The workflow's text, and the text of every file that it names.
    pub sources: Sources,
    /// Name in `[workflow]`; empty without one.
    pub workflow_name: String,
    /// The template; none for a workflow with errors.
    pub template: Option<AgendaTemplate>,
    /// The agenda; none for a workflow with errors or inputs.
    pub agenda: Option<Agenda>,
    /// Every operation type in the scope of the workflow.
    pub catalog: Catalog,
    /// Place of each operation's name.
    pub source_map: Places,
    /// Number of typed references to outputs.
    pub coverage: Coverage,
    /// Place of each reference.
    pub mentions: Vec<Mention>,
    /// Whether the text is a catalog instead of a workflow; a finding says so, beside those of the catalog.
    pub is_catalog: bool,
    /// All findings, by place.
    pub diagnostics: Vec<Diagnostic>,
}

impl Compiled {
    /// Accepts a catalog: the finding that the text is not a workflow becomes an info.
    pub fn as_catalog(&mut self) {
        let notes = self.diagnostics.iter_mut().filter(|_| self.is_catalog);
        notes.for_each(rules::wrong_shape::is_catalog);
    }

    /// Adds findings about one more file; their spans are of file 0.
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
        budget::report(&mut self.diagnostics);
    }

    fn nothing(sources: Sources) -> Self {
        Self {
            sources,
            workflow_name: String::new(),
            template: None,
            agenda: None,
            catalog: Catalog::new(),
            source_map: Places::default(),
            coverage: Coverage::default(),
            mentions: Vec::new(),
            is_catalog: false,
            diagnostics: Vec::new(),
        }
    }
}

impl fix::Compilation for Compiled {
    fn sources(&self) -> &Sources {
        &self.sources
    }

    fn findings(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    fn findings_mut(&mut self) -> &mut Vec<Diagnostic> {
        &mut self.diagnostics
    }
}

/// Compiles one workflow. The function reports all findings, and never panics on any text.
pub fn compile(source: Source, format: Format, options: &Options<'_>) -> Compiled {
    let mut read = front::read(source, format, options);
    let (model, checked, out) = read.check(options);
    let template = if has_errors(out) {
        None
    } else {
        lower::template(&model, &checked).map_err(|finding| out.push(*finding)).ok()
    };
    let inner = units::inner_places(&model, template.as_ref());
    let (fills, mentions, coverage) = (model.fills, model.mentions, checked.coverage);
    let Read { sources, workflow, merged, mut out, .. } = read;
    let is_catalog = workflow.is_catalog;
    let no_inputs = workflow.inputs.is_empty();
    let (workflow_name, operations_span) = (workflow.name.value, workflow.operations_span);
    let source_map = units::places(workflow.operations, inner);
    let mut agenda = None;
    if let Some(template) = template.as_ref().filter(|_| no_inputs) {
        let nothing = serde_json::json!({});
        let expanded = if fills { template.expand(&nothing) } else { template::fixed(template) };
        debug_assert_eq!(expanded, template.expand(&nothing));
        match expanded {
            Ok(mut expanded) => {
                lower::seal(&mut expanded);
                agenda = Some(expanded);
            }
            Err(findings) => {
                out.extend(findings.into_iter().map(|f| placed(f, template, &source_map, operations_span)));
            }
        }
    }
    budget::report(&mut out);
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
        is_catalog,
        diagnostics: out,
    }
}

/// A catalog that was read by itself.
#[derive(Debug)]
pub struct LoadedCatalog {
    /// The catalog's text.
    pub sources: Sources,
    /// Operation types of the catalog, and the built-in ones.
    pub catalog: Catalog,
    /// All findings, by place.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a catalog file by itself, as TOML or JSON by its name.
pub fn load_catalog(source: &Source) -> LoadedCatalog {
    load_catalog_with(source, &|_| Err("reading files is not supported here".to_owned()))
}

/// As [`load_catalog`]; `loader` reads the JSON Schema files of the catalog.
pub fn load_catalog_with(source: &Source, loader: &dyn Fn(&str) -> Result<Source, String>) -> LoadedCatalog {
    let mut sources = Sources::new();
    let mut out = Vec::new();
    let catalog = read_catalog(source, loader, &mut sources, &mut out);
    finish(&mut out, &sources);
    budget::report(&mut out);
    LoadedCatalog { sources, catalog, diagnostics: out }
}

/// Reads a catalog; `sources` must be empty.
fn read_catalog(
    source: &Source,
    loader: &dyn Fn(&str) -> Result<Source, String>,
    sources: &mut Sources,
    out: &mut Vec<Diagnostic>,
) -> Catalog {
    let name = Spanned::new(source.name.to_string(), Span::default());
    let workflow = Workflow { catalogs: vec![name], ..Workflow::default() };
    let all = |path: &str| if *path == *source.name { Ok(source.clone()) } else { loader(path) };
    let imports = Imports { loader: &all, catalogs: &[] };
    resolve::merge(&workflow, &imports, sources, out).catalog
}

/// Moves a finding about the template to the place of the operation in the text.
fn placed(
    mut finding: Diagnostic,
    template: &AgendaTemplate,
    places: &Places,
    otherwise: Span,
) -> Diagnostic {
    if let Location::Pointer(pointer) = &finding.primary.at {
        let index = pointer.split('/').nth(3).and_then(|n| n.parse::<usize>().ok());
        let operation = index.and_then(|n| template.agenda.operations.get(n));
        let span = operation.and_then(|o| places.get(&o.name)).unwrap_or(otherwise);
        finding.primary.at = Location::Span(span);
    }
    finding
}

/// Changes every place in findings.
fn relocate(findings: &mut [Diagnostic], place: &dyn Fn(&mut Span)) {
    for finding in findings {
        for label in std::iter::once(&mut finding.primary).chain(&mut finding.secondary) {
            if let Location::Span(span) = &mut label.at {
                place(span);
            }
        }
        finding.fix.iter_mut().for_each(|edit| place(&mut edit.span));
        finding.drafts.iter_mut().flat_map(Draft::spans_mut).for_each(place);
    }
}

const QUOTES: [char; 2] = ['"', '\''];

/// Longest unreadable line, in bytes, whose words may be names of definitions.
const LONG_LINE: usize = 2_000;

/// Words of unreadable lines: a name among them may be defined there, so it is not unknown.
fn words<'s>(broken: &HashSet<(FileId, u32)>, sources: &'s Sources) -> HashSet<&'s str> {
    let mut found = HashSet::new();
    for (file, line) in broken {
        let text = sources.get(*file).map_or("", |source| source.line(*line));
        if text.len() <= LONG_LINE {
            found.extend(text.split(|c: char| c.is_whitespace() || "[]{}=,#\"'".contains(c)));
        }
    }
    found
}

/// Holds back findings about absent things in a broken file, removes duplicates, and sorts by place.
fn finish(out: &mut Vec<Diagnostic>, sources: &Sources) {
    let line = |finding: &Diagnostic| match finding.primary.at {
        Location::Span(span) => {
            sources.get(span.file).map(|source| (span.file, source.position(span.start).line))
        }
        Location::Pointer(_) => None,
    };
    let syntax = rules::syntax::RULE.id;
    let broken: HashSet<_> = out.iter().filter(|d| d.rule == syntax && !d.read).filter_map(line).collect();
    if !broken.is_empty() {
        let lost = words(&broken, sources);
        out.retain(|d| {
            let absence = rules::find(d.rule).is_some_and(|rule| rule.absence);
            let unread = d.rule == rules::unknown_operation_type::RULE.id
                && matches!(d.primary.at, Location::Span(span) if lost.contains(sources.text(span).trim_matches(QUOTES)));
            d.rule == syntax || !(absence || unread || line(d).is_some_and(|at| broken.contains(&at)))
        });
    }
    // a word that got its quotes may have been meant as something else; names are looked up all the same
    let start = |finding: &Diagnostic| match finding.primary.at {
        Location::Span(span) => Some((span.file, span.start)),
        Location::Pointer(_) => None,
    };
    let quoted: HashSet<_> = out.iter().filter(|d| d.rule == syntax && d.read).filter_map(start).collect();
    if !quoted.is_empty() {
        let other = |d: &Diagnostic| d.rule != syntax && !d.rule.starts_with("unknown-");
        let meant: HashSet<_> = out.iter().filter(|d| other(d)).filter_map(start).collect();
        for finding in out.iter_mut().filter(|d| d.rule == syntax && d.read) {
            // with quotes it is no better
            if start(finding).is_some_and(|at| meant.contains(&at)) {
                finding.fix.clear();
            }
        }
        out.retain(|d| {
            let named = d.rule == syntax || d.rule.starts_with("unknown-");
            named || !start(d).is_some_and(|at| quoted.contains(&at))
        });
    }
    out.sort_by(|a, b| (&a.primary.at, a.rule).cmp(&(&b.primary.at, b.rule)));
    out.dedup_by(|a, b| a.is_same(b));
    fix::complete(out, sources);
}
