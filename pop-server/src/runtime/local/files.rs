//! The folder of an attempt: where it is, what POP puts there, and what is left behind after a crash.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

/// POP's own files in an attempt's folder.
const OWN: [&str; 9] = [
    "input.json",
    "output.json",
    "output.json.new",
    "progress.json",
    "progress.json.new",
    "failure.json",
    "failure.json.new",
    "stdin",
    ".group",
];

/// An attempt's folder, and the file beside it that holds what the operation's last attempt had reached.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    pub path: PathBuf,
    reached: PathBuf,
}

impl Folder {
    /// Makes `work/agenda/operation.attempt`.
    pub(super) fn create(work: &Path, agenda: &str, operation: &str, attempt: u32) -> io::Result<Self> {
        let (agenda, operation) = (work.join(plain(agenda)), plain(operation));
        let path = agenda.join(format!("{operation}.{attempt}"));
        let reached = agenda.join(format!("{operation}.progress.json"));
        fs::create_dir_all(&path)?;
        for file in OWN {
            // An earlier attempt with the same number can only be a fenced one; what it left must not count.
            let _ = fs::remove_file(path.join(file));
        }
        if attempt > 1 {
            // Of an attempt that nobody saw the end of.
            let before = agenda.join(format!("{operation}.{}", attempt - 1));
            let _ = fs::rename(before.join("progress.json"), &reached);
        }
        Ok(Self { path, reached })
    }

    pub(super) fn input(&self) -> PathBuf {
        self.path.join("input.json")
    }

    pub(super) fn output(&self) -> PathBuf {
        self.path.join("output.json")
    }

    pub(super) fn progress(&self) -> PathBuf {
        self.path.join("progress.json")
    }

    pub(super) fn failure(&self) -> PathBuf {
        self.path.join("failure.json")
    }

    /// Where what an earlier attempt had reached lies, if one left something.
    pub(super) fn reached(&self) -> &Path {
        &self.reached
    }

    /// Keeps the progress of an attempt that failed, for the next one.
    pub(super) fn keep_progress(&self) {
        let _ = fs::rename(self.progress(), &self.reached);
    }

    /// Forgets what attempts have reached: the operation is done.
    pub(super) fn drop_progress(&self) {
        let _ = fs::remove_file(&self.reached);
    }

    /// Notes which process group runs here, so that a later start can find and end it.
    pub(super) fn note_group(&self, pid: u32) {
        if let Some(start) = start_time(pid) {
            let _ = fs::write(self.path.join(".group"), format!("{pid} {start}"));
        }
    }

    /// Removes POP's own files, and the folder when the program left nothing in it.
    pub(super) fn tidy(&self) {
        for file in OWN {
            let _ = fs::remove_file(self.path.join(file));
        }
        let _ = fs::remove_dir(&self.path);
    }
}

/// Removes an agenda's folder when nothing is in it.
pub(super) fn remove_if_empty(work: &Path, agenda: &str) {
    let _ = fs::remove_dir(work.join(plain(agenda)));
}

/// Kills the process groups that are noted below `work` and still are what they were.
pub(super) fn kill_leftovers(work: &Path) {
    for agenda in fs::read_dir(work).into_iter().flatten().flatten() {
        for attempt in fs::read_dir(agenda.path()).into_iter().flatten().flatten() {
            let note = attempt.path().join(".group");
            let Ok(text) = fs::read_to_string(&note) else { continue };
            let mut parts = text.split_whitespace();
            let (Some(pid), Some(start)) = (parts.next().and_then(|p| p.parse().ok()), parts.next()) else {
                continue;
            };
            kill_and_wait(pid, start);
            let _ = fs::remove_file(note);
        }
    }
}

/// Kills a process group, if its leader still is the one that started then, and waits until the leader is gone.
fn kill_and_wait(pid: u32, start: &str) {
    let Some(leader) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return };
    // The handle first, then the look at its start: the number can't come to mean another process in between.
    let handle = pidfd_open(leader, PidfdFlags::empty());
    if start_time(pid).is_none_or(|now| now != start) {
        return;
    }
    kill_group(pid, Signal::KILL);
    if let Ok(handle) = handle {
        let patience = Timespec { tv_sec: 5, tv_nsec: 0 };
        let _ = poll(&mut [PollFd::new(&handle, PollFlags::IN)], Some(&patience));
    }
}

/// Sends a signal to a whole process group; one that is gone is fine.
pub(super) fn kill_group(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(pid, signal);
    }
}

/// When a process started (clock ticks since boot), which tells it from a later one with the same number.
fn start_time(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command's name, in parentheses, may hold anything; the fields after it are plain.
    stat.rsplit_once(')')?.1.split_whitespace().nth(19).map(str::to_owned)
}

/// A name as a file name: letters, digits, `.`, `_` and `-` stay, other bytes become `%XX`; never `.` or `..`.
fn plain(name: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(name.len());
    for (i, b) in name.bytes().enumerate() {
        if b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-') || (b == b'.' && i > 0) {
            out.push(char::from(b));
        } else {
            let _ = write!(out, "%{b:02X}");
        }
    }
    if out.len() > 120 {
        // File names end at 255 bytes; the tail keeps long names apart.
        use std::hash::{Hash, Hasher};
        let mut hasher = std::hash::DefaultHasher::new();
        name.hash(&mut hasher);
        out.truncate(100);
        let _ = write!(out, "-{:016x}", hasher.finish());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_safe_file_names() {
        assert_eq!(plain("encode.0"), "encode.0");
        assert_eq!(
            plain("../x y/é"),
            "%2E./x y/é".replace('/', "%2F").replace(' ', "%20").replace('é', "%C3%A9")
        );
        assert_eq!(plain(".."), "%2E.");
        assert!(plain(&"a".repeat(500)).len() < 130);
        assert_ne!(plain(&"a".repeat(500)), plain(&"a".repeat(501)));
    }
}
