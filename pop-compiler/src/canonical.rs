//! Canonical bytes: one value always prints the same way, in whatever order its keys were written.

use std::io::{self, BufWriter, Write};

use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// The value with the keys of every object sorted.
pub fn sorted(value: Value) -> Value {
    let mut root = value;
    let mut stack = vec![&mut root];
    while let Some(value) = stack.pop() {
        match value {
            Value::Object(map) => {
                if !map.keys().is_sorted() {
                    let mut rows: Vec<(String, Value)> = std::mem::take(map).into_iter().collect();
                    rows.sort_by(|a, b| a.0.cmp(&b.0));
                    *map = rows.into_iter().collect::<Map<_, _>>();
                }
                stack.extend(map.values_mut());
            }
            Value::Array(items) => stack.extend(items.iter_mut()),
            _ => {}
        }
    }
    root
}

/// Bytes hashed at once.
const BUFFER: usize = 16 * 1024;

struct Bytes(Sha256);

impl Write for Bytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// SHA-256, in hexadecimal, of a canonical document's compact bytes. The compiler emits documents in canonical order,
/// so this function neither sorts nor copies.
pub fn digest<T: Serialize>(document: &T) -> String {
    let mut bytes = BufWriter::with_capacity(BUFFER, Bytes(Sha256::new()));
    // The data model has string keys only and no fallible `Serialize`, and a hash takes every byte, so this can't
    // fail.
    let written = serde_json::to_writer(&mut bytes, document).is_ok() && bytes.flush().is_ok();
    debug_assert!(written, "a canonical document can be written");
    let hash = bytes.into_parts().0.0.finalize();
    hash.iter().fold(String::with_capacity(64), |mut text, byte| {
        use std::fmt::Write as _;
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A document as text for a file: two spaces of indentation, a final newline.
pub fn pretty<T: Serialize>(document: &T) -> String {
    // The data model has string keys only and no fallible `Serialize`, so this can't fail.
    serde_json::to_string_pretty(document).unwrap_or_default() + "\n"
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn order_does_not_matter() {
        let (a, b) =
            (json!({"b": [{"d": 1, "c": 2}], "a": null}), json!({"a": null, "b": [{"c": 2, "d": 1}]}));
        assert_eq!(sorted(a.clone()).to_string(), sorted(b.clone()).to_string());
        assert_eq!(digest(&sorted(a.clone())), digest(&sorted(b)));
        assert_ne!(digest(&a), digest(&json!({"a": null})));
    }
}
