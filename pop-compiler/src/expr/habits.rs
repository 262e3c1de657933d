//! What people write in `${…}` and `when` out of habit, because most languages have it: operators, functions, filters.
//! Only looked for where a text can't be read as a reference.

use std::ops::Range;

use super::is_name_char;

/// Something that other languages have in an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Habit {
    /// `==`, `<`, `in`, `is`.
    Comparison,
    /// `&&`, `or`.
    Logic,
    /// `!`, `not`.
    Not,
    /// `a ? b : c`, `a if b else c`.
    Choice,
    /// `join(…)`.
    Function,
    /// `+`, `%`.
    Arithmetic,
    /// `| upper`.
    Filter,
    /// A reference behind `??`.
    ReferenceAsDefault,
    /// A second `??`.
    SecondDefault,
    /// `(a.b)`.
    Parentheses,
    /// `a?.b`, `a.b?`.
    Optional,
    /// `${file%.*}`, `${HOME:-/tmp}`.
    Shell,
}

/// Words that compare.
const COMPARE: &[&str] = &[
    "in",
    "is",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "contains",
    "matches",
    "startswith",
    "endswith",
    "like",
];
/// Words that join conditions.
const LOGIC: &[&str] = &["and", "or", "xor", "AND", "OR"];
/// Operators, longest first.
const OPERATORS: &[(&str, Habit)] = &[
    ("===", Habit::Comparison),
    ("!==", Habit::Comparison),
    ("==", Habit::Comparison),
    ("!=", Habit::Comparison),
    ("=~", Habit::Comparison),
    ("<=", Habit::Comparison),
    (">=", Habit::Comparison),
    ("<>", Habit::Comparison),
    ("&&", Habit::Logic),
    ("||", Habit::Logic),
    ("**", Habit::Arithmetic),
    ("//", Habit::Arithmetic),
    ("=", Habit::Comparison),
    ("<", Habit::Comparison),
    (">", Habit::Comparison),
    ("!", Habit::Not),
    ("&", Habit::Logic),
    ("|", Habit::Filter),
    ("+", Habit::Arithmetic),
    ("*", Habit::Arithmetic),
    ("/", Habit::Arithmetic),
    ("%", Habit::Arithmetic),
];

/// The longest text that is looked at, in bytes.
const LONGEST: usize = 1000;

/// How many bytes of `rest`, the text behind `${`, belong to the expression; its `}` is the next one. Braces and quotes in
/// it are counted.
pub(super) fn length(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut escaped = false;
    for (i, c) in rest.char_indices().take_while(|(i, _)| *i < LONGEST) {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), _) if open == c => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '{') => depth += 1,
            (None, '}') if depth == 0 => return i,
            (None, '}') => depth -= 1,
            _ => {}
        }
    }
    rest.find('}').unwrap_or(rest.len())
}

/// The first habit in `text`, the inside of a `${…}`, and where it is.
pub(crate) fn find(text: &str) -> Option<(Range<usize>, Habit)> {
    let text = &text[..text.floor_char_boundary(LONGEST)];
    // another tool's second pair of braces
    if let Some(inner) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
        return find(inner).map(|(at, habit)| (at.start + 1..at.end + 1, habit));
    }
    if let Some(at) = shell(text) {
        return Some((at, Habit::Shell));
    }
    Scan { text, at: 0, value: None, default: false, open: None }.run()
}

/// The first habit in a condition that is no reference. Each `${…}` in it counts as a value.
pub(crate) fn in_condition(text: &str) -> Option<(Range<usize>, Habit)> {
    let text = &text[..text.floor_char_boundary(LONGEST)];
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let end = (at + 2 + length(&rest[at + 2..]) + 1).min(rest.len());
        masked.push_str(&rest[..at]);
        masked.push_str(&"x".repeat(end - at));
        rest = &rest[end..];
    }
    masked.push_str(rest);
    Scan { text: &masked, at: 0, value: None, default: false, open: None }.run()
}

/// What a shell does with a variable. A name without a dot that an operator follows directly, or stands before.
fn shell(text: &str) -> Option<Range<usize>> {
    if matches!(text, "@" | "*" | "?" | "#" | "$" | "!") {
        return Some(0..1);
    }
    let array =
        |text: &str| text.len() - text.strip_suffix("[@]").or(text.strip_suffix("[*]")).unwrap_or(text).len();
    if let Some(name) = text.strip_prefix(['#', '!']) {
        let name = &name[..name.len() - array(name)];
        let variable = !name.is_empty() && name.chars().all(|c| is_name_char(c) && c != '-');
        return variable.then_some(0..1);
    }
    if text.ends_with("[@]") && text[..text.len() - 3].chars().all(is_name_char) {
        return Some(text.len() - 3..text.len());
    }
    let name = text.find(|c: char| !is_name_char(c)).filter(|end| *end > 0)?;
    let rest = &text[name..];
    let next = rest.chars().nth(1)?;
    let operator = match rest.chars().next()? {
        ':' => "-=+?".contains(next) || next.is_ascii_digit(),
        '%' | '#' => !next.is_ascii_digit() && !next.is_whitespace(),
        '/' => rest[1..].contains('/') && !next.is_whitespace(),
        '@' => next.is_ascii_uppercase(),
        '^' => next == '^',
        ',' => next == ',',
        _ => false,
    };
    operator.then(|| name..name + rest.chars().next().map_or(1, char::len_utf8))
}

