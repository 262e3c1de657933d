//! A workflow as written: every value has its place, and names are unresolved. `decode` builds the tree, and `resolve`
//! reads it.

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
    /// Whether some names of catalogs could not be read.
    pub(crate) catalogs_unread: bool,
    pub(crate) inputs: Vec<Input>,
    pub(crate) types: Vec<TypeDef>,
    pub(crate) operation_types: Vec<OperationTypeDef>,
    pub(crate) operations: Vec<Operation>,
    /// Index of each operation by its name.
    pub(crate) names: KeyIndex,
    /// Place of `[operations]`, or else of the whole file.
    pub(crate) operations_span: Span,
    /// Whether some operations could not be read.
    pub(crate) operations_unread: bool,
    /// Whether the file is a catalog instead; its content was not read.
    pub(crate) is_catalog: bool,
    pub(crate) outputs: Vec<Field>,
    pub(crate) run: Run,
    /// Placeholders of other languages.
    pub(crate) foreign: Vec<Foreign>,
    /// Texts under unknown keys, which may contain names.
    pub(crate) unread: Vec<String>,
    /// Number of references; each has an id below this.
    pub(crate) references: u32,
    /// Whether any operation is a sub-workflow.
    pub(crate) nests: bool,
}

impl Workflow {
    /// Index of the operation of this name.
    pub(crate) fn find(&self, operation: &str) -> Option<usize> {
        self.names.get(operation, self.operations.len(), |i| &self.operations[i].name.value)
    }

    /// Names of all operations.
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
    /// Whether shells and programs use this form for names of their own.
    pub(crate) common: bool,
    /// As `common`, for any path.
    pub(crate) shell: bool,
    /// Whether a reference may replace the placeholder without asking.
    pub(crate) certain: bool,
    /// The operation around the text.
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

/// One entry of `[operations]`. A file may have very many, and every check reads all of them, so rare parts are boxed.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) name: Spanned<String>,
    /// `None` for a missing key, which has been reported.
    pub(crate) uses: Option<Spanned<String>>,
    /// The sub-workflow instead of an operation type: a path relative to this file.
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

/// How an operation runs; an operation type may have the same settings as defaults. The values are canonical JSON.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) retry: Option<Box<Json>>,
    /// Place where `retry` names timeouts.
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

/// A value that may contain references.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub(crate) kind: ValueKind,
    pub(crate) span: Span,
}

/// Kind of a [`Value`].
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
    /// The value as JSON; none for a value with a reference.
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

    /// Place of the first reference inside.
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
    /// A JSON Schema file; the path is relative to the file that names it.
    Schema(Spanned<String>),
}

/// One entry of a catalog.
#[derive(Clone, Debug)]
pub(crate) struct OperationTypeDef {
    pub(crate) name: Spanned<String>,
    pub(crate) description: Option<String>,
    pub(crate) input: Option<Declared>,
    /// Inputs written as tables, with a default or a description.
    pub(crate) inputs: Vec<Input>,
    pub(crate) output: Option<Declared>,
    pub(crate) output_place: Option<DeclaredOutput>,
    pub(crate) run: RunSpec,
    /// Texts of `run` that may contain references.
    pub(crate) texts: Vec<CommandText>,
    pub(crate) settings: Settings,
}

/// A text of a command, with the map to its place in the file.
#[derive(Clone, Debug)]
pub(crate) struct CommandText {
    pub(crate) text: Text,
    /// Whether the text is part of a command line, which every user of the machine can read.
    pub(crate) shows: bool,
}

/// Place of an operation type's output declaration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeclaredOutput {
    pub(crate) span: Span,
    /// Place of the value of `stdout`.
    pub(crate) stdout: Option<Span>,
}

/// `[run]`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    pub(crate) link: Option<Value>,
    pub(crate) insight: Option<String>,
    pub(crate) maximum_attempts: Option<Json>,
    pub(crate) on_failure: Option<String>,
    /// Settings without an agenda key of their own, in canonical JSON.
    pub(crate) other: Vec<(&'static str, Json)>,
}

impl Default for Spanned<String> {
    fn default() -> Self {
        Self::new(String::new(), Span::default())
    }
}
