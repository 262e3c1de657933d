//! What a pool tells a program through its environment, and the command line of a program that holds handlers. Pure: the
//! environment and the arguments come in.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::report::Desk;

/// What a pool tells a program.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Contract {
    /// The input itself, when it is small.
    pub(super) payload: Option<String>,
    /// The input, always.
    pub(super) payload_file: Option<PathBuf>,
    /// Where the output goes; none when nobody but a person waits for it.
    pub(super) output_file: Option<PathBuf>,
    /// Where progress goes.
    pub(super) progress_file: Option<PathBuf>,
    /// Where a failure's reason goes.
    pub(super) failure_file: Option<PathBuf>,
    /// Where all this goes for which there is no file.
    pub(super) desk: Option<Desk>,
    /// What an earlier attempt had reached.
    pub(super) last_progress: Option<String>,
    /// The same as a file, whatever its size.
    pub(super) last_progress_file: Option<PathBuf>,
    /// Who asks for what.
    pub(super) job: Job,
}

/// Names of what runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Job {
    pub(super) kind: Option<String>,
    pub(super) agenda: Option<String>,
    pub(super) operation: Option<String>,
    pub(super) operation_id: Option<String>,
    pub(super) customer: Option<String>,
    pub(super) cid: Option<String>,
    pub(super) attempt: u32,
}

impl Contract {
    /// Reads the variables that matter. An empty one, and one that is not Unicode where a text is expected, is none.
    pub(super) fn read(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let mut all: HashMap<OsString, OsString> =
            variables.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let mut take = |name: &str| all.remove(&OsString::from(name));
        let mut file = |name: &str| take(name).map(PathBuf::from);
        let (payload_file, output_file) = (file("POP_PAYLOAD_FILE"), file("POP_OUTPUT_FILE"));
        let (progress_file, failure_file) = (file("POP_PROGRESS_FILE"), file("POP_FAILURE_FILE"));
        let last_progress_file = file("POP_LAST_PROGRESS_FILE");
        let mut text = |name: &str| take(name).and_then(|value| value.into_string().ok());
        let desk =
            text("POP_REPORT_URL").and_then(|url| Desk::new(&url, &text("POP_TOKEN").unwrap_or_default()));
        Self {
            desk,
            payload: text("PAYLOAD"),
            payload_file,
            output_file,
            progress_file,
            failure_file,
            last_progress: text("LAST_PROGRESS"),
            last_progress_file,
            job: Job {
                kind: text("OPERATION_TYPE"),
                agenda: text("AGENDA_ID"),
                operation: text("OPERATION_NAME"),
                operation_id: text("OPERATION_ID"),
                customer: text("CUSTOMER_ID"),
                cid: text("CID"),
                attempt: text("POP_ATTEMPT").and_then(|n| n.parse().ok()).unwrap_or(1),
            },
        }
    }
}

/// Progress as it stands in `POP_PROGRESS_FILE` and `LAST_PROGRESS`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Reached {
    /// 0 to 100.
    pub(crate) percent: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
    /// What the handler saved for its next attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) saved: Option<Value>,
}

/// What a person or a pool asks a program for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// `--help`
    Help,
    /// `--describe`, with the program's name for commands.
    Describe { program: Option<String> },
    /// Run a handler.
    Run { kind: Option<String>, input: Option<Input> },
}

/// Where an input comes from that is named on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// `-`
    Stdin,
    /// A file.
    File(PathBuf),
}

/// Reads the arguments, without the program's name. `known`: the operation types that there are handlers for.
///
/// # Errors
/// What is wrong with them, for people.
pub(super) fn request(arguments: &[OsString], known: &[&str]) -> Result<Request, String> {
    let mut describe = false;
    let mut program = None;
    let mut free: Vec<&OsString> = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.to_str() {
            Some("--help" | "-h") => return Ok(Request::Help),
            Some("--describe") => describe = true,
            Some("--program") => {
                let given = rest.next().and_then(|p| p.to_str());
                program = Some(given.ok_or("`--program` needs a program name")?.to_owned());
            }
            Some(flag) if flag.starts_with("--") => {
                return Err(format!("unknown option `{flag}`; see `--help`"));
            }
            _ => free.push(argument),
        }
    }
    if describe {
        return match free.first() {
            None => Ok(Request::Describe { program }),
            Some(extra) => {
                Err(format!("unexpected argument `{}` with `--describe`", extra.to_string_lossy()))
            }
        };
    }
    if program.is_some() {
        return Err("`--program` is valid with `--describe` only".to_owned());
    }
    let names_one = |a: &OsString| a.to_str().is_some_and(|a| known.contains(&a));
    let (kind, input) = match free.as_slice() {
        [] => (None, None),
        [only] if names_one(only) => (Some(*only), None),
        // With one handler there is nothing to choose.
        [only] if known.len() == 1 => (None, Some(*only)),
        [kind] => (Some(*kind), None),
        [kind, input] => (Some(*kind), Some(*input)),
        [_, _, extra, ..] => {
            return Err(format!("unexpected argument `{}`; see `--help`", extra.to_string_lossy()));
        }
    };
    if let Some(kind) = kind.filter(|kind| !names_one(kind)) {
        return Err(no_handler(&kind.to_string_lossy(), known));
    }
    Ok(Request::Run {
        kind: kind.map(|k| k.to_string_lossy().into_owned()),
        input: input.map(|i| if i == "-" { Input::Stdin } else { Input::File(i.into()) }),
    })
}

