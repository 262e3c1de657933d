//! Files of programs. A program may put anything in the place of a file: a pipe without a writer, a device, a link to
//! elsewhere, a flood. So each file is opened without waiting and without following links, and read up to a limit.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use rustix::fs::{Mode, OFlags, open};

/// The content at a file's path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// No file.
    Absent,
    /// A file with these bytes.
    Bytes(Vec<u8>),
    /// A file of this size in bytes, over the limit.
    TooLarge(u64),
    /// Another kind of file, such as `a directory`.
    NotAFile(&'static str),
}

/// Reads a file of at most `limit` bytes. Blocks for the disk, never for the program.
pub(super) fn read(path: &Path, limit: u64) -> io::Result<Content> {
    // The check comes before the opening, because opening has effects on some devices.
    match fs::symlink_metadata(path) {
        Ok(there) if !there.is_file() => return Ok(Content::NotAFile(kind(there.file_type()))),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Content::Absent),
        Err(error) => return Err(error),
    }
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = match open(path, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(rustix::io::Errno::NOENT) => return Ok(Content::Absent),
        Err(rustix::io::Errno::LOOP) => return Ok(Content::NotAFile("a link")),
        Err(error) => return Err(error.into()),
    };
    let there = file.metadata()?;
    if !there.is_file() {
        return Ok(Content::NotAFile(kind(there.file_type())));
    }
    if there.len() > limit {
        return Ok(Content::TooLarge(there.len()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(there.len()).unwrap_or(0));
    file.take(limit + 1).read_to_end(&mut bytes)?;
    // The file may have grown since the check.
    Ok(if bytes.len() as u64 > limit { Content::TooLarge(bytes.len() as u64) } else { Content::Bytes(bytes) })
}

/// Creates a file that only this user can read, and replaces anything at the path.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mode = Mode::RUSR | Mode::WUSR;
    let file = match open(path, flags, mode) {
        Err(rustix::io::Errno::EXIST) => {
            clear(path);
            open(path, flags, mode)?
        }
        other => other?,
    };
    File::from(file).write_all(bytes)
}

/// Replaces the content of `path` atomically.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    write_new(Path::new(&new), bytes)?;
    let moved = fs::rename(&new, path);
    if moved.as_ref().is_err_and(|e| e.kind() == io::ErrorKind::IsADirectory) {
        clear(path);
        return fs::rename(&new, path);
    }
    moved
}

/// Removes anything at one of POP's own paths.
pub(super) fn clear(path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        // `remove_file` fails for a folder, which has no right to one of POP's names.
        let _ = fs::remove_dir_all(path);
    }
}

fn kind(file_type: fs::FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    match file_type {
        t if t.is_symlink() => "a link",
        t if t.is_dir() => "a directory",
        t if t.is_fifo() => "a named pipe",
        t if t.is_socket() => "a socket",
        _ => "a device",
    }
}

#[cfg(test)]
mod tests {
    use rustix::fs::{CWD, FileType, mknodat};

    use super::*;

    #[test]
    fn only_files_of_a_sane_size_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        assert_eq!(read(&at("absent"), 10).unwrap(), Content::Absent);
        write_new(&at("file"), b"0123456789").unwrap();
        assert_eq!(read(&at("file"), 10).unwrap(), Content::Bytes(b"0123456789".to_vec()));
        assert_eq!(read(&at("file"), 9).unwrap(), Content::TooLarge(10));
        mknodat(CWD, at("pipe"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        assert_eq!(read(&at("pipe"), 10).unwrap(), Content::NotAFile("a named pipe"));
        std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
        assert_eq!(read(&at("link"), 10).unwrap(), Content::NotAFile("a link"));
        fs::create_dir(at("dir")).unwrap();
        assert_eq!(read(&at("dir"), 10).unwrap(), Content::NotAFile("a directory"));
    }

    #[test]
    fn what_is_in_the_way_is_replaced_and_not_followed() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("precious"), "p").unwrap();
        std::os::unix::fs::symlink(at("precious"), at("progress.json.new")).unwrap();
        fs::create_dir(at("progress.json")).unwrap();
        replace(&at("progress.json"), b"5").unwrap();
        assert_eq!(fs::read(at("precious")).unwrap(), b"p");
        assert_eq!(fs::read(at("progress.json")).unwrap(), b"5");
        assert_eq!(fs::metadata(at("progress.json")).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
