//! Generators: operations that add operations to their agenda after they succeed. This module reads a generator's
//! parameter, its promised names and its output. The built-in generator makes one operation, or several, for each item
//! of a list.

mod fan_out;
mod gather;

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use crate::agenda::{Operation, keys};

pub use fan_out::FanOut;
pub(crate) use fan_out::{Family, asks_its_item, kind_of, rename, with_condition};
pub(crate) use gather::families;
pub use gather::gather;

/// The built-in operation type that makes operations for each item of a list.
pub const FAN_OUT_TYPE: &str = "pop.fanOut";

/// POP's own generator type: it outputs the operations of its input.
pub const UPDATE_TYPE: &str = "updateAgenda";

/// The parameter `agenda.operation.generator` of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generator {
    /// JSON pointer to the list of operations in the output.
    pub pointer: String,
    /// Operations that the generator will certainly make, so that others may refer to them in advance.
    pub promises: Vec<Promise>,
}

/// A promise of names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Promise {
    /// One operation of this name.
    One(String),
    /// Any number of operations: this name with `.0`, `.1`, … The written form ends in `.*`.
    Family(String),
}

impl Promise {
    /// The written form: `encode.*` or `report`.
    pub fn text(&self) -> String {
        match self {
            Self::One(name) => name.clone(),
            Self::Family(stem) => format!("{stem}.*"),
        }
    }

    /// The name without `.*`.
    pub fn stem(&self) -> &str {
        match self {
            Self::One(name) | Self::Family(name) => name,
        }
    }
}

/// The parameter as written. Unknown keys are ignored, for other programs.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    operations_json_pointer: String,
    #[serde(default)]
    names: Option<Vec<String>>,
    #[serde(default)]
    log_only: Option<bool>,
}

impl Generator {
    /// The generator of an operation; none for an ordinary operation.
    ///
    /// # Errors
    /// The fault of the parameter as a fragment, and a JSON pointer into the parameter.
    pub fn of(operation: &Operation) -> Result<Option<Self>, (String, String)> {
        let Some(value) = operation.params.get(keys::GENERATOR).filter(|value| !value.is_null()) else {
            let updates = operation.kind == UPDATE_TYPE;
            return Ok(updates.then(|| Self { pointer: "/operations".to_owned(), promises: Vec::new() }));
        };
        let written =
            Written::deserialize(value).map_err(|e| (format!("invalid parameter: {e}"), String::new()))?;
        let pointer = written.operations_json_pointer;
        if !(pointer.is_empty() || pointer.starts_with('/')) {
            let message = format!("invalid JSON pointer `{pointer}`: use an empty text, or start with `/`");
            return Err((message, "/operationsJsonPointer".to_owned()));
        }
        if written.log_only == Some(true) {
            return Ok(None);
        }
        let mut promises = Vec::new();
        for (i, name) in written.names.unwrap_or_default().into_iter().enumerate() {
            let promise = match name.strip_suffix(".*") {
                Some(stem) => Promise::Family(stem.to_owned()),
                None => Promise::One(name),
            };
            if promise.stem().is_empty() {
                return Err(("empty name in `names`".to_owned(), format!("/names/{i}")));
            }
            promises.push(promise);
        }
        Ok(Some(Self { pointer, promises }))
    }

    /// The operations in a generator's output.
    ///
    /// # Errors
    /// The fault of the output, for people.
    pub fn read(&self, output: Value) -> Result<Vec<Operation>, String> {
        let mut output = output;
        let place =
            if self.pointer.is_empty() { "the output".to_owned() } else { format!("`{}`", self.pointer) };
        match output.pointer_mut(&self.pointer).map(Value::take) {
            None => Err(format!("missing operations at {place} in the output")),
            Some(Value::Array(items)) => items
                .into_iter()
                .enumerate()
                .map(|(i, item)| {
                    serde_json::from_value(item).map_err(|e| format!("invalid operation {i} of {place}: {e}"))
                })
                .collect(),
            Some(_) => Err(format!("invalid operations at {place}: expected a list")),
        }
    }
}

/// All promised names of an agenda's generators.
#[derive(Clone, Debug, Default)]
pub struct Promises {
    list: Vec<Promised>,
    /// Name or stem → place in the list. The first promise of a name wins; a second one is a fault.
    index: HashMap<String, usize>,
    /// The same index in lower case.
    folded: HashMap<String, usize>,
}

/// A promise and its generator.
#[derive(Clone, Debug)]
pub struct Promised {
    /// Index of the generator.
    pub generator: usize,
    /// The promise.
    pub promise: Promise,
}

/// The promised operations behind a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wanted {
    /// The one operation, or the whole family.
    Whole,
    /// One operation of a family.
    Item(usize),
}

impl Promises {
    /// The promises of all operations. An invalid parameter promises nothing.
    pub fn new(operations: &[Operation]) -> Self {
        let mut promises = Self::default();
        for (i, operation) in operations.iter().enumerate() {
            if let Ok(Some(generator)) = Generator::of(operation) {
                promises.add(i, generator.promises);
            }
        }
        promises
    }

    /// Adds the promises of one generator.
    pub fn add(&mut self, generator: usize, promises: Vec<Promise>) {
        for promise in promises {
            self.index.entry(promise.stem().to_owned()).or_insert(self.list.len());
            self.folded.entry(promise.stem().to_lowercase()).or_insert(self.list.len());
            self.list.push(Promised { generator, promise });
        }
    }

    /// Whether there are no promises.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All promises, in the order of their addition.
    pub fn list(&self) -> &[Promised] {
        &self.list
    }

    /// The promise behind a name, as its place in the list, and the part of the promise. A family's stem alone means
    /// the whole family.
    pub fn find(&self, name: &str) -> Option<(usize, Wanted)> {
        self.find_in(&self.index, name)
    }

    /// The promise that takes a name in any letter case; `folded` is in lower case.
    pub fn find_folded(&self, folded: &str) -> Option<usize> {
        self.find_in(&self.folded, folded).map(|(at, _)| at)
    }

    fn find_in(&self, index: &HashMap<String, usize>, name: &str) -> Option<(usize, Wanted)> {
        if self.list.is_empty() {
            return None;
        }
        if let Some(&at) = index.get(name) {
            return Some((at, Wanted::Whole));
        }
        let (stem, last) = name.rsplit_once('.')?;
        let at = *index.get(stem)?;
        if !matches!(self.list.get(at)?.promise, Promise::Family(_)) {
            return None;
        }
        if last == "*" { Some((at, Wanted::Whole)) } else { Some((at, Wanted::Item(number(last)?))) }
    }
}

/// A number in the form of an item's name: digits without leading zeros.
pub fn number(text: &str) -> Option<usize> {
    let plain = text == "0" || !text.starts_with('0');
    if plain && !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
