//! `bad-image`: an invalid image reference.

use super::{Rule, unpinned_image};
use crate::diagnostic::{Diagnostic, Location, Severity};
use crate::source::Spanned;

pub(crate) const RULE: Rule = Rule {
    id: "bad-image",
    severity: Severity::Error,
    summary: "an invalid image reference",
    explanation: "An image is `[host[:port]/]path[:tag][@digest]`. The path is in lower case. A tag has at most 128 letters, digits, `_`, `.` and `-`. A digest is, for \
example, `sha256:` and 64 hexadecimal digits.",
    bad: r#"[workflow]
name = "example"

[catalog."media.encode"]
image = "Registry.example.com/Encode:7"

[operations.encode]
uses = "media.encode"
"#,
    good: r#"[workflow]
name = "example"

[catalog."media.encode"]
image = "registry.example.com/encode:7"

[operations.encode]
uses = "media.encode"
"#,
    absence: false,
    allowable: false,
};

/// The finding about an image reference: invalid, or not pinned.
pub(crate) fn check(image: &Spanned<String>) -> Option<Diagnostic> {
    match parse(&image.value) {
        Err(why) => {
            let message = format!("invalid image reference `{}`: {why}", super::shorten(&image.value));
            let finding = RULE.at(image.span, message).label("expected `[host/]path[:tag][@digest]`");
            // a tag and a digest are what they are
            let path = image.value.rfind('/').map_or(0, |slash| slash + 1);
            let end = image.value[path..].find([':', '@']).map_or(image.value.len(), |n| path + n);
            let lower = image.value[..end].to_lowercase() + &image.value[end..];
            Some(match parse(&lower) {
                Ok(_) => super::meant(finding, image, lower.as_str()),
                Err(_) => finding,
            })
        }
        Ok(Pin::Fixed) => None,
        Ok(Pin::Latest) => Some(unpinned_image::report(image, "the tag `latest` moves")),
        Ok(Pin::None) => {
            Some(unpinned_image::report(image, "an image without a tag means `latest`, which moves"))
        }
    }
}

/// The finding about an invalid image reference in an agenda.
pub(crate) fn in_agenda(at: Location, image: &str) -> Option<Diagnostic> {
    let why = parse(image).err()?;
    Some(RULE.at(at, format!("invalid image reference `{}`: {why}", super::shorten(image))))
}

enum Pin {
    Fixed,
    Latest,
    None,
}

fn parse(image: &str) -> Result<Pin, &'static str> {
    let (rest, digest) = match image.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (image, None),
    };
    if let Some(digest) = digest {
        let (algorithm, hex) = digest.split_once(':').ok_or("a digest needs an algorithm, `:` and digits")?;
        if algorithm.is_empty() || hex.len() < 32 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err("a digest has at least 32 hexadecimal digits");
        }
        if algorithm == "sha256" && hex.len() != 64 {
            return Err("a sha256 digest has 64 hexadecimal digits");
        }
    }
    let last = rest.rfind('/').map_or(0, |slash| slash + 1);
    let (name, tag) = match rest[last..].split_once(':') {
        Some((_, tag)) => (&rest[..rest.len() - tag.len() - 1], Some(tag)),
        None => (rest, None),
    };
    if let Some(tag) = tag {
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let fits = tag.len() <= 128
            && tag.bytes().next().is_some_and(word)
            && tag.bytes().all(|b| word(b) || b == b'.' || b == b'-');
        if !fits {
            return Err("a tag may contain only letters, digits, `_`, `.` and `-`");
        }
    }
    let mut parts = name.split('/');
    let host =
        name.split_once('/').map(|(host, _)| host).filter(|h| h.contains(['.', ':']) || *h == "localhost");
    if let Some(host) = host {
        parts.next();
        let (domain, port) = host.split_once(':').unwrap_or((host, "1"));
        let fits = domain.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        });
        if !fits || port.parse::<u16>().is_err() {
            return Err("the host is invalid");
        }
    }
    for part in parts {
        let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        if !edge(part.chars().next()) || !edge(part.chars().last()) {
            return Err("each part of the path must begin and end with a lower-case letter or a digit");
        }
        if !part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b)) {
            return Err("the path may contain only lower-case letters, digits, `.`, `_` and `-`");
        }
    }
    Ok(match tag {
        _ if digest.is_some() => Pin::Fixed,
        Some("latest") => Pin::Latest,
        Some(_) => Pin::Fixed,
        None => Pin::None,
    })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn images_by_value() {
        let digest = format!("alpine@sha256:{}", "a".repeat(64));
        for good in ["alpine", "alpine:3.20", "a/b/c:1", "localhost:5000/x", "r.io/a_b--c/d.e:V1", &digest] {
            assert!(parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "A",
            "a b",
            "a:",
            "a:-x",
            "a/",
            "/a",
            "a//b",
            "a@sha256:12",
            "a@x",
            "r.io:x/a",
            "-a",
            "a:1:2",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
