//! `${with.NAME}` in a command: its place in the operation type's input, and whether a value must be present. A `?`
//! marks optional references for the runner of the command; an absent value is empty.

use crate::agenda::RunSpec;
use crate::types::{Record, Type, Types};

/// Written form of the input in a command.
pub(crate) const WITH: &str = "${with.";

/// Other roots of references, which commands do not support.
const ROOTS: &[&str] = &["inputs", "each", "run"];

/// One reference in a text of a command.
pub(crate) enum Spot<'t> {
    /// The path behind `${with.`, without a trailing `?`, and its start.
    Input { path: &'t str, at: usize },
    /// A text like a reference that is none in a command, and its start.
    Wrong { shown: &'t str, at: usize },
}

/// The references of a text, in their order.
pub(crate) fn spots(text: &str) -> impl Iterator<Item = Spot<'_>> {
    text.match_indices("${").filter_map(|(at, _)| {
        let whole = &text[at..];
        if text[..at].ends_with('$') {
            return None;
        }
        // `${{ with.x }}`, as other languages write it
        let close = if whole.starts_with("${{") { "}}" } else { "}" };
        let shown = whole.find(close).map_or(whole, |end| &whole[..end + close.len()]);
        let Some(inner) = whole.strip_prefix(WITH) else {
            let root = whole[2..].trim_start_matches(['{', ' ', '\t']);
            let name = root.find(|c| !crate::expr::is_name_char(c)).unwrap_or(root.len());
            let (name, rest) = root.split_at(name);
            let ours = ROOTS.contains(&name) && rest.starts_with('.')
                || name == "with" && rest.starts_with(['.', '[']) && !rest.starts_with("[@");
            return ours.then_some(Spot::Wrong { shown, at });
        };
        let Some(end) = inner.find('}') else { return Some(Spot::Wrong { shown, at }) };
        let path = &inner[..end];
        let path = path.strip_suffix('?').unwrap_or(path);
        let odd = path.contains("??")
            || path.split('.').any(|key| key.is_empty() || key.contains([' ', '|', '=', '!', '&', '(', '+']));
        Some(if odd { Spot::Wrong { shown, at } } else { Spot::Input { path, at: at + WITH.len() } })
    })
}

/// Target of a path.
pub(crate) enum Place<'t, 'p> {
    There {
        /// Whether the value may be absent or null.
        perhaps: bool,
        /// Whether the value is a secret, or contains one.
        secret: bool,
    },
    /// A record on the way without such a field.
    Nowhere { key: &'p str, record: Option<&'t Record> },
}

/// Target of `path` in a value of type `ty`.
pub(crate) fn place<'t, 'p>(types: &'t Types, ty: &'t Type, path: &'p str) -> Place<'t, 'p> {
    let (mut ty, mut perhaps, mut secret) = (ty, false, false);
    for key in path.split('.') {
        loop {
            match types.resolve(ty) {
                Type::Secret(inner) => (ty, secret) = (inner, true),
                Type::Union(members) => {
                    perhaps |= types.accepts_null(ty);
                    let mut others = members.iter().filter(|member| *types.resolve(member) != Type::Null);
                    match (others.next(), others.next()) {
                        (Some(only), None) => ty = only,
                        // one of them may have it
                        _ => return Place::There { perhaps: true, secret },
                    }
                }
                _ => break,
            }
        }
        ty = match types.resolve(ty) {
            Type::Record(record) => match (record.get(key), record.rest()) {
                (Some(field), _) => field,
                (None, Some(rest)) => {
                    perhaps = true;
                    rest
                }
                (None, None) => return Place::Nowhere { key, record: Some(record) },
            },
            Type::Map(item) => {
                perhaps = true;
                item
            }
            Type::List(item) if key.bytes().all(|b| b.is_ascii_digit()) => item,
            Type::Any | Type::Error => return Place::There { perhaps, secret },
            _ => return Place::Nowhere { key, record: None },
        };
        perhaps |= types.accepts_null(ty);
    }
    Place::There {
        perhaps,
        secret: secret || matches!(types.resolve(ty), Type::Secret(_)) || types.secret_in(ty).is_some(),
    }
}

/// Marks the references of a command to optional parts of an input of type `ty`.
pub(crate) fn mark(run: &mut RunSpec, ty: &Type, types: &Types) {
    let texts = run.command.iter_mut().chain(&mut run.args).chain(&mut run.stdin);
    texts.for_each(|text| mark_text(text, ty, types));
    for value in run.env.values_mut() {
        if let serde_json::Value::String(text) = value {
            mark_text(text, ty, types);
        }
    }
}

fn mark_text(text: &mut String, ty: &Type, types: &Types) {
    let ends: Vec<usize> = spots(text)
        .filter_map(|spot| match spot {
            Spot::Input { path, at } => match place(types, ty, path) {
                Place::There { perhaps: true, .. } => Some(at + path.len()),
                _ => None,
            },
            Spot::Wrong { .. } => None,
        })
        .filter(|end| !text[*end..].starts_with('?'))
        .collect();
    ends.into_iter().rev().for_each(|end| text.insert(end, '?'));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_need_not_be_there_is_marked() {
        let types = Types::default();
        let input =
            Type::parse("{a: int, b: string?, o: {k: int, n: any}?, m: map<int>, l: list<int>, ...: int}")
                .unwrap();
        for (text, marked) in [
            ("${with.a}", "${with.a}"),
            ("-b=${with.b}, ${with.a} ${with.b}", "-b=${with.b?}, ${with.a} ${with.b?}"),
            ("${with.b?}", "${with.b?}"),
            ("${with.o.k}${with.m.x}${with.l.0}", "${with.o.k?}${with.m.x?}${with.l.0}"),
            ("${with.other} $${with.b} ${HOME}", "${with.other?} $${with.b} ${HOME}"),
            ("${with.a.b}", "${with.a.b}"),
            ("é${with.b", "é${with.b"),
        ] {
            let mut text = text.to_owned();
            mark_text(&mut text, &input, &types);
            assert_eq!(text, marked);
        }
    }

    #[test]
    fn what_is_no_reference_of_a_command_is_told() {
        let wrong = |text: &str| spots(text).filter(|spot| matches!(spot, Spot::Wrong { .. })).count();
        for text in [
            "${inputs.x}",
            "${ with.x}",
            "${{ with.x }}",
            "${{inputs.x}}",
            "${with['a b']}",
            "${with.x",
            "${with.x ?? 'y'}",
            "${with.}",
            "a${each.x}",
            "${with.x == 'y'}",
            "${with.x | upper}",
        ] {
            assert_eq!(wrong(text), 1, "{text}");
        }
        for text in [
            "${x}",
            "${x.y}",
            "${process.pid}",
            "$${with.x ?? 1}",
            "$${{ with.x }}",
            "${{ github.ref }}",
            "${with}",
            "$5 ${1:-x}",
            "${each}",
            "${with[@]}",
        ] {
            assert_eq!(wrong(text), 0, "{text}");
        }
    }
}
