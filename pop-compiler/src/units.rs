//! Durations and quantities in the forms of other tools, converted to POP's forms where the meaning is unique.

use crate::{duration, quantity, suggest};

/// POP's unit for a word.
fn unit_of(word: &str) -> Option<&'static str> {
    const WORDS: &[(&str, &str)] = &[
        ("day", "d"),
        ("days", "d"),
        ("hour", "h"),
        ("hours", "h"),
        ("hr", "h"),
        ("hrs", "h"),
        ("min", "m"),
        ("mins", "m"),
        ("minute", "m"),
        ("minutes", "m"),
        ("sec", "s"),
        ("secs", "s"),
        ("second", "s"),
        ("seconds", "s"),
        ("msec", "ms"),
        ("msecs", "ms"),
        ("millis", "ms"),
        ("millisecond", "ms"),
        ("milliseconds", "ms"),
    ];
    // `M` may be months
    if let Some(unit) = ["d", "h", "ms", "m", "s"].into_iter().find(|unit| *unit == word) {
        return Some(unit);
    }
    match word {
        "D" => return Some("d"),
        "H" => return Some("h"),
        "S" => return Some("s"),
        _ => {}
    }
    let lower = word.to_lowercase();
    if let Some((_, unit)) = WORDS.iter().find(|(name, _)| *name == lower) {
        return Some(unit);
    }
    // what stands before a unit makes it another: `mseconds`, `useconds`
    let near = (lower.len() > 4).then(|| suggest::nearest(&lower, WORDS.iter().map(|(name, _)| *name)))??;
    let unit = |name: &str| WORDS.iter().find(|(word, _)| *word == name).map(|(_, unit)| *unit);
    // `minuts` is as near to `minute` as to `minutes`, which is all the same
    let alike = near.name.chars().next() == lower.chars().next();
    unit(near.name).filter(|unit| alike && (*unit != "ms" || lower.starts_with("mil")))
}

/// `5 minutes`, `1 h 30 min`, `90 sec`, `PT5M` as `5m`, `1h30m`, `90s`, `5m`.
pub(crate) fn duration(text: &str) -> Option<String> {
    let text = text.trim();
    let mended = iso(text).or_else(|| words(text))?;
    (duration::parse(&mended).is_ok() && mended != text).then_some(mended)
}

fn words(text: &str) -> Option<String> {
    let mut rest = text;
    let mut out = String::new();
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        if number.is_empty() || number.starts_with('.') || number.ends_with('.') {
            return None;
        }
        let after = after.trim_start();
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (word, after) = after.split_at(letters);
        out += number;
        out += unit_of(word)?;
        rest = after.trim_start_matches(['.', ',', ' ']);
        rest = rest.strip_prefix("and ").unwrap_or(rest).trim_start();
    }
    Some(out)
}

/// ISO 8601, without years and months.
fn iso(text: &str) -> Option<String> {
    let rest = text.strip_prefix('P')?;
    let (date, time) = rest.split_once('T').unwrap_or((rest, ""));
    let ends = |part: &str, units: &[char]| part.is_empty() || part.ends_with(units);
    let known = |part: &str, units: &[char]| {
        part.chars().all(|c| c.is_ascii_digit() || c == '.' || units.contains(&c))
    };
    let fits = known(date, &['D'])
        && ends(date, &['D'])
        && known(time, &['H', 'M', 'S'])
        && ends(time, &['H', 'M', 'S']);
    fits.then(|| format!("{date}{time}").to_lowercase()).filter(|text| !text.is_empty())
}

/// As [`duration`] for `min..max`; the two the right way round.
pub(crate) fn range(text: &str) -> Option<String> {
    let two = |separator| text.split_once(separator);
    let Some((min, max)) = two("...").or_else(|| two("..")).or_else(|| two(" to ")).or_else(|| two("-"))
    else {
        return duration(text);
    };
    let mend = |part: &str| {
        let part = part.trim();
        duration::parse(part).is_ok().then(|| part.to_owned()).or_else(|| duration(part))
    };
    let (min, max) = (mend(min)?, mend(max)?);
    let (Ok(a), Ok(b)) = (duration::parse(&min), duration::parse(&max)) else { return None };
    Some(if a <= b { format!("{min}..{max}") } else { format!("{max}..{min}") })
}

