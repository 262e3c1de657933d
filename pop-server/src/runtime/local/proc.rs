//! What `/proc` tells about processes.

use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// The variable that every program of an attempt inherits and that no two attempts share: the path of the input.
pub(super) const MARK: &str = "POP_PAYLOAD_FILE";
/// The variable that tells the programs of one runtime from those of another one that had the same work folder.
pub(super) const START: &str = "POP_POOL_START";

/// When a process started (clock ticks since boot), which tells it from a later one with the same number.
pub(super) fn start_time(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command's name, in parentheses, may hold anything; the fields after it are plain.
    stat.rsplit_once(')')?.1.split_whitespace().nth(19).map(str::to_owned)
}

/// The user that a process belongs to.
pub(super) fn owner(pid: u32) -> Option<u32> {
    fs::metadata(format!("/proc/{pid}")).ok().map(|there| there.uid())
}

/// The mark in a process's environment; none for one that has ended.
pub(super) fn mark(pid: u32) -> Option<PathBuf> {
    mark_in(&environment(pid)?)
}

/// The mark in an environment.
pub(super) fn mark_in(environment: &[u8]) -> Option<PathBuf> {
    let value = value(environment, MARK)?;
    Some(PathBuf::from(std::ffi::OsString::from_vec(value.to_vec())))
}

/// What a process was started with; none for one that has ended.
pub(super) fn environment(pid: u32) -> Option<Vec<u8>> {
    fs::read(format!("/proc/{pid}/environ")).ok()
}

/// The value of a variable.
pub(super) fn value<'a>(environment: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut entries = environment.split(|b| *b == 0);
    entries.find_map(|entry| entry.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
}

/// The attempt's folder that a mark below `work` speaks of. An attempt may run another pool: what that one started has a
/// mark deeper down, and belongs to the attempt.
pub(super) fn attempt_of(mark: &Path, work: &Path) -> Option<PathBuf> {
    let mut parts = mark.strip_prefix(work).ok()?.components();
    let (agenda, attempt) = (parts.next()?, parts.next()?);
    Some(work.join(agenda).join(attempt))
}

/// Every process.
pub(super) fn all() -> Vec<u32> {
    numbers("/proc")
}

/// The children of this process, those included that have lost their parent and were given to this one.
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
