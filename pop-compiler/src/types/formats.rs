//! Texts with a form of their own: URLs and times.

/// Whether the text looks like an absolute URL: a scheme, a colon, and something after it without spaces.
pub(super) fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let mut chars = scheme.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic())
        && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
        && scheme.len() > 1
        && !rest.is_empty()
        && !rest.contains(char::is_whitespace)
}

/// Whether the text has the shape of an RFC 3339 date and time, or of a TOML local one.
pub(super) fn is_datetime(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits =
        |range: std::ops::Range<usize>| bytes.get(range).is_some_and(|b| b.iter().all(u8::is_ascii_digit));
    let date = digits(0..4)
        && bytes.get(4) == Some(&b'-')
        && digits(5..7)
        && bytes.get(7) == Some(&b'-')
        && digits(8..10);
    if !date || bytes.len() == 10 {
        return date;
    }
    matches!(bytes.get(10), Some(b'T' | b't' | b' '))
        && digits(11..13)
        && bytes.get(13) == Some(&b':')
        && digits(14..16)
        && text[16..].chars().all(|c| c.is_ascii_digit() || matches!(c, ':' | '.' | '+' | '-' | 'Z' | 'z'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_and_times() {
        assert!(is_url("https://a.b/c") && is_url("s3://bucket/key") && is_url("file:/x"));
        assert!(!is_url("nope") && !is_url("c:/x y") && !is_url("https:"));
        assert!(is_datetime("2026-01-02T03:04:05Z") && is_datetime("2026-01-02"));
        assert!(!is_datetime("2026-1-2") && !is_datetime("soon") && !is_datetime("2026-01-02Tab"));
    }
}
