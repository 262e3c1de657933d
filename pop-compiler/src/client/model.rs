//! A workflow as its clients see it, without a language: made from the JSON Schemas that its template carries.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use super::names::{Clash, clashes};
use super::schema::Reader;
use super::{Error, Input};
use crate::agenda::{AgendaTemplate, keys};

/// The most bytes of a sentence of the workflow's and what is said behind it on one line.
const LINE: usize = 90;

/// What to do where two fields would be one.
const FIELDS: &str = "Rename one of them, or declare the type as `map<any>`.";

/// A workflow.
pub(super) struct Flow {
    /// Its name.
    pub(super) name: String,
    /// Its version.
    pub(super) version: Option<String>,
    /// What a person wrote about it.
    pub(super) description: Option<String>,
    /// The digest of its template.
    pub(super) digest: String,
    /// The template as compact JSON.
    pub(super) template: String,
    /// What it takes.
    pub(super) inputs: Vec<Field>,
    /// What it gives.
    pub(super) outputs: Vec<Field>,
    /// The types that these mention; see [`Shape::Named`].
    pub(super) types: Vec<Named>,
    /// Types whose names would be one.
    pub(super) clashes: Vec<Clash>,
    /// Where each operation is written: its name, and `file:line:column`.
    pub(super) places: Vec<(String, String)>,
}

/// A type with a name.
pub(super) struct Named {
    /// In `PascalCase`; unique in its workflow, and not `Inputs` or `Outputs`.
    pub(super) name: String,
    /// What a person wrote about it.
    pub(super) doc: Option<String>,
    /// What it is.
    pub(super) kind: Kind,
}

/// What a named type is.
#[derive(Debug, PartialEq)]
pub(super) enum Kind {
    /// An object with known fields.
    Record(Vec<Field>),
    /// One of these strings, numbers and booleans.
    Literals(Vec<Json>),
    /// One of these, to be tried in this order.
    Union(Vec<Shape>),
    /// Another name for this.
    Alias(Shape),
}

/// A field of a record.
#[derive(Debug, PartialEq)]
pub(super) struct Field {
    /// Its name in JSON.
    pub(super) key: String,
    /// What it holds.
    pub(super) shape: Shape,
    /// Whether it may be left out; left out and null mean the same.
    pub(super) optional: bool,
    /// What it is when it is left out.
    pub(super) default: Option<Json>,
    /// What a person wrote about it.
    pub(super) doc: Option<String>,
    /// Not one field, but all further ones of an open record: a map of them. It is the last of its record.
    pub(super) rest: bool,
}

/// A type as it is used.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    /// Anything.
    Any,
    /// Only null.
    Null,
    /// true or false.
    Bool,
    /// A whole number.
    Int,
    /// Any number.
    Float,
    /// Text; what kind of text, for people.
    Text(Option<&'static str>),
    /// A list.
    List(Box<Shape>),
    /// An object with any keys.
    Map(Box<Shape>),
    /// This or null.
    Nullable(Box<Shape>),
    /// Not to be shown.
    Secret(Box<Shape>),
    /// The type at this index of [`Flow::types`].
    Named(usize),
}

impl Shape {
    /// This or null.
    pub(super) fn nullable(self) -> Self {
        match self {
            Self::Any | Self::Null | Self::Nullable(_) => self,
            other => Self::Nullable(Box::new(other)),
        }
    }

    /// The shapes that it is made of, itself first.
    pub(super) fn parts(&self) -> Vec<&Self> {
        let mut parts = vec![self];
        let mut at = self;
        while let Self::List(inner) | Self::Map(inner) | Self::Nullable(inner) | Self::Secret(inner) = at {
            parts.push(inner);
            at = inner;
        }
        parts
    }

    /// What kind of text it is, or its items are: a sentence.
    fn note(&self) -> Option<String> {
        let parts = self.parts();
        let Some(Self::Text(Some(note))) = parts.last() else { return None };
        if parts.iter().any(|part| matches!(part, Self::List(_) | Self::Map(_))) {
            return Some(format!("Each text is {note}."));
        }
        Some(format!("{}{}.", note[..1].to_uppercase(), &note[1..]))
    }

