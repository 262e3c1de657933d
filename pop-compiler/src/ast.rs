//! A workflow as it was written: every value spanned, names not yet resolved. `decode` makes it, `resolve` reads it.

use serde_json::{Number, Value as Json};

use crate::agenda::RunSpec;
use crate::expr::{Part, Template};
use crate::source::{Span, Spanned};
use crate::tree::{KeyIndex, Text};
use crate::types::TypeExpr;

/// One workflow file.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about the text")]
pub(crate) struct Workflow {
    pub(crate) name: Spanned<String>,
    pub(crate) version: Option<Spanned<String>>,
    pub(crate) description: Option<String>,
    pub(crate) catalogs: Vec<Spanned<String>>,
    /// Whether there are catalogs whose names could not be read.
    pub(crate) catalogs_unread: bool,
    pub(crate) inputs: Vec<Input>,
    pub(crate) types: Vec<TypeDef>,
    pub(crate) operation_types: Vec<OperationTypeDef>,
    pub(crate) operations: Vec<Operation>,
    /// Where each operation is, by its name.
    pub(crate) names: KeyIndex,
    /// Where `[operations]` is, or else the whole file.
    pub(crate) operations_span: Span,
    /// Whether operations may be there that could not be read.
    pub(crate) operations_unread: bool,
    /// Whether it is a catalog instead, of which nothing was read.
    pub(crate) is_catalog: bool,
    pub(crate) outputs: Vec<Field>,
    pub(crate) run: Run,
    /// Placeholders of other languages.
    pub(crate) foreign: Vec<Foreign>,
    /// Texts under keys that are not known, which may name something.
    pub(crate) unread: Vec<String>,
    /// How many references there are; each has a number below this.
    pub(crate) references: u32,
    /// Whether a workflow stands in the place of some operation.
    pub(crate) nests: bool,
}

impl Workflow {
    /// The number of the operation of this name.
    pub(crate) fn find(&self, operation: &str) -> Option<usize> {
        self.names.get(operation, self.operations.len(), |i| &self.operations[i].name.value)
    }

    /// The names of all operations.
    pub(crate) fn operation_names(&self) -> impl Iterator<Item = &str> {
        self.operations.iter().map(|operation| operation.name.value.as_str())
    }
}

/// A placeholder of another language in a text.
#[derive(Clone, Debug)]
pub(crate) struct Foreign {
    pub(crate) span: Span,
    pub(crate) shown: String,
    pub(crate) path: Vec<String>,
    /// Whether shells and programs write names of their own like that.
    pub(crate) common: bool,
    /// As `common`, whatever the path.
    pub(crate) shell: bool,
    /// Whether it could be replaced by a reference.
    pub(crate) certain: bool,
    /// The operation whose text it is in.
    pub(crate) inside: Option<usize>,
}

/// One entry of `[inputs]`.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    pub(crate) name: Spanned<String>,
    pub(crate) ty: Spanned<TypeExpr>,
    pub(crate) default: Option<Value>,
    pub(crate) description: Option<String>,
}

/// One entry of `[types]`.
#[derive(Clone, Debug)]
pub(crate) struct TypeDef {
    pub(crate) name: Spanned<String>,
    pub(crate) ty: TypeExpr,
}

/// One entry of `[operations]`. There may be very many, and every check goes over them: what few of them have is kept
/// apart.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) name: Spanned<String>,
    /// `None` when it is missing; that has been reported.
    pub(crate) uses: Option<Spanned<String>>,
    /// The workflow that stands here instead of an operation type: a path relative to this file.
    pub(crate) workflow: Option<Box<Spanned<String>>>,
    pub(crate) with: Option<Value>,
    pub(crate) after: Box<[Spanned<String>]>,
    /// The whole value of `after`.
    pub(crate) after_span: Span,
    pub(crate) when: Option<Box<Value>>,
    pub(crate) each: Option<Box<Value>>,
    pub(crate) settings: Settings,
    pub(crate) description: Option<Box<str>>,
}

/// How an operation runs; an operation type may have the same as defaults. Already in canonical JSON.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) retry: Option<Box<Json>>,
    /// Where `retry` names timeouts.
    pub(crate) retry_on_timeout: Option<Span>,
    pub(crate) timeout: Option<Box<Json>>,
    pub(crate) resources: Option<Box<Json>>,
}

