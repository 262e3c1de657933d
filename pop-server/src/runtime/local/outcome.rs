//! The result of an attempt: its output, or a failure.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;

use pop_compiler::agenda::{RunSpec, Stdout};
use pop_compiler::values;
use pop_sdk::api::{Failure, FailureClass, Mismatch};
use serde_json::{Map, Value};

use super::capture::Captured;
use super::folder::Folder;
use super::plain_file::{self, Content};
use crate::run::fail;
use crate::runtime::attempts::{FailureFile, SHORT};

/// The end of a program.
#[derive(Debug)]
pub(super) struct End {
    pub(super) status: ExitStatus,
    pub(super) out: Captured,
    pub(super) err: Captured,
    /// Whether the program was asked to end.
    pub(super) stopped: bool,
    /// Whether a fence passed while the program ran, so that the guard may have killed it.
    pub(super) fenced: bool,
}

/// The result behind a program's end. Reads the program's files.
pub(super) fn outcome(end: End, spec: &RunSpec, folder: &Folder, limit: u64) -> Result<Value, Failure> {
    let End { status, out, err, stopped, fenced } = end;
    let quoted = if err.tail.is_empty() { &out.tail } else { &err.tail };
    let told = |mut failure: Failure, tail: &[String]| {
        failure.exit_code = status.code();
        failure.signal = status.signal();
        failure.log_tail = tail.into();
        failure
    };
    if out.overflow {
        return Err(told(too_large("standard output", &format!("more than {limit}"), limit), &err.tail));
    }
    if stopped {
        return Err(told(fail(FailureClass::User, "Stopped", "the program was stopped"), &err.tail));
    }
    if fenced && !status.success() {
        let message = "the pool was suspended for longer than its leases, so its programs were killed";
        return Err(told(fail(FailureClass::Infra, "LeaseDoubtful", message), quoted));
    }
    if !status.success() {
        return Err(told(failed(status, folder), quoted));
    }
    let value = output(spec, folder, out.bytes, limit).map_err(|failure| told(failure, &err.tail))?;
    Ok(value)
}

/// The operation's output after exit code 0. The output file comes first, then a failure in the failure file, then the
/// standard output.
fn output(spec: &RunSpec, folder: &Folder, stdout: Vec<u8>, limit: u64) -> Result<Value, Failure> {
    let value = match plain_file::read(&folder.output(), limit) {
        Ok(Content::Bytes(bytes)) => serde_json::from_slice(&bytes)
            .map_err(|e| invalid(format!("invalid JSON in POP_OUTPUT_FILE: {e}. Write one JSON value.")))
            .map_err(|failure| unlike(failure, spec, "invalid JSON"))?,
        Ok(Content::TooLarge(size)) => return Err(too_large("POP_OUTPUT_FILE", &size.to_string(), limit)),
        Ok(Content::NotAFile(what)) => return Err(not_a_file("POP_OUTPUT_FILE", what)),
        Err(e) => return Err(io_failure("read the output file", &e)),
        Ok(Content::Absent) => match left_failure(folder, false)? {
            Some(failure) => return Err(failure),
            None => from_stdout(spec, stdout)?,
        },
    };
    let size = size(&value);
    // The server stores compact JSON, which can be longer than the program's text.
    if size > limit { Err(too_large("the output as JSON", &size.to_string(), limit)) } else { Ok(value) }
}

fn from_stdout(spec: &RunSpec, stdout: Vec<u8>) -> Result<Value, Failure> {
    let text = |bytes| {
        String::from_utf8(bytes).map_err(|_| {
            unlike(invalid("invalid UTF-8 in standard output".to_owned()), spec, "invalid UTF-8")
        })
    };
    match spec.stdout {
        Stdout::Log => Ok(Value::Object(Map::new())),
        Stdout::Json if stdout.trim_ascii().is_empty() => {
            let message = "exited with code 0 but produced no output: its type says `stdout = \"json\"`";
            Err(unlike(fail(FailureClass::User, "OutputMissing", message), spec, "nothing"))
        }
        Stdout::Json => serde_json::from_slice(&stdout).map_err(|e| {
            let message = format!("invalid JSON in standard output: {e}. Its type says `stdout = \"json\"`.");
            unlike(invalid(message), spec, "invalid JSON")
        }),
        Stdout::Text | Stdout::Lines => {
            let filled = values::from_stdout(spec.stdout, spec.output.as_ref(), &text(stdout)?);
            Ok(filled.unwrap_or_default())
        }
    }
}

