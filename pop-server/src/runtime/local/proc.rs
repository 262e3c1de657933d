//! Information about processes from `/proc`.

use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Variable with the path of the input. Every program of an attempt inherits this variable, and no two attempts share
/// its value.
pub(super) const MARK: &str = "POP_PAYLOAD_FILE";
/// Variable that tells the programs of one runtime from those of another runtime with the same work folder.
pub(super) const START: &str = "POP_POOL_START";

/// Start time of a process in clock ticks since boot, which tells it from a later process with the same id.
pub(super) fn start_time(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command's name, in parentheses, may have any characters; the later fields are plain.
    stat.rsplit_once(')')?.1.split_whitespace().nth(19).map(str::to_owned)
}

/// The user id of a process.
pub(super) fn owner(pid: u32) -> Option<u32> {
    fs::metadata(format!("/proc/{pid}")).ok().map(|there| there.uid())
}

/// The mark in a process's environment; none after the process's end.
pub(super) fn mark(pid: u32) -> Option<PathBuf> {
    mark_in(&environment(pid)?)
}

pub(super) fn mark_in(environment: &[u8]) -> Option<PathBuf> {
    let value = value(environment, MARK)?;
    Some(PathBuf::from(std::ffi::OsString::from_vec(value.to_vec())))
}

/// A process's initial environment; none after the process's end.
pub(super) fn environment(pid: u32) -> Option<Vec<u8>> {
    fs::read(format!("/proc/{pid}/environ")).ok()
}

/// The value of a variable.
pub(super) fn value<'a>(environment: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut entries = environment.split(|b| *b == 0);
    entries.find_map(|entry| entry.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
}

/// The attempt's folder behind a mark below `work`. An attempt may run another pool. Programs of that pool have a
/// deeper mark, and belong to the attempt.
pub(super) fn attempt_of(mark: &Path, work: &Path) -> Option<PathBuf> {
    let mut parts = mark.strip_prefix(work).ok()?.components();
    let (agenda, attempt) = (parts.next()?, parts.next()?);
    Some(work.join(agenda).join(attempt))
}

/// The ids of all processes.
pub(super) fn all() -> Vec<u32> {
    numbers("/proc")
}

/// The ids of this process's children, including orphans that became its children.
pub(super) fn children() -> Vec<u32> {
    let mut found = Vec::new();
    for task in numbers("/proc/self/task") {
        let text = fs::read_to_string(format!("/proc/self/task/{task}/children")).unwrap_or_default();
        found.extend(text.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
    }
    found
}

fn numbers(folder: &str) -> Vec<u32> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}
