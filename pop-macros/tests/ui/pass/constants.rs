#![deny(warnings)]

use std::collections::{BTreeMap, BTreeSet, HashMap};

use pop_sdk::{operation, workflow};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How it is done.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Quickly.
    VeryFast,
    #[serde(rename = "thorough")]
    Slow,
}

pub mod limits {
    pub const MOST: u32 = 7;
    pub const TEXT: &str = "no ${reference} @<here>";
}

#[operation("a.encode", output = Encoded)]
#[derive(Serialize, JsonSchema)]
pub struct Encode {
    pub mode: Mode,
    pub other: Option<Mode>,
    pub all: Vec<Mode>,
    pub most: u32,
    pub note: &'static str,
    pub labels: HashMap<String, String>,
    pub modes: BTreeMap<String, Mode>,
}

#[derive(Deserialize, JsonSchema)]
pub struct Encoded {
    pub mode: Mode,
}

#[operation("a.notify", output = ())]
#[derive(Serialize, JsonSchema)]
pub struct Notify {
    pub mode: Mode,
}

#[operation("a.list", output = ())]
#[derive(Serialize, JsonSchema)]
pub struct Lists {
    pub set: Option<BTreeSet<String>>,
    pub pair: [u32; 2],
    pub rows: Vec<[Mode; 1]>,
}

#[derive(Deserialize, JsonSchema)]
pub struct Nothing {}

#[operation("a.log", output = Nothing)]
#[derive(Serialize, JsonSchema)]
pub struct Log {
    pub text: String,
}

#[derive(Deserialize)]
pub struct Done {
    pub first: Mode,
    pub fixed: Mode,
}

pub mod inner {
    pub mod deep {
        use pop_sdk::workflow;

        use super::super::{Encoded, Mode};

        pub const MODE: Mode = Mode::Slow;

        workflow! {
            // Paths begin where the workflow is written.
            pub(crate) both(mode: super::super::Mode = super::super::Mode::VeryFast) -> Encoded {
                let encode = super::super::Encode {
                    mode, other: Some(self::MODE), all: [crate::Mode::Slow], most: crate::limits::MOST,
                    note: super::super::limits::TEXT, labels: BTreeMap::from([]), modes: HashMap::from([("x", mode)]),
                };
                Encoded { mode: encode.mode }
            }
        }

        use std::collections::{BTreeMap, HashMap};
    }
}

workflow! {
    pub flow(mode: Mode = Mode::VeryFast, most: u32 = limits::MOST) -> Done {
        let encode = Encode {
            mode: Mode::VeryFast, other: Some(Mode::Slow), all: [mode, Mode::Slow], most, note: limits::TEXT,
            // A map is a map: in JSON they are the same.
            labels: BTreeMap::from([("a", "b")]), modes: HashMap::from([("x", Mode::Slow), ("y", mode)]),
        };
        // What they do is all that counts: nothing is said of names that nobody uses.
        let notify = Notify { mode: encode.mode };
        let log = Log { text: "done" };
        // So is a list.
        let lists = Lists { set: Some(["a", "b"]), pair: [1, most], rows: [[Mode::Slow], [mode]] };
        Done { first: encode.mode, fixed: Mode::Slow }
    }
}

fn main() {
    let template = flow::compile().template().clone();
    let payload = &template.agenda.operations[0].payload;
    assert_eq!(payload["mode"], "very-fast");
    assert_eq!(payload["other"], "thorough");
    assert_eq!(payload["all"].to_string(), r#"["@<pop.payload::/mode>","thorough"]"#);
    assert_eq!(payload["note"], r"no ${reference} \@<here>");
    assert_eq!(payload["labels"]["a"], "b");
    assert_eq!(payload["modes"]["x"], "thorough");
    let lists = &template.agenda.operations.iter().find(|o| o.name == "lists").unwrap().payload;
    assert_eq!(lists["set"].to_string(), r#"["a","b"]"#);
    assert_eq!(lists["rows"].to_string(), r#"[["thorough"],["@<pop.payload::/mode>"]]"#);
    let inputs = &template.params["pop.inputs"]["properties"];
    assert_eq!(inputs["mode"]["default"], "very-fast");
    assert_eq!(inputs["most"]["default"].to_string(), "7");
    assert_eq!(template.agenda.params["pop.result"]["fixed"], "thorough");
    assert!(flow::compile().warnings().is_empty(), "{:?}", flow::compile().warnings());

    let both = inner::deep::both::compile();
    assert_eq!(both.template().agenda.operations[0].payload["other"], "thorough");
    assert_eq!(both.template().agenda.operations[0].payload["most"].to_string(), "7");
}
