//! Names for the languages: from what a workflow calls something to what a program may call it.

use std::collections::HashSet;

/// The words of a name: cut at everything that is no ASCII letter or digit, and where a capital follows a small letter.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut open = false;
    let mut small = false;
    for c in name.chars() {
        if !c.is_ascii_alphanumeric() {
            open = false;
            continue;
        }
        if !open || (small && c.is_ascii_uppercase()) {
            words.push(String::new());
        }
        open = true;
        small = c.is_ascii_lowercase() || c.is_ascii_digit();
        if let Some(word) = words.last_mut() {
            word.push(c.to_ascii_lowercase());
        }
    }
    words
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + chars.as_str())
}

/// `snake_case`; never empty, never a digit in front.
pub(super) fn snake(name: &str) -> String {
    guarded(&words(name).join("_"), "field", "n")
}

/// `PascalCase`; never empty, never a digit in front.
pub(super) fn pascal(name: &str) -> String {
    guarded(&words(name).iter().map(|w| capital(w)).collect::<String>(), "Type", "N")
}

/// `camelCase`; never empty, never a digit in front.
pub(super) fn camel(name: &str) -> String {
    let words = words(name);
    let joined: String =
        words.iter().enumerate().map(|(i, w)| if i == 0 { w.clone() } else { capital(w) }).collect();
    guarded(&joined, "flow", "n")
}

/// `kebab-case`, for files; never empty.
pub(super) fn kebab(name: &str) -> String {
    let joined = words(name).join("-");
    if joined.is_empty() { "flow".to_owned() } else { joined }
}

fn guarded(name: &str, empty: &str, digit: &str) -> String {
    match name.chars().next() {
        None => empty.to_owned(),
        Some(c) if c.is_ascii_digit() => format!("{digit}{name}"),
        Some(_) => name.to_owned(),
    }
}

/// The names that are taken where a new one must go.
pub(super) struct Scope {
    taken: HashSet<String>,
    separator: &'static str,
}

impl Scope {
    /// Nothing is taken but these. The separator goes between a name and its number.
    pub(super) fn new<'n>(separator: &'static str, reserved: impl IntoIterator<Item = &'n str>) -> Self {
        Self { taken: reserved.into_iter().map(str::to_owned).collect(), separator }
    }

    /// Takes `name` if it is free.
    pub(super) fn try_take(&mut self, name: &str) -> bool {
        self.taken.insert(name.to_owned())
    }

    /// Takes `name`, or the name with a number behind it that is free.
    pub(super) fn take(&mut self, name: &str) -> String {
        let mut free = name.to_owned();
        let separator = if name.ends_with(self.separator) { "" } else { self.separator };
        let mut number = 2;
        while !self.try_take(&free) {
            free = format!("{name}{separator}{number}");
            number += 1;
        }
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_case_is_made_of_the_same_words() {
        for (name, expected) in [
            ("abr-ladder", ["abr_ladder", "AbrLadder", "abrLadder", "abr-ladder"]),
            ("hasVideo", ["has_video", "HasVideo", "hasVideo", "has-video"]),
            ("sha256sum", ["sha256sum", "Sha256sum", "sha256sum", "sha256sum"]),
            ("HTTP url", ["http_url", "HttpUrl", "httpUrl", "http-url"]),
            ("2fast", ["n2fast", "N2fast", "n2fast", "2fast"]),
            ("Zoë's", ["zo_s", "ZoS", "zoS", "zo-s"]),
            ("标题", ["field", "Type", "flow", "flow"]),
        ] {
            assert_eq!([snake(name), pascal(name), camel(name), kebab(name)], expected.map(str::to_owned));
        }
    }

    #[test]
    fn a_name_is_given_once() {
        let mut scope = Scope::new("_", ["type"]);
        assert_eq!(
            ["a", "type", "a", "a", "in_", "in_"].map(|n| scope.take(n)),
            ["a", "type_2", "a_2", "a_3", "in_", "in_2"]
        );
    }
}
