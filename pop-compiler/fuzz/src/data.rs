//! References, types and native agendas.

use pop_compiler::agenda::{Agenda, AgendaTemplate};
use pop_compiler::graph::Graph;
use pop_compiler::reference::{self, Mode, Reference, Report};
use pop_compiler::source::Source;
use pop_compiler::types::{Type, Types};
use pop_compiler::{canonical, check_native, is_native, validate};
use serde_json::{Value, json};

use super::source::{findings, graph};
use super::split;

/// A text with references, and the texts that `s` and `t` stand for: nothing that was put in is read again, escapes are
/// undone by the final pass, two passes give what one gives, and printing a reference is the inverse of reading it.
pub fn references(seed: &str) {
    let (text, values) = split(seed);
    let value = |name: &str| {
        let found = values.iter().find(|(n, _)| n == name).map_or("@<t>\\@<s>", |(_, v)| v);
        serde_json::from_str(found).unwrap_or_else(|_| Value::from(found))
    };
    let (s, t) = (value("s"), value("t"));
    let whole = json!(text);
    let final_pass = |value: &Value, s: Option<&Value>, t: Option<&Value>| {
        let lookup = |name: &str| match name {
            "s" => s,
            "t" => t,
            _ => None,
        };
        reference::substitute(value, &lookup, Mode::Final).0
    };

    let escaped = json!(reference::escape(&text));
    let (back, report) = reference::substitute(&escaped, &|_| Some(&s), Mode::Final);
    assert_eq!((back, report), (whole.clone(), Report::default()), "an escaped text holds no reference");

    let (direct, _) = reference::substitute(&json!("@<s>"), &|_| Some(&whole), Mode::Final);
    assert_eq!(direct, whole, "a value stays as it is");
    let (inside, _) = reference::substitute(&json!("<@<s>|@<s>"), &|_| Some(&whole), Mode::Final);
    assert_eq!(inside, json!(format!("<{text}|{text}")), "and so does one inside a text");

    let first = |name: &str| (name == "s").then_some(&s);
    let (between, report) = reference::substitute(&whole, &first, Mode::Template);
    if report.invalid.is_empty() {
        assert_eq!(
            final_pass(&between, None, Some(&t)),
            final_pass(&whole, Some(&s), Some(&t)),
            "two passes give what one gives: {between}"
        );
    }
    let _ = reference::substitute(&whole, &first, Mode::Splice);

    let mut scanned = 0;
    reference::scan(&whole, &mut |path, _, _| {
        assert_eq!(path, "");
        scanned += 1;
    });
    let tokens = reference::tokens(&text);
    assert_eq!(tokens.len(), scanned);
    for (at, token) in tokens {
        assert_eq!(&text[at], token.text);
        let read = Reference { name: token.name.to_owned(), path: token.path(), default: token.fallback() };
        let printed = read.to_string();
        let again = reference::whole(&printed).expect("what is printed is one token");
        assert_eq!(
            (again.name, again.path(), again.fallback()),
            (token.name, read.path, read.default),
            "{} → {printed}",
            token.text
        );
    }
}

/// A type expression, and after a separator another and a value: printing is the inverse of reading, a type fits itself
/// under another name, and its schema can be read back.
pub fn types(seed: &str) {
    let (text, others) = split(seed);
    let text = text.trim_end_matches('\n');
    let ty = match Type::parse(text) {
        Ok(ty) => ty,
        Err((at, message)) => {
            assert!(text.get(at).is_some() && !message.is_empty());
            return;
        }
    };
    let printed = ty.to_string();
    assert_eq!(Type::parse(&printed), Ok(ty.clone()), "{printed}");
    let mut types = Types::default();
    types.define("Self-Made", ty.clone());
    let named = Type::Named("Self-Made".into());
    for (from, to) in [(&ty, &named), (&named, &ty), (&named, &named)] {
        let inside = |ty: &Type| Type::record([("a", ty.clone().list()), ("b", ty.clone())]);
        assert!(types.fits(from, to), "{printed}");
        assert!(types.fits(&inside(from), &inside(to)), "{printed}");
        assert!(types.fits(from, &to.clone().optional()), "{printed}");
    }
    let schema = ty.to_schema(&types);
    assert!(schema.is_object());
    let _ = Type::from_schema(&schema);
    let Some((_, other)) = others.first() else { return };
    if let Ok(value) = serde_json::from_str::<Value>(other) {
        types.accepts(&ty, &value);
        let _ = Type::from_schema(&value);
    }
    if let Ok(other) = Type::parse(other.trim_end_matches('\n')) {
        types.fits(&ty, &other);
        assert!(types.fits(&other, &Type::union([ty.clone(), other.clone()])), "{other} | {printed}");
    }
}

/// An agenda or a template in its native form, and after a separator inputs for it: checked, filled in, drawn.
pub fn agenda_json(seed: &str) {
    let (text, others) = split(seed);
    is_native(&text);
    let checked = check_native(Source::new("x.agenda.json", text.as_str()));
    findings(&checked.diagnostics, &checked.sources);
    if let Ok(agenda) = serde_json::from_str::<Agenda>(&text) {
        validate::agenda(&agenda);
        graph(&Graph::new(&agenda));
        let printed = canonical::pretty(&agenda);
        let again: Agenda = serde_json::from_str(&printed).expect("an agenda can be read again");
        assert_eq!(canonical::pretty(&again), printed);
    }
    let Ok(template) = serde_json::from_str::<AgendaTemplate>(&text) else { return };
    validate::template(&template);
    let given = others.first().and_then(|(_, text)| serde_json::from_str(text).ok());
    for inputs in [json!({}), given.unwrap_or_default()] {
        match template.expand(&inputs) {
            Ok(agenda) => {
                validate::agenda(&agenda);
                graph(&Graph::new(&agenda));
            }
            Err(found) => assert!(!found.is_empty(), "there is an agenda or a reason why not"),
        }
    }
}
