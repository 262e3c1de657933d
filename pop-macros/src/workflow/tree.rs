//! A workflow as a tree of its tokens.

use std::collections::HashMap;

use proc_macro2::Span;
use syn::{Attribute, Ident, Lit, LitInt, LitStr, Path, Type, Visibility};

/// A workflow.
pub(super) struct Workflow {
    pub(super) docs: Option<String>,
    pub(super) doc_attributes: Vec<Attribute>,
    pub(super) name: Option<LitStr>,
    pub(super) version: Option<LitStr>,
    pub(super) visibility: Visibility,
    pub(super) ident: Ident,
    pub(super) inputs: Vec<Input>,
    pub(super) output: Type,
    /// How a run is treated.
    pub(super) run: Vec<(Ident, RunSetting)>,
    pub(super) operations: Vec<Operation>,
    pub(super) result: Option<Value>,
    /// What a reference may start with.
    pub(super) roots: HashMap<String, Root>,
}

/// What the first word of a reference means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Root {
    Input,
    /// The operation with this index.
    Operation(usize),
}

/// What a reference starts from, all scopes considered.
#[derive(Clone, Copy)]
pub(super) enum Start<'w> {
    /// The item of the fan-out around it.
    Item,
    /// The index of that item.
    Index,
    Input,
    Operation(&'w Operation),
    /// What is known of the run; only where nothing else is called `run`.
    Run,
    Unknown,
}

impl Workflow {
    /// What `name` means inside the operation `inside`, or outside of all. An operation hides an input of its name.
    pub(super) fn start<'w>(&'w self, name: &Ident, inside: Option<&Operation>) -> Start<'w> {
        if let Some(each) = inside.and_then(|operation| operation.each.as_ref()) {
            if *name == each.item {
                return Start::Item;
            }
            if each.index.as_ref() == Some(name) {
                return Start::Index;
            }
        }
        match self.roots.get(&name.to_string()) {
            Some(Root::Input) => Start::Input,
            Some(Root::Operation(index)) => Start::Operation(&self.operations[*index]),
            None if name == "run" => Start::Run,
            None => Start::Unknown,
        }
    }
}

/// One input.
pub(super) struct Input {
    pub(super) docs: Option<String>,
    pub(super) ident: Ident,
    pub(super) ty: Type,
    pub(super) default: Option<Value>,
}

/// `let name = …;`
pub(super) struct Operation {
    pub(super) docs: Option<String>,
    /// Its name, when that is no identifier.
    pub(super) name: Option<LitStr>,
    pub(super) ident: Ident,
    pub(super) each: Option<Each>,
    /// None when a fault kept it from being read.
    pub(super) kind: Option<Path>,
    pub(super) fields: Vec<Field>,
    /// The `..` that leaves the other fields out.
    pub(super) rest: Option<Span>,
    pub(super) settings: Vec<(Ident, Setting)>,
    /// The word `when`, and the condition.
    pub(super) when: Option<(Ident, Value)>,
    pub(super) after: Vec<Ident>,
    /// Whether it could not be read as a whole.
    pub(super) broken: bool,
}

impl Operation {
    /// What the workflow language calls it.
    pub(super) fn json_name(&self) -> String {
        self.name.as_ref().map_or_else(|| crate::fields::plain(&self.ident), LitStr::value)
    }
}

/// `for (index, item) in list.enumerate()`
pub(super) struct Each {
    pub(super) item: Ident,
    pub(super) index: Option<Ident>,
    pub(super) list: Value,
}

/// `name: value`
pub(super) struct Field {
    pub(super) ident: Ident,
    pub(super) value: Value,
}

/// A setting of the run.
pub(super) enum RunSetting {
    /// It may hold references.
    Value(Value),
    Plain(Setting),
}

/// The value of a setting such as `retry`.
pub(super) enum Setting {
    Lit(Lit, bool),
    List(Vec<Setting>, Span),
    Record(Vec<(Ident, Setting)>, Span),
}

