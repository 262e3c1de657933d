//! The folder of an attempt, and POP's files in it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::plain_file::{self, Content, clear, write_new};
use super::proc;
use super::work_folder::{WorkFolder, create_dir_all};
use crate::runtime::attempts::{Progress, SHORT, last_line};

/// POP's own files in an attempt's folder.
const OWN: [&str; 8] = [
    "input.json",
    "output.json",
    "output.json.new",
    "progress.json",
    "progress.json.new",
    "failure.json",
    "failure.json.new",
    GROUP,
];
/// File with the process group of the attempt.
pub(super) const GROUP: &str = ".group";
/// Ending of the file with an operation's last progress, after the operation's name.
const REACHED: &str = ".progress.json";

/// An attempt's folder, and the file beside it with the operation's last progress.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
    reached: PathBuf,
    /// The input's real path, if secrets keep the input off the disk.
    hidden: Option<PathBuf>,
}

impl Folder {
    /// The path `work/agenda/operation.attempt`; creates no folder.
    pub(super) fn new(work: &Path, agenda: &str, operation: &str, attempt: u32) -> Self {
        let (agenda, operation) = (work.join(plain(agenda)), plain(operation));
        let path = agenda.join(format!("{operation}.{attempt}"));
        Self { path, reached: agenda.join(format!("{operation}{REACHED}")), hidden: None }
    }

    /// Creates the folder.
    pub(super) fn create(&self, attempt: u32) -> io::Result<()> {
        create_dir_all(&self.path)?;
        // An earlier attempt with this number was fenced, so its files must not count.
        for entry in fs::read_dir(&self.path)?.flatten() {
            if OWN.iter().any(|own| entry.file_name() == *own) {
                clear(&entry.path());
            }
        }
        if attempt > 1 {
            // The previous attempt may have ended without a pool that saw its end.
            let before = self.path.with_extension((attempt - 1).to_string());
            self.remember(&before.join("progress.json"));
        }
        Ok(())
    }

    /// Writes the input. An input with secrets goes only into memory, if a memory folder exists.
    pub(super) fn write_input(&mut self, work: &WorkFolder, input: &str, secret: bool) -> io::Result<()> {
        let Some(memory) = work.memory().filter(|_| secret) else {
            return write_new(&self.input(), input.as_bytes());
        };
        let name = self.path.strip_prefix(work.path()).unwrap_or(&self.path);
        let hidden = memory.join(plain(&name.to_string_lossy()));
        write_new(&hidden, input.as_bytes())?;
        self.hidden = Some(hidden.clone());
        // The link keeps the input's name, because the mark of a program is this path.
        std::os::unix::fs::symlink(hidden, self.input())
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

    /// Path of the last progress of an earlier attempt; the file may be absent.
    pub(super) fn reached(&self) -> &Path {
        &self.reached
    }

    /// Keeps the progress of a failed attempt for the next one.
    pub(super) fn keep_progress(&self) {
        self.remember(&self.progress());
    }

    /// Writes the last progress of an attempt on another machine.
    pub(super) fn recall(&self, progress: &str) {
        let stored = self.reached.parent().map_or(Ok(()), create_dir_all);
        if let Err(error) = stored.and_then(|()| write_new(&self.reached, progress.as_bytes())) {
            tracing::warn!(%error, "the last progress of the earlier attempt is lost");
        }
    }

    /// The last line of the last progress, if it is one.
    pub(super) fn recalled(&self) -> Option<String> {
        let Ok(Content::Bytes(text)) = plain_file::read(&self.reached, SHORT) else { return None };
        let text = String::from_utf8(text).ok()?;
        last_line(&text).filter(|line| Progress::parse(line).is_some()).map(str::to_owned)
    }

    fn remember(&self, progress: &Path) {
        // Only a plain file: a pipe or a link would reach the next attempt.
        if fs::symlink_metadata(progress).is_ok_and(|there| there.is_file()) {
            let _ = fs::rename(progress, &self.reached);
        }
    }

    /// Removes the last progress, because the operation has succeeded.
    pub(super) fn drop_progress(&self) {
        clear(&self.reached);
    }

    /// Writes the process group file, so that a later runtime can find and end the group.
    pub(super) fn note_group(&self, pid: u32) {
        if let Some(start) = proc::start_time(pid) {
            let _ = write_new(&self.path.join(GROUP), format!("{pid} {start}").as_bytes());
        }
    }

    /// Removes POP's own files, and the folder if the program left no file.
    pub(super) fn tidy(&self) {
        if let Some(hidden) = &self.hidden {
            clear(hidden);
        }
        for entry in fs::read_dir(&self.path).into_iter().flatten().flatten() {
            if OWN.iter().any(|own| entry.file_name() == *own) {
                clear(&entry.path());
            }
        }
        let _ = fs::remove_dir(&self.path);
    }
}

/// Removes POP's own files of an agenda, and the agenda's folder if programs left no file.
pub(super) fn forget(work: &Path, agenda: &str) {
    let folder = work.join(plain(agenda));
    for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
        if entry.file_name().as_encoded_bytes().ends_with(REACHED.as_bytes()) {
            clear(&entry.path());
        } else {
            // This call fails for a folder with files, as it should.
            let _ = fs::remove_dir(entry.path());
        }
    }
    let _ = fs::remove_dir(folder);
}

/// Encodes a name as a file name: letters, digits, `.`, `_` and `-` stay, other bytes become `%XX`. The result is never
/// `.` or `..`.
pub(super) fn plain(name: &str) -> String {
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
        // File names have at most 255 bytes. A digest, equal in every version, keeps long names apart.
        let digest = fnv(name.as_bytes());
        out.truncate(100);
        let _ = write!(out, "-{digest:032x}");
    }
    out
}

/// FNV-1a, 128 bits.
fn fnv(bytes: &[u8]) -> u128 {
    bytes.iter().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, |hash, byte| {
        (hash ^ u128::from(*byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    })
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
        assert!(plain(&"a".repeat(500)).len() < 140);
        assert_ne!(plain(&"a".repeat(500)), plain(&"a".repeat(501)));
    }

    #[test]
    fn only_what_programs_left_stays() {
        let work = tempfile::tempdir().unwrap();
        let folder = Folder::new(work.path(), "ag_1", "op", 1);
        folder.create(1).unwrap();
        fs::create_dir(folder.output()).unwrap();
        fs::write(folder.progress(), "5").unwrap();
        folder.keep_progress();
        folder.tidy();
        assert!(!folder.path.exists() && folder.reached().exists());
        forget(work.path(), "ag_1");
        assert_eq!(fs::read_dir(work.path()).unwrap().count(), 0);

        folder.create(1).unwrap();
        fs::write(folder.path.join("film.mp4"), "").unwrap();
        folder.tidy();
        forget(work.path(), "ag_1");
        assert!(folder.path.join("film.mp4").exists());
    }
}
