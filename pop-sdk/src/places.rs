//! Where operations were written.

use std::collections::HashMap;
use std::fmt;

use pop_compiler::source::{Source, Span};
use pop_compiler::{Compiled, diagnostic};

/// A place in a file of a person's: Rust for `workflow!` and the builder, the workflow language for `include_workflow!`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, as the compiler knows it.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// The places of a workflow's operations.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    /// Of the workflow itself.
    pub(crate) whole: Option<Place>,
    by_name: HashMap<String, Place>,
}

impl Places {
    /// Only that of the workflow itself, as far as it is known.
    pub(crate) fn of_whole(whole: Option<Place>) -> Self {
        Self { whole, by_name: HashMap::new() }
    }

    /// Where an operation is; `encode.3` is an item of the fan-out `encode`, `qc/probe` is inside the workflow `qc`, and
    /// `qc.3/probe` in one that stands there for each item of a list.
    pub(crate) fn of(&self, operation: &str) -> Option<&Place> {
        self.near(operation).or_else(|| {
            let index = |number: &str| number.bytes().all(|b| b.is_ascii_digit());
            let parts = operation.split('/').map(|part| match part.rsplit_once('.') {
                Some((stem, number)) if index(number) => stem,
                _ => part,
            });
            self.near(&parts.collect::<Vec<_>>().join("/"))
        })
    }

    /// Where an operation is, or that which it was made for: `encode.3`, `encode.each`, `qc/probe.when`.
    fn near(&self, operation: &str) -> Option<&Place> {
        let mut name = operation;
        loop {
            if let Some(place) = self.by_name.get(name) {
                return Some(place);
            }
            name = name.rsplit_once('.').filter(|(_, made)| !made.contains('/'))?.0;
        }
    }

    /// The operations and their places, in no particular order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Place)> {
        self.by_name.iter().map(|(name, place)| (name.as_str(), place))
    }

    pub(crate) fn insert(&mut self, operation: impl Into<String>, place: Place) {
        self.by_name.entry(operation.into()).or_insert(place); // of two with one name the first
    }

    /// Adds those of a workflow that is inside, as `operation`.
    pub(crate) fn nest(&mut self, operation: &str, inner: &Self) {
        for (name, place) in inner.iter() {
            self.insert(format!("{operation}/{name}"), place.clone());
        }
    }

    /// Those that the compiler found in files.
    pub(crate) fn in_files(compiled: &Compiled) -> Self {
        let mut places = Self::default();
        for (name, span) in compiled.source_map.iter() {
            if let Some(source) = compiled.sources.get(span.file) {
                places.insert(name, at(source, span));
            }
        }
        let first = compiled.sources.iter().next();
        places.whole = first.map(|(_, source)| Place { file: source.name.to_string(), line: 1, column: 1 });
        places
    }

    /// Says in each finding that points at an operation by name where that was written.
    pub(crate) fn tell(&self, findings: &mut [diagnostic::Diagnostic]) {
        for finding in findings {
            let diagnostic::Location::Pointer(pointer) = &finding.primary.at else { continue };
            match pointer.strip_prefix("/operations/").and_then(|name| Some((name, self.of(name)?))) {
                Some((name, place)) => finding.help.push(format!("`{name}` is written at {place}")),
                None => finding
                    .help
                    .extend(self.whole.as_ref().map(|p| format!("the workflow is written at {p}"))),
            }
        }
    }

    /// Says in each finding about this text where in the person's own file it is. In the text the operations, whose
    /// names are at `names`, are the last thing.
    pub(crate) fn explain<'n>(
        &self,
        findings: &mut [diagnostic::Diagnostic],
        names: impl Iterator<Item = (&'n str, Span)>,
    ) {
        let mut names: Vec<(Span, &str)> = names.map(|(name, span)| (span, name)).collect();
        names.sort_unstable();
        for finding in findings {
            let diagnostic::Location::Span(span) = &finding.primary.at else { continue };
            let before = names.partition_point(|(name, _)| name <= span);
            let operation =
                before.checked_sub(1).map(|i| names[i].1).filter(|_| span.file == names[0].0.file);
            match operation.and_then(|name| Some((name, self.of(name)?))) {
                Some((name, place)) => finding.help.push(format!("`{name}` is written at {place}")),
                None => finding
                    .help
                    .extend(self.whole.as_ref().map(|p| format!("the workflow is written at {p}"))),
            }
        }
    }
}

/// A place of a source.
fn at(source: &Source, span: Span) -> Place {
    let position = source.position(span.start);
    Place { file: source.name.to_string(), line: position.line, column: position.column }
}

/// The places in `line:column line:column …`.
pub(crate) fn written(file: &str, places: &str) -> impl Iterator<Item = Place> {
    let file = file.to_owned();
    places.split(' ').filter_map(move |place| {
        let (line, column) = place.split_once(':')?;
        Some(Place { file: file.clone(), line: line.parse().ok()?, column: column.parse().ok()? })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_and_inner_operations_have_the_place_of_what_was_written() {
        let place = |line| Place { file: "src/main.rs".into(), line, column: 5 };
        let mut places = Places::default();
        let mut inner = Places::default();
        inner.insert("probe", place(3));
        places.insert("encode", place(1));
        places.insert("odd.name", place(2));
        places.nest("qc", &inner);
        assert_eq!(places.of("encode.12"), Some(&place(1)));
        assert_eq!(places.of("odd.name"), Some(&place(2)));
        assert_eq!(places.of("qc/probe.0"), Some(&place(3)));
        assert_eq!(places.of("qc.7/probe.when"), Some(&place(3)));
        assert_eq!(places.of("other"), None);
        assert_eq!(written("src/main.rs", "1:5 2:5").collect::<Vec<_>>(), [place(1), place(2)]);
        assert_eq!(place(1).to_string(), "src/main.rs:1:5");
    }
}
