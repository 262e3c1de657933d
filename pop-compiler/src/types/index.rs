//! Facts about all named types: faults, ends of aliases, null, secrets. The index is built once for a set of names, in
//! linear time, however the names refer to each other.

use std::collections::HashMap;
use std::sync::Arc;

use super::Type;

/// Deepest nesting of unions and secrets by name, without a list, map or record in between.
const MAX_DEPTH: usize = 128;

/// Most alternatives of one name, including those of the names inside.
const MAX_PARTS: usize = 100_000;

/// Why a name has no meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// A circular definition without a list, a map or a record in between. All names of one cycle have one number.
    Circular(usize),
    /// A definition with too many alternatives, or nested too deep.
    TooLarge,
}

/// Facts about one name.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// The definition behind all aliases; [`Type::Error`] for a faulty name.
    pub(super) meaning: Type,
    /// Whether null is one of its values.
    pub(super) null: bool,
    /// Whether a secret is somewhere in its values.
    pub(super) secret: bool,
    pub(super) flaw: Option<Flaw>,
}

pub(super) type Index = HashMap<Arc<str>, Known>;

/// The content of one type, without other names.
#[derive(Default)]
struct Said {
    /// Names that a value may have as its type, with their depth in unions and secrets.
    plain: Vec<(usize, usize)>,
    /// Names in lists, maps and records.
    inside: Vec<usize>,
    null: bool,
    secret: bool,
    parts: usize,
    depth: usize,
}

pub(super) fn index(named: &HashMap<Arc<str>, Type>) -> Index {
    let types: Vec<(&Arc<str>, &Type)> = named.iter().collect();
    let ids: HashMap<&str, usize> =
        types.iter().enumerate().map(|(i, (name, _))| (name.as_ref(), i)).collect();
    let said: Vec<Said> = types.iter().map(|(_, ty)| said(ty, &ids)).collect();
    let mut known: Vec<Known> =
        vec![Known { meaning: Type::Error, null: true, secret: false, flaw: None }; said.len()];
    let mut sizes: Vec<(usize, usize)> = vec![(0, 1); said.len()];
    for (number, circle) in circles(&said).into_iter().enumerate() {
        let [id] = circle[..] else {
            for id in circle {
                known[id].flaw = Some(Flaw::Circular(number));
            }
            continue;
        };
        let own = &said[id];
        if own.plain.iter().any(|(to, _)| *to == id) {
            known[id].flaw = Some(Flaw::Circular(number));
            continue;
        }
        let depth = own.plain.iter().map(|(to, at)| at + sizes[*to].0).fold(own.depth, usize::max);
        let parts = own.plain.iter().fold(own.parts, |sum, (to, _)| sum.saturating_add(sizes[*to].1));
        if depth > MAX_DEPTH || parts > MAX_PARTS {
            known[id].flaw = Some(Flaw::TooLarge);
            continue;
        }
        sizes[id] = (depth, parts);
        known[id].null = own.null || own.plain.iter().any(|(to, _)| known[*to].null);
        known[id].meaning = match types[id].1 {
            Type::Named(name) => ids.get(name.as_ref()).map_or(Type::Error, |to| known[*to].meaning.clone()),
            other => other.clone(),
        };
    }
    spread_secrets(&said, &mut known);
    types.into_iter().map(|(name, _)| name.clone()).zip(known).collect()
}

/// The content of a type without following names.
fn said(ty: &Type, ids: &HashMap<&str, usize>) -> Said {
    let mut said = Said::default();
    let mut open: Vec<(&Type, Option<usize>)> = vec![(ty, Some(0))];
    while let Some((ty, depth)) = open.pop() {
        let plain = depth.is_some();
        said.depth = said.depth.max(depth.unwrap_or_default());
        match ty {
            Type::Named(name) => match (ids.get(name.as_ref()), depth) {
                (Some(id), Some(depth)) => said.plain.push((*id, depth)),
                (Some(id), None) => said.inside.push(*id),
                (None, _) => said.null |= plain,
            },
            Type::Union(members) => open.extend(members.iter().map(|m| (m, depth.map(|d| d + 1)))),
            Type::Secret(inner) => {
                said.secret = true;
                open.push((inner, depth.map(|d| d + 1)));
            }
            Type::List(inner) | Type::Map(inner) => open.push((inner, None)),
            Type::Record(record) => open.extend(record.parts().map(|(_, ty)| (ty, None))),
            Type::Any | Type::Error | Type::Null => said.null |= plain,
            _ => {}
        }
        said.parts += usize::from(plain && !matches!(ty, Type::Named(_) | Type::Union(_) | Type::Secret(_)));
    }
    said
}

/// The cycles of [`Said::plain`]; a name outside of cycles is a cycle of one. Each comes after all that it refers to.
/// Tarjan's algorithm with an explicit stack.
fn circles(said: &[Said]) -> Vec<Vec<usize>> {
    const NONE: usize = usize::MAX;
    let (mut order, mut low, mut waiting) =
        (vec![NONE; said.len()], vec![NONE; said.len()], vec![false; said.len()]);
    let (mut stack, mut circles, mut next) = (Vec::new(), Vec::new(), 0);
    for start in 0..said.len() {
        if order[start] != NONE {
            continue;
        }
        let mut open: Vec<(usize, usize)> = vec![(start, 0)];
        while let Some((id, edge)) = open.last_mut() {
            let id = *id;
            if *edge == 0 {
                (order[id], low[id]) = (next, next);
                next += 1;
                stack.push(id);
                waiting[id] = true;
            }
            if let Some(&(to, _)) = said[id].plain.get(*edge) {
                *edge += 1;
                if order[to] == NONE {
                    open.push((to, 0));
                } else if waiting[to] {
                    low[id] = low[id].min(order[to]);
                }
                continue;
            }
            open.pop();
            if let Some((above, _)) = open.last() {
                low[*above] = low[*above].min(low[id]);
            }
            if low[id] == order[id] {
                let from = stack.iter().rposition(|other| *other == id).unwrap_or_default();
                let circle = stack.split_off(from);
                for &id in &circle {
                    waiting[id] = false;
                }
                circles.push(circle);
            }
        }
    }
    circles
}

/// Marks every name from which a secret can be reached.
fn spread_secrets(said: &[Said], known: &mut [Known]) {
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); said.len()];
    for (id, own) in said.iter().enumerate() {
        for to in own.plain.iter().map(|(to, _)| to).chain(&own.inside) {
            readers[*to].push(id);
        }
    }
    let mut open: Vec<usize> = (0..said.len()).filter(|id| said[*id].secret).collect();
    while let Some(id) = open.pop() {
        if known[id].flaw.is_none() && !known[id].secret {
            known[id].secret = true;
            open.append(&mut readers[id]);
        }
    }
}