struct Scan<'t> {
    text: &'t str,
    at: usize,
    /// Where the value before this place ends, if there is one.
    value: Option<usize>,
    /// Behind `??`.
    default: bool,
    /// The first `(` that calls nothing.
    open: Option<usize>,
}

impl Scan<'_> {
    fn run(mut self) -> Option<(Range<usize>, Habit)> {
        while let Some(c) = self.text[self.at..].chars().next() {
            let start = self.at;
            if let Some(habit) = self.step(c) {
                return Some((start..self.at, habit));
            }
        }
        self.open.map(|at| (at..at + 1, Habit::Parentheses))
    }

    /// Goes past what begins at the next character, `c`. At a habit, that is the part which names it.
    fn step(&mut self, c: char) -> Option<Habit> {
        let rest = &self.text[self.at..];
        if is_name_char(c) {
            return self.word();
        }
        if rest.starts_with("??") {
            let second = self.default;
            (self.at, self.value, self.default) = (self.at + 2, None, true);
            return second.then_some(Habit::SecondDefault);
        }
        if let (None, Some(length)) = (self.value, if "[{".contains(c) { bracket(rest) } else { None }) {
            return self.literal(length); // a list
        }
        match c {
            '\'' | '"' => return self.literal(quoted(rest)),
            '[' => return self.literal(bracket(rest).unwrap_or(rest.len())),
            '(' => {
                if self.value == Some(self.at) && self.at > 0 {
                    self.at += 1;
                    return Some(Habit::Function);
                }
                self.open = self.open.or(Some(self.at));
            }
            '?' if self.value.is_some() => return self.question(),
            _ => {
                let found = OPERATORS.iter().find(|(operator, _)| rest.starts_with(operator));
                if let Some((operator, habit)) = found {
                    self.at += operator.len();
                    return Some(*habit);
                }
            }
        }
        self.at += c.len_utf8();
        None
    }

    fn literal(&mut self, length: usize) -> Option<Habit> {
        self.at += length;
        self.value = Some(self.at);
        None
    }

    fn question(&mut self) -> Option<Habit> {
        let rest = &self.text[self.at + 1..];
        self.at += 1;
        if rest.starts_with(':') {
            return None; // another language's `??`
        }
        let chained = rest.starts_with(['.', '[', '}']) || rest.trim().is_empty();
        Some(if chained { Habit::Optional } else { Habit::Choice })
    }

    fn word(&mut self) -> Option<Habit> {
        let rest = &self.text[self.at..];
        let length = rest.find(|c: char| !is_name_char(c) && c != '.').unwrap_or(rest.len());
        let (word, after) = rest.split_at(length);
        let word = word.trim_end_matches('.');
        let before = self.value.replace(self.at + length);
        let spaced = before.is_some_and(|end| self.text[end..self.at].contains([' ', '\t']));
        let start = self.at;
        self.at += length;
        if after.starts_with('(') && !LOGIC.contains(&word) && !["not", "in", "if"].contains(&word) {
            return Some(Habit::Function);
        }
        let follows = !after.trim().is_empty();
        if before.is_none() && ["not", "NOT"].contains(&word) && follows {
            self.at = start + word.len();
            return Some(Habit::Not);
        }
        if spaced {
            let habit = match word {
                "if" => Habit::Choice,
                "not" => Habit::Comparison,
                _ if COMPARE.contains(&word) && follows => Habit::Comparison,
                _ if LOGIC.contains(&word) && follows => Habit::Logic,
                _ if word.starts_with('-') => Habit::Arithmetic,
                _ => return None,
            };
            self.at = start + if word.starts_with('-') { 1 } else { word.len() };
            return Some(habit);
        }
        let literal = matches!(word.to_lowercase().as_str(), "true" | "false" | "null" | "none" | "nil")
            || word.starts_with(|c: char| c.is_ascii_digit() || c == '-');
        let path = word.contains('.') || after.starts_with(['.', '[']);
        (self.default && !literal && path).then_some(Habit::ReferenceAsDefault)
    }
}

