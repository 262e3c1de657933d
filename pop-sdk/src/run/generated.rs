//! Operations that a generator makes: checked when it has ended, part of the run once that is durable.

use std::collections::VecDeque;
use std::io;

use crate::api::{Failure, FailureClass, OperationState};
use pop_compiler::agenda::{Agenda, Dependency, Operation, keys};
use pop_compiler::diagnostic::{Diagnostic, Location, Severity};
use pop_compiler::generator::{Promise, Wanted};
use pop_compiler::validate::{self, Around};
use serde_json::{Value, json};

use super::op::{Skip, Why};
use super::plan::{Edge, EdgeKind, Plan, Prepared, Waiter};
use super::{Effect, Mode, Op, Phase, Run, SkipReason, fail, mark_of};

/// What one generator may make: it travels to the server in one report.
const MOST_OPERATIONS: usize = 100_000;
const MOST_BYTES: usize = 32 << 20;
/// How many "waits for" may follow from references to whole families when one generator has ended.
const MOST_EDGES: usize = 2_000_000;
/// How many findings are told in a failure.
const MOST_FINDINGS: usize = 5;

/// What became of what a generator promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Promised {
    /// It has not ended.
    Open,
    /// It was made: that many.
    Generated(usize),
    /// It will never be there.
    Broken(Skip),
}

/// What is there when a generator's operations come.
struct Beside<'r> {
    run: &'r Run,
    generator: usize,
}

impl Around for Beside<'_> {
    fn knows(&self, name: &str) -> bool {
        let plan = &self.run.plan;
        if plan.find(name).is_some() {
            return true;
        }
        let Some((at, wanted)) = plan.promises.find(name) else { return false };
        let own = plan.promises.list()[at].generator == self.generator;
        match (self.run.promised[at], wanted) {
            (_, Wanted::Whole) => true,
            (Promised::Open | Promised::Broken(_), Wanted::Item(_)) => !own,
            (Promised::Generated(_), Wanted::Item(_)) => false,
        }
    }

    fn is_taken(&self, folded: &str) -> bool {
        let plan = &self.run.plan;
        plan.is_taken(folded)
            || plan
                .promises
                .find_folded(folded)
                .is_some_and(|at| plan.promises.list()[at].generator != self.generator)
    }

    fn family(&self, name: &str) -> Option<String> {
        let (at, wanted) = self.run.plan.promises.find(name)?;
        match &self.run.plan.promises.list()[at].promise {
            promise @ Promise::Family(stem) if wanted == Wanted::Whole && stem == name => {
                Some(promise.text())
            }
            _ => None,
        }
    }
}

impl Run {
    /// Takes the operations out of a generator's output and checks them. What remains is the output to be kept.
    pub(super) fn read_made(
        &mut self,
        op: usize,
        mut output: Value,
    ) -> Result<(Value, Option<Vec<Operation>>), Failure> {
        let step = &self.plan.steps[op];
        let Some(generator) = &step.generator else { return Ok((output, None)) };
        // A fan-out gives nothing but operations; they are kept as such, and not a second time as its output.
        let given = if step.fan_out.is_some() { output.take() } else { output.clone() };
        let mut operations = generator.read(given).map_err(|why| invalid(&why))?;
        if step.fan_out.is_some() {
            output = json!({ "count": operations.len() });
        }
        if operations.len() > MOST_OPERATIONS {
            return Err(invalid(&format!(
                "{} operations exceed the limit of {MOST_OPERATIONS}",
                operations.len()
            )));
        }
        for operation in &mut operations {
            operation.params.insert(keys::GENERATED_BY.to_owned(), Value::from(step.name.as_str()));
        }
        if size(&operations) > MOST_BYTES {
            let message = format!("the operations exceed the limit of {} MiB", MOST_BYTES >> 20);
            return Err(invalid(&message));
        }
        let pointer = generator.pointer.clone();
        let agenda = Agenda { operations: operations.into(), ..Agenda::default() };
        let mut findings =
            validate::generated(&agenda, &generator.promises, &Beside { run: self, generator: op });
        findings.retain(|finding| finding.severity == Severity::Error);
        if !findings.is_empty() {
            return Err(invalid(&listed(&findings, &pointer)));
        }
        let operations: Vec<Operation> = agenda.operations.into_iter().collect();
        let prepared = self.plan.prepare(&operations)?;
        self.check_around(op, &operations, &prepared)?;
        self.generated.insert(op, prepared);
        Ok((output, Some(operations)))
    }

