//! Checks an operation's output against its declared type.

use std::fmt;

use serde_json::{Map, Value};

use super::check::{self, Fault, Kind};
use crate::diagnostic::shorten;
use crate::types::{Type, Types};

/// Most further faults in a message.
const MOST: usize = 4;

/// Why an output does not have its declared type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Place: `n`, `list[3].name`; empty for the output as a whole.
    pub field: String,
    /// The declared type at that place, in the workflow language.
    pub expected: String,
    /// The value at that place as JSON, shortened; `nothing` for an absent field. A secret is never quoted.
    pub found: String,
    /// Kind of the fault.
    pub kind: MisfitKind,
    /// The other faults, one fragment each; cut after a few.
    pub others: Vec<String>,
}

/// The kind of a [`Misfit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MisfitKind {
    /// An absent field.
    Missing,
    /// An undeclared field.
    Extra,
    /// A value of another type.
    Wrong,
}

impl fmt::Display for Misfit {
    /// `` `n` is "three", expected `int` ``.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&told(&self.field, &self.expected, &self.found, self.kind))?;
        self.others.iter().try_for_each(|other| write!(f, "; {other}"))
    }
}

/// Compares the output of an operation with the JSON Schema of its declared type.
///
/// # Errors
/// The first fault, with the others behind it.
pub fn check_output(schema: &Value, mut output: Value) -> Result<Value, Box<Misfit>> {
    let faults = check::compare(schema, &mut output);
    let Some(first) = faults.first() else { return Ok(output) };
    let others = faults[1..].iter().take(MOST);
    let mut others: Vec<String> = others
        .map(|fault| {
            let (field, expected, kind) = parts(schema, fault);
            told(&field, &expected, &fault.found, kind)
        })
        .collect();
    if faults.len() > MOST + 1 {
        others.push(format!("and {} more", faults.len() - MOST - 1));
    }
    let (field, expected, kind) = parts(schema, first);
    Err(Box::new(Misfit { field, expected, found: first.found.clone(), kind, others }))
}

fn told(field: &str, expected: &str, found: &str, kind: MisfitKind) -> String {
    match (field, kind) {
        ("", _) => format!("the output is {found}, expected {expected}"),
        (_, MisfitKind::Missing) => format!("`{field}` is missing, expected {expected}"),
        (_, MisfitKind::Extra) => format!("`{field}` is not declared"),
        (_, MisfitKind::Wrong) => format!("`{field}` is {found}, expected {expected}"),
    }
}

/// Field, expected type and kind of a fault.
fn parts(root: &Value, fault: &Fault<'_>) -> (String, String, MisfitKind) {
    let mut field = path(&fault.at);
    match &fault.kind {
        Kind::Missing(name) => {
            push(&mut field, name);
            (field, expected(root, fault.schema), MisfitKind::Missing)
        }
        Kind::Extra(_) => (field, "nothing".to_owned(), MisfitKind::Extra),
        Kind::Wrong => (field, expected(root, fault.schema), MisfitKind::Wrong),
        Kind::Unchecked => (field, "less".to_owned(), MisfitKind::Wrong),
    }
}

/// Declared type of an output in the workflow language; `any` without a declaration.
pub fn declared(schema: Option<&Value>) -> String {
    schema.map_or_else(
        || "any".to_owned(),
        |schema| expected(schema, Some(schema)).trim_matches('`').to_owned(),
    )
}

/// The type of a schema in the workflow language.
fn expected(root: &Value, schema: Option<&Value>) -> String {
    let Some(Value::Object(schema)) = schema else { return "`any`".to_owned() };
    let mut whole: Map<String, Value> = schema.clone();
    if let Some(defs) = root.get("$defs") {
        whole.insert("$defs".to_owned(), defs.clone());
    }
    let ty = Type::from_schema_named(&Value::Object(whole), "", &mut Types::default());
    format!("`{}`", shorten(&ty.to_string()))
}

/// A JSON pointer as a path of the workflow language.
fn path(pointer: &str) -> String {
    let mut path = String::new();
    for part in pointer.split('/').skip(1) {
        push(&mut path, &part.replace("~1", "/").replace("~0", "~"));
    }
    path
}

