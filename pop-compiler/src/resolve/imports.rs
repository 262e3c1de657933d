//! Catalogs: the built-in one, those handed in, those named by path and the one inside the workflow file, as one.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use serde_json::Value as Json;

use super::foreign;
use crate::agenda::Stdout;
use crate::ast::{CommandText, Declared, Input, OperationTypeDef, TypeDef, Workflow};
use crate::catalog::command::{self, Place, Spot};
use crate::catalog::{Catalog, OperationType};
use crate::decode::{self, CatalogFile};
use crate::diagnostic::{Diagnostic, has_errors};
use crate::expr::habits::{self, Habit};
use crate::model::Unit;
use crate::source::{Format, STDIN, Source, Sources, Span, Spanned};
use crate::suggest::Guesses;
use crate::syntax;
use crate::types::{Flaw, Record, Type, TypeExpr, Types};
use crate::{budget, coerce, rules};

/// Where catalogs come from.
pub(crate) struct Imports<'i> {
    /// Reads a file; the path is relative to wherever the workflow's own name is relative to.
    pub(crate) loader: &'i dyn Fn(&str) -> Result<Source, String>,
    /// Catalogs made by code.
    pub(crate) catalogs: &'i [Catalog],
}

/// All that a workflow may use.
pub(crate) struct Merged {
    pub(crate) catalog: Catalog,
    /// Names of types that something other than the type itself names.
    pub(crate) used_types: HashSet<String>,
    /// The workflows that stand as operations, by their paths as written.
    pub(crate) workflows: HashMap<String, SubWorkflow>,
    /// Whether a file could not be read, so that names may be unknown only for that.
    pub(crate) incomplete: bool,
}

impl Merged {
    /// What a file that can't be read would have defined is not unknown.
    pub(crate) fn hold_back(&self, out: &mut Vec<Diagnostic>) {
        if self.incomplete {
            let held = [rules::unknown_operation_type::RULE.id, rules::unknown_type::RULE.id];
            out.retain(|d| !held.contains(&d.rule) || rules::unknown_operation_type::is_built_in(d));
        }
    }
}

/// A workflow that stands as an operation of another.
pub(crate) struct SubWorkflow {
    /// Its inputs and outputs.
    pub(crate) kind: OperationType,
    pub(crate) unit: Rc<Unit>,
}

/// All that the workflow may use. The files read are added to `sources`.
pub(crate) fn merge(
    workflow: &Workflow,
    imports: &Imports<'_>,
    sources: &mut Sources,
    out: &mut Vec<Diagnostic>,
) -> Merged {
    let mut merger = Merger {
        catalog: Catalog::builtin(),
        types: HashMap::new(),
        used: HashSet::new(),
        guesses: Guesses::new(),
        out,
    };
    for catalog in imports.catalogs {
        for operation in catalog.iter() {
            merger.catalog.insert(operation.clone());
        }
        for name in catalog.types.names() {
            if let Some(ty) = catalog.types.get(name) {
                merger.catalog.types.define(name, ty.clone());
            }
        }
    }
    let own = sources.get(workflow.operations_span.file).map(|s| s.name.clone()).unwrap_or_default();
    let mut files: Vec<CatalogFile> = Vec::new();
    for path in &workflow.catalogs {
        let full = beside(&own, &path.value);
        let loaded = match Format::from_path(&full) {
            Some(format) => (imports.loader)(&full).map(|source| (source, format)),
            // a catalog that came through standard input
            None if full == STDIN => (imports.loader)(&full).map(|source| {
                let format = source.format().unwrap_or(Format::Toml);
                (source, format)
            }),
            None => Err("the file name must end in `.toml` or `.json`".to_owned()),
        };
        match loaded {
            Ok((source, format)) => {
                let text = source.text.clone();
                let id = sources.add(source);
                let tree = syntax::parse(id, &text, format, merger.out);
                let file = decode::catalog(id, tree, merger.out);
                if file.is_workflow {
                    merger.out.push(rules::missing_import::not_a_catalog(path));
                }
                files.push(file);
            }
            Err(why) => merger.out.push(rules::missing_import::report(path, &why)),
        }
    }
    for def in files.iter().flat_map(|f| &f.types).chain(&workflow.types) {
        merger.define(def);
    }
    let defs = || files.iter().flat_map(|f| &f.types).chain(&workflow.types);
    merger.flaws(defs());
    for def in defs() {
        merger.names(&def.ty, Some(&def.name.value));
    }
    for input in &workflow.inputs {
        merger.names(&input.ty.value, None);
    }
    // whether there are any is known at the end
    merger.catalog.types.secrets = true;
    let mut schemas = Schemas { loader: imports.loader, sources, known: HashMap::new() };
    for def in
        files.into_iter().flat_map(|f| f.operation_types).chain(workflow.operation_types.iter().cloned())
    {
        merger.operation_type(def, &mut schemas);
    }
    let (mut catalog, used_types) = (merger.catalog, merger.used);
    let types = &catalog.types;
    let secret = |ty: &Type| types.secret_in(ty).is_some();
    let secrets = types.names().filter_map(|name| types.get(name)).any(secret)
        || workflow.inputs.iter().any(|input| secret(&input.ty.value.ty))
        || catalog.iter().any(|kind| secret(&kind.output));
    catalog.types.secrets = secrets;
    Merged { catalog, used_types, workflows: HashMap::new(), incomplete: workflow.catalogs_unread }
}