    /// Nothing that was made waits for what waits for it, and the edges are not too many.
    fn check_around(&self, op: usize, operations: &[Operation], prepared: &Prepared) -> Result<(), Failure> {
        let waiters = |at: usize| self.plan.waiters[at].iter().filter(|w| w.wanted == Wanted::Whole).count();
        let waiting: usize = self.plan.steps[op].promised.clone().map(waiters).sum();
        let mut edges = waiting.saturating_mul(operations.len());
        // Operations that have not started, and that something new waits for.
        let mut waited: Vec<(usize, usize)> = Vec::new();
        for (i, dependency) in
            prepared.dependencies.iter().enumerate().flat_map(|(i, d)| d.iter().map(move |d| (i, d)))
        {
            if let Some(from) = self.plan.find(&dependency.name) {
                if self.ops[from].phase == Phase::Idle && self.ops[from].unmet > 0 {
                    waited.push((from, i));
                }
            } else if let Some((at, wanted)) = self.plan.promises.find(&dependency.name) {
                let maker = self.plan.promises.list()[at].generator;
                edges = edges.saturating_add(match (wanted, self.promised[at]) {
                    (Wanted::Whole, Promised::Generated(count)) => count,
                    (Wanted::Whole, _) if maker == op => operations.len(),
                    _ => 1,
                });
                if maker != op && self.promised[at] == Promised::Open {
                    waited.push((maker, i));
                }
            }
        }
        if edges > MOST_EDGES {
            let message = format!("references to whole families cause more than {MOST_EDGES} dependencies");
            return Err(invalid(&message));
        }
        if waited.is_empty() {
            return Ok(());
        }
        // Everything that waits for what this generator makes.
        let mut behind = vec![false; self.ops.len()];
        let mut queue: VecDeque<usize> = self.plan.steps[op]
            .promised
            .clone()
            .flat_map(|at| &self.plan.waiters[at])
            .map(|w| w.to)
            .collect();
        while let Some(next) = queue.pop_front() {
            if !std::mem::replace(&mut behind[next], true) {
                queue.extend(self.plan.waiting_for(next).map(|edge| edge.to));
            }
        }
        match waited.iter().find(|(from, _)| behind[*from]) {
            None => Ok(()),
            Some(&(from, i)) => Err(invalid(&format!(
                "the generated operation `{}` waits for `{}`, which waits for operations of this generator: a cycle",
                operations[i].name, self.plan.steps[from].name
            ))),
        }
    }

    /// What a generator made is part of the run from now on. Gives the new operations that wait for nothing.
    pub(super) fn add_generated(&mut self, prepared: Prepared) -> Vec<usize> {
        let (added, dependencies) = self.plan.add(prepared);
        self.ops.extend(self.plan.steps[added.clone()].iter().map(Op::new));
        self.promised.resize(self.plan.promises.list().len(), Promised::Open);
        self.open += added.len();
        for (to, dependencies) in added.clone().zip(dependencies) {
            for Dependency { name, kind } in dependencies {
                if let Some(from) = self.plan.find(&name) {
                    self.wait_for(from, to, kind);
                } else if let Some((at, wanted)) = self.plan.promises.find(&name) {
                    self.wait_for_promised(at, Waiter { to, kind, wanted });
                }
            }
        }
        added.filter(|&op| self.ops[op].unmet == 0).collect()
    }

    /// `to` waits for `from`, or takes in how that has ended.
    fn wait_for(&mut self, from: usize, to: usize, kind: EdgeKind) {
        if self.ops[from].phase == Phase::Done {
            let mark = mark_of(&self.ops[from].view);
            self.ops[to].skip_by(mark, from, kind);
        } else {
            self.ops[to].unmet += 1;
            self.plan.steps[from].dependents.push(Edge { to, kind });
        }
    }

    fn wait_for_promised(&mut self, at: usize, waiter: Waiter) {
        match self.promised[at] {
            Promised::Open => {
                self.ops[waiter.to].unmet += 1;
                self.plan.waiters[at].push(waiter);
            }
            Promised::Broken(Skip { reason, by }) => {
                self.ops[waiter.to].skip_by(Some(reason), by, waiter.kind);
            }
            Promised::Generated(_) => self.wait_for_generated(at, waiter),
        }
    }

