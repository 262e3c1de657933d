//! Places of names and references, kept after the compilation.

use std::sync::OnceLock;

use super::Span;

/// Place of a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mention {
    /// Name of the operation that contains the reference; none in outputs and `[run]`.
    pub operation: Option<Span>,
    /// The whole reference, such as `${probe.title}`.
    pub span: Span,
}

/// Places of the operations' names.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// Each name once.
    named: Vec<(String, Span)>,
    /// Positions in `named` by name, built on the first lookup.
    sorted: OnceLock<Vec<usize>>,
}

impl Places {
    /// Place of the operation `name`, which is a name of the template.
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

    /// All names with their places: those of this file in the order of the text, then those of sub-workflows.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Span)> {
        self.named.iter().map(|(name, span)| (name.as_str(), *span))
    }

    /// Number of names.
    pub fn len(&self) -> usize {
        self.named.len()
    }

    /// Whether there are no names.
    pub fn is_empty(&self) -> bool {
        self.named.is_empty()
    }
}

impl FromIterator<(String, Span)> for Places {
    fn from_iter<I: IntoIterator<Item = (String, Span)>>(named: I) -> Self {
        Self { named: named.into_iter().collect(), sorted: OnceLock::new() }
    }
}
