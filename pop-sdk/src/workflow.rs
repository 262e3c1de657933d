//! A workflow that was written in Rust: the text that `workflow!` made of it, compiled by the same compiler as a file.

use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;

use pop_compiler::agenda::{Agenda, AgendaTemplate};
use pop_compiler::catalog::Catalog;
use pop_compiler::diagnostic::{Diagnostic, Location, has_errors};
use pop_compiler::render::text::{Colour, findings};
use pop_compiler::source::{Source, Sources};
use pop_compiler::types::Type;
use pop_compiler::{Door, Options, canonical};
use serde::Serialize;
use serde_json::Value;

use crate::operation::Known;

/// What `workflow!` knows about a workflow.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The workflow in the JSON form of the language. Operation types go by the names of their Rust types.
    pub source: &'static str,
    /// The operation types: the name in `source`, and what the Rust type says.
    pub operations: Vec<(&'static str, Known)>,
    /// Named types: the name in `source`, and the JSON Schema.
    pub types: Vec<(&'static str, Value)>,
    /// Set when the result is one output rather than a record of all of them: that output's name.
    pub single: Option<&'static str>,
    /// The fields of a result that is a record of all outputs, by their names in JSON; none when nothing is known of them.
    pub result: &'static [&'static str],
}

/// The compiler's findings, as it prints them.
#[derive(Clone, Debug)]
pub struct Findings {
    /// The findings themselves.
    pub diagnostics: Vec<Diagnostic>,
    text: String,
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text.trim_end())
    }
}

impl std::error::Error for Findings {}

impl Findings {
    fn new(diagnostics: Vec<Diagnostic>, sources: &Sources) -> Self {
        let text = findings(&diagnostics, sources, Colour::Never);
        Self { diagnostics, text }
    }
}

/// A compiled workflow with its input and result types.
pub struct Workflow<I, O> {
    template: AgendaTemplate,
    /// Of a workflow without inputs.
    ready: Option<Agenda>,
    single: Option<&'static str>,
    types: PhantomData<fn(I) -> O>,
}

impl<I, O> fmt::Debug for Workflow<I, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workflow").field("template", &self.template).finish_non_exhaustive()
    }
}

impl<I: Serialize, O> Workflow<I, O> {
    /// Compiles a definition.
    ///
    /// # Errors
    /// Every finding. After `workflow!` has accepted the workflow only what needs the types' JSON Schemas is left to find.
    pub fn new(definition: &Definition) -> Result<Self, Findings> {
        let doubles = doubles(definition);
        if !doubles.is_empty() {
            return Err(Findings::new(doubles, &Sources::new()));
        }
        let (document, unknown) = crate::names::rename(definition);
        if !unknown.is_empty() {
            return Err(Findings::new(unknown, &Sources::new()));
        }
        let text = canonical::pretty(&document);
        let mut catalog = Catalog::new();
        for (_, known) in &definition.operations {
            catalog.insert(known.operation_type());
        }
        for (name, schema) in &definition.types {
            catalog.types.define(*name, Type::from_schema(schema));
        }
        let options = Options { catalogs: &[catalog], ..Options::default() };
        let compiled = pop_compiler::compile(Source::new("workflow!", text), Door::Json, &options);
        match compiled.template {
            Some(template) if !has_errors(&compiled.diagnostics) => {
                let (ready, single) = (compiled.agenda, definition.single);
                Ok(Self { template, ready, single, types: PhantomData })
            }
            _ => Err(Findings::new(compiled.diagnostics, &compiled.sources)),
        }
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

    /// The name of the only output, when the result is that output itself rather than a record of all outputs.
    pub fn single_output(&self) -> Option<&'static str> {
        self.single
    }

    /// The agenda for these inputs.
    ///
    /// # Errors
    /// The inputs can't be written as JSON, or a fan-out or a reference does not fit them.
    pub fn agenda(&self, inputs: &I) -> Result<Agenda, Findings> {
        if let Some(agenda) = &self.ready {
            return Ok(agenda.clone());
        }
        let inputs = serde_json::to_value(inputs).map_err(|e| {
            let finding = Diagnostic::error(
                "type-mismatch",
                Location::Pointer(String::new()),
                format!("the inputs can't be written as JSON: {e}"),
            );
            Findings::new(vec![finding], &Sources::new())
        })?;
        self.template.expand(&inputs).map_err(|found| Findings::new(found, &Sources::new()))
    }
}

