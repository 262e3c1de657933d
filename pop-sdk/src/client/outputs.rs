//! What a run gives, as a type. Where it does not fit, the error names the place, what was expected and what came.

use serde::de::{DeserializeOwned, Error as _};
use serde_json::{Error, Value};

/// The value as `T`. `root` is what the value is called in errors.
pub(crate) fn read<T: DeserializeOwned>(value: &Value, root: &str) -> Result<T, Error> {
    T::deserialize(value).map_err(|error| {
        // Only text has places: the same value is read once more as text, and where that ends is what does not fit.
        let text = value.to_string();
        match serde_json::from_str::<T>(&text) {
            Err(from_text) => {
                let told = from_text.to_string();
                let message = told.rsplit_once(" at line ").map_or(told.as_str(), |(message, _)| message);
                let place = place(&text, from_text.column(), root);
                Error::custom(format!("`{place}`: {message}"))
            }
            Ok(_) => error,
        }
    })
}

/// A list or an object around a place.
enum Around {
    Item(usize),
    Field(Option<String>),
}

/// The place that a reader of compact JSON has come to after so many bytes: `outputs.rungs[1].height`.
/// Where something is missing in an object or a list, its end has been read.
fn place(text: &str, bytes: usize, root: &str) -> String {
    let mut around: Vec<Around> = Vec::new();
    let mut at = 0;
    let text = text.as_bytes();
    while at < bytes.min(text.len()) {
        match text[at] {
            b'{' => around.push(Around::Field(None)),
            b'[' => around.push(Around::Item(0)),
            b'}' | b']' => drop(around.pop()),
            b',' => match around.last_mut() {
                Some(Around::Item(index)) => *index += 1,
                Some(Around::Field(name)) => *name = None,
                None => {}
            },
            b'"' => {
                let start = at;
                at += 1;
                while at < text.len() && text[at] != b'"' {
                    at += if text[at] == b'\\' { 2 } else { 1 };
                }
                if let Some(Around::Field(name @ None)) = around.last_mut() {
                    *name = text.get(start..=at).and_then(|key| serde_json::from_slice(key).ok());
                }
            }
            _ => {}
        }
        at += 1;
    }
    around.iter().fold(root.to_owned(), |place, step| match step {
        Around::Item(index) => format!("{place}[{index}]"),
        Around::Field(Some(name)) => format!("{place}.{name}"),
        Around::Field(None) => place,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[expect(dead_code, reason = "only read")]
    struct Outputs {
        rungs: Vec<Rung>,
        by_name: BTreeMap<String, Rung>,
        pair: (u32, String),
    }

    #[derive(Debug, serde::Deserialize)]
    #[expect(dead_code, reason = "only read")]
    struct Rung {
        height: i64,
        name: Option<String>,
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let good = json!({ "by_name": {}, "pair": [1, "a"], "rungs": [{ "height": 1 }, { "height": 2, "name": "\\\"{[," }] });
        read::<Outputs>(&good, "outputs").unwrap();
        for (pointer, wrong, expected) in [
            (
                "/rungs/1/height",
                json!("tall"),
                "`outputs.rungs[1].height`: invalid type: string \"tall\", expected i64",
            ),
            (
                "/rungs/1/height",
                json!(1.5),
                "`outputs.rungs[1].height`: invalid type: floating point `1.5`, expected i64",
            ),
            ("/rungs/1", json!({ "name": "x" }), "`outputs.rungs[1]`: missing field `height`"),
            ("/rungs/0", json!({}), "`outputs.rungs[0]`: missing field `height`"),
            (
                "/rungs/1/name",
                json!(["a", {}]),
                "`outputs.rungs[1].name`: invalid type: sequence, expected a string",
            ),
            ("/rungs", json!(null), "`outputs.rungs`: invalid type: null, expected a sequence"),
            (
                "/by_name",
                json!({ "a.b \"c\"": { "height": 1 }, "d": { "height": true } }),
                "`outputs.by_name.d.height`: invalid type: boolean `true`, expected i64",
            ),
            ("/pair", json!([1]), "`outputs.pair`: invalid length 1, expected a tuple of size 2"),
            ("", json!([]), "`outputs`: invalid length 0, expected struct Outputs with 3 elements"),
            ("", json!({}), "`outputs`: missing field `rungs`"),
            ("", json!("a"), "`outputs`: invalid type: string \"a\", expected struct Outputs"),
        ] {
            let mut value = good.clone();
            *value.pointer_mut(pointer).unwrap() = wrong;
            assert_eq!(read::<Outputs>(&value, "outputs").unwrap_err().to_string(), expected);
        }
    }
}
