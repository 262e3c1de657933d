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
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::ExitCode;

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
