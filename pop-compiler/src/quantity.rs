//! Kubernetes resource quantities: `100m`, `0.5`, `4`, `8Gi`, `512M`, `1e3`.

use std::fmt;

/// Reason why a text is not a quantity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuantityError(String);

impl fmt::Display for QuantityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for QuantityError {}

/// Reads a quantity in thousandths, rounded up: Kubernetes' millicores of CPU.
///
/// # Errors
/// The text is not a quantity. The message quotes the text and shows valid quantities.
pub fn millis(text: &str) -> Result<u64, QuantityError> {
    scaled(text, 1000.0)
}

/// Reads a quantity in whole units, rounded up: bytes of memory.
///
/// # Errors
/// As [`millis`].
pub fn bytes(text: &str) -> Result<u64, QuantityError> {
    scaled(text, 1.0)
}

fn scaled(text: &str, per_unit: f64) -> Result<u64, QuantityError> {
    let wrong = || {
        QuantityError(format!(
            "invalid quantity `{text}`: write a quantity such as `500m`, `0.5` or `4` (CPU), `512Mi` or `8Gi` (memory)"
        ))
    };
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits);
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let factor = match suffix {
        "" => 1.0,
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024.0,
        "Mi" => 1024f64.powi(2),
        "Gi" => 1024f64.powi(3),
        "Ti" => 1024f64.powi(4),
        "Pi" => 1024f64.powi(5),
        "Ei" => 1024f64.powi(6),
        other => {
            let exponent = other.strip_prefix(['e', 'E']).ok_or_else(wrong)?;
            10f64.powi(exponent.parse::<i8>().map_err(|_| wrong())?.into())
        }
    };
    let value = (number * factor * per_unit - 1e-9).ceil().max(0.0);
    if !value.is_finite() || value > 9e18 {
        return Err(QuantityError(format!("invalid quantity `{text}`: too large")));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked just above")]
    Ok(value as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms() {
        for (text, value) in
            [("100m", 100), ("0.5", 500), ("4", 4000), ("1e3", 1_000_000), ("2k", 2_000_000), ("0.1", 100)]
        {
            assert_eq!(millis(text), Ok(value), "{text}");
        }
        for (text, value) in [
            ("8Gi", 8 << 30),
            ("512M", 512_000_000),
            ("1Ki", 1024),
            ("1000m", 1),
            ("1E3", 1000),
            ("1.5Gi", 3 << 29),
        ] {
            assert_eq!(bytes(text), Ok(value), "{text}");
        }
        for text in ["", "x", "4 Gi", "-1", "1.2.3", "5GB", "1e999", "Gi"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }
}
