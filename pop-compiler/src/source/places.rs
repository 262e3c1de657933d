//! Places of names and references that are kept after compiling.

use std::sync::OnceLock;

use super::Span;

/// A place where a reference is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mention {
    /// The name of the operation that it belongs to; none for outputs and for `[run]`.
    pub operation: Option<Span>,
    /// All of it, such as `${probe.title}`.
    pub span: Span,
}

/// Where each operation was named.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// Each name once.
    named: Vec<(String, Span)>,
    /// The positions in `named`, by name; made when somebody asks for a name.
    sorted: OnceLock<Vec<usize>>,
}

impl Places {
    /// The place of the operation `name`, as it is called in the template.
    pub fn get(&self, name: &str) -> Option<Span> {
        let named = |i: &usize| self.named.get(*i).map_or("", |(name, _)| name.as_str());
        let sorted = self.sorted.get_or_init(|| {
            let mut all: Vec<usize> = (0..self.named.len()).collect();
            all.sort_unstable_by(|a, b| named(a).cmp(named(b)));
            all
        });
        let at = sorted.binary_search_by(|i| named(i).cmp(name)).ok()?;
        Some(self.named[sorted[at]].1)
    }

    /// All names with their places: those of this file as they are written, then those of sub-workflows.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Span)> {
        self.named.iter().map(|(name, span)| (name.as_str(), *span))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.named.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.named.is_empty()
    }
}

impl FromIterator<(String, Span)> for Places {
    fn from_iter<I: IntoIterator<Item = (String, Span)>>(named: I) -> Self {
        Self { named: named.into_iter().collect(), sorted: OnceLock::new() }
    }
}
