//! Output from a program's standard output, for operation types with `text` or `lines`.

use std::cell::OnceCell;

use serde_json::{Map, Number, Value};

use super::check::resolved;
use crate::agenda::Stdout;
use crate::types::{Record, Type, Types};

/// The output field that standard output fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filled {
    /// A field with one text.
    Text,
    /// A field with a list of its lines.
    Lines,
}

impl Filled {
    /// Default name of the field.
    pub(crate) fn usual(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Lines => "lines",
        }
    }

    /// The filled field of a record: its only one, or the one with the default name.
    pub(crate) fn field(self, record: &Record) -> &str {
        let mut names = record.iter().map(|(name, _)| name);
        match (names.next(), names.next()) {
            (Some(only), None) => only,
            _ => self.usual(),
        }
    }
}

/// The filled field; none for other meanings of standard output.
pub(crate) fn filled(stdout: Stdout) -> Option<Filled> {
    match stdout {
        Stdout::Log | Stdout::Json => None,
        Stdout::Text => Some(Filled::Text),
        Stdout::Lines => Some(Filled::Lines),
    }
}

/// The output of a program that has printed `text`; none unless `stdout` is `text` or `lines`.
///
/// The output has one field: the only one in `schema` (the JSON Schema of the declared output), or `text` or `lines`. A
/// text loses one line break at its end. If the field is not plain text (`int`, `bool`, `path`, literals, …), the text
/// or each line loses its surrounding blanks, and becomes a number or a boolean. An invalid text stays a text;
/// [`check_output`](super::check_output) rejects it.
pub fn from_stdout(stdout: Stdout, schema: Option<&Value>, text: &str) -> Option<Value> {
    let filled = filled(stdout)?;
    let (name, ty) = schema.and_then(|schema| field(filled, schema)).unwrap_or((filled.usual(), Type::Any));
    let value = match filled {
        Filled::Text => Reader::new(&ty).read(without_break(text)),
        Filled::Lines => {
            let item = item(&ty).unwrap_or(&Type::Any);
            let reader = Reader::new(item);
            Value::Array(text.lines().map(|line| reader.read(line)).collect())
        }
    };
    Some(Value::Object(Map::from_iter([(name.to_owned(), value)])))
}

/// The filled field and its type.
fn field(filled: Filled, root: &Value) -> Option<(&str, Type)> {
    let properties = resolved(root, root)?.get("properties")?.as_object()?;
    let usual = || properties.get_key_value(filled.usual());
    let (name, schema) = if properties.len() == 1 { properties.iter().next() } else { usual() }?;
    let mut schema = resolved(root, schema)?.as_object()?.clone();
    if let Some(defs) = root.get("$defs") {
        schema.insert("$defs".to_owned(), defs.clone());
    }
    Some((name, Type::from_schema(&Value::Object(schema))))
}

/// Type of the items, for a list or a union with a list.
fn item(ty: &Type) -> Option<&Type> {
    match ty {
        Type::List(item) => Some(item),
        Type::Secret(inner) => item(inner),
        Type::Union(members) => members.iter().find_map(item),
        _ => None,
    }
}

fn without_break(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

/// Parses texts of one type.
struct Reader<'t> {
    ty: &'t Type,
    types: Types,
    plain: bool,
    nullable: OnceCell<bool>,
}

impl<'t> Reader<'t> {
    fn new(ty: &'t Type) -> Self {
        Self { ty, types: Types::default(), plain: is_plain(ty), nullable: OnceCell::new() }
    }

    fn read(&self, raw: &str) -> Value {
        if *self.ty == Type::Any {
            return Value::from(raw);
        }
        let trimmed = raw.trim();
        let scalar = scalar(trimmed, !self.plain);
        if let Some(scalar) = scalar.filter(|value| self.types.accepts(self.ty, value)) {
            return scalar;
        }
        if self.plain {
            return Value::from(raw);
        }
        let nullable = || *self.nullable.get_or_init(|| self.types.accepts(self.ty, &Value::Null));
        if trimmed.is_empty() && nullable() { Value::Null } else { Value::from(trimmed) }
    }
}

/// Whether every text is of the type. Recursion is bounded by the depth of types.
fn is_plain(ty: &Type) -> bool {
    match ty {
        Type::Any | Type::Error | Type::String => true,
        Type::Union(members) => members.iter().any(is_plain),
        Type::Secret(inner) => is_plain(inner),
        _ => false,
    }
}

