//! Names for the languages: from what a workflow calls something to what a program may call it.

use std::collections::HashSet;

/// Letters that stand in identifiers of each language as they are, whatever normal form it brings them to.
fn is_letter(c: char) -> bool {
    let whole = matches!(c,
        '\u{c0}'..='\u{24f}' // Latin
        | '\u{386}'..='\u{3ce}' // Greek
        | '\u{400}'..='\u{481}' | '\u{48a}'..='\u{52f}' // Cyrillic
        | '\u{561}'..='\u{586}' // Armenian
        | '\u{5d0}'..='\u{5ea}' // Hebrew
        | '\u{620}'..='\u{63f}' | '\u{641}'..='\u{64a}' // Arabic
        | '\u{e01}'..='\u{e30}' // Thai
        | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{4e00}'..='\u{9fff}' // Japanese, Chinese
        | '\u{ac00}'..='\u{d7a3}'); // Korean
    // Those that are other letters in another form.
    let other = matches!(c, '\u{132}' | '\u{133}' | '\u{13f}' | '\u{140}' | '\u{149}' | '\u{17f}' | '\u{1c4}'..='\u{1cc}' | '\u{1f1}'..='\u{1f3}');
    whole && c.is_alphabetic() && !other
}

/// The words of a name: cut at everything that is no letter or digit, and where a capital follows a small letter. Letters
/// that no language is sure to take are spelled by their numbers, so that different names stay different.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut open = false;
    let mut small = false;
    for c in name.chars() {
        if !c.is_ascii_alphanumeric() && !is_letter(c) {
            open = false;
            if c.is_alphanumeric() {
                words.push(format!("u{:x}", u32::from(c)));
            }
            continue;
        }
        if !open || (small && c.is_uppercase()) {
            words.push(String::new());
        }
        open = true;
        small = c.is_lowercase() || c.is_ascii_digit();
        if let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase().filter(|c| c.is_ascii() || is_letter(*c)));
        }
    }
    words
}

/// The name in ASCII letters and digits, for files: the others are left out, or spelled where nothing would be left.
pub(super) fn ascii(name: &str) -> String {
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { ' ' }).collect();
    if !plain.trim().is_empty() {
        return plain;
    }
    let spelled = name.chars().filter(|c| c.is_alphanumeric());
    spelled.map(|c| format!("u{:x}", u32::from(c))).collect::<Vec<_>>().join(" ")
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    let Some(first) = chars.next() else { return String::new() };
    let mut upper = first.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(only), None) if only.is_ascii() || is_letter(only) => format!("{only}{}", chars.as_str()),
        _ => word.to_owned(),
    }
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
    let joined = words(&ascii(name)).join("-");
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
            ("Zoë's", ["zoë_s", "ZoëS", "zoëS", "zo-s"]),
            ("größe", ["größe", "Größe", "größe", "gr-e"]),
            ("ÖlDruck", ["öl_druck", "ÖlDruck", "ölDruck", "l-druck"]),
            ("标题", ["标题", "标题", "标题", "u6807-u9898"]),
            ("ﬁle Ⓐ", ["ufb01_le_u24b6", "Ufb01LeU24b6", "ufb01LeU24b6", "le"]),
            ("🎉", ["field", "Type", "flow", "flow"]),
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