    /// The shape of which nothing is said about what kind of text it is.
    pub(super) fn unnoted(&self) -> Self {
        let inner = |shape: &Self| Box::new(shape.unnoted());
        match self {
            Self::Text(_) => Self::Text(None),
            Self::List(item) => Self::List(inner(item)),
            Self::Map(item) => Self::Map(inner(item)),
            Self::Nullable(shape) => Self::Nullable(inner(shape)),
            Self::Secret(shape) => Self::Secret(inner(shape)),
            other => other.clone(),
        }
    }

    /// Whether no program can tell them apart.
    pub(super) fn same_kind(&self, other: &Self) -> bool {
        self == other || self.unnoted() == other.unnoted()
    }

    /// Whether a secret is in it.
    pub(super) fn is_secret(&self) -> bool {
        self.parts().iter().any(|part| matches!(part, Self::Secret(_)))
    }
}

impl Named {
    /// What there is to say about the type.
    pub(super) fn docs(&self) -> Vec<String> {
        self.doc.iter().flat_map(|doc| doc.lines()).map(str::to_owned).collect()
    }
}

impl Field {
    /// What there is to say about the field: what was written, then what its type and its default add.
    pub(super) fn docs(&self) -> Vec<String> {
        let mut docs: Vec<String> = Vec::new();
        if let Some(doc) = &self.doc {
            docs.extend(doc.lines().map(str::to_owned));
        }
        let mut said = Vec::new();
        said.extend(self.shape.note());
        if self.shape.is_secret() {
            said.push("Secret: POP never shows the value.".to_owned());
        }
        said.extend(self.default.as_ref().filter(|_| !self.shape.is_secret()).map(|default| {
            let shown = crate::diagnostic::shorten(&default.to_string());
            format!("Default: `{shown}`.")
        }));
        let said = said.join(" ");
        match docs.as_mut_slice() {
            _ if said.is_empty() => {}
            [only] if only.ends_with('.') && only.len() + said.len() < LINE => *only += &format!(" {said}"),
            [] => docs.push(said),
            _ => docs.extend([String::new(), said]),
        }
        docs
    }
}

impl Flow {
    /// Reads the parts of a template that clients need.
    ///
    /// # Errors
    /// The template does not say what it is called.
    pub(super) fn new(input: &Input) -> Result<Self, Error> {
        let template = &input.template;
        let header = template.agenda.params.get(keys::WORKFLOW).and_then(Json::as_object);
        let text = |key: &str| header.and_then(|h| h.get(key)).and_then(Json::as_str).map(str::to_owned);
        let name = text("name").unwrap_or_default();
        if name.is_empty() {
            return Err(Error::NoName { file: input.file.clone() });
        }
        let mut places = input.places.clone();
        places.sort();
        let mut reader = Reader::new();
        let inputs = reader.fields(template.params.get(keys::INPUTS), "Inputs");
        let outputs = match template.params.get(keys::OUTPUTS) {
            Some(schema) => reader.fields(Some(schema), "Outputs"),
            None => untyped(template),
        };
        let (types, clashes) = reader.finish();
        Ok(Self {
            version: text("version"),
            description: text("description"),
            digest: template.digest(),
            template: serde_json::to_string(template).unwrap_or_default(),
            inputs,
            outputs,
            types,
            clashes,
            places,
            name,
        })
    }

    /// What there is to say about the workflow.
    pub(super) fn docs(&self) -> Vec<String> {
        let version = self.version.as_ref().map(|v| format!(" {v}")).unwrap_or_default();
        let mut docs = vec![format!("Client of the workflow `{}`{version}.", self.name.escape_debug())];
        if let Some(description) = &self.description {
            docs.push(String::new());
            docs.extend(description.lines().map(str::to_owned));
        }
        docs
    }

