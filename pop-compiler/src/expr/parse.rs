//! The parser of `${…}`: one left-to-right pass over the string.

use std::ops::Range;

use serde_json::{Map, Value as Json};

use super::ends::Ends;
use super::habits::Habit;
use super::rules;
use super::{Native, Part, Reference, Root, Segment, Template, habits, is_name_char};
use crate::budget;
use crate::diagnostic::Diagnostic;
use crate::reference as token;
use crate::source::{FileId, Span, Spanned};
use crate::tree::Text;

/// Reads a string. `next_id` numbers the references. A broken reference is reported and left out.
pub(crate) fn parse(file: FileId, text: Text, next_id: &mut u32, out: &mut Vec<Diagnostic>) -> Template {
    let value = text.value.as_str();
    if !value.contains("${") && !value.contains("@<") {
        let parts = if value.is_empty() { Vec::new() } else { vec![Part::Text(text.value)] };
        return Template { parts, broken: false };
    }
    let text = &text;
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut at = 0;
    let mut broken = false;
    let mut ends = Ends::new(value);
    while let Some(found) = value[at..].find(['$', '@']) {
        literal.push_str(&value[at..at + found]);
        at += found;
        let rest = &value[at..];
        if rest.starts_with("$${") {
            literal.push_str("${");
            at += 3;
        } else if rest.starts_with("${") {
            let mut parser = Parser { file, text, at: at + 2, start: at };
            let parsed = parser.reference(*next_id);
            flush(&mut literal, &mut parts);
            match parsed {
                Ok(reference) => {
                    *next_id += 1;
                    at = parser.at;
                    parts.push(Part::Reference(Box::new(reference)));
                }
                Err(finding) => {
                    broken = true;
                    out.push(parser.habit().unwrap_or(*finding));
                    budget::enforce(out);
                    at = (at + 2 + habits::length(&value[at + 2..]) + 1).min(value.len());
                }
            }
        } else if let Some(native) = native(file, text, at, &mut ends, &literal, *next_id, out) {
            *next_id += u32::from(native.reference.is_some());
            flush(&mut literal, &mut parts);
            at += native.text.len();
            parts.push(Part::Native(Box::new(native)));
        } else {
            literal.push_str(&rest[..1]);
            at += 1;
        }
    }
    literal.push_str(&value[at..]);
    flush(&mut literal, &mut parts);
    parts.shrink_to_fit();
    Template { parts, broken }
}

fn flush(literal: &mut String, parts: &mut Vec<Part>) {
    if !literal.is_empty() {
        parts.push(Part::Text(std::mem::take(literal)));
    }
}

/// The native token at `at`, unless an odd number of backslashes before it takes its meaning away.
fn native(
    file: FileId,
    text: &Text,
    at: usize,
    ends: &mut Ends<'_>,
    before: &str,
    id: u32,
    out: &mut Vec<Diagnostic>,
) -> Option<Native> {
    let body = text.value[at..].strip_prefix("@<")?;
    let escapes = before.bytes().rev().take_while(|b| *b == b'\\').count();
    if escapes % 2 == 1 {
        return None;
    }
    let end = ends.behind(at + 2)? - (at + 2);
    if end == 0 || body.as_bytes()[end] != b'>' {
        return None;
    }
    let whole = &text.value[at..at + end + 3];
    let span = text.span(file, at, at + whole.len());
    let token = token::whole(whole)?;
    let mut path = Vec::new();
    let place = |from: &str, len: usize| {
        // a slice of the token, so its address says where it stands
        let start = at + (from.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize);
        text.span(file, start, start + len)
    };
    let mut broken = false;
    if let Some(pointer) = token.pointer.filter(|p| !p.is_empty() && *p != "/") {
        let steps = pointer.strip_prefix('/').unwrap_or(pointer).split('/');
        for (raw, key) in steps.zip(token.path()) {
            if let Some(bad) = bad_escape(raw) {
                broken = true;
                out.push(rules::bad_pointer::escape(place(&raw[bad..], 1), raw));
            }
            path.push(Spanned::new(Segment::Field(key), place(raw, raw.len())));
        }
    }
    let name = place(token.name, token.name.len());
    let root = match token::operation_of(token.name) {
        Some(operation) => Root::Operation(operation.to_owned()),
        None if matches!(token.name, "pop.payload" | "pop.transformRequest") => Root::Inputs,
        None => {
            path.insert(0, Spanned::new(Segment::Field(token.name.to_owned()), name));
            Root::Inputs
        }
    };
    let default = token.default_value().map(|value| Box::new(Spanned::new(value, span)));
    let known = !broken && (token::operation_of(token.name).is_some() || !token.name.starts_with("pop."))
        || matches!(token.name, "pop.payload" | "pop.transformRequest");
    let reference = known.then(|| Reference { id, root: Spanned::new(root, name), path, default, span });
    Some(Native { text: whole.to_owned(), reference, span })
}