fn failed(status: ExitStatus, folder: &Folder) -> Failure {
    match left_failure(folder, status.signal().is_some()) {
        Ok(Some(failure)) | Err(failure) => return failure,
        Ok(None) => {}
    }
    let (code, message) = match (status.code(), status.signal()) {
        (Some(code), _) => ("ExitCode", format!("the program exited with code {code}")),
        (None, Some(9)) => (
            "Signal",
            "the program was killed (signal 9); running out of memory is the usual cause".to_owned(),
        ),
        (None, signal) => {
            ("Signal", format!("the program was killed (signal {})", signal.unwrap_or_default()))
        }
    };
    fail(FailureClass::User, code, message)
}

/// The failure in the program's failure file, if the file is readable.
fn left_failure(folder: &Folder, killed: bool) -> Result<Option<Failure>, Failure> {
    match plain_file::read(&folder.failure(), SHORT) {
        Ok(Content::Bytes(text)) => Ok(FailureFile::parse(&text, killed)),
        Ok(Content::NotAFile(what)) => Err(not_a_file("POP_FAILURE_FILE", what)),
        Ok(Content::TooLarge(size)) => Err(invalid(format!(
            "POP_FAILURE_FILE has {size} bytes, over the limit of {SHORT}. Write a shorter `message`."
        ))),
        Ok(Content::Absent) | Err(_) => Ok(None),
    }
}

fn invalid(message: String) -> Failure {
    fail(FailureClass::User, "OutputInvalid", message)
}

/// Adds the expected output to the failure.
fn unlike(failure: Failure, spec: &RunSpec, found: &str) -> Failure {
    let expected = values::declared(spec.output.as_ref());
    let mismatch = Mismatch { field: String::new(), expected, found: found.to_owned() };
    Failure { mismatch: Some(Box::new(mismatch)), ..failure }
}

fn not_a_file(name: &str, what: &str) -> Failure {
    invalid(format!("could not read {name}: found {what} in place of a file. Write a plain file there."))
}

fn too_large(what: &str, size: &str, limit: u64) -> Failure {
    fail(
        FailureClass::User,
        "OutputTooLarge",
        format!(
            "{what} has {size} bytes, over the limit of {limit} bytes for an output. Write large data to a separate file and pass the path on."
        ),
    )
}

/// A failure of the pool's own file operations.
pub(super) fn io_failure(what: &str, error: &io::Error) -> Failure {
    fail(FailureClass::Infra, "PoolIo", format!("could not {what}: {error}"))
}

/// The failure of a program that can't be started.
pub(super) fn spawn_failure(name: &str, program: &Path, error: &io::Error) -> Failure {
    let config = |code, message| fail(FailureClass::Config, code, message);
    match error.kind() {
        io::ErrorKind::NotFound if program.exists() => config(
            "ProgramNotFound",
            format!(
                "could not start `{}`: the interpreter in its first line (`#!`) or its loader does not exist. Install it.",
                program.display()
            ),
        ),
        io::ErrorKind::NotFound if name.contains('/') => {
            config("ProgramNotFound", format!("program `{}` does not exist", program.display()))
        }
        io::ErrorKind::NotFound => config(
            "ProgramNotFound",
            format!(
                "program `{name}` not found on the PATH of this pool. Install the program, or correct \
                    `command`"
            ),
        ),
        io::ErrorKind::PermissionDenied => config(
            "ProgramNotExecutable",
            format!(
                "permission denied for program `{}`. Make the file executable (`chmod +x`)",
                program.display()
            ),
        ),
        _ if error.raw_os_error() == Some(rustix::io::Errno::NOEXEC.raw_os_error()) => config(
            "ProgramNotExecutable",
            format!(
                "could not start `{}`: neither a binary of this machine nor a script that begins with `#!`",
                program.display()
            ),
        ),
        io::ErrorKind::ArgumentListTooLong => fail(
            FailureClass::User,
            "ArgumentsTooLong",
            "the command line exceeds the system's limit. Pass large values through `stdin` or \
                POP_PAYLOAD_FILE",
        ),
        _ => fail(FailureClass::Infra, "SpawnFailed", format!("could not start program `{name}`: {error}")),
    }
}

/// The length of a value as compact JSON, computed without the JSON text.
fn size(value: &Value) -> u64 {
    struct Count(u64);
    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len() as u64;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // Counting cannot fail, and every value is valid JSON.
    let _ = serde_json::to_writer(&mut count, value);
    count.0
}
