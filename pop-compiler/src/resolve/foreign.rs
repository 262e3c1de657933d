//! What placeholders of other languages would mean here, if they name something that is known.

use std::ops::Range;

use crate::agenda::RunSpec;
use crate::ast::Foreign;
use crate::catalog::Catalog;
use crate::catalog::command::{self, Place};
use crate::expr::foreign::{self, Placeholder};
use crate::expr::{Segment, write_name, write_segment};
use crate::model::Operation;
use crate::types::{Type, Types};

/// Words that other languages have before the name of an input.
const INPUTS: &[&str] =
    &["inputs", "input", "params", "parameters", "args", "arguments", "vars", "var", "with"];
/// Words that other languages have before the name of an operation.
const OPERATIONS: &[&str] = &["operations", "steps", "tasks", "jobs", "needs", "nodes"];
/// Words that other languages have behind the name of an operation.
const OUTPUTS: &[&str] = &["out", "output", "outputs", "result", "results", "parameters"];

/// The part of a workflow that a placeholder names.
pub(super) enum Named {
    Input(usize),
    Operation(usize),
    Other,
}

/// What the placeholder is written like here, and what it names.
pub(super) fn meaning(
    foreign: &Foreign,
    inputs: &dyn Fn(&str) -> Option<usize>,
    operations: &[Operation<'_>],
    find: &dyn Fn(&str) -> Option<usize>,
    catalog: &Catalog,
) -> Option<(String, Named)> {
    let path: Vec<&str> = foreign.path.iter().map(String::as_str).collect();
    let fanned = foreign.inside.and_then(|i| operations.get(i)).is_some_and(|o| o.ast.each.is_some());
    let (first, rest) = path.split_first()?;
    // `workflow.parameters.x`
    let (first, rest) = match (*first, rest) {
        ("workflow", [second, rest @ ..]) if INPUTS.contains(second) => (*second, rest),
        (first, rest) => (first, rest),
    };
    let input = |name: &str, rest: &[&str]| {
        let i = inputs(name)?;
        Some((written("inputs", std::iter::once(name).chain(rest.iter().copied())), Named::Input(i)))
    };
    if INPUTS.contains(&first) && first != "with" {
        let rest = if matches!(rest, [word, _, ..] if INPUTS.contains(word)) { &rest[1..] } else { rest };
        return input(rest.first()?, rest.get(1..)?);
    }
    if fanned && matches!(first, "item" | "each") && !foreign.common {
        return Some((written("each", rest.iter().copied()), Named::Other));
    }
    if first == "run" && matches!(rest, ["id" | "customer"]) && !foreign.common {
        return Some((written("run", rest.iter().copied()), Named::Other));
    }
    let prefixed = OPERATIONS.contains(&first) && find(first).is_none();
    let (name, rest) = match rest.split_first() {
        Some((name, rest)) if prefixed => (*name, rest),
        _ => (first, rest),
    };
    if let Some(i) = find(name) {
        let words = rest.iter().take_while(|word| OUTPUTS.contains(word)).count();
        let rest = if words < rest.len() { &rest[words..] } else { rest };
        let field = rest.first()?;
        let known = match catalog.types.resolve(&operations.get(i)?.kind?.output) {
            Type::Record(record) => record.get(field).is_some(),
            // anything may be there, but a shell has the same form for other things
            Type::Any => !foreign.shell || prefixed,
            _ => false,
        };
        return known.then(|| (written(&write_name(name), rest.iter().copied()), Named::Operation(i)));
    }
    match rest {
        [] if first == name => input(name, &[]),
        // `$name.txt`: a text behind the name
        [_, ..] if foreign.shown.starts_with('$') && foreign.common => {
            let (right, named) = input(name, &[])?;
            Some((format!("{right}.{}", rest.join(".")), named))
        }
        _ => None,
    }
}

/// What a placeholder in a command is written like, when it names an input of the operation type.
pub(super) fn in_command(path: &[String], input: &Type, types: &Types) -> Option<String> {
    let named = path.first().is_some_and(|first| INPUTS.contains(&first.as_str())) && path.len() > 1;
    let path = if named { &path[1..] } else { path };
    let plain = path.iter().all(|name| !name.is_empty() && name.chars().all(crate::expr::is_name_char));
    let Type::Record(record) = types.resolve(input) else { return None };
    record.get(path.first()?)?;
    let path = path.join(".");
    let there = matches!(command::place(types, input, &path), Place::There { .. });
    (plain && there).then(|| format!("${{with.{path}}}"))
}

fn written<'n>(root: &str, path: impl Iterator<Item = &'n str>) -> String {
    let steps: String = path.map(|name| write_segment(&Segment::Field(name.to_owned()))).collect();
    format!("${{{root}{steps}}}")
}

/// A placeholder in a text of a command.
pub(super) struct InCommand {
    pub(super) range: Range<usize>,
    pub(super) right: String,
    pub(super) certain: bool,
}

/// Programs whose text has `$x` and `${x}` for variables of the environment, which inputs are not.
const SHELLS: &[&str] = &["sh", "bash", "dash", "ash", "ksh", "zsh"];

/// The placeholders in a text of a command that name an input of the operation type. A name that the command or its
/// environment gives a meaning of its own is none; nor is what may be a variable of a program's own text.
///
/// Such a text gets no fix: what is put into it is read as a part of the program.
pub(super) fn in_text(text: &str, run: &RunSpec, input: &Type, types: &Types) -> Vec<InCommand> {
    let own = |name: &str| {
        let words = run.command.iter().chain(&run.args).map(String::as_str);
        run.env.contains_key(name) || words.chain([text]).any(|word| foreign::defines(word, name))
    };
    let program = text.contains(|c: char| c.is_whitespace() || "'\"`;|".contains(c));
    let name_of = |word: &String| word.rsplit('/').next().unwrap_or_default().to_owned();
    let shell = run.command.first().map(name_of).is_some_and(|name| SHELLS.contains(&name.as_str()));
    let may_be_own = |found: &Placeholder| {
        let shown = &text[found.range.clone()];
        let words = run.command.iter().chain(&run.args);
        let name = found.path.first().map_or("", String::as_str);
        found.common
            && (own(name)
                || (program && !(shell && shown.starts_with('$')))
                || (shell && text.contains(&format!("${{{name}:")))
                || words.filter(|word| word.contains(shown)).count() > 1)
    };
    let variables = text.match_indices("${").take(foreign::MOST).filter_map(|(at, _)| {
        let inside = &text[at + 2..];
        let name = &inside[..inside.find('}')?];
        let range = at..at + name.len() + 3;
        let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        (plain && !text[..at].ends_with(['$', '\\'])).then(|| Placeholder {
            range,
            path: vec![name.to_owned()],
            common: true,
            more: false,
        })
    });
    let mut all: Vec<Placeholder> = foreign::placeholders(text).into_iter().chain(variables).collect();
    all.sort_by_key(|found| found.range.start);
    all.into_iter()
        .filter(|found| !(may_be_own(found) || found.common && found.path.iter().any(|name| own(name))))
        .filter_map(|Placeholder { range, path, more, common }| {
            let right = in_command(&path, input, types).or_else(|| {
                // `$name.txt`: a text behind the name
                let (first, rest) = path.split_first().filter(|_| common && path.len() > 1)?;
                Some(format!("{}.{}", in_command(std::slice::from_ref(first), input, types)?, rest.join(".")))
            })?;
            Some(InCommand { range, right, certain: !more && !common && !program })
        })
        .collect()
}