/// A name and a value.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: Spanned<String>,
    pub(crate) value: Value,
}

/// A value that may hold references.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub(crate) kind: ValueKind,
    pub(crate) span: Span,
}

/// What a [`Value`] is.
#[derive(Clone, Debug)]
pub(crate) enum ValueKind {
    /// Already reported.
    Error,
    Null,
    Bool(bool),
    Number(Number),
    Text(Template),
    List(Vec<Value>),
    Record(Vec<Field>),
}

/// Recursion is bounded by the depth of the source.
impl Value {
    /// The value as JSON, when no reference is in it.
    pub(crate) fn to_json(&self) -> Option<Json> {
        Some(match &self.kind {
            ValueKind::Error => return None,
            ValueKind::Null => Json::Null,
            ValueKind::Bool(b) => Json::Bool(*b),
            ValueKind::Number(n) => Json::Number(n.clone()),
            ValueKind::Text(template) => Json::from(template.as_text()?),
            ValueKind::List(items) => Json::Array(items.iter().map(Self::to_json).collect::<Option<_>>()?),
            ValueKind::Record(fields) => Json::Object(
                fields
                    .iter()
                    .map(|f| Some((f.name.value.clone(), f.value.to_json()?)))
                    .collect::<Option<_>>()?,
            ),
        })
    }

    /// As [`Value::to_json`], keys sorted.
    pub(crate) fn to_sorted_json(&self) -> Option<Json> {
        Some(match &self.kind {
            ValueKind::List(items) => {
                Json::Array(items.iter().map(Self::to_sorted_json).collect::<Option<_>>()?)
            }
            ValueKind::Record(fields) => {
                let mut fields: Vec<(String, Json)> = fields
                    .iter()
                    .map(|f| Some((f.name.value.clone(), f.value.to_sorted_json()?)))
                    .collect::<Option<_>>()?;
                fields.sort_by(|a, b| a.0.cmp(&b.0));
                Json::Object(fields.into_iter().collect())
            }
            _ => self.to_json()?,
        })
    }

    /// The place of the first reference in it.
    pub(crate) fn first_reference(&self) -> Option<Span> {
        match &self.kind {
            ValueKind::Text(template) => template.parts.iter().find_map(|part| match part {
                Part::Text(_) => None,
                Part::Reference(reference) => Some(reference.span),
                Part::Native(native) => Some(native.span),
            }),
            ValueKind::List(items) => items.iter().find_map(Self::first_reference),
            ValueKind::Record(fields) => fields.iter().find_map(|field| field.value.first_reference()),
            _ => None,
        }
    }
}

/// The type of an operation type's input or output.
#[derive(Clone, Debug)]
pub(crate) enum Declared {
    Expr(TypeExpr),
    /// A JSON Schema file, relative to the file that names it.
    Schema(Spanned<String>),
}

/// One entry of a catalog.
#[derive(Clone, Debug)]
pub(crate) struct OperationTypeDef {
    pub(crate) name: Spanned<String>,
    pub(crate) description: Option<String>,
    pub(crate) input: Option<Declared>,
    /// Those inputs that are written as tables, with a default or a description.
    pub(crate) inputs: Vec<Input>,
    pub(crate) output: Option<Declared>,
    pub(crate) output_place: Option<DeclaredOutput>,
    pub(crate) run: RunSpec,
    /// What `run` has of texts in which references may stand.
    pub(crate) texts: Vec<CommandText>,
    pub(crate) settings: Settings,
}

/// A text of a command, with the way to its place in the file.
#[derive(Clone, Debug)]
pub(crate) struct CommandText {
    pub(crate) text: Text,
    /// Whether it is part of the line of a program, which everybody on its machine may see.
    pub(crate) shows: bool,
}

/// Where an operation type declares its output.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeclaredOutput {
    pub(crate) span: Span,
    /// The word that says what standard output means.
    pub(crate) stdout: Option<Span>,
}

/// `[run]`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    pub(crate) link: Option<Value>,
    pub(crate) insight: Option<String>,
    pub(crate) maximum_attempts: Option<Json>,
    pub(crate) on_failure: Option<String>,
    /// What has no agenda key of its own, in canonical JSON.
    pub(crate) other: Vec<(&'static str, Json)>,
}

impl Default for Spanned<String> {
    fn default() -> Self {
        Self::new(String::new(), Span::default())
    }
}
