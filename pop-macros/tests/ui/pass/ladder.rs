#![deny(warnings)]

#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

workflow! {
    /// Probe a mezzanine, encode every rung, package.
    #[workflow(name = "abr-ladder", version = "2.1.0")]
    pub abr_ladder(
        /// The mezzanine.
        source: Url,
        ladder: Vec<Rung> = [Rung { height: 720, bitrate: 3_000_000 }],
    ) -> String {
        let probe = Probe { url: source };
        /// One rung.
        let encode = for rung in ladder {
            Encode { source, height: rung.height, duration: probe.duration }
        } with { retry: { attempts: 3, backoff: "10s..5m", on: ["error", "timeout"] }, timeout: "2h", resources: { cpu: "4", memory: "8Gi" } };
        let first = Package { renditions: [encode[0].file], title: "{{{probe.title}}}" } when probe.has_video;
        let package = Package { renditions: encode[*].file, title: "Ladder of {probe.title}" }
            when probe.has_video
            after [first, encode];
        package.manifest
    }
}

fn main() {
    let workflow = abr_ladder::compile();
    let ladder = vec![Rung { height: 480, bitrate: 1 }, Rung { height: 720, bitrate: 2 }];
    let inputs = abr_ladder::Inputs { source: "https://example.com/a.mov".into(), ladder: Some(ladder) };
    let agenda = workflow.agenda(&inputs).unwrap();
    assert_eq!(agenda.operations.len(), 5);
    assert_eq!(workflow.single_output(), Some("manifest"));
    assert!(workflow.to_json().contains("Ladder of @<probe.out::/title>"));
    assert!(abr_ladder::SOURCE.contains("One rung."));
}
