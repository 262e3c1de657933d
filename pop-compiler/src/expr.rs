//! `${…}` in strings: from text to a [`Template`] with exact spans. What the names mean is decided in `resolve`.

mod ends;
pub(crate) mod foreign;
pub(crate) mod habits;
mod parse;
pub(crate) mod rules;

use serde_json::Value as Json;

use crate::source::{FileId, Span, Spanned};
use crate::tree::Text;

pub(crate) use parse::parse;

/// A string with references in it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Template {
    pub(crate) parts: Vec<Part>,
    /// Whether there is a `${…}` in it that could not be read, which was reported.
    pub(crate) broken: bool,
}

/// A piece of a string.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    /// Text, escapes resolved; native tokens in it are taken out as [`Part::Native`].
    Text(String),
    /// `${…}`.
    Reference(Box<Reference>),
    /// POP's own token `@<…>`, kept as it stands.
    Native(Box<Native>),
}

/// `${probe.video.height ?? 720}`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reference {
    /// Its number in the file, from 0.
    pub(crate) id: u32,
    pub(crate) root: Spanned<Root>,
    pub(crate) path: Vec<Spanned<Segment>>,
    pub(crate) default: Option<Box<Spanned<Json>>>,
    /// All of it, from `$` to `}`.
    pub(crate) span: Span,
}

/// A native token.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Native {
    /// All of it, from `@<` to `>`.
    pub(crate) text: String,
    /// What it refers to, said as a reference; none when that is neither an output nor an input. The operation's name
    /// may end in the index of an item (`encode.0`) or in `.*`.
    pub(crate) reference: Option<Reference>,
    pub(crate) span: Span,
}

/// What a reference starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Root {
    /// The output of an operation.
    Operation(String),
    /// The inputs; the first segment is the input's name.
    Inputs,
    /// The run; the first segment is what of it.
    Run,
    /// The item of a fan-out.
    Each,
    /// The index of that item.
    EachIndex,
}

/// One step into a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    Field(String),
    Index(u64),
    All,
}

impl Template {
    /// The text, when there is nothing else in it.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self.parts.as_slice() {
            _ if self.broken => None,
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The reference (or what a native token refers to), when there is nothing else in it.
    pub(crate) fn as_reference(&self) -> Option<&Reference> {
        match self.parts.as_slice() {
            _ if self.broken => None,
            [Part::Reference(reference)] => Some(reference),
            [Part::Native(native)] => native.reference.as_ref(),
            _ => None,
        }
    }

    /// Whether it is one native token and nothing else.
    pub(crate) fn is_native(&self) -> bool {
        !self.broken && matches!(self.parts.as_slice(), [Part::Native(_)])
    }

    /// The references, those of native tokens among them.
    pub(crate) fn references(&self) -> impl Iterator<Item = &Reference> {
        self.parts.iter().filter_map(|p| match p {
            Part::Text(_) => None,
            Part::Reference(r) => Some(&**r),
            Part::Native(n) => n.reference.as_ref(),
        })
    }
}

/// The reference that `text` is when `${` and `}` are put around it.
pub(crate) fn alone(text: &str) -> Option<Reference> {
    let text = Text::plain(format!("${{{text}}}"), 0);
    parse(FileId(0), text, &mut 0, &mut Vec::new()).as_reference().cloned()
}

/// `name` as it is written inside `${…}`: bare when it can be, in brackets otherwise.
pub fn write_name(name: &str) -> String {
    let bare = !name.is_empty() && name.chars().all(is_name_char);
    if bare { name.to_owned() } else { format!("['{}']", name.replace('\\', "\\\\").replace('\'', "\\'")) }
}

/// A further step, as it is written inside `${…}`.
pub(crate) fn write_segment(segment: &Segment) -> String {
    match segment {
        Segment::Field(name) if !name.is_empty() && name.chars().all(is_name_char) => format!(".{name}"),
        Segment::Field(name) => write_name(name),
        Segment::Index(index) => format!("[{index}]"),
        Segment::All => "[*]".to_owned(),
    }
}

pub(crate) fn is_name_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}
