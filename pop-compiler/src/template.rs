//! Expansion of a template: checks the inputs, replaces references to them, and expands fan-outs.

mod fan_out;
mod inputs;
pub(crate) mod rules;

use serde_json::Value;

use crate::agenda::{Agenda, AgendaTemplate, Operation, keys};
use crate::diagnostic::{Diagnostic, Location};
use crate::reference::{self, Mode, Report};

/// The agenda of a template with these inputs.
///
/// References to inputs are `@<pop.payload::/name>`. Each top-level input is also a name of its own, as are the static
/// parameters. Inserted values are data: references in them are plain text.
///
/// # Errors
/// Every fault of the inputs, with a JSON pointer into them, and every fan-out over a value that is not a list.
pub fn expand(template: &AgendaTemplate, inputs: &Value) -> Result<Agenda, Vec<Diagnostic>> {
    fill(template, inputs, true)
}

/// The agenda of a template whose operations contain no references to inputs; the function does not search for any.
pub(crate) fn fixed(template: &AgendaTemplate) -> Result<Agenda, Vec<Diagnostic>> {
    fill(template, &Value::Object(serde_json::Map::new()), false)
}

fn fill(template: &AgendaTemplate, inputs: &Value, operations: bool) -> Result<Agenda, Vec<Diagnostic>> {
    let payload = match template.params.get(keys::INPUTS) {
        Some(schema) => inputs::check(schema, inputs)?,
        // what the compiler made says all that it takes
        None if template.agenda.params.contains_key(keys::WORKFLOW) => inputs::none(inputs)?,
        None => inputs.clone(),
    };
    let lookup = |name: &str| match name {
        "pop.payload" | "pop.transformRequest" => Some(&payload),
        _ => template.static_parameters.get(name).or_else(|| {
            let reserved = reference::operation_of(name).is_some() || name.starts_with("pop.");
            payload.as_object().filter(|_| !reserved).and_then(|map| map.get(name))
        }),
    };
    let mut filler = Filler { lookup: &lookup, faults: Vec::new() };
    let skeleton = &template.agenda;
    let mut agenda = Agenda {
        id: skeleton.id.clone(),
        cid: filler.label(skeleton.cid.as_deref(), "/agenda/cid"),
        title: filler.label(skeleton.title.as_deref(), "/agenda/title").or_else(|| template.title.clone()),
        customer_id: filler.label(skeleton.customer_id.as_deref(), "/agenda/customerId"),
        link_id: filler.label(skeleton.link_id.as_deref(), "/agenda/linkId"),
        params: skeleton.params.clone(),
        operations: skeleton.operations.clone(),
    };
    // how types run, and what they give, is the same whatever is submitted
    let fillable = agenda.params.iter_mut().filter(|(key, _)| *key != keys::TYPES).map(|(_, value)| value);
    filler.values(fillable, "/agenda/params");
    if operations && filler.changes(&agenda.operations) {
        for (i, operation) in agenda.operations.iter_mut().enumerate() {
            filler.operation(operation, &format!("/agenda/operations/{i}"));
        }
    }
    let mut faults = filler.faults;
    if operations && faults.is_empty() {
        fan_out::expand(&mut agenda, &mut faults);
    }
    if faults.is_empty() { Ok(agenda) } else { Err(faults) }
}

impl AgendaTemplate {
    /// [`expand`] as a method.
    ///
    /// # Errors
    /// As [`expand`].
    pub fn expand(&self, inputs: &Value) -> Result<Agenda, Vec<Diagnostic>> {
        expand(self, inputs)
    }

    /// SHA-256 of the content, in hexadecimal: the `digest` in `pop.workflow` of a template from the compiler.
    pub fn digest(&self) -> String {
        let mut bare = self.clone();
        if let Some(Value::Object(header)) = bare.agenda.params.get_mut(keys::WORKFLOW) {
            header.shift_remove("digest");
        }
        crate::canonical::digest(&bare)
    }
}

struct Filler<'f, 'v> {
    lookup: &'f dyn Fn(&str) -> Option<&'v Value>,
    faults: Vec<Diagnostic>,
}

impl Filler<'_, '_> {
    /// Whether expansion changes these operations.
    fn changes(&self, operations: &[Operation]) -> bool {
        let values = operations.iter().flat_map(|o| std::iter::once(&o.payload).chain(o.params.values()));
        operations.iter().any(|o| o.name.contains("@<") || o.kind.contains("@<"))
            || reference::any_token(values, &|token| (self.lookup)(token.name).is_some())
    }

    fn operation(&mut self, operation: &mut Operation, at: &str) {
        for (field, part) in [("name", &mut operation.name), ("type", &mut operation.kind)] {
            if part.contains("@<") {
                *part = self.label(Some(part), &format!("{at}/{field}")).unwrap_or_default();
            }
        }
        self.values([&mut operation.payload], &format!("{at}/payload"));
        self.values(operation.params.values_mut(), &format!("{at}/params"));
    }

    /// Replaces references in values that the run fills in again.
    fn values<'p>(&mut self, values: impl IntoIterator<Item = &'p mut Value>, at: &str) {
        let mut report = Report::default();
        for value in values {
            reference::fill(value, self.lookup, Mode::Template, &mut report);
        }
        for token in report.invalid {
            self.unresolved(at, &token);
        }
    }

    /// Replaces references in a text that no later pass reads: escapes are resolved, and an unknown name is a fault.
    fn label(&mut self, text: Option<&str>, at: &str) -> Option<String> {
        let (value, report) = reference::substitute(&Value::from(text?), self.lookup, Mode::Final);
        for token in report.invalid {
            self.unresolved(at, &token);
        }
        for token in report.missing {
            let name = reference::whole(&token).map_or("", |t| t.name);
            if reference::operation_of(name).is_none() && !name.starts_with("pop.") {
                self.unresolved(at, &token);
            }
        }
        match value {
            Value::Null => None,
            Value::String(text) => Some(text),
            other => Some(other.to_string()),
        }
    }

    fn unresolved(&mut self, at: &str, token: &str) {
        let message = format!("the inputs have no value at `{token}`");
        let finding = Diagnostic::error("unknown-input", Location::Pointer(at.to_owned()), message);
        let help = "submit that input, or give the reference a default: `@<name::/pointer?default>`";
        self.faults.push(finding.help(help));
    }
}

#[cfg(test)]
mod tests;
