//! `bad-version`: an invalid semantic version.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Spanned;

pub(crate) const RULE: Rule = Rule {
    id: "bad-version",
    severity: Severity::Error,
    summary: "an invalid semantic version",
    explanation: "A workflow's version is a semantic version: three numbers without leading zeros. A pre-release after `-` and a build after `+` are optional. Clients \
and `popc diff` compare versions.",
    bad: r#"[workflow]
name = "example"
version = "v2.1"

[operations.wait]
uses = "pop.sleep"
"#,
    good: r#"[workflow]
name = "example"
version = "2.1.0"

[operations.wait]
uses = "pop.sleep"
"#,
    absence: false,
    allowable: true,
};

/// The finding about a version, if it is invalid.
pub(crate) fn check(version: &Spanned<String>) -> Option<Diagnostic> {
    if is_semantic(&version.value) {
        return None;
    }
    let finding = RULE
        .at(version.span, format!("invalid semantic version `{}`", super::shorten(&version.value)))
        .label("expected a version such as `1.4.0` or `2.0.0-rc.1`");
    Some(match completed(&version.value) {
        Some(right) => super::meant(finding, version, right.as_str()),
        None => finding,
    })
}

/// The version that was probably intended: with three numbers, and without a `v`.
pub(crate) fn completed(version: &str) -> Option<String> {
    let plain = version.trim().trim_start_matches(['v', 'V']);
    let missing = 3usize.saturating_sub(plain.split('.').count());
    // `1.02.0` is meant as `1.2.0`: a version has no leading zeros
    let core = plain.split('.').map(|n| match n.trim_start_matches('0') {
        "" if !n.is_empty() => "0",
        rest if n.bytes().all(|b| b.is_ascii_digit()) => rest,
        _ => n,
    });
    let mended = format!("{}{}", core.collect::<Vec<_>>().join("."), ".0".repeat(missing));
    is_semantic(&mended).then_some(mended)
}

fn is_semantic(version: &str) -> bool {
    let (version, build) = version.split_once('+').map_or((version, None), |(v, b)| (v, Some(b)));
    let (core, pre) = version.split_once('-').map_or((version, None), |(c, p)| (c, Some(p)));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let number = |text: &str| digits(text) && (text.len() == 1 || !text.starts_with('0'));
    let word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    core.split('.').count() == 3
        && core.split('.').all(number)
        && pre.is_none_or(|p| p.split('.').all(|part| word(part) && (!digits(part) || number(part))))
        && build.is_none_or(|b| b.split('.').all(word))
}

#[cfg(test)]
mod tests {
    use super::is_semantic;

    #[test]
    fn versions_by_value() {
        for good in ["0.0.0", "1.2.3", "1.0.0-rc.1", "1.0.0-x-y+5.sha", "10.20.30+build"] {
            assert!(is_semantic(good), "{good}");
        }
        for bad in [
            "", "1", "1.2", "v1.2.3", "01.2.3", "1.2.3-", "1.2.3-01", "1.2.3+", "1.2.3.4", "a.b.c", "1.2.3-ä",
        ] {
            assert!(!is_semantic(bad), "{bad}");
        }
    }
}
