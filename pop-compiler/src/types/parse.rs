//! Parses text such as `list<Rung> | null` to a [`Type`].

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value as Json;

use super::{REST, Record, Type};

/// Deepest nesting in one expression.
const MAX_DEPTH: usize = 64;

/// Built-in names.
pub(crate) const SCALARS: &[(&str, Type)] = &[
    ("any", Type::Any),
    ("bool", Type::Bool),
    ("bytes", Type::Bytes),
    ("datetime", Type::Datetime),
    ("duration", Type::Duration),
    ("float", Type::Float),
    ("int", Type::Int),
    ("null", Type::Null),
    ("path", Type::Path),
    ("string", Type::String),
    ("url", Type::Url),
];

type Failure = (Range<usize>, String);
type Named = (Range<usize>, Arc<str>);

/// The type, and every use of a name that is not built in.
pub(crate) fn parse(text: &str) -> Result<(Type, Vec<Named>), Failure> {
    let mut parser = Parser { text, at: 0, names: Vec::new() };
    let ty = parser.union(0)?;
    parser.spaces();
    if parser.at < text.len() {
        let rest: String = parser.rest().chars().take(40).collect();
        return Err((parser.at..text.len(), format!("unexpected `{rest}` after the type")));
    }
    Ok((ty, parser.names))
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    names: Vec<Named>,
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn spaces(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn eat(&mut self, token: char) -> bool {
        self.spaces();
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len_utf8();
        }
        found
    }

    fn expect(&mut self, token: char) -> Result<(), Failure> {
        if self.eat(token) { Ok(()) } else { Err(self.unexpected(&format!("`{token}`"))) }
    }

    fn unexpected(&self, expected: &str) -> Failure {
        match self.rest().chars().next() {
            Some(c) => (self.at..self.at + c.len_utf8(), format!("expected {expected}, found `{c}`")),
            None => (0..self.text.len(), format!("expected {expected} at the end")),
        }
    }

    /// Recursion is bounded by [`MAX_DEPTH`].
    fn union(&mut self, depth: usize) -> Result<Type, Failure> {
        if depth > MAX_DEPTH {
            return Err((
                self.at..self.text.len(),
                format!("the type nests more than {MAX_DEPTH} levels deep"),
            ));
        }
        let first = self.postfix(depth)?;
        if !self.eat('|') {
            return Ok(first);
        }
        let mut members = vec![first];
        loop {
            members.push(self.postfix(depth)?);
            if !self.eat('|') {
                return Ok(Type::union(members));
            }
        }
    }

    fn postfix(&mut self, depth: usize) -> Result<Type, Failure> {
        let mut ty = self.primary(depth)?;
        let mut optional = false;
        while self.eat('?') {
            optional = true;
        }
        if optional {
            ty = ty.optional();
        }
        Ok(ty)
    }

    fn primary(&mut self, depth: usize) -> Result<Type, Failure> {
        self.spaces();
        let start = self.at;
        match self.rest().chars().next() {
            Some('(') => {
                self.at += 1;
                let ty = self.union(depth + 1)?;
                self.expect(')')?;
                Ok(ty)
            }
            Some('{') => {
                self.at += 1;
                self.record(depth + 1)
            }
            Some(quote @ ('"' | '\'')) => self.quoted(quote).map(|s| Type::Literal(Json::String(s).into())),
            Some(c) if c == '-' || c.is_ascii_digit() => {
                let rest = self.rest();
                let end = rest
                    .find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)))
                    .unwrap_or(rest.len());
                let number = rest[..end].parse();
                self.at += end;
                let word = &self.text[start..self.at];
                number
                    .map(|n| Type::Literal(Json::Number(n).into()))
                    .map_err(|_| (start..self.at, format!("invalid number `{word}`")))
            }
            _ => {
                let rest = self.rest();
                let end = rest.find(|c: char| !is_name_char(c)).unwrap_or(rest.len());
                if rest[..end].bytes().all(|b| b == b'.') {
                    return Err(self.unexpected("a type"));
                }
                let name = rest[..end].to_owned();
                self.at += end;
                self.named(&name, start, depth)
            }
        }
    }

    fn named(&mut self, name: &str, start: usize, depth: usize) -> Result<Type, Failure> {
        let end = self.at;
        let generic: Option<fn(Arc<Type>) -> Type> = match name {
            "list" => Some(Type::List),
            "map" => Some(Type::Map),
            "secret" => Some(Type::Secret),
            _ => None,
        };
        if let Some(make) = generic {
            if !self.eat('<') {
                return Err((start..end, format!("`{name}` needs an item type, such as `{name}<string>`")));
            }
            let inner = self.union(depth + 1)?;
            self.expect('>')?;
            return Ok(make(Arc::new(inner)));
        }
        match name {
            "true" => return Ok(Type::Literal(Json::Bool(true).into())),
            "false" => return Ok(Type::Literal(Json::Bool(false).into())),
            _ => {}
        }
        if let Some((_, ty)) = SCALARS.iter().find(|(n, _)| *n == name) {
            return Ok(ty.clone());
        }
        let name: Arc<str> = name.into();
        self.names.push((start..end, name.clone()));
        Ok(Type::Named(name))
    }

    fn record(&mut self, depth: usize) -> Result<Type, Failure> {
        let mut fields: Vec<(Arc<str>, Type)> = Vec::new();
        let mut seen: HashSet<Arc<str>> = HashSet::new();
        let mut rest: Option<Type> = None;
        loop {
            if self.eat('}') {
                return Ok(Record::new(fields).with_rest(rest).into_type());
            }
            let start = self.at;
            if let Some(further) = self.further(depth)? {
                if rest.replace(further).is_some() {
                    return Err((start..start + REST.len(), format!("duplicate `{REST}`")));
                }
                if !self.eat(',') {
                    self.expect('}')?;
                    return Ok(Record::new(fields).with_rest(rest).into_type());
                }
                continue;
            }
            let name = if let Some(quote @ ('"' | '\'')) = self.rest().chars().next() {
                self.quoted(quote)?
            } else {
                let rest = self.rest();
                let end = rest.find(|c: char| !is_name_char(c)).unwrap_or(rest.len());
                if end == 0 {
                    return Err(self.unexpected("a field name or `}`"));
                }
                let name = rest[..end].to_owned();
                self.at += end;
                name
            };
            let name: Arc<str> = name.into();
            if !seen.insert(name.clone()) {
                return Err((start..self.at, format!("duplicate field `{name}`")));
            }
            self.expect(':')?;
            let ty = self.union(depth)?;
            fields.push((name, ty));
            if !self.eat(',') {
                self.expect('}')?;
                return Ok(Record::new(fields).with_rest(rest).into_type());
            }
        }
    }

    /// `...` or `...: T`: further fields, of any type or of this one.
    fn further(&mut self, depth: usize) -> Result<Option<Type>, Failure> {
        let Some(after) = self.rest().strip_prefix(REST) else { return Ok(None) };
        if after.starts_with(is_name_char) {
            return Ok(None);
        }
        self.at += REST.len();
        Ok(Some(if self.eat(':') { self.union(depth)? } else { Type::Any }))
    }

    fn quoted(&mut self, quote: char) -> Result<String, Failure> {
        let start = self.at;
        let mut value = String::new();
        let mut escaped = false;
        for (i, c) in self.text[start..].char_indices().skip(1) {
            match c {
                c if escaped => {
                    value.push(match c {
                        'n' => '\n',
                        't' => '\t',
                        'r' => '\r',
                        other => other,
                    });
                    escaped = false;
                }
                '\\' => escaped = true,
                c if c == quote => {
                    self.at = start + i + c.len_utf8();
                    return Ok(value);
                }
                c => value.push(c),
            }
        }
        Err((start..self.text.len(), "unclosed text".to_owned()))
    }
}

pub(super) fn is_name_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.')
}
