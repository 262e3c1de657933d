//! Names for the languages: from what a workflow calls something to what a program may call it.

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
/// that no language is sure to take are spelled by their numbers, so that different names stay different; so are other
/// characters where a name has nothing else.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut open = false;
    let mut small = false;
    for c in name.chars() {
        if !c.is_ascii_alphanumeric() && !is_letter(c) {
            open = false;
            if c.is_alphanumeric() {
                words.push(spelled(c));
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
    if words.is_empty() { name.chars().map(spelled).collect() } else { words }
}

fn spelled(c: char) -> String {
    format!("u{:x}", u32::from(c))
}

/// The name in ASCII letters and digits, for files: the others are left out, or spelled where nothing would be left.
pub(super) fn ascii(name: &str) -> String {
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { ' ' }).collect();
    if !plain.trim().is_empty() {
        return plain;
    }
    let letters: Vec<String> = name.chars().filter(|c| c.is_alphanumeric()).map(spelled).collect();
    if letters.is_empty() {
        name.chars().map(spelled).collect::<Vec<_>>().join(" ")
    } else {
        letters.join(" ")
    }
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

/// The words behind others, each with a capital; digits behind digits stay apart.
fn capitals(start: &str, words: &[String]) -> String {
    words.iter().fold(start.to_owned(), |joined, word| {
        let digits =
            joined.ends_with(|c: char| c.is_ascii_digit()) && word.starts_with(|c: char| c.is_ascii_digit());
        joined + if digits { "_" } else { "" } + &capital(word)
    })
}

/// `snake_case`; never empty, never a digit in front.
pub(super) fn snake(name: &str) -> String {
    guarded(&words(name).join("_"), "field", "n")
}

/// `PascalCase`; never empty, never a digit in front.
pub(super) fn pascal(name: &str) -> String {
    guarded(&capitals("", &words(name)), "Type", "N")
}

/// `camelCase`; never empty, never a digit in front.
pub(super) fn camel(name: &str) -> String {
    let words = words(name);
    let Some((first, others)) = words.split_first() else { return "flow".to_owned() };
    guarded(&capitals(first, others), "flow", "n")
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

/// The name, with `_` behind it where it is one of these: no name that is made here ends so by itself.
pub(super) fn apart(name: String, reserved: &[&str]) -> String {
    if reserved.contains(&name.as_str()) { name + "_" } else { name }
}

/// Names that would be one where both are needed. What something is called follows from its own spelling only: if the
/// others had a say, a new name could silently take over one that programs use already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    /// What has these names, such as `inputs`.
    pub what: &'static str,
    /// The type that they are in.
    pub of: Option<String>,
    /// The two names in the workflow, in order.
    pub names: [String; 2],
    /// What both would be.
    pub name: String,
    /// What to do.
    pub advice: &'static str,
}

impl std::fmt::Display for Clash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [first, second] = self.names.each_ref().map(|name| shown(name));
        let of = self.of.as_ref().map(|of| format!(" of `{of}`")).unwrap_or_default();
        let Self { what, name, advice, .. } = self;
        write!(f, "the {what} `{first}` and `{second}`{of} both become `{name}`. {advice}")
    }
}

/// A name as a terminal can print it.
fn shown(name: &str) -> String {
    let mut shown = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_control() || super::is_direction(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// The clashes among what has these names: each comes with what it would be called. The same name may come twice.
pub(super) fn clashes<'n>(
    (what, of): (&'static str, Option<&str>),
    advice: &'static str,
    names: impl IntoIterator<Item = (&'n str, String)>,
) -> Vec<Clash> {
    let mut names: Vec<(String, &str)> = names.into_iter().map(|(name, called)| (called, name)).collect();
    names.sort();
    names.dedup();
    let clash = |(name, first): &(String, &str), second: &str| Clash {
        what,
        of: of.map(str::to_owned),
        names: [(*first).to_owned(), second.to_owned()],
        name: name.clone(),
        advice,
    };
    let pairs = names.windows(2).filter(|pair| pair[0].0 == pair[1].0);
    pairs.map(|pair| clash(&pair[0], pair[1].1)).collect()
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
            ("🎉", ["u1f389", "U1f389", "u1f389", "u1f389"]),
            ("<=", ["u3c_u3d", "U3cU3d", "u3cU3d", "u3c-u3d"]),
            ("23.976", ["n23_976", "N23_976", "n23_976", "23-976"]),
            ("", ["field", "Type", "flow", "flow"]),
        ] {
            assert_eq!([snake(name), pascal(name), camel(name), kebab(name)], expected.map(str::to_owned));
        }
    }

    #[test]
    fn names_that_would_be_one_clash() {
        let found = |names: &[&'static str]| {
            let clashes =
                clashes(("inputs", None), "Rename one.", names.iter().map(|name| (*name, snake(name))));
            clashes.iter().map(Clash::to_string).collect::<Vec<_>>()
        };
        assert_eq!(found(&["a", "b", "a"]), [""; 0]);
        assert_eq!(
            found(&["bitRate", "x", "bit-rate"]),
            ["the inputs `bit-rate` and `bitRate` both become `bit_rate`. Rename one."]
        );
        assert_eq!(found(&["a b", "a-b", "a_b"]).len(), 2);
    }
}