/// The handler for an operation type that was asked for, as an index into `known`. A program with one handler runs it
/// whatever the pool calls the type.
///
/// # Errors
/// What is wrong, for people.
pub(super) fn choose(asked: Option<&str>, from_pool: Option<&str>, known: &[&str]) -> Result<usize, String> {
    match asked.or(from_pool) {
        Some(kind) => match known.iter().position(|k| *k == kind) {
            Some(index) => Ok(index),
            None if known.len() == 1 && asked.is_none() => Ok(0),
            None => Err(no_handler(kind, known)),
        },
        None if known.len() == 1 => Ok(0),
        None => Err(format!("missing operation type; use one of {}", known.join(", "))),
    }
}

fn no_handler(kind: &str, known: &[&str]) -> String {
    match known {
        [] => format!("no handler for `{kind}`: this program has no handlers"),
        known => format!("no handler for `{kind}`; use one of {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(arguments: &[&str], known: &[&str]) -> Result<Request, String> {
        request(&arguments.iter().map(OsString::from).collect::<Vec<_>>(), known)
    }

    #[test]
    fn arguments_name_a_handler_and_an_input() {
        let two = ["a.x", "a.y"];
        let run = |kind: Option<&str>, input| Ok(Request::Run { kind: kind.map(Into::into), input });
        assert_eq!(of(&[], &two), run(None, None));
        assert_eq!(of(&["a.y"], &two), run(Some("a.y"), None));
        assert_eq!(of(&["a.y", "-"], &two), run(Some("a.y"), Some(Input::Stdin)));
        assert_eq!(of(&["in.json"], &["a.x"]), run(None, Some(Input::File("in.json".into()))));
        assert_eq!(of(&["a.x", "in.json"], &["a.x"]), run(Some("a.x"), Some(Input::File("in.json".into()))));
        assert_eq!(of(&["a.x", "--help"], &two), Ok(Request::Help));
        let described = Request::Describe { program: Some("./ops".into()) };
        assert_eq!(of(&["--describe", "--program", "./ops"], &two), Ok(described));
    }

    #[test]
    fn wrong_arguments_are_explained() {
        for (arguments, part) in [
            (&["a.z"][..], "use one of a.x, a.y"),
            (&["a.x", "in", "out"], "`out`"),
            (&["--descirbe"], "`--descirbe`"),
            (&["--describe", "a.x"], "`a.x`"),
            (&["--program", "p"], "--describe"),
            (&["--describe", "--program"], "name"),
        ] {
            let message = of(arguments, &["a.x", "a.y"]).unwrap_err();
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn the_argument_goes_before_the_pools_word() {
        let two = ["a.x", "a.y"];
        assert_eq!(choose(Some("a.y"), Some("a.x"), &two), Ok(1));
        assert_eq!(choose(None, Some("a.y"), &two), Ok(1));
        assert_eq!(choose(None, Some("other"), &["a.x"]), Ok(0));
        assert!(choose(None, Some("other"), &two).unwrap_err().contains("`other`"));
        assert!(choose(None, None, &two).unwrap_err().contains("a.x, a.y"));
    }

    #[test]
    fn the_environment_is_read_once_and_whole() {
        let contract = Contract::read(
            [("PAYLOAD", "{}"), ("OPERATION_TYPE", "a.x"), ("POP_ATTEMPT", "3"), ("CUSTOMER_ID", "")]
                .map(|(k, v)| (k.into(), v.into())),
        );
        assert_eq!(contract.payload.as_deref(), Some("{}"));
        assert_eq!((contract.job.kind.as_deref(), contract.job.attempt), (Some("a.x"), 3));
        assert_eq!((contract.job.customer, contract.output_file), (None, None));
    }
}
