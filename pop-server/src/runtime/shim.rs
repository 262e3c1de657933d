//! The shim: the first process of a pod, which runs the operation's program as a laptop would and reports for it.
//!
//! The shim fetches the attempt from its pool, gives it to the [local](super::local) runtime, and sends the runtime's
//! signals to the pool. So a program has one contract, wherever it runs. The shim keeps the outcome until the pool
//! confirms that it is durable. A restarted pool finds its shims waiting.

mod link;
mod memory;
mod outbox;
pub(crate) mod settings;
mod supervise;
pub(crate) mod wire;

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use self::settings::Settings;

/// The file name of the shim in the folder where [`install`] puts it.
pub const FILE: &str = "pop-shim";

/// Copies this program into a folder that the containers of a pod share.
///
/// # Errors
/// The program can't be read, or the folder can't be written.
pub fn install(folder: &Path) -> io::Result<()> {
    let target = folder.join(FILE);
    fs::copy("/proc/self/exe", &target)?;
    fs::set_permissions(target, fs::Permissions::from_mode(0o555))
}

/// Creates the folder of an agenda, which all its pods share.
///
/// # Errors
/// The volume can't be written.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o770).create(folder)
}

/// Removes the folders of agendas (`ROOT/CUSTOMER/AGENDA`) that nobody has used for `keep`. Pods touch the folder of
/// their agenda while they run.
///
/// # Errors
/// The volume can't be read. What can't be removed is named on standard error, and stays.
pub fn sweep(root: &Path, keep: Duration) -> io::Result<()> {
    for customer in fs::read_dir(root)?.flatten() {
        for agenda in fs::read_dir(customer.path()).into_iter().flatten().flatten() {
            let used = agenda.metadata().and_then(|there| there.modified());
            if used.ok().and_then(|at| at.elapsed().ok()).is_some_and(|age| age > keep)
                && let Err(error) = fs::remove_dir_all(agenda.path())
            {
                eprintln!("pop-shim: could not remove {}: {error}", agenda.path().display());
            }
        }
        // Fails for a customer with files, as it should.
        let _ = fs::remove_dir(customer.path());
    }
    Ok(())
}

/// Runs the attempt of this pod to its end, and returns the exit code of the container: 0 if the pool has the outcome,
/// whatever the outcome is.
pub fn run() -> ExitCode {
    let settings = match Settings::read() {
        Ok(settings) => settings,
        Err(why) => {
            eprintln!("pop-shim: {why}");
            return ExitCode::from(2);
        }
    };
    // The provider must be set before the first connection; a second call is no error here.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("pop-shim: could not start: {error}");
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(supervise::supervise(settings))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unused_folders_are_removed() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        for name in ["a/old", "a/new", "b/old"] {
            make_folder(&at(name)).unwrap();
            fs::write(at(name).join("film.mp4"), "x").unwrap();
        }
        let now = fs::metadata(root.path()).unwrap().modified().unwrap();
        let before = now - Duration::from_hours(2);
        for name in ["a/old", "b/old"] {
            fs::File::open(at(name)).unwrap().set_modified(before).unwrap();
        }
        sweep(root.path(), Duration::from_hours(1)).unwrap();
        let there: Vec<bool> = ["a/old", "a/new", "b"].map(|name| at(name).exists()).into();
        assert_eq!(there, [false, true, false]);
    }
}
