//! Who waits for whom in a test run, also where generators make operations.

use pop_compiler::agenda::{Agenda, Operation, keys};
use pop_compiler::diagnostic::{Location, Severity};
use pop_compiler::generator::{self, Generator, Promise, Wanted};
use pop_compiler::graph::EdgeKind;
use pop_compiler::validate::{self, Around};
use serde_json::{Value, json};

use super::machine::{Doom, Machine};
use crate::HandlerError;
use crate::api::OperationState;

/// What a dependency is, as things are.
enum Target {
    Operation(usize),
    /// A promise that is open or broken.
    Promise(usize),
}

impl Machine {
    /// What a name means now. A family that is there means its operations.
    fn targets(&self, name: &str) -> Vec<Target> {
        let operation = |name: &str| self.names.get(name).map(|&op| Target::Operation(op));
        if let Some(known) = operation(name) {
            return vec![known];
        }
        let Some((at, wanted)) = self.promises.find(name) else { return Vec::new() };
        let Some(Ok(count)) = self.kept[at].made else { return vec![Target::Promise(at)] };
        let stem = self.promises.list()[at].promise.stem();
        let numbers = match wanted {
            Wanted::Whole => 0..count,
            Wanted::Item(n) => n..count.min(n.saturating_add(1)),
        };
        numbers.filter_map(|n| operation(&format!("{stem}.{n}"))).collect()
    }

    /// Lets an operation be looked at again whenever something has ended that it waits for.
    pub(super) fn register(&mut self, op: usize) {
        for need in self.ops[op].needs.clone() {
            for target in self.targets(&need.name) {
                match target {
                    Target::Operation(from) => self.ops[from].dependents.push(op),
                    Target::Promise(at) => self.kept[at].waiters.push(op),
                }
            }
        }
    }

    /// None when it still waits; else why it is to be skipped, if it is.
    #[expect(clippy::option_option, reason = "whether it waits, and then whether it is doomed")]
    pub(super) fn waits(&self, op: usize) -> Option<Option<Doom>> {
        let mut doom = None;
        for need in &self.ops[op].needs {
            for target in self.targets(&need.name) {
                let mark = match target {
                    Target::Operation(from) if self.ops[from].settled => self.mark(from),
                    Target::Promise(at) => Some(self.kept[at].made.and_then(Result::err)?),
                    Target::Operation(_) => return None,
                };
                let dooms = match mark {
                    None => false,
                    Some(Doom::Failure) => true,
                    Some(Doom::Condition) => need.kind == EdgeKind::Required,
                };
                if dooms {
                    doom = doom.max(mark);
                }
            }
        }
        Some(doom)
    }

    /// What the end of an operation means for those that wait for it.
    fn mark(&self, op: usize) -> Option<Doom> {
        let outcome = &self.ops[op].outcome;
        match outcome.state {
            OperationState::Succeeded => None,
            OperationState::Skipped if outcome.failure.is_none() => Some(Doom::Condition),
            _ => Some(Doom::Failure),
        }
    }

    /// The consequences of an end: what it made is there, its promises are kept or broken. Gives those that wait for nothing any
    /// more.
    pub(super) fn after(&mut self, op: usize, mark: Option<Doom>) -> Vec<usize> {
        self.ops[op].settled = true;
        let mut next = std::mem::take(&mut self.ops[op].dependents);
        if let Some(made) = self.ops[op].made.take() {
            next.extend(self.add(made));
        }
        for at in 0..self.promises.list().len() {
            if self.promises.list()[at].generator != op || self.kept[at].made.is_some() {
                continue;
            }
            let made = match (mark, &self.promises.list()[at].promise) {
                (Some(doom), _) => Err(doom),
                (None, Promise::One(_)) => Ok(1),
                (None, Promise::Family(stem)) => Ok((0..self.names.len())
                    .take_while(|n| self.names.contains_key(&format!("{stem}.{n}")))
                    .count()),
            };
            self.kept[at].made = Some(made);
            for waiter in std::mem::take(&mut self.kept[at].waiters) {
                self.register(waiter);
                next.push(waiter);
            }
        }
        next.sort_unstable();
        next.dedup();
        next.retain(|&op| self.waits(op).is_some());
        next
    }

    /// The value with a list in the place of each reference to a whole family.
    pub(super) fn gathered(&self, value: &Value) -> Value {
        let mut value = value.clone();
        generator::gather(&mut value, &mut |stem| {
            let (at, _) = self.promises.find(stem)?;
            self.kept[at].made?.ok()
        });
        value
    }

    /// Takes the operations out of a generator's output and checks them. What remains is the output to be kept.
    pub(super) fn read_made(&mut self, op: usize, mut output: Value) -> Result<Value, HandlerError> {
        let operation = &self.operations[op];
        let invalid = |why: &str| {
            let message = format!("the operations that it made can't be added: {why}");
            HandlerError::error(message).code("OperationsInvalid")
        };
        let Some(generator) = Generator::of(operation).map_err(|(why, _)| invalid(&why))? else {
            return Ok(output);
        };
        let mut made = generator.read(output.clone()).map_err(|why| invalid(&why))?;
        if operation.params.contains_key(keys::FAN_OUT) {
            output = json!({ "count": made.len() });
        }
        for one in &mut made {
            one.params.insert(keys::GENERATED_BY.to_owned(), Value::from(operation.name.as_str()));
        }
        let agenda = Agenda { operations: made.into(), ..Agenda::default() };
        let findings = validate::made(&agenda, &generator.promises, &Beside { machine: self, generator: op });
        if let Some(finding) = findings.iter().find(|f| f.severity == Severity::Error) {
            let place = match &finding.primary.at {
                Location::Pointer(at) => at.as_str(),
                Location::Span(_) => "",
            };
            return Err(invalid(&format!("{place}: {}", finding.message)));
        }
        self.ops[op].made = Some(agenda.operations.into_iter().collect::<Vec<Operation>>());
        Ok(output)
    }
}

/// What is there when a generator's operations come.
struct Beside<'m> {
    machine: &'m Machine,
    generator: usize,
}

impl Beside<'_> {
    fn others(&self, at: usize) -> bool {
        self.machine.promises.list()[at].generator != self.generator
    }
}

impl Around for Beside<'_> {
    fn knows(&self, name: &str) -> bool {
        let machine = self.machine;
        if machine.names.contains_key(name) {
            return true;
        }
        match machine.promises.find(name) {
            None => false,
            Some((_, Wanted::Whole)) => true,
            Some((at, Wanted::Item(_))) => !matches!(machine.kept[at].made, Some(Ok(_))) && self.others(at),
        }
    }

    fn is_taken(&self, folded: &str) -> bool {
        self.machine.names.keys().any(|name| name.to_lowercase() == folded)
            || self.machine.promises.find_folded(folded).is_some_and(|at| self.others(at))
    }

    fn family(&self, name: &str) -> Option<String> {
        let (at, wanted) = self.machine.promises.find(name)?;
        match &self.machine.promises.list()[at].promise {
            promise @ Promise::Family(stem) if wanted == Wanted::Whole && stem == name => {
                Some(promise.text())
            }
            _ => None,
        }
    }
}
