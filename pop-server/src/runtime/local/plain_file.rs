//! Files that a program owns. A program may put anything in the place of one (a pipe that nobody writes to, a device, a
//! link to elsewhere, a flood), so each is opened without waiting, without following links, and read up to a limit.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use rustix::fs::{Mode, OFlags, open};

/// What lies in a file's place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Nothing.
    Absent,
    /// A file, with these bytes.
    Bytes(Vec<u8>),
    /// A file of so many bytes, which is more than the limit.
    TooLarge(u64),
    /// Something else, such as `a directory`.
    NotAFile(&'static str),
}

/// Reads a file of at most `limit` bytes. Blocks for as long as a disk needs, never for the program.
pub(super) fn read(path: &Path, limit: u64) -> io::Result<Content> {
    // The look before opening: opening alone has effects on some devices.
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
    // It may have grown since.
    Ok(if bytes.len() as u64 > limit { Content::TooLarge(bytes.len() as u64) } else { Content::Bytes(bytes) })
}

/// Makes a new file that only this user can read, in the place of whatever is there.
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

/// Makes `path` say this, at once or not at all.
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

/// Removes whatever is there under one of POP's own names.
pub(super) fn clear(path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        // Linux says for a folder that it is one; it has no right to this name.
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
