#![deny(warnings)]

use pop_sdk::workflow;

mod old {
    #[pop_sdk::operation("a.b", output = Made)]
    #[derive(schemars::JsonSchema)]
    pub struct Make {
        pub size: Size,
    }

    #[derive(Clone, Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
    pub struct Size {
        pub width: u32,
    }

    #[derive(schemars::JsonSchema)]
    pub struct Made {
        pub file: String,
    }
}

mod new {
    use super::old::Made;

    #[pop_sdk::operation("a.b", output = Made)]
    #[derive(schemars::JsonSchema)]
    pub struct Make {
        pub size: Size,
        pub colour: String,
    }

    #[derive(Clone, Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
    pub struct Size {
        pub height: u32,
    }
}

workflow! {
    pub both(first: old::Size, second: new::Size) -> String {
        let one = old::Make { size: first };
        let two = new::Make { size: second, colour: one.file };
        two.file
    }
}

use old::Size;

workflow! {
    pub same(first: Size, second: old::Size) -> Vec<String> {
        let one = old::Make { size: first };
        let two = crate::old::Make { size: second } after [one];
        let three = for size in [1, 2] {
            old::Make { size: Size { width: size } }
        } after [two];
        three[*].file
    }
}

fn main() {
    let findings = both::try_compile().unwrap_err().to_string();
    assert!(findings.contains("operation type `a.b`") && findings.contains("type `Size`"), "{findings}");
    // one type by two paths is one type
    assert!(same::try_compile().is_ok(), "{}", same::try_compile().unwrap_err());
}
