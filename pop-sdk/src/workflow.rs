//! A workflow that was written in Rust, or included in it: compiled by the same compiler as a file.

mod build;
#[cfg(feature = "client")]
mod submit;

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use pop_compiler::agenda::{Agenda, AgendaTemplate, keys};
use pop_compiler::canonical;
use pop_compiler::diagnostic::{Diagnostic, Location};
use serde::Serialize;
use serde_json::Value;

use crate::definition::Definition;
use crate::findings::Findings;
use crate::places::{Place, Places};

pub(crate) use self::build::{Built, Program, build};
#[cfg(feature = "client")]
pub use self::submit::{TypedClient, TypedRun};

/// A compiled workflow with its input and result types.
pub struct Workflow<I, O> {
    template: AgendaTemplate,
    /// Of a workflow without inputs.
    ready: Option<Agenda>,
    single: Option<&'static str>,
    warnings: Vec<Diagnostic>,
    places: Arc<Places>,
    types: PhantomData<fn(I) -> O>,
}

impl<I, O> fmt::Debug for Workflow<I, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workflow").field("template", &self.template).finish_non_exhaustive()
    }
}

impl<I, O> Clone for Workflow<I, O> {
    fn clone(&self) -> Self {
        Self {
            template: self.template.clone(),
            ready: self.ready.clone(),
            single: self.single,
            warnings: self.warnings.clone(),
            places: Arc::clone(&self.places),
            types: PhantomData,
        }
    }
}

impl<I, O> From<Built> for Workflow<I, O> {
    fn from(built: Built) -> Self {
        let Built { template, ready, single, warnings, places, .. } = built;
        Self { template, ready, single, warnings, places: Arc::new(places), types: PhantomData }
    }
}

impl<I, O> Workflow<I, O> {
    /// Compiles a definition.
    ///
    /// # Errors
    /// Every finding. After a macro has accepted the workflow only what needs the types' JSON Schemas is left to find.
    pub(crate) fn new(definition: &Definition) -> Result<Self, Findings> {
        build(definition, &mut Vec::new()).map(Self::from)
    }

    /// The template: the agenda with its inputs still open.
    pub fn template(&self) -> &AgendaTemplate {
        &self.template
    }

    /// The canonical JSON, as `popc build` writes it: the template, or the agenda of a workflow without inputs.
    pub fn to_json(&self) -> String {
        match &self.ready {
            Some(agenda) => canonical::pretty(agenda),
            None => canonical::pretty(&self.template),
        }
    }

    /// The JSON Schema (2020-12) of the inputs; none when there are no inputs.
    pub fn inputs_schema(&self) -> Option<&Value> {
        self.template.params.get(keys::INPUTS)
    }

    /// The JSON Schema (2020-12) of the outputs; none when there are no outputs.
    pub fn outputs_schema(&self) -> Option<&Value> {
        self.template.params.get(keys::OUTPUTS)
    }

    /// The name of the only output, when the result is that output itself rather than a record of all outputs.
    pub fn single_output(&self) -> Option<&'static str> {
        self.single
    }

    /// What the compiler found that does not keep the workflow from running.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// Where an operation was written. `encode.3` is an item of the fan-out `encode`, and `qc/probe` an operation of the
    /// workflow that stands as `qc`.
    pub fn place(&self, operation: &str) -> Option<&Place> {
        self.places.of(operation)
    }

    /// The source map: each operation of the template, and where it was written, in the template's order.
    pub fn places(&self) -> impl Iterator<Item = (&str, &Place)> {
        let operations = self.template.agenda.operations.iter();
        operations.filter_map(|o| Some((o.name.as_str(), self.places.of(&o.name)?)))
    }
}

impl<I: Serialize, O> Workflow<I, O> {
    /// The agenda for these inputs.
    ///
    /// # Errors
    /// The inputs can't be written as JSON, or a fan-out or a reference does not fit them.
    pub fn agenda(&self, inputs: &I) -> Result<Agenda, Findings> {
        if let Some(agenda) = &self.ready {
            return Ok(agenda.clone());
        }
        let inputs = serde_json::to_value(inputs).map_err(|e| {
            let at = Location::Pointer(String::new());
            let message = format!("could not serialize the inputs as JSON: {e}");
            let finding = Diagnostic::error("type-mismatch", at, message);
            Findings::about_nothing(vec![finding])
        })?;
        self.template.expand(&inputs).map_err(|mut found| {
            for finding in &mut found {
                let place = match &finding.primary.at {
                    Location::Pointer(pointer) => operation_at(&self.template, pointer),
                    Location::Span(_) => None,
                };
                if let Some((name, place)) = place.and_then(|name| Some((name, self.place(name)?))) {
                    finding.help.push(format!("`{name}` is written at {place}"));
                }
            }
            Findings::about_nothing(found)
        })
    }
}

/// The operation that a pointer into a template goes into.
fn operation_at<'t>(template: &'t AgendaTemplate, pointer: &str) -> Option<&'t str> {
    let index = pointer.strip_prefix("/agenda/operations/")?.split('/').next()?;
    template.agenda.operations.get(index.parse::<usize>().ok()?).map(|o| o.name.as_str())
}

/// A workflow of one of the macros, as a type.
pub trait Compiled {
    /// Its inputs.
    type Inputs: Serialize;
    /// Its result.
    type Outputs;

    /// What the macro knows about the workflow.
    #[doc(hidden)]
    fn definition() -> Definition;

    /// The compiled workflow.
    ///
    /// # Errors
    /// What only the types' JSON Schemas show; everything else was found while cargo built.
    fn try_compile() -> Result<Workflow<Self::Inputs, Self::Outputs>, Findings> {
        Workflow::new(&Self::definition())
    }

    /// The compiled workflow.
    ///
    /// # Panics
    /// With the compiler's findings, where [`Compiled::try_compile`] gives an error.
    fn compile() -> Workflow<Self::Inputs, Self::Outputs> {
        match Self::try_compile() {
            Ok(workflow) => workflow,
            Err(findings) => panic!("{findings}"),
        }
    }
}
