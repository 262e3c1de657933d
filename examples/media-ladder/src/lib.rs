//! A bitrate ladder: look at a clip, make a smaller one for each rung, package them, publish. The clips are grey pictures
//! in a row (PGM), so the work is real and costs next to nothing.
//!
//! Here are the operations and the workflow; `handlers.rs` has the work itself, `media.pop.toml` and `media.pop.json` the
//! same workflow without Rust.

pub mod clip;
pub mod handlers;

use std::path::PathBuf;

use pop_sdk::{operation, workflow};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Looks at a clip.
#[operation("media.probe", output = Probed, command = ["media-ops", "media.probe"])]
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Probe {
    /// The clip.
    source: PathBuf,
}

/// What a clip is.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Probed {
    /// Columns of a picture.
    pub width: u32,
    /// Rows of a picture.
    pub height: u32,
    /// How many pictures there are.
    pub frames: u32,
    /// Whether any picture differs from the first.
    pub moving: bool,
    /// SHA-256 of the file.
    pub sha256: String,
}

/// One rung of the ladder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rung {
    /// Rows of a picture.
    pub height: u32,
    /// How many greys are told apart, 2 to 256.
    pub greys: u32,
}

/// Makes a smaller clip for one rung.
#[operation("media.encode", output = Encoded, command = ["media-ops", "media.encode"])]
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Encode {
    /// The clip.
    source: PathBuf,
    /// What to make of it.
    rung: Rung,
    /// How many pictures the clip has.
    frames: u32,
}

/// A clip that was made.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Encoded {
    /// Where it is.
    pub file: PathBuf,
    /// Its SHA-256.
    pub sha256: String,
}

/// Writes a manifest of all rungs, after a look at each.
#[operation("media.package", output = Packaged, command = ["media-ops", "media.package"])]
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Package {
    /// What it is called.
    title: String,
    /// The clips.
    renditions: Vec<PathBuf>,
    /// Their SHA-256, in the same order.
    checksums: Vec<String>,
}

/// A package that was made.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Packaged {
    /// The manifest.
    pub manifest: PathBuf,
}

/// Copies a package to where people find it, and checks what arrived.
#[operation("media.publish", output = Published, command = ["media-ops", "media.publish"])]
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Publish {
    /// The package's manifest.
    manifest: PathBuf,
    /// The folder to publish to; made when it isn't there.
    target: PathBuf,
}

/// What was published.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Published {
    /// The manifest's place.
    pub manifest: PathBuf,
    /// All bytes that were copied.
    pub bytes: u64,
}

/// What comes out.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct Ladder {
    /// The published manifest; none for a still picture, which is not published.
    pub manifest: Option<PathBuf>,
    /// The clips, one for each rung.
    pub renditions: Vec<PathBuf>,
    /// How many pictures each has.
    pub frames: u32,
}

workflow! {
    /// Look at a clip, encode every rung, package and publish.
    #[workflow(version = "1.0.0")]
    pub media_ladder(
        /// The clip: grey pictures, one after the other (PGM).
        source: PathBuf,
        /// The folder to publish to.
        target: PathBuf,
        /// What it is called.
        title: String = "untitled",
        /// What to make.
        ladder: Vec<Rung> = [Rung { height: 36, greys: 64 }, Rung { height: 18, greys: 16 }],
    ) -> Ladder {
        let probe = Probe { source };
        /// One rung.
        let encode = for rung in ladder {
            Encode { source, rung, frames: probe.frames }
        } with {
            retry: { attempts: 3, backoff: "1s..10s" },
            timeout: "10m",
            resources: { cpu: "1" },
        };
        let package = Package { title, renditions: encode[*].file, checksums: encode[*].sha256 };
        let publish = Publish { manifest: package.manifest, target }
            with { retry: { attempts: 5, backoff: "1s..1m" }, timeout: "5m" }
            when probe.moving;
        Ladder { manifest: Some(publish.manifest), renditions: encode[*].file, frames: probe.frames }
    }
}
