//! A workflow that was written in Rust: the text that `workflow!` made of it, compiled by the same compiler as a file.

use std::fmt;
use std::marker::PhantomData;

use pop_compiler::agenda::{Agenda, AgendaTemplate};
use pop_compiler::catalog::Catalog;
use pop_compiler::diagnostic::{Diagnostic, has_errors};
use pop_compiler::render::text::{Colour, findings};
use pop_compiler::source::{Source, Sources};
use pop_compiler::types::Type;
use pop_compiler::{Door, Options, canonical};
use serde::Serialize;
use serde_json::{Map, Value};

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
        let text = rename(definition);
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
                Ok(Self { template, single: definition.single, types: PhantomData })
            }
            _ => Err(Findings::new(compiled.diagnostics, &compiled.sources)),
        }
    }

    /// The template: the agenda with its inputs still open.
    pub fn template(&self) -> &AgendaTemplate {
        &self.template
    }

    /// The template's canonical JSON, as `popc build` writes it.
    pub fn to_json(&self) -> String {
        canonical::pretty(&self.template)
    }

    /// The agenda for these inputs.
    ///
    /// # Errors
    /// The inputs can't be written as JSON, or a fan-out or a reference does not fit them.
    pub fn agenda(&self, inputs: &I) -> Result<Agenda, Findings> {
        let inputs = serde_json::to_value(inputs).map_err(|e| {
            let finding = Diagnostic::error(
                "type-mismatch",
                pop_compiler::diagnostic::Location::Pointer(String::new()),
                format!("the inputs can't be written as JSON: {e}"),
            );
            Findings::new(vec![finding], &Sources::new())
        })?;
        self.template.expand(&inputs).map_err(|found| Findings::new(found, &Sources::new()))
    }
}

/// The definition's text with the names that JSON and the server know.
fn rename(definition: &Definition) -> String {
    let Ok(Value::Object(mut document)) = serde_json::from_str(definition.source) else {
        return definition.source.to_owned();
    };
    for operation in
        document.get_mut("operations").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut)
    {
        let known = operation
            .get("uses")
            .and_then(Value::as_str)
            .and_then(|uses| definition.operations.iter().find(|(name, _)| *name == uses))
            .map(|(_, known)| known);
        let (Some(known), Some(operation)) = (known, operation.as_object_mut()) else { continue };
        operation.insert("uses".into(), Value::from(known.name()));
        if let Some(Value::Object(with)) = operation.get_mut("with") {
            *with =
                std::mem::take(with).into_iter().map(|(k, v)| (known.json_name(&k).to_owned(), v)).collect();
        }
    }
    canonical::pretty(&document)
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
            serde_json::from_value(result).map_err(RunError::Outputs)
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
