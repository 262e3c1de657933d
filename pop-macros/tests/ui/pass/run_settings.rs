#![deny(warnings)]

#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

workflow! {
    pub flow(asset: String, source: Url) -> f64
        with {
            link: "asset-{asset}",
            insight: "media",
            priority: -7,
            deadline: "1d",
            maximum_attempts: 2,
            on_failure: "stop",
            concurrency_key: "encoder",
            labels: { team: "vod" },
        }
    {
        let probe = Probe { url: source };
        probe.duration
    }
}

workflow! {
    pub bare(asset: String, source: Url) -> f64 with { link: asset } {
        let probe = Probe { url: source };
        probe.duration
    }
}

fn main() {
    let inputs = flow::Inputs { asset: "a1".into(), source: "https://example.com/u".into() };
    let agenda = flow::compile().agenda(&inputs).unwrap();
    assert_eq!(agenda.link_id.as_deref(), Some("asset-a1"));
    assert_eq!(agenda.params["defaultInsight"], "media");
    assert_eq!(agenda.params["maximumAttempts"], 2);
    assert_eq!(agenda.params["pop.onFailure"], "stop");
    assert_eq!(agenda.params["pop.run"]["priority"], -7);
    assert_eq!(agenda.params["pop.run"]["labels"]["team"], "vod");
    let agenda = bare::compile().agenda(&bare::Inputs { asset: "a2".into(), source: "https://example.com/u".into() }).unwrap();
    assert_eq!(agenda.link_id.as_deref(), Some("a2"));
}
