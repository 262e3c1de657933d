//! Workflows that are made while a program runs, with the same checks as those that are written down.
//!
//! ```
//! use pop_sdk::builder::{Builder, text};
//! use pop_sdk::operation;
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//!
//! #[operation("media.probe", output = Probed)]
//! #[derive(JsonSchema)]
//! struct Probe { url: String }
//! #[derive(JsonSchema)]
//! struct Probed { duration: f64, title: String, has_video: bool }
//! #[operation("media.encode", output = Encoded)]
//! #[derive(JsonSchema)]
//! struct Encode { source: String, height: u32, duration: f64 }
//! #[derive(JsonSchema)]
//! struct Encoded { file: String }
//! #[operation("media.package", output = Packaged)]
//! #[derive(JsonSchema)]
//! struct Package { renditions: Vec<String>, title: String }
//! #[derive(JsonSchema)]
//! struct Packaged { manifest: String }
//!
//! #[derive(Serialize, JsonSchema)]
//! struct Rung { height: u32 }
//!
//! # fn main() -> Result<(), pop_sdk::Findings> {
//! let mut flow = Builder::new("abr-ladder");
//! flow.version("2.1.0").run("priority", 3);
//! let source = flow.input::<String>("source");
//! let ladder = flow.input_or("ladder", vec![Rung { height: 720 }, Rung { height: 1080 }]);
//!
//! let probe = flow.add::<Probe>("probe").with("url", &source).done();
//! let encode = flow
//!     .add::<Encode>("encode")
//!     .each(&ladder, |encode, rung, _index| {
//!         encode
//!             .with("source", &source)
//!             .with("height", rung.field::<u32>("height"))
//!             .with("duration", probe.field::<f64>("duration"))
//!     })
//!     .timeout("2h")
//!     .retry(3)
//!     .done();
//! let package = flow
//!     .add::<Package>("package")
//!     .with("renditions", encode.field::<String>("file"))
//!     .with("title", text(["Ladder of ".into(), probe.field::<String>("title").into()]))
//!     .when(&probe.field("has_video"))
//!     .done();
//! flow.output("manifest", package.field::<String>("manifest").or(""));
//!
//! let workflow = flow.build()?;
//! let agenda = workflow.agenda(&serde_json::json!({ "source": "https://example.com/a.mov" }))?;
//! assert_eq!(agenda.operations.len(), 4);
//! // Where it was written: this file.
//! assert!(workflow.place("encode.1").unwrap().line > 0);
//! # Ok(())
//! # }
//! ```
//!
//! What is wrong is found when it is built, all of it at once:
//!
//! ```
//! # use pop_sdk::builder::Builder;
//! use pop_sdk::builtin::Sleep;
//!
//! let mut flow = Builder::new("faulty");
//! let wait = flow.add::<Sleep>("wait").with("secnds", 3).timeout("soon").done();
//! flow.add::<Sleep>("again").with("seconds", wait.field::<f64>("length")).after(["nobody"]).done();
//! let findings = flow.build().unwrap_err();
//! let rules: Vec<&str> = findings.diagnostics.iter().map(|finding| finding.rule).collect();
//! assert_eq!(rules, ["bad-duration", "extra-input", "unknown-operation"]);
//! assert!(findings.to_string().contains("did you mean `seconds`?"));
//! ```
//!
//! A [`Builder`] names fields as JSON does. What is known of types is checked: a handle has the type of what it stands for,
//! and [`Out::field`] says what a field is meant to be, which the compiler compares with what it is.

mod given;
mod step;

use std::marker::PhantomData;
use std::panic::Location;

use pop_compiler::catalog::Catalog;
use pop_compiler::source::Source;
use pop_compiler::types::Type;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::findings::Findings;
use crate::operation::{Known, Operation};
use crate::places::{Place, Places};
use crate::workflow::{Built, Compiled, Program, Workflow, build};

pub use self::given::{Given, Literal, Many, Out, text};
pub use self::step::{Fan, Step};

/// A workflow that is being made.
#[derive(Debug)]
pub struct Builder {
    header: Map<String, Value>,
    inputs: Vec<(String, Value)>,
    run: Vec<(String, Value)>,
    /// Their JSON text: the compiler finds names that are given twice.
    operations: Vec<(String, Value)>,
    outputs: Vec<(String, Value)>,
    program: Program,
    places: Places,
    /// What workflows inside were found to be.
    faults: Vec<Findings>,
}

impl Builder {
    /// A workflow called `name`, with nothing in it.
    #[track_caller]
    pub fn new(name: impl Into<String>) -> Self {
        let places = Places::of_whole(Some(here(Location::caller())));
        Self {
            header: Map::from_iter([("name".to_owned(), Value::String(name.into()))]),
            inputs: Vec::new(),
            run: Vec::new(),
            operations: Vec::new(),
            outputs: Vec::new(),
            program: Program::new(Source::new("builder", "")),
            places,
            faults: Vec::new(),
        }
    }

    /// Its version, such as `1.2.0`.
    pub fn version(&mut self, version: impl Into<String>) -> &mut Self {
        self.header.insert("version".into(), Value::String(version.into()));
        self
    }

    /// What it does, for people.
    pub fn description(&mut self, text: impl Into<String>) -> &mut Self {
        self.header.insert("description".into(), Value::String(text.into()));
        self
    }