/// The length of the text in quotes at the beginning of `text`.
fn quoted(text: &str) -> usize {
    let mut chars = text.char_indices();
    let quote = chars.next().map(|(_, c)| c);
    let mut escaped = false;
    for (i, c) in chars {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if Some(c) == quote => return i + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// The length of what is in brackets at the beginning of `text`, if they are closed.
fn bracket(text: &str) -> Option<usize> {
    let mut at = 1;
    let mut depth = 1_usize;
    while let Some(c) = text[at..].chars().next() {
        at += match c {
            '\'' | '"' => quoted(&text[at..]),
            c => c.len_utf8(),
        };
        match c {
            '[' | '{' => depth += 1,
            ']' | '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::Habit::{
        Arithmetic, Choice, Comparison, Filter, Function, Logic, Not, Optional, Parentheses,
        ReferenceAsDefault, SecondDefault, Shell,
    };
    use super::*;

    #[test]
    fn the_first_habit_is_named() {
        for (text, shown, habit) in [
            ("inputs.mode == 'a == b'", "==", Comparison),
            ("inputs.file != null", "!=", Comparison),
            ("a.n<5", "<", Comparison),
            ("a.n >= 5", ">=", Comparison),
            ("inputs.x in ['a', 'b']", "in", Comparison),
            ("inputs.x not in ['a']", "not", Comparison),
            ("inputs.x is none", "is", Comparison),
            ("a.x = 1", "=", Comparison),
            ("'fast' == inputs.mode", "==", Comparison),
            ("a.x && b.y", "&&", Logic),
            ("a.x || b.y", "||", Logic),
            ("a.x and b.y", "and", Logic),
            ("!inputs.skip", "!", Not),
            ("! (a.x == 1)", "!", Not),
            ("not inputs.skip", "not", Not),
            ("a.x ? 'b' : 'c'", "?", Choice),
            ("'b' if a.x else 'c'", "if", Choice),
            ("join(a.x, ',')", "join", Function),
            ("a.x.length()", "a.x.length", Function),
            ("a['x'](1)", "(", Function),
            ("a.x + 1", "+", Arithmetic),
            ("a.x - 1", "-", Arithmetic),
            ("a.x -1", "-", Arithmetic),
            ("a.x % 2", "%", Arithmetic),
            ("1 + a.x", "+", Arithmetic),
            ("a.x | upper", "|", Filter),
            ("a.x|default('b')", "|", Filter),
            ("a.x ?? b.y", "b.y", ReferenceAsDefault),
            ("a.x ?? inputs['y']", "inputs", ReferenceAsDefault),
            ("a.x ?? 'b' ?? 'c'", "??", SecondDefault),
            ("(a.x)", "(", Parentheses),
            ("a?.x", "?", Optional),
            ("a.x?", "?", Optional),
            ("file%.*", "%", Shell),
            ("file##*/", "#", Shell),
            ("HOME:-/tmp", ":", Shell),
            ("#args", "#", Shell),
            ("#args[@]", "#", Shell),
            ("args[@]", "[@]", Shell),
            ("@", "@", Shell),
            ("x//a/b", "/", Shell),
            ("{ a.x | upper }", "|", Filter),
            ("{ a.x == 'b' }", "==", Comparison),
        ] {
            let (at, found) = find(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((&text[at], found), (shown, habit), "{text}");
        }
    }

    #[test]
    fn what_is_only_misspelt_is_no_habit() {
        for text in [
            "",
            "a b",
            "a.",
            "a[x]",
            "a ?? oops",
            "a['x",
            "5[",
            "not",
            "a.in",
            "a.x ?: 'b'",
            "a ?? None",
            "é.日",
            "{ a.x }",
        ] {
            assert_eq!(find(text), None, "{text}");
        }
    }

    #[test]
    fn an_expression_ends_at_its_own_brace() {
        for (text, inside) in [
            ("a}b}", "a"),
            ("a == '}'} b", "a == '}'"),
            ("f({a: 1})} b", "f({a: 1})"),
            ("a == '} b", "a == '"),
            ("a", "a"),
        ] {
            assert_eq!(&text[..length(text)], inside);
        }
    }

    #[test]
    fn a_condition_has_references_in_it() {
        for (text, shown, habit) in [
            ("${inputs.mode} == fast", "==", Comparison),
            ("!${a.x}", "!", Not),
            ("${a == b} && ${c.d}", "&&", Logic),
            ("success()", "success", Function),
            ("inputs.a and inputs.b", "and", Logic),
        ] {
            let (at, found) = in_condition(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((&text[at], found), (shown, habit), "{text}");
        }
        for text in ["inputs.skip", "yes", "${a.x}", "x${a.x}", ""] {
            assert_eq!(in_condition(text), None, "{text}");
        }
    }
}
