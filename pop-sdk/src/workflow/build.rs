//! From a definition to a compiled workflow.

use std::collections::HashMap;

use pop_compiler::agenda::{Agenda, AgendaTemplate, keys};
use pop_compiler::catalog::Catalog;
use pop_compiler::diagnostic::{Diagnostic, Location, has_errors};
use pop_compiler::source::Source;
use pop_compiler::types::Type;
use pop_compiler::{Format, Options, Severities, canonical};
use serde_json::Value;

use crate::builtin::is_builtin;
use crate::definition::{Callable, Definition, InFiles, InRust, Inner, ResultFields};
use crate::findings::Findings;
use crate::names::{Named, rename};
use crate::operation::Known;
use crate::places::{Places, written};

/// The name of a text that was written by a macro or by the builder.
const HERE: &str = "workflow!";

/// Everything that a compilation needs.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) source: Source,
    pub(crate) format: Format,
    /// What the text may name, by path.
    pub(crate) files: HashMap<String, Source>,
    pub(crate) operations: Vec<Known>,
    pub(crate) types: Vec<(String, Value)>,
    pub(crate) catalogs: Vec<Catalog>,
    pub(crate) severities: Severities,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Built {
    pub(crate) program: Program,
    pub(crate) template: AgendaTemplate,
    pub(crate) ready: Option<Agenda>,
    pub(crate) single: Option<&'static str>,
    /// What is known of the fields of its result.
    pub(crate) result: ResultFields,
    pub(crate) warnings: Vec<Diagnostic>,
    pub(crate) places: Places,
}

/// Compiles a definition. `open` are the workflows that it is inside of.
pub(crate) fn build(definition: &Definition, open: &mut Vec<&'static str>) -> Result<Built, Findings> {
    match definition {
        Definition::InFiles(definition) => in_files(definition),
        Definition::InRust(definition) => in_rust(definition, open),
    }
}

fn in_files(definition: &InFiles) -> Result<Built, Findings> {
    let text = |name: &str| definition.files.iter().find(|(file, _)| *file == name).map(|(_, text)| *text);
    let source = |name: &str| Source::new(name, text(name).unwrap_or_default());
    let severities = definition.config.map(|name| Severities::parse(&source(name)).0).unwrap_or_default();
    let program = Program {
        source: source(definition.entry),
        format: Format::from_path(definition.entry).unwrap_or(Format::Toml),
        files: definition.files.iter().map(|(name, _)| ((*name).to_owned(), source(name))).collect(),
        operations: Vec::new(),
        types: Vec::new(),
        catalogs: Vec::new(),
        severities,
    };
    program.compile(None, None)
}

fn in_rust(definition: &InRust, open: &mut Vec<&'static str>) -> Result<Built, Findings> {
    let mut program = Program::new(Source::new(HERE, ""));
    program.types =
        definition.types.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    let mut inner: HashMap<&str, (String, Built)> = HashMap::new();
    for (name, callable) in &definition.operations {
        match callable {
            Callable::Operation(known) => program.operations.push(Known::clone(known)),
            Callable::Workflow(workflow) => {
                inner.insert(*name, program.contain(workflow, open)?);
            }
        }
    }
    let named = definition.operations.iter().map(|(name, callable)| {
        let named = match (callable, inner.get(name)) {
            (Callable::Workflow(_), Some((file, built))) => built.named(file),
            (Callable::Operation(known), _) => Named::Operation(known),
            (Callable::Workflow(_), None) => unreachable!("each of them has just been compiled"),
        };
        (*name, named)
    });
    let (document, mut unknown) = rename(definition, &named.collect());
    let mut written = written(definition.file, definition.places);
    let mut places = Places::of_whole(written.next());
    let operations = document.get("operations").and_then(Value::as_object);
    for ((name, operation), place) in operations.into_iter().flatten().zip(written) {
        places.insert(name, place);
        if let Some(file) = operation.get("workflow").and_then(Value::as_str)
            && let Some((_, built)) = inner.values().find(|(path, _)| path == file)
        {
            places.nest(name, &built.places);
        }
    }
    if !unknown.is_empty() {
        places.tell(&mut unknown);
        return Err(Findings::about_nothing(unknown));
    }
    program.source = Source::new(HERE, canonical::pretty(&document));
    program.compile(Some(places), definition.single).map(|built| Built { result: definition.result, ..built })
}

impl Program {
    /// A program of one text in the JSON form, which names nothing.
    pub(crate) fn new(source: Source) -> Self {
        Self {
            source,
            format: Format::Json,
            files: HashMap::new(),
            operations: Vec::new(),
            types: Vec::new(),
            catalogs: Vec::new(),
            severities: Severities::default(),
        }
    }

