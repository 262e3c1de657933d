//! Generators: operations that make more operations when they have succeeded. What one says about itself, which names it
//! promises, and the built-in one that makes one operation (or several) for each item of a list.

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

/// The built-in type that makes operations for each item of a list.
pub const FAN_OUT_TYPE: &str = "pop.fanOut";

/// POP's own type of generator: it gives the operations of its input.
pub const UPDATE_TYPE: &str = "updateAgenda";

/// What an operation says about the operations that it makes: the parameter `agenda.operation.generator`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generator {
    /// Where in its output the list of operations is: a JSON pointer.
    pub pointer: String,
    /// Operations that it will make for sure, so that others may refer to them before they are there.
    pub promises: Vec<Promise>,
}

/// Names that a generator will use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Promise {
    /// One operation of this name.
    One(String),
    /// Any number of operations: this name and `.0`, `.1`, … Written with `.*` at the end.
    Family(String),
}

impl Promise {
    /// As it is written: `encode.*` or `report`.
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

/// The parameter as it is written. Unknown keys are another program's business.
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
    /// What an operation says; none when it is no generator.
    ///
    /// # Errors
    /// What is wrong with the parameter, as a fragment, and a JSON pointer into it.
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
    /// Why there are none, for people.
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

/// The names that the generators of an agenda promise.
#[derive(Clone, Debug, Default)]
pub struct Promises {
    list: Vec<Promised>,
    /// Name or stem → place in the list. The first one wins: a second is a fault.
    index: HashMap<String, usize>,
    /// The same in lower case.
    folded: HashMap<String, usize>,
}

/// A promise and who made it.
#[derive(Clone, Debug)]
pub struct Promised {
    /// The index of the generator.
    pub generator: usize,
    /// What it promised.
    pub promise: Promise,
}

/// Which of the promised operations a name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wanted {
    /// The one, or all of a family.
    Whole,
    /// One of a family.
    Item(usize),
}

impl Promises {
    /// The promises of all operations. What can't be read promises nothing.
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

    /// Whether nothing is promised.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All promises, in the order in which they were added.
    pub fn list(&self) -> &[Promised] {
        &self.list
    }

    /// The promise that a name means, as its place in the list, and which of its operations. A family's stem alone
    /// means all of it.
    pub fn find(&self, name: &str) -> Option<(usize, Wanted)> {
        self.find_in(&self.index, name)
    }

    /// The promise that takes a name, given in lower case, whatever the letter case.
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

/// A number as the name of an item has it: digits, no zeros before them.
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
