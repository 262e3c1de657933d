//! Front half of the pipeline: from a text to a checked workflow and its findings. [`super::compile`] continues with
//! the result; [`super::analyze`] derives the meaning of names.

use std::collections::HashMap;

use super::{Options, allows, finish, read_catalog, relocate, units::Pipeline};
use crate::ast::Workflow;
use crate::catalog::Catalog;
use crate::check::{self, Checked};
use crate::diagnostic::Diagnostic;
use crate::model::Model;
use crate::resolve::{self, Merged};
use crate::rules;
use crate::rules::untyped_edge;
use crate::source::{FileId, Format, Source, Sources};

/// A parsed text with its imports.
pub(super) struct Read {
    pub(super) sources: Sources,
    pub(super) workflow: Workflow,
    pub(super) merged: Merged,
    /// The catalog, if the text is one instead of a workflow; its spans are of the text.
    pub(super) catalog: Option<Catalog>,
    /// Findings about this text so far.
    pub(super) out: Vec<Diagnostic>,
    /// Findings about the sub-workflows.
    others: Vec<Diagnostic>,
}

/// Reads a text and its imports.
pub(super) fn read(source: Source, format: Format, options: &Options<'_>) -> Read {
    let mut pipeline = Pipeline::new(options);
    let file = pipeline.sources.add(source);
    let (workflow, merged, others) = pipeline.read(file, format);
    let Pipeline { mut sources, mut out, .. } = pipeline;
    let mut catalog = None;
    if workflow.is_catalog
        && let Some(source) = sources.get(file).cloned()
    {
        out.push(rules::wrong_shape::catalog(workflow.operations_span));
        let before = out.len();
        let mut own = Sources::new();
        catalog = Some(read_catalog(&source, options.loader, &mut own, &mut out));
        let first = u32::try_from(sources.iter().count()).unwrap_or(u32::MAX);
        relocate(&mut out[before..], &|span| span.file = FileId(first.saturating_add(span.file.0)));
        for (_, source) in own.iter() {
            sources.add(source.clone());
        }
    }
    Read { sources, workflow, merged, catalog, out, others }
}

impl Read {
    /// Binds the names, checks the types, and leaves all findings in `out`, in order.
    pub(super) fn check(&mut self, options: &Options<'_>) -> (Model<'_>, Checked, &mut Vec<Diagnostic>) {
        let Self { sources, workflow, merged, out, others, .. } = self;
        let mut model = resolve::resolve(workflow, merged, out);
        let untyped = options.severities.level(untyped_edge::RULE.id).is_some();
        let checked = check::check(&mut model, untyped, out);
        merged.hold_back(out);
        out.append(others);
        one_file_each(out, sources);
        allows::apply(out, sources);
        options.severities.apply(out);
        finish(out, sources);
        (model, checked, out)
    }
}

/// Gives findings of a file with several ids the first id: several workflows may have read the file.
fn one_file_each(out: &mut [Diagnostic], sources: &Sources) {
    let mut first: HashMap<&str, FileId> = HashMap::new();
    let ids: Vec<FileId> =
        sources.iter().map(|(id, s)| *first.entry(s.name.as_ref()).or_insert(id)).collect();
    if first.len() == ids.len() {
        return;
    }
    relocate(out, &|span| span.file = ids.get(span.file.0 as usize).copied().unwrap_or(span.file));
}
