//! Checks of generators: their promises, and the operations of a fan-out.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::{Checker, item, settings};
use crate::agenda::{self, Operation, keys};
use crate::generator::{FAN_OUT_TYPE, FanOut, Generator, Promise, number};
use crate::reference;

impl Checker<'_> {
    /// Checks that no operation has a promised name.
    pub(super) fn check_promised_names(&mut self) {
        let agenda = self.agenda;
        let mut stems: HashMap<String, (usize, bool)> = HashMap::new();
        for (i, operation) in agenda.operations.iter().enumerate() {
            let generator = match Generator::of(operation) {
                Ok(generator) => generator,
                // In a template it may be filled in later.
                Err(_) if self.template && has_tokens(operation.params.get(keys::GENERATOR)) => None,
                Err((why, rest)) => {
                    let message =
                        format!("invalid generator parameter of operation `{}`: {why}", operation.name);
                    let pointer = format!("/operations/{i}/params/{}{rest}", keys::GENERATOR);
                    let finding = self.error("wrong-shape", &pointer, message);
                    self.add(finding.help(
                        "write `{\"operationsJsonPointer\": \"/operations\", \"names\": [\"report\", \"part.*\"]}`; `names` may be left out",
                    ));
                    None
                }
            };
            for (n, promise) in generator.into_iter().flat_map(|g| g.promises).enumerate() {
                let family = matches!(promise, Promise::Family(_));
                let stem = promise.stem().to_lowercase();
                let taken = self.around.is_some_and(|around| around.is_taken(&stem));
                if stems.insert(stem, (i, family)).is_some() || taken {
                    let pointer = format!("/operations/{i}/params/{}/names/{n}", keys::GENERATOR);
                    let message = format!("promised name `{}` is already taken", promise.text());
                    self.add(self.error("duplicate-name", &pointer, message));
                }
            }
        }
        if stems.is_empty() {
            return;
        }
        for (i, operation) in agenda.operations.iter().enumerate() {
            let name = operation.name.to_lowercase();
            let of_family = || {
                let (stem, last) = name.rsplit_once('.')?;
                number(last)?;
                stems.get(stem).filter(|(_, family)| *family)
            };
            let Some(&(generator, _)) = stems.get(name.as_str()).or_else(of_family) else { continue };
            let maker = agenda.operations[generator].name.as_str();
            // What the generator has generated already is where it should be.
            if operation.params.get(keys::GENERATED_BY).and_then(Value::as_str) == Some(maker) {
                continue;
            }
            let message =
                format!("the name `{}` is reserved for operations of generator `{maker}`", operation.name);
            let finding = self.error("duplicate-name", &format!("/operations/{i}/name"), message);
            self.add(finding.help("give the operation another name"));
        }
    }

    /// Checks that the promised names exist, and that families have no gaps from `.0` on.
    pub(super) fn check_kept(&mut self, promises: &[Promise]) {
        for promise in promises {
            let stem = promise.stem();
            match promise {
                Promise::One(name) if !self.names.contains_key(name.as_str()) => {
                    let message =
                        format!("the generator promised an operation `{name}`, but its list has none");
                    self.add(self.error("unknown-operation", "/operations", message));
                }
                Promise::One(_) => {}
                Promise::Family(_) => {
                    let numbers = self.names.keys().filter_map(|name| {
                        let (base, last) = name.rsplit_once('.')?;
                        number(last).filter(|_| base == stem)
                    });
                    let (count, highest) =
                        numbers.fold((0, 0), |(count, high), n| (count + 1, high.max(n + 1)));
                    if count < highest {
                        let gap =
                            (0..highest).find(|n| !self.names.contains_key(format!("{stem}.{n}").as_str()));
                        let message = format!(
                            "the generator made `{stem}.{}`, but not `{stem}.{}`; number the operations of \
                                `{stem}.*` from 0 without gaps",
                            highest - 1,
                            gap.unwrap_or(0)
                        );
                        self.add(self.error("unknown-operation", "/operations", message));
                    }
                }
            }
        }
    }

    /// Checks the operations of a fan-out like those of the agenda.
    pub(super) fn check_fan_out(&mut self, i: usize) {
        let agenda = self.agenda;
        let operation = &agenda.operations[i];
        let at = format!("/operations/{i}/params/{}", keys::FAN_OUT);
        let fan_out = match FanOut::of(operation) {
            Ok(Some(fan_out)) => fan_out,
            Ok(None) => {
                if operation.kind == FAN_OUT_TYPE {
                    let message = format!("missing `pop.fanOut` in operation `{}`", operation.name);
                    let finding = self.error("missing-key", &format!("/operations/{i}/params"), message);
                    self.add(
                        finding.help("add the parameter `pop.fanOut`: `{\"name\": …, \"operations\": […]}`"),
                    );
                }
                return;
            }
            Err(why) => {
                let message = format!("invalid `pop.fanOut` in operation `{}`: {why}", operation.name);
                let finding = self.error("wrong-shape", &at, message);
                self.add(finding.help(
                    "write `{\"name\": \"encode\", \"operations\": [{\"name\": \"encode\", \"type\": …}]}`",
                ));
                return;
            }
        };
        // In a template it may fan out over a list that is known when the template is filled in.
        let fans_out = self.template && operation.params.contains_key(keys::EACH);
        if operation.kind == FAN_OUT_TYPE && !fans_out && !matches!(Generator::of(operation), Ok(Some(_))) {
            let message =
                format!("operation `{}` makes operations, but is not marked as a generator", operation.name);
            let finding = self.error("missing-key", &format!("/operations/{i}/params"), message);
            self.add(finding.help(format!(
                "add the parameter `{}`: `{{\"operationsJsonPointer\": \"/operations\", \"names\": \
                    [\"{}.*\"]}}`",
                keys::GENERATOR,
                fan_out.name
            )));
        }
        let mut own: HashSet<String> = fan_out.operations.iter().map(|o| o.name.clone()).collect();
        if own.len() < fan_out.operations.len() {
            let message = format!("duplicate name among the operations of generator `{}`", operation.name);
            self.add(self.error("duplicate-name", &at, message));
        }
        let inside = fan_out.operations.iter().filter_map(|o| Generator::of(o).ok().flatten());
        own.extend(inside.flat_map(|g| g.promises).map(|promise| promise.stem().to_owned()));
        for (n, generated) in fan_out.operations.iter().enumerate() {
            self.check_generated(generated, i, &format!("{at}/operations/{n}"), &own);
        }
    }

    fn check_generated(&mut self, generated: &Operation, generator: usize, at: &str, own: &HashSet<String>) {
        if generated.name.is_empty() || generated.kind.is_empty() {
            let what = if generated.name.is_empty() { "name" } else { "type" };
            let message = format!(
                "an operation of generator `{}` has no {what}",
                self.agenda.operations[generator].name
            );
            self.add(self.error("missing-key", at, message));
        }
        agenda::mentions(generated, &mut |mention| {
            let inside =
                own.contains(mention.name) || item(mention.name).is_some_and(|(stem, _)| own.contains(stem));
            if mention.name == generated.name || inside && own.len() == 1 {
                if !self.is_full() {
                    let shown = mention.token.unwrap_or(mention.name);
                    let message = format!("operation `{}` waits for itself (`{shown}`)", generated.name);
                    let pointer = format!("{at}{}{}", mention.field, mention.rest);
                    self.add(self.error("self-reference", &pointer, message));
                }
            } else if !inside {
                self.check_mention(&mention, &|| format!("{at}{}{}", mention.field, mention.rest));
            }
        });
        let mut plain = |field: &str, value: &Value| {
            reference::scan(value, &mut |rest, _, token| {
                if !token.name.starts_with("pop.each") {
                    self.check_plain_name(token, &|| format!("{at}{field}{rest}"));
                }
            });
        };
        plain("/payload", &generated.payload);
        if let Some(when) = generated.params.get(keys::WHEN) {
            plain("/params/pop.when", when);
        }
        // As in a template: the item may say what a setting is.
        settings::check(generated, &format!("{}{at}", self.prefix), true, &mut |finding| self.add(finding));
    }
}

fn has_tokens(value: Option<&Value>) -> bool {
    let mut has = false;
    if let Some(value) = value {
        reference::scan(value, &mut |_, _, _| has = true);
    }
    has
}
