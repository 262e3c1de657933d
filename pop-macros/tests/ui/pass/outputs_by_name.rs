#![deny(warnings)]

#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    pub title: String,
    pub all_files: Vec<String>,
}

workflow! {
    pub named(source: Url, heights: Vec<u32>) -> Outputs {
        let probe = Probe { url: source };
        let encode = for height in heights {
            Encode { source, height, duration: probe.duration }
        } when probe.has_video;
        Outputs { title: probe.title, all_files: encode[*].file }
    }
}

#[derive(serde::Deserialize)]
pub struct Lone {
    #[serde(rename = "the title")]
    pub title: String,
}

workflow! {
    pub lone(source: Url) -> Lone {
        let probe = Probe { url: source };
        Lone { title: probe.title }
    }
}

#[derive(serde::Deserialize)]
pub struct Odd {
    #[serde(rename = "the title")]
    pub title: String,
    #[serde(rename = "its length")]
    pub duration: f64,
}

workflow! {
    pub odd(source: Url) -> Odd {
        let probe = Probe { url: source };
        Odd { title: probe.title, duration: probe.duration }
    }
}

fn main() {
    let workflow = named::compile();
    let result = &workflow.template().agenda.params["pop.result"];
    assert_eq!(result["allFiles"], "@<encode.*.out::/file>");
    let _: Option<named::Outputs> = None;
    let lone = lone::compile();
    let result = &lone.template().agenda.params["pop.result"];
    assert_eq!(result["the title"], "@<probe.out::/title>");
    let findings = odd::try_compile().unwrap_err().to_string();
    assert!(findings.contains("`title`") && findings.contains("`the title`"), "{findings}");
}
