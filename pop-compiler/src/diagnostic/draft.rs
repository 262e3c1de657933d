//! What a rule wants changed, as long as it has not seen the text; `fix` turns it into edits.

use super::Diagnostic;
use crate::source::Span;

/// A change that a rule wants, before it has seen the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Draft {
    /// The name `old`, which `span` is or holds in quotes, brackets or a native token, becomes `new`.
    Rename { span: Span, old: String, new: String },
    /// The fan-out `name` at `span`, in a reference or a native token, becomes the list of all its items.
    AllItems { span: Span, name: String },
    /// The entry of a table or the item of a list whose key or value begins with `span` goes, with its separators.
    Drop { span: Span },
    /// As `Drop`, if the entry whose key is at `first` says the same.
    DropTwin { span: Span, first: Span },
    /// An entry is added before the one whose key is at `span`; `value` is written alike in both formats.
    Add { span: Span, key: String, value: String },
}

impl Draft {
    /// The places it speaks of.
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
    /// Adds to the fix that the name `old`, which is somewhere in `span`, becomes `new`.
    #[must_use]
    pub(crate) fn rename(mut self, span: Span, old: &str, new: &str) -> Self {
        self.drafts.push(Draft::Rename { span, old: old.to_owned(), new: new.to_owned() });
        self
    }

    /// Adds to the fix that the reference to the fan-out `name`, whose name is at `span`, means all its items.
    #[must_use]
    pub(crate) fn all_items(mut self, span: Span, name: &str) -> Self {
        self.drafts.push(Draft::AllItems { span, name: name.to_owned() });
        self
    }

    /// Adds to the fix that the entry or item whose key or value begins with `span` goes.
    #[must_use]
    pub(crate) fn drop_entry(mut self, span: Span) -> Self {
        self.drafts.push(Draft::Drop { span });
        self
    }

    /// Adds to the fix an entry before the one whose key is at `span`.
    #[must_use]
    pub(crate) fn add_entry(mut self, span: Span, key: &str, value: &str) -> Self {
        self.drafts.push(Draft::Add { span, key: key.to_owned(), value: value.to_owned() });
        self
    }

    /// Adds to the fix that the entry whose key is at `span` goes, if another one (whose key is at `first`) says the same.
    #[must_use]
    pub(crate) fn drop_twin(mut self, span: Span, first: Span) -> Self {
        self.drafts.push(Draft::DropTwin { span, first });
        self
    }
}
