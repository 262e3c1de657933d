//! Keeps secret values out of what people read: log lines, quoted lines and messages of an attempt.

use std::borrow::Cow;

use crate::api::Failure;
use serde_json::Value;

/// What stands in the place of a secret.
const MASK: &str = "***";
/// A shorter value is not masked: it would tear holes into everything.
const SHORTEST: usize = 4;
/// The lines of a secret (a key in several lines) are masked one by one from this length on.
const SHORTEST_LINE: usize = 8;

/// Finds the secret values of one attempt. Cheap when there are none.
#[derive(Clone, Debug, Default)]
pub struct Masker {
    /// Longest first, so that a secret inside another one does not leave the rest of that one.
    secrets: Vec<String>,
}

impl Masker {
    /// The texts and numbers of `input` at these JSON pointers; a part that is `*` means each item of a list or map.
    pub fn new(input: &Value, pointers: &[String]) -> Self {
        let mut values = Vec::new();
        for pointer in pointers {
            let parts: Vec<&str> = pointer.strip_prefix('/').into_iter().flat_map(|p| p.split('/')).collect();
            find(input, &parts, &mut values);
        }
        let mut secrets = Vec::new();
        for value in values {
            // A program may print its whole input, where the secret stands as a JSON text.
            let quoted = Value::from(value.as_str()).to_string();
            secrets.push(quoted[1..quoted.len() - 1].to_owned());
            secrets.extend(value.lines().filter(|l| l.len() >= SHORTEST_LINE).map(str::to_owned));
            secrets.push(value);
        }
        secrets.retain(|secret| secret.len() >= SHORTEST);
        secrets.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        secrets.dedup();
        Self { secrets }
    }

    /// Whether there is nothing to mask.
    pub fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    /// The text with each secret masked.
    pub fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for secret in &self.secrets {
            if text.contains(secret.as_str()) {
                text = Cow::Owned(text.replace(secret.as_str(), MASK));
            }
        }
        text
    }

    /// Masks what a failure says.
    pub fn mask_failure(&self, failure: &mut Failure) {
        if self.is_empty() {
            return;
        }
        let found = failure.mismatch.iter_mut().map(|mismatch| &mut mismatch.found);
        for text in std::iter::once(&mut failure.message).chain(&mut failure.log_tail).chain(found) {
            if let Cow::Owned(masked) = self.mask(text) {
                *text = masked;
            }
        }
    }

    /// The value with each secret in its texts and numbers masked. Recursion is bounded by the depth that JSON is read to.
    pub(super) fn mask_value(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Cow::Owned(masked) = self.mask(text) {
                    *text = masked;
                }
            }
            Value::Number(number) => {
                let text = number.to_string();
                if let Cow::Owned(masked) = self.mask(&text) {
                    *value = Value::from(masked);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.mask_value(item)),
            Value::Object(map) => map.values_mut().for_each(|item| self.mask_value(item)),
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// How much of the start of `bytes` can be told now: what follows may be the beginning of a secret. The number never
    /// lies inside of a whole secret.
    pub fn complete(&self, bytes: &[u8]) -> usize {
        let mut complete = bytes.len();
        for secret in self.secrets.iter().map(String::as_bytes) {
            let longest = bytes.len().min(secret.len() - 1);
            if let Some(n) = (1..=longest).rev().find(|n| secret.starts_with(&bytes[bytes.len() - n..])) {
                complete = complete.min(bytes.len() - n);
            }
        }
        // A whole secret that lies across that place goes with what is before it: holding it back could go on for ever.
        loop {
            let crossing = self.secrets.iter().find_map(|secret| {
                let from = complete.saturating_sub(secret.len() - 1);
                let to = (complete + secret.len() - 1).min(bytes.len());
                let found = bytes[from..to].windows(secret.len()).position(|w| w == secret.as_bytes())?;
                Some(from + found + secret.len())
            });
            match crossing {
                Some(end) => complete = end,
                None => return complete,
            }
        }
    }
}

fn find(value: &Value, parts: &[&str], found: &mut Vec<String>) {
    let Some((part, rest)) = parts.split_first() else {
        match value {
            Value::String(text) => found.push(text.clone()),
            Value::Number(number) => found.push(number.to_string()),
            Value::Array(items) => items.iter().for_each(|item| find(item, &[], found)),
            Value::Object(map) => map.values().for_each(|item| find(item, &[], found)),
            Value::Null | Value::Bool(_) => {}
        }
        return;
    };
    match value {
        Value::Array(items) if *part == "*" => items.iter().for_each(|item| find(item, rest, found)),
        Value::Object(map) if *part == "*" => map.values().for_each(|item| find(item, rest, found)),
        Value::Array(items) => {
            if let Some(item) = part.parse::<usize>().ok().and_then(|i| items.get(i)) {
                find(item, rest, found);
            }
        }
        Value::Object(map) => {
            if let Some(item) = map.get(&part.replace("~1", "/").replace("~0", "~")) {
                find(item, rest, found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn masker(input: &Value, pointers: &[&str]) -> Masker {
        Masker::new(input, &pointers.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn secrets_are_found_by_their_pointers() {
        let input = json!({"a/b": "s3cret", "n": 123_456, "l": [{"k": "first"}, {"k": "other"}], "open": "fine", "pin": "123"});
        let masker = masker(&input, &["/a~1b", "/n", "/l/*/k", "/pin", "/absent/x"]);
        assert_eq!(masker.mask("s3cret 123456 first other fine 123"), "*** *** *** *** fine 123");
        assert!(Masker::default().is_empty());
    }

    #[test]
    fn a_secret_inside_json_and_each_line_of_one_is_masked() {
        let masker = masker(&json!({"s": "say \"hi\"\nsecond line"}), &["/s"]);
        assert_eq!(masker.mask(r#"{"s":"say \"hi\"\nsecond line"}"#), r#"{"s":"***"}"#);
        assert_eq!(masker.mask("> second line"), "> ***");
    }

    #[test]
    fn what_may_begin_a_secret_is_held_back() {
        let masker = masker(&json!({"s": "abcabd", "t": "wxyz"}), &["/s", "/t"]);
        for (text, complete) in
            [("", 0), ("xx", 2), ("xabc", 1), ("xabcab", 1), ("xabcabd", 7), ("abcabdwx", 6)]
        {
            assert_eq!(masker.complete(text.as_bytes()), complete, "{text}");
        }
    }
}