    /// The names that would be one in a language that calls fields so.
    pub(super) fn field_clashes(&self, called: impl Fn(&Field) -> String) -> Vec<Clash> {
        let of = |what, of: Option<&str>, records: &[&[Field]]| {
            let fields = records.iter().flat_map(|fields| fields.iter()).filter(|field| !field.rest);
            clashes(
                (what, of),
                if of.is_some() { FIELDS } else { "Rename one of them." },
                fields.map(|field| (field.key.as_str(), called(field))),
            )
        };
        let record = |member: &Shape| match member {
            Shape::Named(index) => match &self.types[*index].kind {
                Kind::Record(fields) => Some(fields.as_slice()),
                _ => None,
            },
            _ => None,
        };
        let mut found = [of("inputs", None, &[&self.inputs]), of("outputs", None, &[&self.outputs])].concat();
        for Named { name, kind, .. } in &self.types {
            found.extend(match kind {
                Kind::Record(fields) => of("fields", Some(name), &[fields]),
                // what its members are called may say only which of them they are, so fields must tell them apart
                Kind::Union(members) => {
                    let records: Vec<&[Field]> = members.iter().filter_map(record).collect();
                    of("fields", Some(name), &records)
                }
                Kind::Literals(_) | Kind::Alias(_) => Vec::new(),
            });
        }
        found
    }

    /// Whether null is one of the values.
    pub(super) fn is_nullable(&self, shape: &Shape) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = vec![shape];
        while let Some(shape) = open.pop() {
            match shape {
                Shape::Any | Shape::Null | Shape::Nullable(_) => return true,
                Shape::Secret(inner) => open.push(inner),
                Shape::Named(index) if seen.insert(*index) => match &self.types[*index].kind {
                    Kind::Alias(shape) => open.push(shape),
                    Kind::Union(members) => open.extend(members),
                    Kind::Record(_) | Kind::Literals(_) => {}
                },
                _ => {}
            }
        }
        false
    }

    /// Whether a name stands for lists or maps of itself, with no other type in between.
    pub(super) fn is_of_itself(&self, start: usize) -> bool {
        let mut seen = BTreeSet::new();
        let mut at = start;
        while let Kind::Alias(shape) = &self.types[at].kind {
            let Some(Shape::Named(next)) = shape.parts().pop() else { return false };
            if *next == start {
                return true;
            }
            if !seen.insert(*next) {
                return false;
            }
            at = *next;
        }
        false
    }

    /// The types that occur in these fields.
    pub(super) fn reachable(&self, fields: &[Field]) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        let mut open: Vec<&Shape> = fields.iter().map(|f| &f.shape).collect();
        while let Some(shape) = open.pop() {
            let Some(Shape::Named(index)) = shape.parts().pop() else { continue };
            if !found.insert(*index) {
                continue;
            }
            match &self.types[*index].kind {
                Kind::Record(fields) => open.extend(fields.iter().map(|f| &f.shape)),
                Kind::Union(members) => open.extend(members),
                Kind::Alias(shape) => open.push(shape),
                Kind::Literals(_) => {}
            }
        }
        found
    }

    /// Whether a value of the type may hold itself without a list or a map in between.
    pub(super) fn holds(&self, from: &Shape, target: usize) -> bool {
        let mut seen = vec![false; self.types.len()];
        let mut open = direct(from);
        while let Some(index) = open.pop() {
            if index == target {
                return true;
            }
            if std::mem::replace(&mut seen[index], true) {
                continue;
            }
            match &self.types[index].kind {
                Kind::Record(fields) => open.extend(fields.iter().flat_map(|f| direct(&f.shape))),
                Kind::Union(members) => open.extend(members.iter().flat_map(direct)),
                Kind::Alias(shape) => open.extend(direct(shape)),
                Kind::Literals(_) => {}
            }
        }
        false
    }
}

/// The named types that a shape holds without a list or a map in between.
fn direct(shape: &Shape) -> Vec<usize> {
    let mut at = shape;
    loop {
        match at {
            Shape::Nullable(inner) | Shape::Secret(inner) => at = inner,
            Shape::Named(index) => return vec![*index],
            _ => return Vec::new(),
        }
    }
}

/// The outputs of a template that has no schema of them.
fn untyped(template: &AgendaTemplate) -> Vec<Field> {
    let result = template.agenda.params.get(keys::RESULT).and_then(Json::as_object);
    let empty = Map::new();
    result
        .unwrap_or(&empty)
        .keys()
        .map(|key| Field {
            key: key.clone(),
            shape: Shape::Any,
            optional: true,
            default: None,
            doc: None,
            rest: false,
        })
        .collect()
}
