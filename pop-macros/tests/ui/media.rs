//! Operation types that the programs share.

use pop_sdk::operation;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub type Url = String;

/// Looks into a media file.
#[operation("media.probe", output = Probed, command = ["ffprobe", "${with.url}"], stdout = "json")]
#[derive(Serialize, JsonSchema)]
pub struct Probe {
    pub url: Url,
}

#[derive(Deserialize, JsonSchema)]
pub struct Probed {
    pub duration: f64,
    pub title: String,
    pub artist: Option<String>,
    pub has_video: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Rung {
    pub height: u32,
    pub bitrate: u32,
}

#[operation("media.encode", output = Encoded, image = "registry.example.com/encode:7")]
#[derive(Serialize, JsonSchema)]
pub struct Encode {
    pub source: Url,
    pub height: u32,
    pub duration: f64,
}

#[derive(Deserialize, JsonSchema)]
pub struct Encoded {
    pub file: String,
}

#[operation("media.package", output = Packaged)]
#[derive(Serialize, JsonSchema)]
pub struct Package {
    pub renditions: Vec<String>,
    pub title: String,
}

#[derive(Deserialize, JsonSchema)]
pub struct Packaged {
    pub manifest: String,
}
