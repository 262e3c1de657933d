#[path = "../media.rs"]
mod media;
use std::collections::BTreeMap;

use media::*;
use pop_sdk::{operation, workflow};
use schemars::JsonSchema;
use serde::Serialize;

#[derive(JsonSchema)]
pub enum Silent {
    Yes,
}

#[operation("a.hush", output = ())]
#[derive(JsonSchema)]
pub struct Hush {
    pub silent: Silent,
}

#[derive(Serialize, JsonSchema)]
pub enum Mode {
    Fast,
    Sized(u32),
}

#[operation("a.set", output = ())]
#[derive(Serialize, JsonSchema)]
pub struct Set {
    pub mode: Mode,
    pub tags: Option<BTreeMap<String, String>>,
}

workflow! {
    pub flow(source: Url) -> f64 {
        let probe = Probe { url: source };
        let one = Set { mode: Mode::Slow, tags: None };
        let two = Set { mode: Mode::Fast, tags: BTreeMap::from([("a", "b")]) };
        let _four = Encode { source: Mode::Fast, height: crate::Mode::Fast, duration: probe.duration };
        probe.duration
    }
}

workflow! {
    pub called(source: Url) -> f64 {
        let probe = Probe { url: source };
        let three = Set { mode: Mode::Sized(3), tags: None };
        probe.duration
    }
}

workflow! {
    pub silent(source: Url) -> f64 {
        let probe = Probe { url: source };
        let hush = Hush { silent: Silent::Yes };
        probe.duration
    }
}

fn main() {}