/// `path` as seen from the directory of `from`, without `.` and `..` in it where they can go.
pub(crate) fn beside(from: &str, path: &str) -> String {
    let full = match from.rfind(['/', '\\']) {
        Some(end) if !path.starts_with('/') => format!("{}{path}", &from[..=end]),
        _ => path.to_owned(),
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in full.split('/') {
        match part {
            "." if !parts.is_empty() || full.len() > 1 => {}
            ".." if parts.last().is_some_and(|last| !last.is_empty() && *last != "..") => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// A record whose fields with defaults may be left out.
fn with_optional(input: Type, defaults: &BTreeMap<String, Json>) -> Type {
    match &input {
        Type::Record(record) if !defaults.is_empty() => {
            let field = |(name, ty): (&str, &Type)| {
                let ty = ty.clone();
                (Arc::from(name), if defaults.contains_key(name) { ty.optional() } else { ty })
            };
            let fields: Vec<(Arc<str>, Type)> = record.iter().map(field).collect();
            Record::new(fields).with_rest(record.rest().cloned()).into_type()
        }
        _ => input,
    }
}

/// A free name for what a reference of a schema file leads to: the file's and that of the definition. No type that a person
/// writes has a slash in its name.
fn name_in_schema(file: &str, reference: &str, types: &Types, given: &HashSet<Arc<str>>) -> Arc<str> {
    let file = file.rsplit(['/', '\\']).next().unwrap_or(file);
    let stem = file.split('.').next().unwrap_or(file);
    let last = reference.rsplit(['/', '#']).next().unwrap_or_default();
    let plain = last.replace("~1", "-").replace("~0", "~");
    let name = if plain.is_empty() { format!("{stem}/root") } else { format!("{stem}/{plain}") };
    let is_free = |name: &str| types.get(name).is_none() && !given.contains(name);
    let numbered = (given.len().max(1) + 1..).map(|n: usize| format!("{name}-{n}"));
    std::iter::once(name.clone()).chain(numbered).find(|name| is_free(name)).unwrap_or(name).into()
}

/// The finding for `shown`, which is no reference of a command; `place` gives the place of a part of it.
fn wrong_in_command(
    shown: &str,
    input: &Type,
    types: &Types,
    place: &dyn Fn(Range<usize>) -> Span,
) -> Diagnostic {
    let inside = shown.strip_prefix("${").and_then(|inside| inside.strip_suffix('}'));
    let habit = inside.filter(|inside| inside.starts_with("with.")).and_then(habits::find);
    match (habit, inside) {
        (Some((at, habit)), Some(inside))
            if !matches!(habit, Habit::ReferenceAsDefault | Habit::SecondDefault | Habit::Shell) =>
        {
            let word = &inside[at.clone()];
            rules::bad_expression::habit_in_command(place(at.start + 2..at.end + 2), word)
        }
        _ => {
            let bare = inside.map(|inside| inside.trim_matches(['{', '}']));
            let path: Option<Vec<String>> =
                bare.map(|inside| inside.split('.').map(|name| name.trim().to_owned()).collect());
            let right = path.and_then(|path| foreign::in_command(&path, input, types));
            rules::bad_expression::in_command(place(0..shown.len()), shown, right)
        }
    }
}

/// JSON Schema files, each read once.
struct Schemas<'s> {
    loader: &'s dyn Fn(&str) -> Result<Source, String>,
    sources: &'s mut Sources,
    known: HashMap<String, Type>,
}

impl Schemas<'_> {
    fn read(&mut self, path: &Spanned<String>, types: &mut Types, out: &mut Vec<Diagnostic>) -> Type {
        let from = self.sources.get(path.span.file).map(|s| s.name.clone()).unwrap_or_default();
        let full = beside(&from, &path.value);
        if let Some(ty) = self.known.get(&full) {
            return ty.clone();
        }
        let ty = match (self.loader)(&full) {
            Ok(source) => {
                let text = source.text.clone();
                let id = self.sources.add(source);
                let before = out.len();
                let tree = syntax::parse(id, &text, Format::Json, out);
                rules::bad_schema::check(&tree, out);
                if has_errors(&out[before..]) {
                    Type::Error
                } else {
                    let mut given = HashSet::new();
                    let name = &mut |reference: &str| {
                        let name = name_in_schema(&full, reference, types, &given);
                        given.insert(name.clone());
                        name
                    };
                    if let Ok((ty, named)) = Type::read_schema(&tree.to_json(), name) {
                        for (name, meaning) in named {
                            types.define(name, meaning);
                        }
                        ty
                    } else {
                        out.push(rules::bad_schema::too_large(tree.span));
                        Type::Error
                    }
                }
            }
            Err(why) => {
                out.push(rules::missing_import::schema(path, &why));
                Type::Error
            }
        };
        self.known.insert(full, ty.clone());
        ty
    }
}

struct Merger<'o> {
    catalog: Catalog,
    /// Where each type was defined.
    types: HashMap<Arc<str>, Span>,
    used: HashSet<String>,
    guesses: Guesses,
    out: &'o mut Vec<Diagnostic>,
}

impl Merger<'_> {
    fn define(&mut self, def: &TypeDef) {
        let name: Arc<str> = def.name.value.as_str().into();
        match self.catalog.types.get(&name) {
            Some(earlier) if *earlier != def.ty.ty => {
                let first = self.types.get(&name).copied();
                self.out.push(rules::catalog_conflict::report(&def.name, "type", first));
            }
            _ => {
                self.types.insert(name.clone(), def.name.span);
                self.catalog.types.define(name, def.ty.ty.clone());
            }
        }
    }

    /// Reports names that mean nothing: each circle at the first of its names, and at those that name themselves directly.
    /// All of them are [`Type::Error`] from then on; those of a catalog made by code, which have no place, too.
    fn flaws<'d>(&mut self, defs: impl Iterator<Item = &'d TypeDef>) {
        let types = &self.catalog.types;
        let mut reported: HashSet<usize> = HashSet::new();
        for def in defs {
            match types.flaw(&def.name.value) {
                Some(Flaw::Circular(circle)) => {
                    let name = def.name.value.as_str();
                    if reported.insert(circle) || types.get(name).is_some_and(|ty| ty.names_directly(name)) {
                        self.out.push(rules::bad_type::circular(&def.name));
                    }
                }
                Some(Flaw::TooLarge) => self.out.push(rules::bad_type::too_large(&def.name)),
                None => {}
            }
        }
        let flawed: Vec<String> =
            types.names().filter(|name| types.flaw(name).is_some()).map(str::to_owned).collect();
        for name in flawed {
            self.catalog.types.define(name, Type::Error);
        }
    }

    /// Reports the names in a type that mean nothing; they count as [`Type::Error`] from then on.
    fn names(&mut self, expr: &TypeExpr, own: Option<&str>) {
        for name in &expr.names {
            if Some(name.value.as_ref()) != own && !self.used.contains(name.value.as_ref()) {
                self.used.insert(name.value.to_string());
            }
            if self.catalog.types.get(&name.value).is_none() {
                let types = self.catalog.types.names().chain(crate::types::scalar_names().map(|n| n as &str));
                self.out.push(rules::unknown_type::report(name, self.guesses.among(types)));
                budget::enforce(self.out);
            }
        }
    }

    fn declared(&mut self, declared: Option<Declared>, schemas: &mut Schemas<'_>) -> Option<Type> {
        match declared? {
            Declared::Expr(expr) => {
                self.names(&expr, None);
                Some(expr.ty)
            }
            Declared::Schema(path) => Some(schemas.read(&path, &mut self.catalog.types, self.out)),
        }
    }

    /// Reports references of a command that lead nowhere, and secrets that the line of a program would show.
    fn command(&mut self, def: &OperationTypeDef, input: &Type) {
        let types = &self.catalog.types;
        let name = &def.name;
        let file = name.span.file;
        for CommandText { text, shows } in &def.texts {
            for found in foreign::in_text(text.value.as_str(), &def.run, input, types) {
                let span = text.span(file, found.range.start, found.range.end);
                let shown = &text.value[found.range];
                self.out.push(rules::foreign_reference::report(span, shown, &found.right, found.certain));
                budget::enforce(self.out);
            }
            for spot in command::spots(&text.value) {
                let (path, at) = match spot {
                    Spot::Input { path, at } => (path, at),
                    Spot::Wrong { shown, at } => {
                        let place = |range: Range<usize>| text.span(file, at + range.start, at + range.end);
                        self.out.push(wrong_in_command(shown, input, types, &place));
                        budget::enforce(self.out);
                        continue;
                    }
                };
                match command::place(types, input, path) {
                    Place::Nowhere { key, record } => {
                        // a slice of the path, so its address says where it stands
                        let before = (key.as_ptr() as usize).wrapping_sub(path.as_ptr() as usize);
                        let start = at + before;
                        let key = Spanned::new(key.to_owned(), text.span(file, start, start + key.len()));
                        self.out.push(match record {
                            Some(record) => rules::unknown_field::of_with(
                                &path[..before],
                                &key,
                                name,
                                record,
                                &self.guesses,
                            ),
                            None => rules::unknown_field::in_with(path, &key, name),
                        });
                    }
                    Place::There { secret: true, .. } if *shows => {
                        let start = at - command::WITH.len();
                        let span = text.span(file, start, at + path.len() + 1);
                        self.out.push(rules::secret_leak::in_command(span, path, name));
                    }
                    Place::There { .. } => {}
                }
                budget::enforce(self.out);
            }
        }
    }

    /// The defaults and descriptions of the inputs of an operation type; a default that does not fit is told.
    fn described(&mut self, inputs: Vec<Input>) -> (BTreeMap<String, Json>, BTreeMap<String, String>) {
        let (mut defaults, mut descriptions) = (BTreeMap::new(), BTreeMap::new());
        for input in inputs {
            let name = &input.name.value;
            descriptions.extend(input.description.map(|about| (name.clone(), about)));
            let Some(default) = &input.default else { continue };
            let (types, ty, place) = (&self.catalog.types, &input.ty.value.ty, input.ty.span);
            // whatever is wrong with it, the input may be left out
            defaults.insert(name.clone(), Json::Null);
            let Some(value) = default.to_sorted_json() else {
                // what could not be read was told
                let reference = default.first_reference();
                self.out.extend(reference.map(|span| rules::bad_default::reference(span, name)));
                continue;
            };
            if !value.is_null() && types.secret_in(ty).is_some() {
                self.out.push(rules::secret_leak::in_default(default.span, name, place));
            } else if !types.accepts(ty, &value) {
                let edits = coerce::edits(types, ty, default);
                let shown = value.to_string();
                self.out.push(rules::bad_default::report(default.span, name, ty, place, &shown, edits));
            }
            budget::enforce(self.out);
            defaults.insert(name.clone(), value);
        }
        (defaults, descriptions)
    }

    fn operation_type(&mut self, mut def: OperationTypeDef, schemas: &mut Schemas<'_>) {
        let (input, output) = (def.input.take(), def.output.take());
        let input = self.declared(input, schemas);
        let output = match (self.declared(output, schemas), def.run.stdout) {
            (Some(declared), _) => declared,
            (None, Stdout::Text) => Type::record([("text", Type::String)]),
            (None, Stdout::Lines) => Type::record([("lines", Type::String.list())]),
            (None, Stdout::Log | Stdout::Json) => Type::Any,
        };
        if let Some(place) = &def.output_place {
            self.out.extend(rules::stdout_mismatch::check(
                &self.catalog.types,
                def.run.stdout,
                &output,
                place,
            ));
        }
        if let Some(input) = &input {
            self.command(&def, input);
        }
        let (defaults, descriptions) = self.described(std::mem::take(&mut def.inputs));
        let mut run = def.run;
        if let Some(input) = &input {
            command::mark(&mut run, input, &self.catalog.types);
        }
        let made = OperationType {
            name: def.name.value.as_str().into(),
            description: def.description,
            input: input.map_or(Type::Any, |input| with_optional(input, &defaults)),
            defaults,
            descriptions,
            output,
            run,
            retry: def.settings.retry.map(|retry| *retry),
            timeout: def.settings.timeout.map(|timeout| *timeout),
            resources: def.settings.resources.map(|resources| *resources),
            passes: None,
            declared: Some(def.name.span),
        };
        match self.catalog.get(&made.name) {
            Some(earlier) if !earlier.same(&made) => {
                let first = earlier.declared;
                self.out.push(rules::catalog_conflict::report(&def.name, "operation type", first));
            }
            Some(_) => {}
            None => {
                self.catalog.insert(made);
            }
        }
    }
}
