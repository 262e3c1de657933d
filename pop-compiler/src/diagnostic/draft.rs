//! Changes that a rule wants before it has the text; `fix` turns them into edits.

use super::Diagnostic;
use crate::source::Span;

/// A change that a rule wants before it has the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Draft {
    /// Replaces the name `old` by `new`. `span` is the name, or holds it in quotes, brackets or a native token.
    Rename { span: Span, old: String, new: String },
    /// Turns the fan-out `name` at `span`, in a reference or a native token, into the list of all its items.
    AllItems { span: Span, name: String },
    /// Removes the entry or list item whose key or value begins with `span`, with its separators.
    Drop { span: Span },
    /// Removes an entry like `Drop`, if the entry whose key is at `first` has the same value.
    DropTwin { span: Span, first: Span },
    /// Adds an entry before the one whose key is at `span`; `value` has the same form in both formats.
    Add { span: Span, key: String, value: String },
}

impl Draft {
    /// All places of the draft.
    pub(crate) fn spans_mut(&mut self) -> Vec<&mut Span> {
        match self {
            Self::DropTwin { span, first } => vec![span, first],
            Self::Rename { span, .. }
            | Self::AllItems { span, .. }
            | Self::Drop { span }
            | Self::Add { span, .. } => vec![span],
        }
    }

    pub(crate) fn span(&self) -> Span {
        match self {
            Self::Rename { span, .. }
            | Self::AllItems { span, .. }
            | Self::Drop { span }
            | Self::DropTwin { span, .. }
            | Self::Add { span, .. } => *span,
        }
    }
}

/// Drafts of edits, which `fix` completes.
impl Diagnostic {
    /// Adds an edit to the fix: the name `old` inside `span` becomes `new`.
    #[must_use]
    pub(crate) fn rename(mut self, span: Span, old: &str, new: &str) -> Self {
        self.drafts.push(Draft::Rename { span, old: old.to_owned(), new: new.to_owned() });
        self
    }

    /// Adds an edit to the fix: the reference to the fan-out `name` at `span` means all its items.
    #[must_use]
    pub(crate) fn all_items(mut self, span: Span, name: &str) -> Self {
        self.drafts.push(Draft::AllItems { span, name: name.to_owned() });
        self
    }

    /// Adds an edit to the fix: removes the entry or item whose key or value begins with `span`.
    #[must_use]
    pub(crate) fn drop_entry(mut self, span: Span) -> Self {
        self.drafts.push(Draft::Drop { span });
        self
    }

    /// Adds an edit to the fix: a new entry before the one whose key is at `span`.
    #[must_use]
    pub(crate) fn add_entry(mut self, span: Span, key: &str, value: &str) -> Self {
        self.drafts.push(Draft::Add { span, key: key.to_owned(), value: value.to_owned() });
        self
    }

    /// Adds an edit to the fix: removes the entry whose key is at `span`, if the entry at `first` has the same value.
    #[must_use]
    pub(crate) fn drop_twin(mut self, span: Span, first: Span) -> Self {
        self.drafts.push(Draft::DropTwin { span, first });
        self
    }
}