fn push(path: &mut String, part: &str) {
    if part.bytes().all(|b| b.is_ascii_digit()) && !part.is_empty() {
        *path += &format!("[{part}]");
        return;
    }
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(part);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn misfit(ty: &str, output: Value) -> Option<(String, String, String, MisfitKind)> {
        let schema = Type::parse(ty).unwrap().to_schema(&Types::default());
        let misfit = check_output(&schema, output).err()?;
        Some((misfit.field, misfit.expected, misfit.found, misfit.kind))
    }

    #[test]
    fn the_first_fault_has_its_place_and_both_sides() {
        use MisfitKind::{Extra, Missing, Wrong};
        let told = |field: &str, expected: &str, found: &str, kind| {
            Some((field.into(), expected.into(), found.into(), kind))
        };
        let record = "{n: int, at: datetime?, list: list<{k: \"a\" | \"b\"}>?}";
        for (ty, output, fault) in [
            (record, json!({"n": 3}), None),
            (record, json!({"n": 3, "at": null, "list": [{"k": "a"}]}), None),
            (record, json!({"n": "three"}), told("n", "`int`", "\"three\"", Wrong)),
            (record, json!({}), told("n", "`int`", "nothing", Missing)),
            (record, json!({"n": 1, "at": "soon"}), told("at", "`datetime?`", "\"soon\"", Wrong)),
            (record, json!({"n": 1, "list": [{"k": "a"}, {"k": 4}]}), {
                told("list[1].k", "`\"a\" | \"b\"`", "4", Wrong)
            }),
            (record, json!({"n": 1, "m": 2}), told("m", "nothing", "a number", Extra)),
            (
                record,
                json!([]),
                told("", "`{at: datetime?, list: list<{k: \"a\" | \"b\"}>?, n: int}`", "[]", Wrong),
            ),
            ("{s: secret<int>}", json!({"s": "pw"}), {
                told("s", "`secret<int>`", "another secret value", Wrong)
            }),
            ("list<{s: secret<int>}>", json!("pw"), {
                told("", "`list<{s: secret<int>}>`", "another secret value", Wrong)
            }),
            ("map<float>", json!({"a": 1.5, "b": 0}), None),
            ("{n: int, ...}", json!({"n": 1, "more": [true]}), None),
        ] {
            assert_eq!(misfit(ty, output.clone()), fault, "{ty} {output}");
        }
    }

    #[test]
    fn types_are_called_by_their_names() {
        let mut types = Types::default();
        types.define("Tree", Type::parse("{name: string, children: list<Tree>}").unwrap());
        let schema = Type::parse("{root: Tree}").unwrap().to_schema(&types);
        let output = json!({"root": {"name": "a", "children": [{"name": "b", "children": [7]}]}});
        let misfit = check_output(&schema, output).unwrap_err();
        assert_eq!(misfit.to_string(), "`root.children[0].children[0]` is 7, expected `Tree`");
    }

    #[test]
    fn all_faults_are_told_up_to_a_few() {
        let schema = Type::parse("list<int>").unwrap().to_schema(&Types::default());
        let misfit = check_output(&schema, json!(["a", "b"])).unwrap_err();
        assert_eq!(misfit.to_string(), "`[0]` is \"a\", expected `int`; `[1]` is \"b\", expected `int`");
        let misfit = check_output(&schema, json!(vec!["a"; 8])).unwrap_err();
        assert!(misfit.to_string().ends_with("; and 3 more"), "{misfit}");
    }

    #[test]
    fn a_large_output_is_looked_at_whole() {
        let schema = Type::parse("list<int>").unwrap().to_schema(&Types::default());
        let mut items: Vec<Value> = (0..1_200_000).map(Value::from).collect();
        assert!(check_output(&schema, Value::Array(items.clone())).is_ok());
        items.push(json!("x"));
        assert_eq!(check_output(&schema, Value::Array(items)).unwrap_err().field, "[1200000]");
    }
}
