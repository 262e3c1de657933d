//! Where native tokens end.

/// Finds the ends of native tokens: each `>` or newline is looked for once, so that a text takes time in proportion to its length.
pub(super) struct Ends<'t> {
    text: &'t str,
    /// The first end that is not before the last place asked for; the text's length when there is none.
    next: usize,
}

impl<'t> Ends<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, next: 0 }
    }

    /// The first `>` or newline at or behind `from`; places are asked for in their order.
    pub(super) fn behind(&mut self, from: usize) -> Option<usize> {
        if self.next < from {
            self.next = self.text[from..].find(['>', '\n']).map_or(self.text.len(), |n| from + n);
        }
        (self.next < self.text.len()).then_some(self.next)
    }
}
