//! The start of a program: its path, arguments and variables.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use pop_compiler::agenda::{OWN_VARIABLES, RunSpec};
use pop_sdk::api::{Failure, FailureClass};

use super::Config;
use super::command;
use super::folder::Folder;
use super::proc::{MARK, START};
use crate::run::fail;
use crate::runtime::Launch;

/// Largest text in one environment variable, in bytes; Linux accepts 128 KiB.
const LIMIT: usize = 96 * 1024;
/// The search path for programs whose environment has no PATH.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The command of an operation type, filled with an input.
#[derive(Debug)]
pub(super) struct Filled {
    pub(super) arguments: Vec<String>,
    variables: Vec<(String, String)>,
    pub(super) stdin: Option<String>,
    pub(super) input: String,
}

impl Filled {
    pub(super) fn new(spec: &RunSpec, launch: &Launch) -> Result<Self, Failure> {
        let filled = Self {
            arguments: command::arguments(&spec.command, &launch.payload)?,
            variables: command::environment(&spec.env, &launch.payload)?,
            stdin: spec.stdin.as_deref().map(|t| command::stdin(t, &launch.payload)).transpose()?,
            input: launch.payload.to_string(),
        };
        if filled.arguments.first().is_none_or(String::is_empty) {
            let message = "could not start the program: `command` gives no program for this input. Correct `command` or the input.";
            return Err(fail(FailureClass::Config, "NoCommand", message));
        }
        Ok(filled)
    }
}

/// All variables of a program. Reads the last progress of the earlier attempt.
pub(super) fn variables(
    config: &Config,
    launch: &Launch,
    filled: &Filled,
    folder: &Folder,
    start: &str,
    report: Option<(&str, &str)>,
) -> Vec<(String, String)> {
    let mut env = config.environment.clone();
    env.extend(filled.variables.iter().cloned());
    let mut set = |key: &str, value: String| {
        // an operation type may not set these
        debug_assert!(OWN_VARIABLES.contains(&key), "{key}");
        env.push((key.to_owned(), value));
    };
    let file = |path: PathBuf| path.to_string_lossy().into_owned();
    if filled.input.len() <= LIMIT {
        set("PAYLOAD", filled.input.clone());
    }
    set(MARK, file(folder.input()));
    set(START, start.to_owned());
    set("POP_OUTPUT_FILE", file(folder.output()));
    set("POP_PROGRESS_FILE", file(folder.progress()));
    set("POP_FAILURE_FILE", file(folder.failure()));
    if launch.key.attempt > 1
        && let Some(line) = folder.recalled()
    {
        set("POP_LAST_PROGRESS_FILE", file(folder.reached().to_path_buf()));
        if line.len() <= LIMIT {
            set("LAST_PROGRESS", line);
        }
    }
    set("AGENDA_ID", launch.agenda.clone());
    set("OPERATION_NAME", launch.operation.clone());
    set("OPERATION_TYPE", launch.kind.clone());
    set("POP_ATTEMPT", launch.key.attempt.to_string());
    if let Some(id) = &launch.operation_id {
        set("OPERATION_ID", id.clone());
    }
    if let Some(customer) = &launch.customer {
        set("CUSTOMER_ID", customer.clone());
    }
    set("CID", launch.cid.clone().unwrap_or_else(|| launch.agenda.clone()));
    if let Some((url, token)) = report {
        set("POP_REPORT_URL", url.to_owned());
        set("POP_TOKEN", token.to_owned());
    }
    env
}

/// Checks for NUL bytes: the system ends a text at a NUL byte, so no argument and no variable may have one.
pub(super) fn check(arguments: &[String], variables: &[(String, String)]) -> Result<(), Failure> {
    let what = match arguments.iter().position(|text| text.contains('\0')) {
        Some(0) => "the program's name".to_owned(),
        Some(n) => format!("argument {n} of `{}`", arguments[0]),
        None => match variables.iter().find(|(name, value)| name.contains('\0') || value.contains('\0')) {
            Some((name, _)) => format!("the environment variable `{}`", name.replace('\0', "\\0")),
            None => return Ok(()),
        },
    };
    let message = format!(
        "could not start the program: {what} contains a NUL byte. Remove the byte, or pass the value through `stdin` or POP_PAYLOAD_FILE."
    );
    Err(fail(FailureClass::User, "InvalidArgument", message))
}

/// The file of a program's name. A path is relative to `base`; a bare name is searched on the program's own PATH. This
/// function searches, because a child that searches itself cannot start the fast way.
pub(super) fn locate(
    name: &str,
    base: &Path,
    folder: &Path,
    env: &[(String, String)],
) -> Result<PathBuf, io::Error> {
    if name.contains('/') {
        return Ok(base.join(name));
    }
    let path = env.iter().rev().find(|(key, _)| key == "PATH").map_or(DEFAULT_PATH, |(_, value)| value);
    let mut error = io::ErrorKind::NotFound;
    for place in std::env::split_paths(path) {
        let file = folder.join(place).join(name);
        match fs::metadata(&file) {
            Ok(there) if there.is_file() && there.permissions().mode() & 0o111 != 0 => return Ok(file),
            Ok(there) if there.is_file() => error = io::ErrorKind::PermissionDenied,
            _ => {}
        }
    }
    Err(error.into())
}
