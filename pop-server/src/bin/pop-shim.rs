//! `pop-shim`: runs an operation's program in a pod, and reports for it. See [`pop_server::runtime::shim`].

use std::path::Path;
use std::process::ExitCode;

use pop_server::runtime::{local, shim};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["install", folder] => match shim::install(Path::new(folder)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("pop-shim: could not install into {folder}: {error}");
                ExitCode::FAILURE
            }
        },
        ["run"] => {
            local::be_sole_parent();
            shim::run()
        }
        _ => {
            eprintln!(
                "usage: pop-shim install FOLDER | pop-shim run\n\nA pool puts both commands into the pods that it starts."
            );
            ExitCode::from(2)
        }
    }
}
