//! Syntaxes of source texts.

/// Syntax of a source text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// TOML 1.1.
    Toml,
    /// JSON; comments and trailing commas are allowed.
    Json,
}

impl Format {
    /// The syntax of a file with this name, by its ending; `None` for other endings than `.toml` and `.json`.
    pub fn from_path(path: &str) -> Option<Self> {
        let extension = path.rsplit_once('.').map(|(_, e)| e)?;
        if extension.eq_ignore_ascii_case("toml") {
            Some(Self::Toml)
        } else if extension.eq_ignore_ascii_case("json") {
            Some(Self::Json)
        } else {
            None
        }
    }

    /// Whether a file with this name is a workflow by convention: `*.pop.toml` or `*.pop.json`.
    pub fn is_workflow_path(path: &str) -> bool {
        path.ends_with(".pop.toml") || path.ends_with(".pop.json")
    }
}
