//! Durations as text: `500ms`, `10s`, `5m`, `2h`, `1d`, `1h30m`; and ranges of durations, `10s..5m`.

use std::fmt;
use std::time::Duration;

/// Reason why a text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DurationError(String);

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DurationError {}

const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("ms", 1), ("m", 60_000), ("s", 1_000)];

/// Reads a duration: numbers with the units `ms`, `s`, `m`, `h`, `d` in any order. A fraction is allowed (`1.5h`).
///
/// # Errors
/// The text is not a duration. The message quotes the text and shows valid durations.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let wrong = |why: &str| {
        DurationError(format!(
            "invalid duration `{text}`: {why}. Write a duration such as `500ms`, `10s`, `5m`, `2h` or `1h30m`"
        ))
    };
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(wrong("the text is empty"));
    }
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number =
            Some(&rest[..digits]).filter(|digits| !digits.starts_with('.') && !digits.ends_with('.'));
        let number: f64 =
            number.and_then(|digits| digits.parse().ok()).ok_or_else(|| wrong("expected a number"))?;
        rest = &rest[digits..];
        let Some((unit, millis)) = UNITS.iter().find(|(unit, _)| {
            rest.strip_prefix(unit).is_some_and(|after| !after.starts_with(|c: char| c.is_ascii_alphabetic()))
        }) else {
            return Err(wrong(if rest.is_empty() { "missing unit" } else { "unknown unit" }));
        };
        rest = &rest[unit.len()..];
        #[expect(clippy::cast_precision_loss, reason = "units are small numbers")]
        let part = Duration::try_from_secs_f64(number * (*millis as f64) / 1000.0)
            .map_err(|_| wrong("the duration is too long"))?;
        total = total.checked_add(part).ok_or_else(|| wrong("the duration is too long"))?;
    }
    Ok(total)
}

/// Reads `min..max`, or one duration for both.
///
/// # Errors
/// As [`parse`], and if `min` is larger than `max`.
pub fn parse_range(text: &str) -> Result<(Duration, Duration), DurationError> {
    let Some((min, max)) = text.split_once("..") else {
        let only = parse(text)?;
        return Ok((only, only));
    };
    let (min, max) = (parse(min)?, parse(max)?);
    if min > max {
        return Err(DurationError(format!("invalid range `{text}`: write the smaller value first")));
    }
    Ok((min, max))
}

/// Prints a duration so that [`parse`] returns it, to the millisecond.
pub fn print(duration: Duration) -> String {
    let mut millis = duration.as_millis();
    if millis == 0 {
        return "0s".into();
    }
    let mut text = String::new();
    for (unit, size) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)] {
        if millis >= size {
            text += &format!("{}{unit}", millis / size);
            millis %= size;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_as_people_write_them() {
        for (text, millis) in [
            ("500ms", 500),
            ("10s", 10_000),
            ("5m", 300_000),
            ("2h", 7_200_000),
            ("1d", 86_400_000),
            ("1h30m", 5_400_000),
            ("1.5h", 5_400_000),
            (" 3s ", 3_000),
            ("1m500ms", 60_500),
            ("0s", 0),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in
            ["", "10", "ten", "5 m", "-1s", "1w", "1.2.3s", ".5m", "5.m", "5min", "99999999999999999999d"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ranges() {
        assert_eq!(parse_range("10s..5m"), Ok((Duration::from_secs(10), Duration::from_mins(5))));
        assert_eq!(parse_range("10s"), Ok((Duration::from_secs(10), Duration::from_secs(10))));
        assert!(parse_range("5m..10s").is_err());
        assert!(parse_range("10s...5m").is_err());
    }

    proptest! {
        #[test]
        fn print_then_parse(millis in 0u64..10_000_000_000) {
            let duration = Duration::from_millis(millis);
            prop_assert_eq!(parse(&print(duration)), Ok(duration));
        }
    }
}
