#![deny(warnings)]

#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::{operation, workflow};
use schemars::JsonSchema;

#[operation("app.note", output = Noted)]
#[derive(JsonSchema)]
pub struct Note {
    pub artist: String,
    pub title: Option<String>,
    pub rate: f64,
    pub loud: bool,
    pub text: String,
}

#[derive(serde::Deserialize, JsonSchema)]
pub struct Noted {
    pub count: i64,
}

workflow! {
    pub flow(source: Url, rate: Option<f64>, loud: Option<bool>, audio: bool) -> i64 {
        let probe = Probe { url: source };
        // Absent when it is skipped, whatever its type says.
        let second = Probe { url: source } when audio;
        let note = Note {
            artist: probe.artist.unwrap_or("it's {{nobody}}"),
            title: second.title.ok(),
            rate: rate.unwrap_or(-1.5),
            loud: loud.unwrap_or(true),
            text: "by {probe.artist.unwrap_or(\"}} nobody\")} in {second.duration.unwrap_or(0.0)}",
        };
        note.count.unwrap_or(0)
    }
}

fn main() {
    let inputs = flow::Inputs { source: "https://example.com/u".into(), rate: None, loud: None, audio: false };
    let agenda = flow::compile().agenda(&inputs).unwrap();
    let note = &agenda.operations[2].payload;
    assert_eq!(note["artist"], "@<probe.out::/artist?it's {nobody}>");
    assert_eq!(note["title"], "@<second.out::/title?>");
    assert_eq!(note["rate"], -1.5);
    assert_eq!(note["loud"], true);
    assert_eq!(note["text"], "by @<probe.out::/artist?} nobody> in @<second.out::/duration?=0.0>");
}
