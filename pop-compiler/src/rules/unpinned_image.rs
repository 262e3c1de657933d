//! `unpinned-image`: an image reference that may change its image.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Spanned;

pub(crate) const RULE: Rule = Rule {
    id: "unpinned-image",
    severity: Severity::Warning,
    summary: "an image reference that may change its image",
    explanation: "`latest`, and an image without a tag, mean the image that was pushed last. The same workflow would run other programs from one day to the next, and \
even within one run. Give a version as the tag, or a digest.",
    bad: r#"[workflow]
name = "example"

[catalog."media.encode"]
image = "registry.example.com/encode"

[operations.encode]
uses = "media.encode"
"#,
    good: r#"[workflow]
name = "example"

[catalog."media.encode"]
image = "registry.example.com/encode:7.1"

[operations.encode]
uses = "media.encode"
"#,
    absence: false,
    allowable: true,
};

/// `image` may change because of `why`.
pub(crate) fn report(image: &Spanned<String>, why: &str) -> Diagnostic {
    RULE.at(image.span, format!("unpinned image `{}`: {why}", super::shorten(&image.value)))
        .label("not pinned")
        .help("use a version as the tag, or a digest (`@sha256:…`)")
}
