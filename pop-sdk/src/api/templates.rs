//! What the workflow of a name is on a server, and what a client that was made for another version is told.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A template in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct TemplateView {
    /// The customer that it belongs to; without one it is for all customers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// The workflow's name.
    pub name: String,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// SHA-256 of its content, in hexadecimal.
    pub digest: String,
}

impl TemplateView {
    /// The template of a workflow, for all customers.
    pub fn new(name: String, version: Option<String>, digest: String) -> Self {
        Self { customer: None, name, version, digest }
    }
}

/// The server's template is not the one that the client was made for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[non_exhaustive]
pub struct Stale {
    /// The workflow.
    pub workflow: String,
    /// The digest of the server's template.
    pub digest: String,
    /// What is different on the server, the worst first; empty when the client did not send its template.
    pub changes: Vec<Change>,
}

impl Stale {
    /// The server's template of a workflow, and what is different in it.
    pub fn new(workflow: String, digest: String, changes: Vec<Change>) -> Self {
        Self { workflow, digest, changes }
    }

    /// The inputs and outputs that changed, such as `inputs/source`.
    pub fn fields(&self) -> Vec<String> {
        let mut fields: Vec<String> = Vec::new();
        for change in &self.changes {
            let field = change.at.split('/').take(2).collect::<Vec<_>>().join("/");
            if (field.starts_with("inputs/") || field.starts_with("outputs/")) && !fields.contains(&field) {
                fields.push(field);
            }
        }
        fields
    }
}

/// A difference between two templates.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[non_exhaustive]
pub struct Change {
    /// `compatible`, `regenerate`, `recompute` or `breaking`.
    pub verdict: String,
    /// Where, such as `inputs/source`.
    pub at: String,
    /// What is different.
    pub message: String,
}

impl Change {
    /// A difference: how bad, where, what.
    pub fn new(verdict: String, at: String, message: String) -> Self {
        Self { verdict, at, message }
    }
}