/// A value.
pub(super) enum Value {
    /// A number or a boolean, and whether it is negative.
    Lit(Lit, bool),
    Text(LitStr, Vec<Part>),
    List(Vec<Value>, Span),
    Record(Path, Vec<Field>, Option<Span>),
    /// `Mode::Fast`: a variant without fields, or a constant.
    Constant(Path),
    /// `BTreeMap::from([("key", value)])`
    Map(Path, Vec<(LitStr, Value)>),
    /// `json!(…)`
    Json(Ident, Box<Value>),
    /// `{ "key": value }`, inside `json!`.
    Object(Vec<(LitStr, Value)>, Span),
    Some(Span, Box<Value>),
    /// `None`, or `null` inside `json!`.
    None(Ident),
    Reference(Reference),
}

/// A piece of a text.
pub(super) enum Part {
    Text(String),
    Reference(Reference),
}

/// `probe.duration`, `encode[*].file`, `split.lines[0].unwrap_or("none")`
pub(super) struct Reference {
    pub(super) root: Ident,
    pub(super) path: Vec<Segment>,
    pub(super) fallback: Option<Fallback>,
}

/// What stands in for a value that is not there.
pub(super) struct Fallback {
    /// `unwrap_or` or `ok`.
    pub(super) word: Ident,
    /// None for null.
    pub(super) value: Option<Box<Value>>,
}

/// One step of a reference.
pub(super) enum Segment {
    Field(Ident),
    Index(LitInt),
    Key(LitStr),
    All(Span),
}

impl Value {
    /// Every reference in it.
    pub(super) fn references<'v>(&'v self, found: &mut Vec<&'v Reference>) {
        match self {
            Self::Reference(reference) => found.push(reference),
            Self::Text(_, parts) => found.extend(parts.iter().filter_map(|part| match part {
                Part::Reference(reference) => Some(reference),
                Part::Text(_) => None,
            })),
            Self::List(items, _) => items.iter().for_each(|item| item.references(found)),
            Self::Record(_, fields, _) => fields.iter().for_each(|field| field.value.references(found)),
            Self::Map(_, entries) | Self::Object(entries, _) => {
                for (_, value) in entries {
                    value.references(found);
                }
            }
            Self::Some(_, inner) | Self::Json(_, inner) => inner.references(found),
            Self::Lit(..) | Self::None(_) | Self::Constant(_) => {}
        }
    }

    /// Every constant in it.
    fn constants<'v>(&'v self, found: &mut Vec<&'v Path>) {
        match self {
            Self::Constant(path) => found.push(path),
            Self::List(items, _) => items.iter().for_each(|item| item.constants(found)),
            Self::Record(_, fields, _) => fields.iter().for_each(|field| field.value.constants(found)),
            Self::Map(_, entries) | Self::Object(entries, _) => {
                for (_, value) in entries {
                    value.constants(found);
                }
            }
            Self::Some(_, inner) | Self::Json(_, inner) => inner.constants(found),
            Self::Lit(..) | Self::Text(..) | Self::None(_) | Self::Reference(_) => {}
        }
    }
}

impl Workflow {
    /// Every constant, wherever a value may stand.
    pub(super) fn constants(&self) -> Vec<&Path> {
        let mut found = Vec::new();
        self.inputs.iter().filter_map(|input| input.default.as_ref()).for_each(|v| v.constants(&mut found));
        for operation in &self.operations {
            operation.fields.iter().for_each(|field| field.value.constants(&mut found));
            operation.when.iter().for_each(|(_, condition)| condition.constants(&mut found));
            operation.each.iter().for_each(|each| each.list.constants(&mut found));
        }
        self.result.iter().for_each(|value| value.constants(&mut found));
        found
    }
}

impl Operation {
    /// The references of its fields and its condition.
    pub(super) fn references(&self) -> Vec<&Reference> {
        let mut found = Vec::new();
        self.fields.iter().for_each(|field| field.value.references(&mut found));
        self.when.iter().for_each(|(_, condition)| condition.references(&mut found));
        found
    }

    /// The references of the list that it fans out over.
    pub(super) fn list_references(&self) -> Vec<&Reference> {
        let mut found = Vec::new();
        self.each.iter().for_each(|each| each.list.references(&mut found));
        found
    }
}
