//! The handlers of the media ladder, as a program.
//!
//! ```sh
//! media-ops --describe > ops/media.toml      # its operation types, for workflow files
//! echo '{"source": "clip.pgm"}' | media-ops media.probe -
//! ```

use std::process::ExitCode;

fn main() -> ExitCode {
    media_ladder::handlers::all().run()
}
