//! `${…}` in strings: from text to a [`Template`] with exact spans. `resolve` decides the meaning of the names.

mod ends;
pub(crate) mod foreign;
pub(crate) mod habits;
mod parse;
pub(crate) mod rules;

use serde_json::Value as Json;

use crate::source::{FileId, Span, Spanned};
use crate::tree::Text;

pub(crate) use parse::parse;

/// A string with references.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Template {
    pub(crate) parts: Vec<Part>,
    /// Whether an invalid `${…}` was left out; it has been reported.
    pub(crate) broken: bool,
}

/// A piece of a string.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    /// Text with resolved escapes; native tokens are [`Part::Native`].
    Text(String),
    /// `${…}`.
    Reference(Box<Reference>),
    /// A native token `@<…>`, kept as written.
    Native(Box<Native>),
}

/// `${probe.video.height ?? 720}`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reference {
    /// Number of the reference in the file, from 0.
    pub(crate) id: u32,
    pub(crate) root: Spanned<Root>,
    pub(crate) path: Vec<Spanned<Segment>>,
    pub(crate) default: Option<Box<Spanned<Json>>>,
    /// The whole reference, from `$` to `}`.
    pub(crate) span: Span,
}

/// A native token.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Native {
    /// The whole token, from `@<` to `>`.
    pub(crate) text: String,
    /// The token as a reference; none for a token that is neither an output nor an input. The operation's name may end
    /// in the index of an item (`encode.0`) or in `.*`.
    pub(crate) reference: Option<Reference>,
    pub(crate) span: Span,
}

/// Start of a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Root {
    /// The output of an operation.
    Operation(String),
    /// The inputs; the first segment is the input's name.
    Inputs,
    /// The run; the first segment is the property.
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
    /// The text; none if there are references.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self.parts.as_slice() {
            _ if self.broken => None,
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The reference, also of a native token; none if there is any other part.
    pub(crate) fn as_reference(&self) -> Option<&Reference> {
        match self.parts.as_slice() {
            _ if self.broken => None,
            [Part::Reference(reference)] => Some(reference),
            [Part::Native(native)] => native.reference.as_ref(),
            _ => None,
        }
    }

    /// Whether the string is exactly one native token.
    pub(crate) fn is_native(&self) -> bool {
        !self.broken && matches!(self.parts.as_slice(), [Part::Native(_)])
    }

    /// All references, including those of native tokens.
    pub(crate) fn references(&self) -> impl Iterator<Item = &Reference> {
        self.parts.iter().filter_map(|p| match p {
            Part::Text(_) => None,
            Part::Reference(r) => Some(&**r),
            Part::Native(n) => n.reference.as_ref(),
        })
    }
}

/// The reference `${text}`, if the text is a valid one.
pub(crate) fn alone(text: &str) -> Option<Reference> {
    let text = Text::plain(format!("${{{text}}}"), 0);
    parse(FileId(0), text, &mut 0, &mut Vec::new()).as_reference().cloned()
}

/// `name` as written inside `${…}`: bare if possible, otherwise in brackets.
pub fn write_name(name: &str) -> String {
    let bare = !name.is_empty() && name.chars().all(is_name_char);
    if bare { name.to_owned() } else { format!("['{}']", name.replace('\\', "\\\\").replace('\'', "\\'")) }
}

/// A further segment as written inside `${…}`.
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