    /// The promise has been kept: what was promised is there.
    fn wait_for_generated(&mut self, at: usize, waiter: Waiter) {
        let Waiter { to, kind, wanted } = waiter;
        let promise = self.plan.promises.list()[at].promise.clone();
        let count = if let Promised::Generated(count) = self.promised[at] { count } else { 0 };
        let numbers = match (&promise, wanted) {
            (Promise::One(name), _) => {
                if let Some(from) = self.plan.find(name) {
                    self.wait_for(from, to, kind);
                }
                return;
            }
            (Promise::Family(_), Wanted::Whole) => 0..count,
            (Promise::Family(_), Wanted::Item(n)) => n..count.min(n.saturating_add(1)),
        };
        for n in numbers {
            if let Some(from) = self.plan.find(&format!("{}.{n}", promise.stem())) {
                self.wait_for(from, to, kind);
            }
        }
    }

    /// A generator has ended: who waited for what it promised waits for what it made, or is told that it never comes.
    /// Gives those that wait for nothing any more.
    pub(super) fn settle_promises(&mut self, op: usize, mark: Option<SkipReason>) -> Vec<usize> {
        let mut free = Vec::new();
        for at in self.plan.steps[op].promised.clone() {
            if self.promised[at] != Promised::Open {
                continue;
            }
            self.promised[at] = match (mark, &self.plan.promises.list()[at].promise) {
                (Some(reason), _) => Promised::Broken(Skip { reason, by: op }),
                (None, Promise::One(_)) => Promised::Generated(1),
                (None, Promise::Family(stem)) => {
                    let count = self.plan.family_size(stem);
                    self.outputs.insert_family(stem, count);
                    Promised::Generated(count)
                }
            };
            for waiter in std::mem::take(&mut self.plan.waiters[at]) {
                self.wait_for_promised(at, waiter);
                let o = &mut self.ops[waiter.to];
                o.unmet = o.unmet.saturating_sub(1);
                if o.unmet == 0 {
                    free.push(waiter.to);
                }
            }
        }
        free
    }

    /// Ends what was added when nothing new may start any more.
    pub(super) fn drop_added(&mut self, from: usize, now: jiff::Timestamp, effects: &mut Vec<Effect>) {
        let state = match self.mode {
            Mode::Running | Mode::Yielding => return,
            Mode::Cancelling => OperationState::Cancelled,
            Mode::Stopping | Mode::Finished => OperationState::Skipped,
        };
        for op in from..self.ops.len() {
            if self.ops[op].phase == Phase::Idle {
                self.settle(op, state, Why::Run, now, effects);
            }
        }
    }
}

impl Op {
    /// What the end of something that it waited for means for it.
    pub(super) fn skip_by(&mut self, mark: Option<SkipReason>, by: usize, kind: EdgeKind) {
        let reason = match mark {
            Some(reason @ SkipReason::Failure) => reason,
            Some(reason @ SkipReason::Condition) if kind == EdgeKind::Required => reason,
            Some(SkipReason::Condition) | None => return,
        };
        // whatever the order in which others end, the same one is named
        let before = |old: Skip| old.reason > reason || (old.reason == reason && old.by < by);
        if !self.skip.is_some_and(before) {
            self.skip = Some(Skip { reason, by });
        }
    }
}

fn invalid(why: &str) -> Failure {
    let message = format!("could not add the generated operations: {why}");
    fail(FailureClass::User, "OperationsInvalid", message)
}

/// The first findings, with where they are in the output.
fn listed(findings: &[Diagnostic], pointer: &str) -> String {
    let one = |finding: &Diagnostic| match &finding.primary.at {
        Location::Pointer(at) => {
            format!("{}{}: {}", pointer, at.strip_prefix("/operations").unwrap_or(at), finding.message)
        }
        Location::Span(_) => finding.message.clone(),
    };
    let mut text = findings.iter().take(MOST_FINDINGS).map(one).collect::<Vec<_>>().join("; ");
    if findings.len() > MOST_FINDINGS {
        text += &format!("; and {} more", findings.len() - MOST_FINDINGS);
    }
    text
}

/// How many bytes these take as JSON.
fn size(operations: &[Operation]) -> usize {
    struct Count(usize);
    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // What can't be written can't be sent either.
    if serde_json::to_writer(&mut count, operations).is_err() { usize::MAX } else { count.0 }
}

/// The promises of a plan before anything has ended.
pub(super) fn all_open(plan: &Plan) -> Vec<Promised> {
    vec![Promised::Open; plan.promises.list().len()]
}
