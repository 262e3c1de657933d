//! Writes a document as TOML in some layout: headers, inline tables and dotted keys, in any order with the same
//! meaning.

use serde_json::{Map, Value};

use super::dice::Dice;

/// The same value with the keys of every object in random order.
pub fn shuffled(value: &Value, dice: &mut Dice) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| shuffled(item, dice)).collect(),
        Value::Object(map) => {
            let mut rows: Vec<_> = map.iter().map(|(k, v)| (k.clone(), shuffled(v, dice))).collect();
            dice.shuffle(&mut rows);
            Value::Object(rows.into_iter().collect())
        }
        scalar => scalar.clone(),
    }
}

/// The document as TOML; none for a document with a null, which TOML cannot express.
pub fn write(document: &Map<String, Value>, dice: &mut Dice) -> Option<String> {
    let mut sections = Vec::new();
    let top = section(&[], document, dice, &mut sections)?;
    dice.shuffle(&mut sections);
    Some(std::iter::once(top).chain(sections).collect::<Vec<_>>().join("\n"))
}

/// The lines of one table; tables with a header of their own go to `sections`.
fn section(
    path: &[&str],
    table: &Map<String, Value>,
    dice: &mut Dice,
    sections: &mut Vec<String>,
) -> Option<String> {
    let mut lines = Vec::new();
    let mut rows: Vec<_> = table.iter().collect();
    dice.shuffle(&mut rows);
    for (name, value) in rows {
        match value {
            Value::Object(inner) if path.len() < 4 && !dice.one_in(4) => {
                let path: Vec<&str> = path.iter().copied().chain([name.as_str()]).collect();
                let text = section(&path, inner, dice, sections)?;
                // a header may be left out when another one implies it
                let implied = text.is_empty() && inner.values().any(Value::is_object);
                if !(implied && sections.iter().any(|s| s.starts_with(&format!("[{}.", dotted(&path))))) {
                    sections.push(format!("[{}]\n{text}", dotted(&path)));
                }
            }
            Value::Object(inner) if !inner.is_empty() && dice.one_in(2) => {
                for (below, value) in inner {
                    lines.push(format!("{}.{} = {}\n", key(name), key(below), inline(value, dice)?));
                }
            }
            value => lines.push(format!("{} = {}\n", key(name), inline(value, dice)?)),
        }
    }
    Some(lines.concat())
}

fn dotted(path: &[&str]) -> String {
    path.iter().map(|name| key(name)).collect::<Vec<_>>().join(".")
}

fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    if bare { name.to_owned() } else { basic(name) }
}

fn basic(text: &str) -> String {
    Value::from(text).to_string().replace('\u{7f}', "\\u007F")
}

fn inline(value: &Value, dice: &mut Dice) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => {
            let plain = !text.chars().any(|c| c == '\'' || c.is_control());
            if plain && dice.one_in(3) { format!("'{text}'") } else { basic(text) }
        }
        Value::Array(items) => {
            let items: Option<Vec<_>> = items.iter().map(|item| inline(item, dice)).collect();
            format!("[{}]", items?.join(if dice.one_in(3) { ",\n    " } else { ", " }))
        }
        Value::Object(map) => {
            let fields: Option<Vec<_>> =
                map.iter().map(|(k, v)| Some(format!("{} = {}", key(k), inline(v, dice)?))).collect();
            format!("{{ {} }}", fields?.join(", "))
        }
    })
}
