//! The folder for operations' files: owned by this user, closed to other users, and used by one runtime at a time.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
use rustix::process::geteuid;

/// Reasons why a local runtime does not start.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// Another runtime uses the folder.
    #[error("work folder {} is in use by another pool. Give this one its own with --work-dir.", .0.display())]
    InUse(PathBuf),
    /// Other users could write to the folder, or own it.
    #[error("work folder {} is not safe: {why}. Give another one with --work-dir.", .folder.display())]
    Unsafe {
        /// The folder.
        folder: PathBuf,
        /// The reason.
        why: String,
    },
    /// The folder could not be created or opened.
    #[error("could not open work folder {}: {error}. Give another one with --work-dir.", .folder.display())]
    Io {
        /// The folder.
        folder: PathBuf,
        /// The operating system's error.
        error: io::Error,
    },
}

/// A work folder, locked while this value lives.
#[derive(Debug)]
pub(super) struct WorkFolder {
    path: PathBuf,
    /// The folder itself carries the lock, so no lock file can stay behind or be removed.
    lock: File,
    /// Folder for inputs with secrets, if a place in memory exists.
    memory: Option<PathBuf>,
}

impl WorkFolder {
    /// Creates the folder if absent, and locks it.
    pub(super) fn open(path: &Path) -> Result<Self, LocalError> {
        let io = |error: io::Error| LocalError::Io { folder: path.to_path_buf(), error };
        let lock = own_folder(path)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(LocalError::InUse(path.to_path_buf())),
            Err(error) => return Err(io(error.into())),
        }
        // Programs get, and are found by, a path without symbolic links.
        let path = fs::canonicalize(path).map_err(io)?;
        let memory = memory_place(&path);
        if let Some(memory) = &memory {
            // Inputs of attempts whose end an earlier runtime did not see.
            for entry in fs::read_dir(memory).into_iter().flatten().flatten() {
                let _ = fs::remove_file(entry.path());
            }
        }
        Ok(Self { path, lock, memory })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A folder of this runtime whose files never reach a disk.
    pub(super) fn memory(&self) -> Option<&Path> {
        self.memory.as_deref()
    }
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        if let Some(memory) = &self.memory {
            let _ = fs::remove_dir(memory);
        }
        // An explicit unlock: a starting program may share the open folder for an instant.
        let _ = flock(&self.lock, FlockOperation::Unlock);
    }
}

/// Creates folders that only this user can enter.
pub(super) fn create_dir_all(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Opens the folder, created if absent, and checks that this user owns it and that no other user can write to it.
fn own_folder(path: &Path) -> Result<File, LocalError> {
    let io = |error: io::Error| LocalError::Io { folder: path.to_path_buf(), error };
    let bad = |why: &str| LocalError::Unsafe { folder: path.to_path_buf(), why: why.to_owned() };
    create_dir_all(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => bad("the path is not a directory"),
        _ => io(error),
    })?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = match open(path, flags, Mode::empty()) {
        Ok(folder) => File::from(folder),
        Err(rustix::io::Errno::LOOP | rustix::io::Errno::NOTDIR) => {
            return Err(bad("the path is a symbolic link"));
        }
        Err(error) => return Err(io(error.into())),
    };
    let there = folder.metadata().map_err(io)?;
    if there.uid() != geteuid().as_raw() {
        return Err(bad(&format!("the folder belongs to user id {}", there.uid())));
    }
    let mode = there.mode();
    if mode & 0o1000 != 0 {
        return Err(bad("the folder is shared by all users"));
    }
    if mode & 0o077 != 0 {
        // A folder with other files stays open to its readers; the folders of attempts are closed.
        if holds_only_agendas(path) {
            folder.set_permissions(Permissions::from_mode(0o700)).map_err(io)?;
        } else if mode & 0o022 != 0 {
            return Err(bad("other users may write to the folder, and the folder holds files"));
        }
    }
    Ok(folder)
}

fn holds_only_agendas(path: &Path) -> bool {
    fs::read_dir(path).is_ok_and(|entries| {
        entries.into_iter().all(|e| e.is_ok_and(|e| e.file_name().as_encoded_bytes().starts_with(b"ag_")))
    })
}

/// The folder `/dev/shm/pop-UID/…`, or the same below the user's runtime folder.
fn memory_place(work: &Path) -> Option<PathBuf> {
    let uid = geteuid().as_raw();
    let run = PathBuf::from(format!("/run/user/{uid}"));
    [PathBuf::from("/dev/shm"), run].iter().filter(|root| root.is_dir()).find_map(|root| {
        let own = root.join(format!("pop-{uid}"));
        own_folder(&own).ok()?;
        let place = own.join(super::folder::plain(&work.to_string_lossy()));
        own_folder(&place).ok()?;
        Some(place)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn a_folder_has_one_user() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a/work");
        let first = WorkFolder::open(&path).unwrap();
        assert_eq!((mode(&path), mode(&parent.path().join("a"))), (0o700, 0o700));
        let error = WorkFolder::open(&path).unwrap_err();
        assert!(error.to_string().contains("in use by another pool"), "{error}");
        drop(first);
        WorkFolder::open(&path).unwrap();
    }

    #[test]
    fn a_folder_that_others_can_change_is_refused_or_closed() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("open");
        fs::create_dir_all(path.join("ag_1")).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o777)).unwrap();
        WorkFolder::open(&path).unwrap();
        assert_eq!(mode(&path), 0o700);

        fs::write(path.join("thesis.txt"), "").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o777)).unwrap();
        assert!(WorkFolder::open(&path).unwrap_err().to_string().contains("other users may write"));
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        WorkFolder::open(&path).unwrap();
        assert_eq!(mode(&path), 0o755, "a folder with other files stays as it is");

        fs::set_permissions(&path, Permissions::from_mode(0o1777)).unwrap();
        assert!(WorkFolder::open(&path).is_err());
        let link = parent.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(WorkFolder::open(&link).unwrap_err().to_string().contains("symbolic link"));
    }
}