/// Names that stand for two things: two operation types of one name, or two named types.
fn doubles(definition: &Definition) -> Vec<Diagnostic> {
    let mut operations: HashMap<&str, &Known> = HashMap::new();
    let mut types: HashMap<&str, &Value> = HashMap::new();
    let mut found = Vec::new();
    let mut conflict = |what: &str, name: &str| {
        let at = Location::Pointer(String::new());
        let message = format!("two different Rust types stand for the {what} `{name}`");
        found.push(Diagnostic::error("catalog-conflict", at, message).help("give one of them another name"));
    };
    for (_, known) in &definition.operations {
        if operations.insert(known.name(), known).is_some_and(|other| other != known) {
            conflict("operation type", known.name());
        }
    }
    for (name, schema) in &definition.types {
        if types.insert(name, schema).is_some_and(|other| other != schema) {
            conflict("type", name);
        }
    }
    found
}

/// A workflow of `workflow!`, as a type.
pub trait Compiled {
    /// Its inputs.
    type Inputs: Serialize;
    /// Its result.
    type Outputs;

    /// The compiled workflow.
    fn compile() -> Workflow<Self::Inputs, Self::Outputs>;
}

#[cfg(feature = "client")]
mod submit {
    use futures_util::Stream;
    use pop_compiler::diagnostic::Severity;
    use serde::de::DeserializeOwned;

    use super::{Compiled, PhantomData, Serialize, Value, Workflow};
    use crate::api::{AgendaView, Event, SubmitRequest};
    use crate::client::{Client, Error, Run, RunError};

    impl<I: Serialize, O: DeserializeOwned> Workflow<I, O> {
        /// Submits the workflow with these inputs.
        ///
        /// # Errors
        /// The inputs do not fit ([`Error::Findings`]), the server refuses the work, or it can't be reached.
        pub async fn submit(&self, client: &Client, inputs: &I) -> Result<TypedRun<O>, Error> {
            let agenda = self.agenda(inputs).map_err(|found| {
                debug_assert!(found.diagnostics.iter().any(|d| d.severity == Severity::Error));
                Error::Findings(Box::new(found))
            })?;
            let run =
                client.submit(SubmitRequest { agenda: Some(agenda), ..SubmitRequest::default() }).await?;
            Ok(TypedRun { run, single: self.single, result: PhantomData })
        }
    }

    /// A client of one workflow.
    #[derive(Debug)]
    pub struct TypedClient<W: Compiled> {
        client: Client,
        workflow: Workflow<W::Inputs, W::Outputs>,
    }

    impl<W: Compiled> TypedClient<W>
    where
        W::Outputs: DeserializeOwned,
    {
        /// A client of the server at `url`. Nothing is sent yet.
        ///
        /// # Errors
        /// `url` is no HTTP address.
        pub fn connect(url: &str) -> Result<Self, Error> {
            Ok(Self { client: Client::connect(url)?, workflow: W::compile() })
        }

        /// Submits the workflow with these inputs.
        ///
        /// # Errors
        /// See [`Workflow::submit`].
        pub async fn submit(&self, inputs: W::Inputs) -> Result<TypedRun<W::Outputs>, Error> {
            self.workflow.submit(&self.client, &inputs).await
        }
    }

    /// A submitted workflow whose result is an `O`.
    #[derive(Debug)]
    pub struct TypedRun<O> {
        run: Run,
        single: Option<&'static str>,
        result: PhantomData<fn() -> O>,
    }

    impl<O: DeserializeOwned> TypedRun<O> {
        /// The agenda's id.
        pub fn id(&self) -> &str {
            self.run.id()
        }

        /// Everything that has happened and happens; see [`Run::watch`].
        pub fn watch(&self) -> impl Stream<Item = Result<Event, Error>> + Send + use<O> {
            self.run.watch()
        }

        /// Waits for the end and gives the result.
        ///
        /// # Errors
        /// See [`Run::wait`].
        pub async fn wait(&self) -> Result<O, RunError> {
            let mut outputs: Value = self.run.wait().await?;
            let result = match self.single {
                None => outputs,
                Some(name) => outputs.get_mut(name).map(Value::take).unwrap_or_default(),
            };
            let missing = result.is_null();
            serde_json::from_value(result).map_err(|error| match self.single {
                Some(name) if missing => RunError::OutputMissing(name.to_owned()),
                _ => RunError::Outputs(error),
            })
        }

        /// Asks for the agenda's end.
        ///
        /// # Errors
        /// The server can't be reached.
        pub async fn cancel(&self) -> Result<AgendaView, Error> {
            self.run.cancel().await
        }
    }
}

#[cfg(feature = "client")]
pub use submit::{TypedClient, TypedRun};