/// Where a `~` stands that is followed by none of `0` to `3`.
fn bad_escape(key: &str) -> Option<usize> {
    key.match_indices('~')
        .find(|(i, _)| !matches!(key.as_bytes().get(i + 1), Some(b'0'..=b'3')))
        .map(|(i, _)| i)
}

struct Parser<'t> {
    file: FileId,
    text: &'t Text,
    at: usize,
    /// Where `${` is.
    start: usize,
}

type Parsed<T> = Result<T, Box<Diagnostic>>;

impl Parser<'_> {
    fn rest(&self) -> &str {
        self.text.value.get(self.at..).unwrap_or_default()
    }

    fn span(&self, start: usize, end: usize) -> Span {
        self.text.span(self.file, start, end)
    }

    fn skip_spaces(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t']).len();
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn fail<T>(&self, message: impl Into<String>, label: &str) -> Parsed<T> {
        Err(Box::new(self.finding(message, label)))
    }

    /// A finding at the next character.
    fn finding(&self, message: impl Into<String>, label: &str) -> Diagnostic {
        let end = self.at + self.rest().chars().next().map_or(0, char::len_utf8);
        let span = if end > self.at { self.span(self.at, end) } else { self.span(self.start, self.at) };
        rules::bad_expression::report(span, message, label)
    }

    /// A finding for what other languages have, when that is why this can't be read. The place is where the parser
    /// started.
    fn habit(&self) -> Option<Diagnostic> {
        let begin = self.start + 2;
        let whole = &self.text.value[begin..];
        let length = habits::length(whole);
        let (at, habit) = habits::find(&whole[..length])?;
        let rest = &whole[at.start..length];
        if habit == Habit::Logic && rest.starts_with("||") && self.is_default(&rest[2..]) {
            return None; // another language's `??`
        }
        let span = |range: Range<usize>| self.span(begin + range.start, begin + range.end);
        let shown = &whole[at.clone()];
        let finding = rules::bad_expression::habit(span(at.clone()), habit, shown, "`${…}`");
        Some(match habit {
            Habit::Parentheses => {
                match whole[..length].trim().strip_prefix('(').and_then(|w| w.strip_suffix(')')) {
                    Some(inner) if !inner.contains(['(', ')']) => {
                        let close = whole[..length].rfind(')').unwrap_or_default();
                        finding.edit(span(at), "").edit(span(close..close + 1), "")
                    }
                    _ => finding,
                }
            }
            Habit::Optional => finding.edit(span(at), ""),
            Habit::Shell => finding.edit(self.span(self.start, self.start), "$"),
            _ => finding,
        })
    }

    /// Whether this is a literal and nothing else.
    fn is_default(&self, text: &str) -> bool {
        let text = Text::plain(text.trim().to_owned(), 0);
        let mut parser = Parser { file: self.file, text: &text, at: 0, start: 0 };
        parser.literal().is_ok() && parser.rest().is_empty()
    }

    fn reference(&mut self, id: u32) -> Parsed<Reference> {
        self.skip_spaces();
        if self.rest().starts_with('}') {
            self.at += 1;
            let span = self.span(self.start, self.at);
            return Err(Box::new(rules::bad_expression::report(span, "empty reference", "no name")));
        }
        if self.rest().starts_with('{')
            && let Some(end) = self.rest().find('}').map(|end| self.at + end)
            && self.text.value[end..].starts_with("}}")
        {
            let finding = self
                .finding("invalid reference: expected one brace on each side", "one too many")
                .edit(self.span(self.at, self.at + 1), "")
                .edit(self.span(end, end + 1), "");
            return Err(Box::new(finding));
        }
        let root = self.root()?;
        let mut path = Vec::new();
        loop {
            let start = self.at;
            let segment = if self.eat(".") {
                let start = self.at;
                let Some(name) = self.name() else {
                    let finding = self.finding("missing field name after `.`", "expected a name");
                    let twice = self.rest().starts_with('.');
                    let second = self.span(self.at, self.at + 1);
                    return Err(Box::new(if twice { finding.edit(second, "") } else { finding }));
                };
                Spanned::new(Segment::Field(name), self.span(start, self.at))
            } else if self.eat("[") {
                let segment = self.bracket()?;
                Spanned::new(segment, self.span(start, self.at))
            } else {
                break;
            };
            path.push(segment);
        }
        let before_spaces = self.at;
        self.skip_spaces();
        let mut default = None;
        if self.eat("??") {
            self.skip_spaces();
            let start = self.at;
            let value = self.literal()?;
            default = Some(Box::new(Spanned::new(value, self.span(start, self.at))));
            self.skip_spaces();
        }
        if !self.eat("}") {
            if self.rest().is_empty() {
                let span = self.span(self.start, self.at);
                let finding = rules::bad_expression::report(span, "unclosed reference", "missing `}`")
                    .help("write `$${` for a literal `${`")
                    .edit(self.span(self.at, self.at), "}");
                return Err(Box::new(finding));
            }
            let shown: String = self.rest().chars().take(1).collect();
            let finding = self.finding(
                format!("unexpected `{shown}` in a reference"),
                "expected `.field`, `[index]`, `?? default` or `}`",
            );
            return Err(Box::new(self.mended(finding, before_spaces, default.is_some())));
        }
        let span = self.span(self.start, self.at);
        path.shrink_to_fit();
        Ok(Reference { id, root, path, default, span })
    }

    /// The edit for what is where a reference should go on or end: another language's `??`, or a space for a dot.
    fn mended(&self, finding: Diagnostic, before_spaces: usize, has_default: bool) -> Diagnostic {
        let rest = self.rest();
        if has_default {
            return finding;
        }
        if rest.starts_with("||") || rest.starts_with("?:") {
            return finding.help("write `??`").edit(self.span(self.at, self.at + 2), "??");
        }
        let name = rest.find(|c| !is_name_char(c)).unwrap_or(rest.len());
        if name > 0 && rest[name..].starts_with('}') && before_spaces < self.at {
            return finding.help("write a `.` before a field").edit(self.span(before_spaces, self.at), ".");
        }
        finding
    }

    fn root(&mut self) -> Parsed<Spanned<Root>> {
        let start = self.at;
        let root = if self.eat("[") {
            if let Segment::Field(name) = self.bracket()? {
                Root::Operation(name)
            } else {
                self.at = start;
                return self.fail(
                    "invalid reference: expected a name at the start",
                    "expected a name or `['name']`",
                );
            }
        } else {
            match self.name() {
                Some(name) => match name.as_str() {
                    "inputs" => Root::Inputs,
                    "run" => Root::Run,
                    "each" => Root::Each,
                    "each_index" => Root::EachIndex,
                    _ => Root::Operation(name),
                },
                None => {
                    return self.fail(
                        "invalid reference: expected a name at the start",
                        "expected a name or `['name']`",
                    );
                }
            }
        };
        Ok(Spanned::new(root, self.span(start, self.at)))
    }

    fn name(&mut self) -> Option<String> {
        let rest = self.rest();
        let end = rest.find(|c| !is_name_char(c)).unwrap_or(rest.len());
        let name = rest[..end].to_owned();
        self.at += end;
        (end > 0).then_some(name)
    }

    /// What is between `[` (already eaten) and `]`.
    fn bracket(&mut self) -> Parsed<Segment> {
        self.skip_spaces();
        let segment = if self.eat("*") {
            Segment::All
        } else if self.rest().starts_with(['\'', '"']) {
            Segment::Field(self.quoted()?)
        } else {
            let rest = self.rest();
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let Ok(index) = rest[..digits].parse() else {
                let expected = "expected a number, `*` or a name in single quotes";
                return Err(Box::new(self.as_field(self.finding("invalid index", expected))));
            };
            self.at += digits;
            Segment::Index(index)
        };
        self.skip_spaces();
        if self.eat("]") { Ok(segment) } else { self.fail("unclosed bracket", "expected `]`") }
    }

    /// `probe[title]` as `probe.title`.
    fn as_field(&self, finding: Diagnostic) -> Diagnostic {
        let rest = self.rest();
        let name = rest.find(|c| !is_name_char(c)).unwrap_or(rest.len());
        let before = &self.text.value[..self.at];
        let after_name =
            before.strip_suffix('[').is_some_and(|b| b.ends_with(|c| is_name_char(c) || c == ']'));
        if name == 0 || !after_name || !rest[name..].starts_with(']') {
            return finding;
        }
        let end = self.at + name;
        finding
            .help("write `.` before a field")
            .edit(self.span(self.at - 1, self.at), ".")
            .edit(self.span(end, end + 1), "")
    }

    /// A string in single (or double) quotes; `\'` and `\\` are its escapes.
    fn quoted(&mut self) -> Parsed<String> {
        let mut chars = self.rest().char_indices();
        let quote = chars.next().map_or('\'', |(_, c)| c);
        let mut value = String::new();
        let mut escaped = false;
        for (i, c) in chars {
            match c {
                _ if escaped => {
                    match c {
                        'n' => value.push('\n'),
                        't' => value.push('\t'),
                        other => value.push(other),
                    }
                    escaped = false;
                }
                '\\' => escaped = true,
                c if c == quote => {
                    self.at += i + c.len_utf8();
                    return Ok(value);
                }
                c => value.push(c),
            }
        }
        let span = self.span(self.at, self.text.value.len());
        Err(Box::new(rules::bad_expression::report(span, "unclosed quoted string", "missing closing quote")))
    }

    fn not_a_default(&self, word: &str) -> Diagnostic {
        let expected = "expected text in single quotes, a number, true, false, null, [] or {}";
        let finding = self.finding("invalid default value", expected);
        let ours = match word.to_lowercase().as_str() {
            known @ ("true" | "false" | "null") => known.to_owned(),
            "none" | "nil" => "null".to_owned(),
            _ => return finding,
        };
        finding.help(format!("write `{ours}`")).edit(self.span(self.at, self.at + word.len()), ours)
    }

    fn literal(&mut self) -> Parsed<Json> {
        if self.rest().starts_with(['\'', '"']) {
            return self.quoted().map(Json::String);
        }
        for (open, close, empty) in
            [('[', ']', Json::Array(Vec::new())), ('{', '}', Json::Object(Map::new()))]
        {
            let inside = self.rest().strip_prefix(open).map(|rest| rest.trim_start_matches([' ', '\t']));
            if let Some(after) = inside.and_then(|rest| rest.strip_prefix(close)) {
                self.at = self.text.value.len() - after.len();
                return Ok(empty);
            }
        }
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_alphanumeric() || "+-._".contains(c))).unwrap_or(rest.len());
        let word = &rest[..end];
        let value = match word {
            "true" => Json::Bool(true),
            "false" => Json::Bool(false),
            "null" => Json::Null,
            number => {
                let Ok(number) = number.parse() else {
                    return Err(Box::new(self.not_a_default(word)));
                };
                Json::Number(number)
            }
        };
        self.at += end;
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> (Template, Vec<Diagnostic>) {
        let mut out = Vec::new();
        let template = parse(FileId(0), Text::plain(value.into(), 0), &mut 0, &mut out);
        (template, out)
    }

    fn one(value: &str) -> Reference {
        let (template, out) = read(value);
        assert!(out.is_empty(), "{out:?}");
        template.as_reference().unwrap().clone()
    }

    fn steps(r: &Reference) -> Vec<Segment> {
        r.path.iter().map(|s| s.value.clone()).collect()
    }

    #[test]
    fn every_form_of_reference() {
        let r = one("${probe.duration}");
        assert_eq!(
            (r.root.value.clone(), steps(&r)),
            (Root::Operation("probe".into()), vec![Segment::Field("duration".into())])
        );
        let r = one("${encode[*].file}");
        assert_eq!(steps(&r), [Segment::All, Segment::Field("file".into())]);
        let r = one("${ encode[12] }");
        assert_eq!(steps(&r), [Segment::Index(12)]);
        let r = one("${['NFCORE_HIC.HIC'].files['a b']}");
        assert_eq!(r.root.value, Root::Operation("NFCORE_HIC.HIC".into()));
        assert_eq!(steps(&r), [Segment::Field("files".into()), Segment::Field("a b".into())]);
        assert_eq!(one("${inputs.source}").root.value, Root::Inputs);
        assert_eq!(one("${run.id}").root.value, Root::Run);
        assert_eq!(one("${each}").root.value, Root::Each);
        assert_eq!(one("${each_index}").root.value, Root::EachIndex);
    }

    #[test]
    fn defaults_are_typed() {
        for (text, value) in [
            ("'it\\'s'", Json::from("it's")),
            ("5", Json::from(5)),
            ("-2.5", "-2.5".parse().map(Json::Number).unwrap()),
            ("true", Json::Bool(true)),
            ("null", Json::Null),
            ("''", Json::from("")),
        ] {
            assert_eq!(one(&format!("${{a.b ?? {text}}}")).default.unwrap().value, value);
        }
    }

    #[test]
    fn text_references_and_tokens_are_told_apart() {
        let (t, _) = read("a ${x.y} $${z} @<p.out::/q> \\@<no> $5 @ b");
        let kinds: Vec<String> = t
            .parts
            .iter()
            .map(|p| match p {
                Part::Text(s) => format!("T{s}"),
                Part::Reference(r) => format!("R{}", r.path.len()),
                Part::Native(n) => format!("N{}", n.reference.as_ref().map_or(9, |r| r.path.len())),
            })
            .collect();
        assert_eq!(kinds, ["Ta ", "R1", "T ${z} ", "N1", "T \\@<no> $5 @ b"]);
    }

    #[test]
    fn faults_are_pointed_at() {
        for (text, at) in [
            ("${}", "${}"),
            ("x ${a.b", "${a.b"),
            ("${a.}", "}"),
            ("${a b}", "b"),
            ("${a[x]}", "x"),
            ("${a ?? oops}", "o"),
            ("${a['x}", "'x}"),
            ("${5[}", "}"),
        ] {
            let (_, out) = read(text);
            assert_eq!(out.len(), 1, "{text}");
            let crate::diagnostic::Location::Span(span) = out[0].primary.at else { panic!() };
            assert_eq!(&text[span.range()], at, "{text}: {}", out[0].message);
        }
    }
}