    /// How a run is treated: `priority`, `deadline`, `maximum_attempts`, `on_failure`, `link`, `insight`, `concurrency_key`
    /// or `labels`.
    pub fn run(&mut self, key: impl Into<String>, value: impl Into<Given>) -> &mut Self {
        self.run.push((key.into(), value.into().into_json()));
        self
    }

    /// Operation types that are not Rust types, for [`Builder::add_named`].
    pub fn catalog(&mut self, catalog: Catalog) -> &mut Self {
        self.program.catalogs.push(catalog);
        self
    }

    /// An input that must be given, unless `T` is an `Option`.
    pub fn input<T: JsonSchema>(&mut self, name: impl Into<String>) -> Out<T> {
        self.any_input(name.into(), None)
    }

    /// An input that may be left out.
    ///
    /// # Panics
    /// The default can't be written as JSON.
    pub fn input_or<T: JsonSchema + Serialize>(&mut self, name: impl Into<String>, default: T) -> Out<T> {
        let default = serde_json::to_value(default).expect("a default is JSON");
        self.any_input(name.into(), Some(default))
    }

    fn any_input<T: JsonSchema>(&mut self, name: String, default: Option<Value>) -> Out<T> {
        let ty = Type::from_derived_schema(&schemars::schema_for!(T).to_value());
        let mut input = Map::from_iter([("type".to_owned(), Value::String(ty.to_string()))]);
        // What stands in it is never a reference.
        input.extend(default.map(|default| ("default".to_owned(), Given::Value(default).into_default())));
        let out = Out::new(given::path("inputs", &name));
        self.inputs.push((name, Value::Object(input)));
        out
    }

    /// An operation of a type that is a struct.
    #[track_caller]
    pub fn add<O: Operation>(&mut self, name: impl Into<String>) -> Step<'_, O::Output> {
        let known = Known::of::<O>();
        let kind = known.name();
        if !self.program.operations.contains(&known) {
            self.program.operations.push(known);
        }
        Step::new(self, name.into(), here(Location::caller()), ("uses", kind.to_owned()))
    }

    /// An operation of a type that is only known by its name.
    #[track_caller]
    pub fn add_named(&mut self, name: impl Into<String>, kind: impl Into<String>) -> Step<'_, Value> {
        Step::new(self, name.into(), here(Location::caller()), ("uses", kind.into()))
    }

    /// A workflow as an operation: its operations take the place of this one.
    #[track_caller]
    pub fn add_workflow<W: Compiled>(&mut self, name: impl Into<String>) -> Step<'_, W::Outputs> {
        let place = here(Location::caller());
        let name = name.into();
        let inner = std::any::type_name::<W>();
        let (mut file, mut single) = (String::new(), None);
        match build(&W::definition(), &mut vec![inner]) {
            Ok(built) => {
                single = built.single;
                file = self.program.add(inner, &built);
                self.places.nest(&name, &built.places);
            }
            Err(findings) => self.faults.push(findings),
        }
        let mut step = Step::new(self, name, place, ("workflow", file));
        step.single = single;
        step
    }

    /// An output of the workflow.
    pub fn output(&mut self, name: impl Into<String>, value: impl Into<Given>) -> &mut Self {
        self.outputs.push((name.into(), value.into().into_json()));
        self
    }

    /// The compiled workflow, with inputs and outputs that are any JSON.
    ///
    /// # Errors
    /// Every finding.
    pub fn build(self) -> Result<Workflow<Value, Value>, Findings> {
        self.build_as()
    }

    /// The compiled workflow, with types for its inputs and outputs. Whether they fit is seen when they are used.
    ///
    /// # Errors
    /// Every finding.
    pub fn build_as<I: Serialize, O>(mut self) -> Result<Workflow<I, O>, Findings> {
        if let Some(found) = self.faults.pop() {
            return Err(found);
        }
        let mut text = String::from("{\n");
        text += &format!("  \"workflow\": {}", pretty(&Value::Object(self.header), 1));
        // The operations are the last thing in it, so that what is found can be told apart.
        for (key, entries) in [
            ("inputs", &self.inputs),
            ("run", &self.run),
            ("outputs", &self.outputs),
            ("operations", &self.operations),
        ] {
            if !entries.is_empty() {
                let entries: Vec<String> = entries
                    .iter()
                    .map(|(name, value)| format!("    {}: {}", Value::from(name.as_str()), pretty(value, 2)))
                    .collect();
                text += &format!(",\n  \"{key}\": {{\n{}\n  }}", entries.join(",\n"));
            }
        }
        self.program.source = Source::new("builder", text + "\n}\n");
        let built: Built = self.program.compile(Some(self.places), None)?;
        Ok(built.into())
    }
}

/// A value, indented as deep as it stands.
fn pretty(value: &Value, depth: usize) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.replace('\n', &format!("\n{}", "  ".repeat(depth)))
}

fn here(at: &Location<'_>) -> Place {
    Place { file: at.file().to_owned(), line: at.line(), column: at.column() }
}

/// A handle of any type.
fn out<T>(expression: String) -> Out<T> {
    Out { expression, fallback: None, ty: PhantomData }
}

#[cfg(test)]
mod tests;
