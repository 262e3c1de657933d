//! WfFormat 1.5 (<https://github.com/wfcommons/WfFormat>): recorded executions. Each task becomes a `pop.sleep` of its
//! recorded run time with its recorded files as output. Reading another task's file becomes a reference. A parent
//! without a shared file becomes `after`.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;

use serde::Deserialize;
use serde_json::{Map, Number, Value, json};

use crate::source::{Span, Spanned};
use crate::{reference, rules};

/// A recorded workflow, ready to print.
#[derive(Clone, Debug)]
pub struct Imported {
    name: String,
    description: String,
    tasks: Vec<Task>,
}

#[derive(Clone, Debug)]
struct Task {
    name: String,
    seconds: Number,
    /// File → the task that wrote the file.
    inputs: BTreeMap<String, String>,
    outputs: BTreeSet<String>,
    after: BTreeSet<String>,
}

/// All faults of a document, at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportError(Vec<String>);

impl ImportError {
    /// The faults, one sentence each.
    pub fn faults(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for ImportError {}

#[derive(Deserialize)]
struct Document {
    name: String,
    #[serde(default)]
    description: String,
    workflow: Workflow,
}

#[derive(Deserialize)]
struct Workflow {
    specification: Specification,
    execution: Execution,
}

#[derive(Deserialize)]
struct Specification {
    tasks: Vec<SpecifiedTask>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SpecifiedTask {
    id: String,
    #[serde(default)]
    parents: Vec<String>,
    #[serde(default)]
    input_files: Vec<String>,
    #[serde(default)]
    output_files: Vec<String>,
}

#[derive(Deserialize)]
struct Execution {
    tasks: Vec<ExecutedTask>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExecutedTask {
    id: String,
    runtime_in_seconds: Number,
}

/// Reads a WfFormat document.
///
/// # Errors
/// The document is not WfFormat; or every faulty task: a duplicate, a task with a name that operations cannot have,
/// without a recorded time (zero or more seconds), or with an unknown parent.
pub fn import(text: &str) -> Result<Imported, ImportError> {
    let document: Document = serde_json::from_str(text.trim_start_matches('\u{feff}'))
        .map_err(|e| ImportError(vec![format!("invalid WfFormat 1.5 document: {e}")]))?;
    let times: HashMap<&str, &Number> =
        document.workflow.execution.tasks.iter().map(|t| (t.id.as_str(), &t.runtime_in_seconds)).collect();
    let specified = &document.workflow.specification.tasks;
    let known: HashSet<&str> = specified.iter().map(|t| t.id.as_str()).collect();
    let mut faults = Vec::new();
    let mut seen = HashSet::with_capacity(specified.len());
    let mut folded: HashMap<String, &str> = HashMap::new();
    let mut makers: HashMap<&str, Vec<&str>> = HashMap::new();
    for task in specified {
        for file in &task.output_files {
            makers.entry(file).or_default().push(&task.id);
        }
    }
    let mut tasks = Vec::with_capacity(specified.len());
    for task in specified {
        if !seen.insert(task.id.as_str()) {
            faults.push(format!("duplicate task `{}`", task.id));
            continue;
        }
        for parent in task.parents.iter().filter(|p| !known.contains(p.as_str())) {
            faults.push(format!("task `{}` has a parent `{parent}` that is not in the document", task.id));
        }
        let name = Spanned::new(task.id.clone(), Span::default());
        if let Some(finding) = rules::reserved_name::operation(&name) {
            faults.push(format!(
                "invalid task `{}`: {}. Rename the task.",
                task.id.escape_debug(),
                finding.message
            ));
        }
        if let Some(other) = folded.insert(task.id.to_lowercase(), &task.id) {
            faults.push(format!(
                "tasks `{other}` and `{}` differ only in letter case. Rename one of them.",
                task.id
            ));
        }
        let Some(seconds) = times.get(task.id.as_str()) else {
            faults.push(format!("task `{}` has no recorded execution", task.id));
            continue;
        };
        if !seconds.as_f64().is_some_and(|s| s.is_finite() && s >= 0.0) {
            faults.push(format!("invalid run time of task `{}`: {seconds} seconds", task.id));
        }
        let parents: BTreeSet<&str> = task.parents.iter().map(String::as_str).collect();
        let mut inputs = BTreeMap::new();
        for file in &task.input_files {
            // Several tasks may have written the file: a parent is meant.
            let makers = makers.get(file.as_str()).into_iter().flatten();
            let candidates: Vec<&str> = makers.copied().filter(|m| *m != task.id).collect();
            if let Some(maker) = candidates.iter().find(|m| parents.contains(*m)).or(candidates.first()) {
                inputs.insert(file.clone(), (*maker).to_owned());
            }
        }
        let shared: BTreeSet<&str> = inputs.values().map(String::as_str).collect();
        let after = parents.difference(&shared).map(|p| (*p).to_owned()).collect();
        tasks.push(Task {
            name: task.id.clone(),
            seconds: (*seconds).clone(),
            inputs,
            outputs: task.output_files.iter().cloned().collect(),
            after,
        });
    }
    if !faults.is_empty() {
        return Err(ImportError(faults));
    }
    let name = document.name.trim_end_matches(".json");
    let name = if name.trim().is_empty() { "imported" } else { name }.to_owned();
    Ok(Imported { name, description: document.description, tasks })
}

impl Imported {
    /// The workflow as TOML.
    pub fn to_toml(&self) -> String {
        let mut text = format!("[workflow]\nname = {}\n", toml_string(&self.name));
        if !self.description.is_empty() {
            text += &format!("description = {}\n", toml_string(&self.description));
        }
        for task in &self.tasks {
            let key = toml_key(&task.name);
            text += &format!("\n[operations.{key}]\nuses = \"pop.sleep\"\n");
            if !task.after.is_empty() {
                let names: Vec<String> = task.after.iter().map(|n| toml_string(n)).collect();
                text += &format!("after = [{}]\n", names.join(", "));
            }
            text += &format!("\n[operations.{key}.with]\nseconds = {}\n", task.seconds);
            if !task.inputs.is_empty() {
                text += &format!("\n[operations.{key}.with.inputs]\n");
                for (file, maker) in &task.inputs {
                    text += &format!("{} = {}\n", toml_key(file), toml_string(&file_reference(maker, file)));
                }
            }
            text += &format!("\n[operations.{key}.with.output.files]\n");
            for file in &task.outputs {
                text += &format!("{} = {}\n", toml_key(file), toml_string(&literal(file)));
            }
        }
        text
    }

    /// The workflow as JSON.
    pub fn to_json(&self) -> String {
        let mut workflow = json!({ "name": self.name });
        if !self.description.is_empty() {
            workflow["description"] = Value::from(self.description.as_str());
        }
        let mut operations = Map::new();
        for task in &self.tasks {
            let files: Map<String, Value> =
                task.outputs.iter().map(|f| (f.clone(), Value::from(literal(f)))).collect();
            let mut with = json!({ "seconds": task.seconds });
            if !task.inputs.is_empty() {
                with["inputs"] = task
                    .inputs
                    .iter()
                    .map(|(file, maker)| (file.clone(), Value::from(file_reference(maker, file))))
                    .collect::<Map<_, _>>()
                    .into();
            }
            with["output"] = json!({ "files": files });
            let mut operation = json!({ "uses": "pop.sleep" });
            if !task.after.is_empty() {
                operation["after"] = task.after.iter().cloned().collect();
            }
            operation["with"] = with;
            operations.insert(task.name.clone(), operation);
        }
        crate::canonical::pretty(&json!({ "workflow": workflow, "operations": operations }))
    }
}

/// `${task.files['file']}`, with brackets wherever a name needs them.
fn file_reference(task: &str, file: &str) -> String {
    let head = if is_plain(task) { task.to_owned() } else { format!("[{}]", quoted(task)) };
    let tail = if is_plain(file) { format!(".{file}") } else { format!("[{}]", quoted(file)) };
    format!("${{{head}.files{tail}}}")
}

fn quoted(name: &str) -> String {
    format!("'{}'", name.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// A text that is not read as a reference.
fn literal(text: &str) -> String {
    reference::escape(text).replace("${", "$${")
}

/// Whether a name needs no brackets in a reference. Names of the language's roots need them.
fn is_plain(name: &str) -> bool {
    let letters = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    letters
        && name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && !matches!(name, "inputs" | "run" | "each" | "each_index")
}

fn toml_key(name: &str) -> String {
    let bare = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if bare { name.to_owned() } else { toml_string(name) }
}

/// A TOML basic string; JSON's escapes are a subset of TOML's.
fn toml_string(text: &str) -> String {
    Value::from(text).to_string().replace('\u{7f}', "\\u007F")
}

#[cfg(test)]
mod tests;
