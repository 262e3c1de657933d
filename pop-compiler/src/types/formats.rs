//! Text formats: URLs, dates and times.

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

/// Whether the text is an RFC 3339 date and time, or a TOML local one: without a zone, or a date alone. The day must be
/// in the calendar and the time on the clock.
pub(super) fn is_datetime(text: &str) -> bool {
    let mut rest = text;
    let mut number = |digits: usize, behind: &str| {
        let value =
            rest.get(..digits).filter(|d| d.bytes().all(|b| b.is_ascii_digit()))?.parse::<u32>().ok()?;
        rest = rest[digits..].strip_prefix(behind)?;
        Some(value)
    };
    let (Some(year), Some(month), Some(day)) = (number(4, "-"), number(2, "-"), number(2, "")) else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if !(1..=12).contains(&month) || !(1..=days).contains(&day) {
        return false;
    }
    rest.is_empty() || rest.strip_prefix(['T', 't', ' ']).is_some_and(is_time)
}

/// Whether the text is a time of day: `03:04`, `03:04:05.6`, with a zone or without.
fn is_time(text: &str) -> bool {
    let two = |at: usize, most: u32| {
        let digits = text.get(at..at + 2).filter(|d| d.bytes().all(|b| b.is_ascii_digit()));
        digits.and_then(|d| d.parse::<u32>().ok()).is_some_and(|n| n <= most)
    };
    if !two(0, 23) || text.get(2..3) != Some(":") || !two(3, 59) {
        return false;
    }
    let mut rest = &text[5..];
    if rest.starts_with(':') {
        if !two(6, 60) {
            return false; // 60 is a leap second
        }
        rest = &text[8..];
        if let Some(fraction) = rest.strip_prefix('.') {
            rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            if rest.len() == fraction.len() {
                return false;
            }
        }
    }
    match rest.strip_prefix(['+', '-']) {
        None => matches!(rest, "" | "Z" | "z"),
        Some(zone) => zone.len() == 5 && !zone.contains(['+', '-', 'Z', 'z']) && is_time(zone),
    }
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
        for right in [
            "2028-02-29",
            "2026-12-31T23:59:60.25+05:30",
            "2026-01-02 03:04",
            "2026-01-02t03:04:05z",
            "2026-01-02T03:04:05-00:00",
        ] {
            assert!(is_datetime(right), "{right}");
        }
        for wrong in [
            "2026-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-04-31T00:00:00Z",
            "2026-01-02T24:00:00Z",
            "2026-01-02T03:60:00Z",
            "2026-01-02T03:04:05.Z",
            "2026-01-02T03:04:05+25:00",
            "2026-01-02T03:04:05+05",
            "2026-01-02T03:04:05ZZ",
            "2026-01-02T03:04:05+05:30Z",
            "2026-01-02T",
            "2026-01-02Ü03:04",
            "",
        ] {
            assert!(!is_datetime(wrong), "{wrong}");
        }
    }
}
