//! A workflow in Rust and its twin in TOML: the same bytes, template and agenda.

use pop_compiler::source::Source;
use pop_compiler::{Compiled, Format, Options, canonical};
use pop_sdk::{operation, workflow};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

type Url = String;

#[operation("media.probe", output = Probed, command = ["ffprobe", "${with.url}"], stdout = "json")]
#[derive(JsonSchema)]
struct Probe {
    url: Url,
}

#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Probed {
    duration: f64,
    title: String,
    has_video: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Rung {
    height: u32,
    bit_rate: u64,
}

#[operation("media.encode", output = Encoded, image = "registry.example.com/encode:7", args = ["--height", "${with.height}"])]
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Encode {
    source: Url,
    height: u32,
    bit_rate: u64,
    duration: f64,
}

#[derive(JsonSchema)]
struct Encoded {
    file: String,
}

#[operation("media.audit", output = Audited, command = ["audit"], stdin = "${with.note}")]
#[derive(JsonSchema)]
struct Audit {
    first: String,
    note: String,
    depth: f64,
    flags: Vec<bool>,
    label: Option<String>,
}

#[derive(JsonSchema)]
struct Audited {}

#[operation(
    "media.package",
    output = Packaged,
    command = ["package"],
    image = "registry.example.com/package:1",
    kubernetes = {
        service_account: "packager",
        node_selector: { "example.com/disk": "ssd", zone: "a" },
        tolerations: [{ key: "dedicated", operator: "Exists" }],
        volumes: [{ name: "media", mount_path: "/media", read_only: true, claim: "media" }],
        ephemeral_storage: "20Gi",
        gpu: 1,
        resources: { "amd.com/gpu": 1 },
    },
    secrets = { TOKEN: "registry/token" },
    idempotent = true,
)]
#[derive(JsonSchema)]
struct Package {
    renditions: Vec<String>,
    title: String,
}

#[derive(JsonSchema)]
struct Packaged {
    manifest: String,
}

workflow! {
    /// Probe a mezzanine, encode every rung, package.
    #[workflow(version = "2.1.0")]
    abr_ladder(
        /// The mezzanine.
        source: Url,
        ladder: Vec<Rung> = [Rung { height: 720, bit_rate: 3_000_000 }],
        label: Option<String>,
    ) -> String {
        let probe = Probe { url: source };
        /// One rung.
        let encode = for rung in ladder {
            Encode { source, height: rung.height, bit_rate: rung.bit_rate, duration: probe.duration }
        } with {
            retry: { attempts: 3, backoff: "10s..5m", on: ["error", "timeout"] },
            timeout: "2h",
            resources: { cpu: "4", memory: "8Gi" },
        };
        let audit = Audit { first: encode[0].file, note: r"ends in \", depth: -1.5, flags: [true, false], label } with { retry: 2 };
        let package = Package { renditions: encode[*].file, title: "Ladder of {probe.title}: ${{not}} @<a>" }
            when probe.has_video
            after [encode, audit];
        package.manifest
    }
}

fn twin() -> Compiled {
    let text = include_str!("ladder.pop.toml");
    let compiled =
        pop_compiler::compile(Source::new("ladder.pop.toml", text), Format::Toml, &Options::default());
    // A redundant `after` is only a warning, and both formats must keep it.
    assert!(!pop_compiler::diagnostic::has_errors(&compiled.diagnostics), "{:#?}", compiled.diagnostics);
    compiled
}

#[test]
fn the_templates_are_the_same_bytes() {
    let template = twin().template.expect("it compiles");
    assert_eq!(abr_ladder::compile().to_json(), canonical::pretty(&template));
}

#[test]
fn the_agendas_are_the_same_bytes() {
    let rungs = json!([{ "height": 480, "bitRate": 1 }, { "height": 1080, "bitRate": 2 }]);
    let inputs = json!({ "source": "https://example.com/a.mov", "ladder": rungs, "label": "x" });
    let expected = twin().template.expect("it compiles").expand(&inputs).expect("the inputs fit");
    let made = abr_ladder::Inputs {
        source: "https://example.com/a.mov".into(),
        ladder: Some(vec![Rung { height: 480, bit_rate: 1 }, Rung { height: 1080, bit_rate: 2 }]),
        label: Some("x".into()),
    };
    let made = abr_ladder::compile().agenda(&made).expect("the inputs fit");
    assert_eq!(canonical::pretty(&made), canonical::pretty(&expected));
    assert_eq!(made.operations.len(), 5);
}

#[test]
fn inputs_that_do_not_fit_are_found_before_anything_is_sent() {
    let wrong =
        abr_ladder::Inputs { source: "https://example.com/a".into(), ladder: Some(vec![]), label: None };
    let findings = abr_ladder::compile().agenda(&wrong).expect_err("there is no first rung");
    assert!(findings.to_string().contains("encode"), "{findings}");
}
