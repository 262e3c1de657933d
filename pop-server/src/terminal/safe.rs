//! Makes text of programs and servers safe for a terminal: the text can neither control the terminal nor imitate other
//! output.

use std::io::IsTerminal as _;

/// Safe text in one line: control characters (with those of escape sequences) and marks that change the direction of
/// text become spaces.
pub fn one_line(text: &str) -> String {
    text.chars().map(|c| if is_unsafe(c) { ' ' } else { c }).collect()
}

/// Safe text in several lines, as in a log: escape sequences are removed. Control characters other than tabs and line
/// breaks become `�`.
pub fn lines(text: &str) -> String {
    let kept = |c: char| matches!(c, '\n' | '\t') || !is_unsafe(c);
    let text = text.replace("\r\n", "\n");
    let plain = anstream::adapter::strip_str(&text).to_string();
    plain.chars().map(|c| if kept(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
}

/// A log for standard output: unchanged for a file or another program, and as [`lines`] for a terminal.
pub fn log(text: &str) -> String {
    if std::io::stdout().is_terminal() { lines(text) } else { text.to_owned() }
}

/// Safe JSON text with the same value: characters that control a terminal are escaped. Such characters occur only
/// inside strings.
pub fn json(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if c != '\n' && is_unsafe(c) {
            safe += &format!("\\u{:04x}", u32::from(c));
        } else {
            safe.push(c);
        }
    }
    safe
}

fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIPBOARD: &str = "\u{1b}]52;c;ZXZpbA==\u{7}";

    #[test]
    fn a_title_can_not_forge_a_row() {
        let title = format!("x\nag_0000  succeeded{CLIPBOARD}\u{9b}2J\u{202e}");
        let safe = one_line(&title);
        assert!(!safe.contains(['\n', '\u{1b}', '\u{7}', '\u{9b}', '\u{202e}']), "{safe:?}");
        assert!(safe.starts_with("x ag_0000"));
    }

    #[test]
    fn a_log_keeps_its_lines_and_loses_its_powers() {
        let log = format!("a\tb\r\n\u{1b}[31mred\u{1b}[0m{CLIPBOARD}\nz\u{8}\u{202e}!");
        assert_eq!(lines(&log), "a\tb\nred\nz\u{fffd}!");
    }

    #[test]
    fn json_means_the_same() {
        let value = serde_json::json!({"k\u{9b}": "\u{202e}x\u{7f}", "n": [1, "é"]});
        let text = json(&serde_json::to_string_pretty(&value).unwrap());
        assert!(!text.contains(['\u{9b}', '\u{202e}', '\u{7f}']));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