    /// Takes in all that a workflow needs that stands as an operation, and gives the path under which it can be named.
    pub(crate) fn contain(
        &mut self,
        workflow: &Inner,
        open: &mut Vec<&'static str>,
    ) -> Result<(String, Built), Findings> {
        if open.contains(&workflow.name) {
            let circle = [open.as_slice(), &[workflow.name]].concat().join("` → `");
            let at = Location::Pointer(String::new());
            let message = format!("a workflow contains itself: `{circle}`");
            return Err(Findings::about_nothing(vec![Diagnostic::error("workflow-cycle", at, message)]));
        }
        open.push(workflow.name);
        let built = build(&(workflow.definition)(), open);
        open.pop();
        let built = built?;
        let path = self.add(workflow.name, &built);
        Ok((path, built))
    }

    /// Takes in all that `built` needs, under a name that nothing else has.
    pub(crate) fn add(&mut self, name: &str, built: &Built) -> String {
        let inner = &built.program;
        let folder = format!("/{}", name.replace("::", "/"));
        let source = &inner.source;
        let own = if *source.name == *HERE { "workflow.pop.json" } else { &source.name };
        let path = format!("{folder}/{own}");
        self.files.insert(path.clone(), Source::new(path.as_str(), source.text.clone()));
        for (file, source) in &inner.files {
            let full = if file.starts_with('/') { file.clone() } else { format!("{folder}/{file}") };
            self.files.insert(full.clone(), Source::new(full, source.text.clone()));
        }
        self.operations.extend(inner.operations.iter().cloned());
        self.types.extend(inner.types.iter().cloned());
        self.catalogs.extend(inner.catalogs.iter().cloned());
        path
    }

    /// Compiles it. Without places the compiler's own are taken.
    pub(crate) fn compile(
        self,
        places: Option<Places>,
        single: Option<&'static str>,
    ) -> Result<Built, Findings> {
        let doubles = self.doubles();
        if !doubles.is_empty() {
            return Err(Findings::about_nothing(doubles));
        }
        let mut catalog = Catalog::new();
        for known in self.operations.iter().filter(|known| !is_builtin(known.name())) {
            catalog.insert(known.operation_type());
        }
        for (name, schema) in &self.types {
            catalog.types.define(name.as_str(), Type::from_derived_schema(schema));
        }
        let catalogs: Vec<Catalog> = self.catalogs.iter().cloned().chain([catalog]).collect();
        let loader = |path: &str| self.files.get(path).cloned().ok_or_else(|| "no such file".to_owned());
        let options = Options { loader: &loader, catalogs: &catalogs, severities: &self.severities };
        let mut compiled = pop_compiler::compile(self.source.clone(), self.format, &options);
        if let Some(places) = &places {
            let own = compiled.source_map.iter().filter(|(_, span)| span.file.0 == 0);
            places.explain(&mut compiled.diagnostics, own);
        }
        match compiled.template.take() {
            Some(template) if !has_errors(&compiled.diagnostics) => {
                let places = places.unwrap_or_else(|| Places::in_files(&compiled));
                let (ready, warnings) = (compiled.agenda, compiled.diagnostics);
                let result = ResultFields::InJson(&[]);
                Ok(Built { program: self, template, ready, single, result, warnings, places })
            }
            _ => Err(Findings::new(compiled.diagnostics, &compiled.sources)),
        }
    }

    /// Names that stand for two things: two operation types of one name, or two named types.
    fn doubles(&self) -> Vec<Diagnostic> {
        let mut operations: HashMap<&str, &Known> = HashMap::new();
        let mut types: HashMap<&str, &Value> = HashMap::new();
        let mut found = Vec::new();
        let mut conflict = |what: &str, name: &str| {
            let at = Location::Pointer(String::new());
            let message = format!("two different Rust types stand for the {what} `{name}`");
            found.push(
                Diagnostic::error("catalog-conflict", at, message).help("give one of them another name"),
            );
        };
        for known in &self.operations {
            if operations.insert(known.name(), known).is_some_and(|other| other != known) {
                conflict("operation type", known.name());
            }
        }
        for (name, schema) in &self.types {
            if types.insert(name, schema).is_some_and(|other| other != schema) {
                conflict("type", name);
            }
        }
        found
    }
}

impl Built {
    /// What others need to know of it to name its inputs and outputs.
    pub(crate) fn named<'b>(&'b self, file: &'b str) -> Named<'b> {
        Named::Workflow {
            file,
            inputs: self.template.params.get(keys::INPUTS),
            outputs: self.template.params.get(keys::OUTPUTS),
            single: self.single,
            result: self.result,
        }
    }
}
