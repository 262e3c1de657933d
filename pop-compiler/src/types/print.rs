//! Prints a [`Type`]; `parse` reads the same type back.

use std::fmt::{self, Display, Formatter, Write};

use serde_json::Value as Json;

use super::parse::is_name_char;
use super::{REST, Type};

impl Display for Type {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Error => f.write_str("unknown"),
            Self::Null => f.write_str("null"),
            Self::Bool => f.write_str("bool"),
            Self::Int => f.write_str("int"),
            Self::Float => f.write_str("float"),
            Self::String => f.write_str("string"),
            Self::Url => f.write_str("url"),
            Self::Path => f.write_str("path"),
            Self::Duration => f.write_str("duration"),
            Self::Bytes => f.write_str("bytes"),
            Self::Datetime => f.write_str("datetime"),
            Self::Literal(value) => match &**value {
                Json::String(text) => quote(text, f),
                other => write!(f, "{other}"),
            },
            Self::List(item) => write!(f, "list<{item}>"),
            Self::Map(item) => write!(f, "map<{item}>"),
            Self::Secret(inner) => write!(f, "secret<{inner}>"),
            Self::Named(name) => f.write_str(name),
            Self::Union(members) => match &**members {
                [only, Self::Null] => write!(f, "{only}?"),
                members => {
                    for (i, member) in members.iter().enumerate() {
                        if i > 0 {
                            f.write_str(" | ")?;
                        }
                        write!(f, "{member}")?;
                    }
                    Ok(())
                }
            },
            Self::Record(record) => {
                f.write_char('{')?;
                for (i, (name, ty)) in record.iter().enumerate() {
                    if i > 0 {
                        f.write_str(", ")?;
                    }
                    if !name.is_empty() && name != REST && name.chars().all(is_name_char) {
                        f.write_str(name)?;
                    } else {
                        quote(name, f)?;
                    }
                    write!(f, ": {ty}")?;
                }
                if let Some(rest) = record.rest() {
                    f.write_str(if record.iter().next().is_none() { REST } else { ", ..." })?;
                    if *rest != Self::Any {
                        write!(f, ": {rest}")?;
                    }
                }
                f.write_char('}')
            }
        }
    }
}

fn quote(text: &str, f: &mut Formatter<'_>) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\t' => f.write_str("\\t")?,
            '\r' => f.write_str("\\r")?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}