/// `8GB`, `8 GiB`, `512 mb` as `8G`, `8Gi`, `512M`: the same number of bytes.
pub(crate) fn memory(text: &str) -> Option<String> {
    let (number, suffix) = amount(text)?;
    // a small `b` behind a capital may be bits
    if suffix.len() == 2 && suffix.ends_with('b') && suffix.starts_with(|c: char| c.is_ascii_uppercase()) {
        return None;
    }
    let suffix = match suffix.to_lowercase().as_str() {
        "b" | "byte" | "bytes" => "",
        "kb" | "kilobytes" => "k",
        "mb" | "megabytes" => "M",
        "gb" | "gigabytes" => "G",
        "tb" | "terabytes" => "T",
        "ki" | "kib" => "Ki",
        "mi" | "mib" => "Mi",
        "gi" | "gib" => "Gi",
        "ti" | "tib" => "Ti",
        // `8 G` has a space too many; `8g` is 8 G to some and 8 Gi to others
        _ if matches!(suffix, "k" | "M" | "G" | "T") => suffix,
        _ => return None,
    };
    let mended = format!("{number}{suffix}");
    (quantity::bytes(&mended).is_ok() && mended != text).then_some(mended)
}

/// `2 cores`, `500 m`, `2 vCPU` as `2`, `500m`, `2`.
pub(crate) fn cpu(text: &str) -> Option<String> {
    let (number, suffix) = amount(text)?;
    let suffix = match suffix.to_lowercase().as_str() {
        "core" | "cores" | "cpu" | "cpus" | "vcpu" | "vcpus" => "",
        "mcpu" | "millicore" | "millicores" | "millicpu" => "m",
        _ if suffix == "m" => "m",
        _ => return None,
    };
    let mended = format!("{number}{suffix}");
    (quantity::bytes(&mended).is_ok() && mended != text).then_some(mended)
}

fn amount(text: &str) -> Option<(&str, &str)> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits);
    number.parse::<f64>().ok()?;
    Some((number, suffix.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_of_other_tools() {
        for (text, ours) in [
            ("5 minutes", "5m"),
            ("1 h", "1h"),
            ("1 hour 30 min", "1h30m"),
            ("1 hour and 30 minutes", "1h30m"),
            ("90sec", "90s"),
            ("2 Hours", "2h"),
            ("5 mintues", "5m"),
            ("5 minuts", "5m"),
            ("1.5 hours", "1.5h"),
            ("PT5M", "5m"),
            ("P1DT2H", "1d2h"),
            ("10S", "10s"),
        ] {
            assert_eq!(duration(text).as_deref(), Some(ours), "{text}");
        }
        for text in [
            "5",
            "90",
            "5M",
            "5 mseconds",
            "5 useconds",
            "5 microseconds",
            "1,5 h",
            "soon",
            "5 parsecs",
            "P1M",
            "PT",
            "P5",
            "-5 min",
            "5 m m",
            "1 week",
            "five min",
        ] {
            assert_eq!(duration(text), None, "{text}");
        }
        for (text, ours) in
            [("5m..1s", "1s..5m"), ("1s-5m", "1s..5m"), ("10 sec..5 min", "10s..5m"), ("1s to 2s", "1s..2s")]
        {
            assert_eq!(range(text).as_deref(), Some(ours), "{text}");
        }
        assert_eq!(range("a..b"), None);
    }

    #[test]
    fn amounts_of_other_tools() {
        for (text, ours) in [
            ("8GB", "8G"),
            ("8 GiB", "8Gi"),
            ("512mb", "512M"),
            ("512 Mi", "512Mi"),
            ("1.5gi", "1.5Gi"),
            ("64 KB", "64k"),
            ("8 G", "8G"),
        ] {
            assert_eq!(memory(text).as_deref(), Some(ours), "{text}");
        }
        for text in ["8g", "8Gb", "1,5 GB", "8 K", "8 cores", "GB", "-1GB", "lots"] {
            assert_eq!(memory(text), None, "{text}");
        }
        for (text, ours) in [("2 cores", "2"), ("500 m", "500m"), ("2 vCPU", "2"), ("250 millicores", "250m")]
        {
            assert_eq!(cpu(text).as_deref(), Some(ours), "{text}");
        }
        for text in ["two", "50%", "2GB", "2 k"] {
            assert_eq!(cpu(text), None, "{text}");
        }
    }
}
