//! `pop-shim`: runs an operation's program in a pod, and reports for it. See [`pop_server::runtime::shim`].

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use pop_server::runtime::{local, shim};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["install", folder] => done(shim::install(Path::new(folder))),
        ["install", folder, shared] => {
            done(shim::install(Path::new(folder)).and_then(|()| shim::make_folder(Path::new(shared))))
        }
        ["folder", shared] => done(shim::make_folder(Path::new(shared))),
        ["sweep", root, seconds] => match seconds.parse() {
            Ok(seconds) => done(shim::sweep(Path::new(root), Duration::from_secs(seconds))),
            Err(_) => usage(),
        },
        ["run"] => {
            local::be_sole_parent();
            shim::run()
        }
        _ => usage(),
    }
}

fn done(result: io::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pop-shim: {error}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!(
        "usage: pop-shim run | install FOLDER [SHARED] | folder SHARED | sweep ROOT SECONDS\n\nA pool puts these commands into the pods that it starts."
    );
    ExitCode::from(2)
}