/// The number or boolean of a text; with leading zeros or a plus only if `loose`.
fn scalar(text: &str, loose: bool) -> Option<Value> {
    match text {
        "true" => return Some(Value::Bool(true)),
        "false" => return Some(Value::Bool(false)),
        _ => {}
    }
    let number = |text: &str| serde_json::from_str::<Number>(text).ok().map(Value::Number);
    if !text.ends_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    number(text).or_else(|| {
        let digits = text.strip_prefix(['+', '-']).filter(|_| loose).or(loose.then_some(text))?;
        let sign = if text.starts_with('-') { "-" } else { "" };
        let bare = digits.trim_start_matches('0');
        let zero = if bare.starts_with(|c: char| c.is_ascii_digit()) { "" } else { "0" };
        digits.starts_with(|c: char| c.is_ascii_digit()).then(|| number(&format!("{sign}{zero}{bare}")))?
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn given(stdout: Stdout, ty: &str, text: &str) -> Value {
        let schema = Type::parse(ty).unwrap().to_schema(&Types::default());
        from_stdout(stdout, Some(&schema), text).unwrap()
    }

    #[test]
    fn a_text_loses_one_line_break() {
        for (text, kept) in
            [("clip\n", "clip"), ("clip\r\n", "clip"), (" a \n\n", " a \n"), ("", ""), ("\n", ""), ("x", "x")]
        {
            assert_eq!(from_stdout(Stdout::Text, None, text).unwrap(), json!({ "text": kept }));
            assert_eq!(given(Stdout::Text, "{text: string}", text), json!({ "text": kept }));
            assert_eq!(given(Stdout::Text, "{t: string?}", text), json!({ "t": kept }));
        }
        assert_eq!(
            from_stdout(Stdout::Lines, None, "a\r\n b\n\n").unwrap(),
            json!({"lines": ["a", " b", ""]})
        );
        assert_eq!(from_stdout(Stdout::Log, None, "a"), None);
        assert_eq!(from_stdout(Stdout::Json, None, "1"), None);
    }

    #[test]
    fn the_only_field_is_filled_whatever_its_name() {
        assert_eq!(given(Stdout::Text, "{title: string}", "a\n"), json!({"title": "a"}));
        assert_eq!(given(Stdout::Text, "{title: string, ...}", "a\n"), json!({"title": "a"}));
        assert_eq!(given(Stdout::Text, "{text: string, more: int?}", "a\n"), json!({"text": "a"}));
        assert_eq!(given(Stdout::Text, "{a: string?, b: string?}", "a\n"), json!({"text": "a"}));
        assert_eq!(given(Stdout::Text, "map<string>", "a\n"), json!({"text": "a"}));
        assert_eq!(given(Stdout::Lines, "{files: list<path>}", "a \n b\n"), json!({"files": ["a", "b"]}));
        assert_eq!(given(Stdout::Lines, "{files: list<path>}", ""), json!({"files": []}));
        assert_eq!(given(Stdout::Lines, "{n: secret<list<int>>?}", "1\n2\n"), json!({"n": [1, 2]}));
    }

    #[test]
    fn what_is_no_plain_text_is_read() {
        for (ty, text, value) in [
            ("int", "  42\n", json!(42)),
            ("int", "007\n", json!(7)),
            ("int", "+5", json!(5)),
            ("int", "-05", json!(-5)),
            ("int", "0", json!(0)),
            ("int", "00", json!(0)),
            ("int", "three\n", json!("three")),
            ("int", "4.5\n", json!("4.5")),
            ("int", "5 files\n", json!("5 files")),
            ("int?", "\n", Value::Null),
            ("int", "\n", json!("")),
            ("float", "00.5\n", json!(0.5)),
            ("float", "1e3", serde_json::from_str("1e3").unwrap()),
            ("float", "+", json!("+")),
            ("bool", " true \n", json!(true)),
            ("bool", "True\n", json!("True")),
            ("path", " a b \n", json!("a b")),
            ("path?", " \n", Value::Null),
            ("duration", "2h\n", json!("2h")),
            ("bytes", "4096\n", json!(4096)),
            ("bytes", " 8Gi\n", json!("8Gi")),
            ("datetime", "2026-01-02\n", json!("2026-01-02")),
            ("url", "https://a.b\n", json!("https://a.b")),
            ("\"a\" | \"b\"", "a \n", json!("a")),
            ("1 | 2", "2\n", json!(2)),
            ("secret<int>", "2\n", json!(2)),
            ("string", " 2 \n", json!(" 2 ")),
            ("int | string", "2\n", json!(2)),
            ("int | string", "007\n", json!("007")),
            ("int | string", "two \n", json!("two ")),
            ("any", "2\n", json!("2")),
        ] {
            assert_eq!(
                given(Stdout::Text, &format!("{{x: {ty}}}"), text),
                json!({ "x": value }),
                "{ty} {text:?}"
            );
        }
    }
}
