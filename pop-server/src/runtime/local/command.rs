//! Fills `${with.NAME}` in command lines and in `stdin`.

use pop_compiler::agenda::Params;
use pop_sdk::api::{Failure, FailureClass};
use serde_json::Value;

use crate::run::fail;

/// The arguments for an input. An argument of exactly one reference to a list becomes one argument for each item; one
/// of exactly one reference to an absent value becomes no argument. Elsewhere texts are inserted unchanged, and other
/// values as JSON.
pub(in crate::runtime) fn arguments(command: &[String], input: &Value) -> Result<Vec<String>, Failure> {
    let mut arguments = Vec::with_capacity(command.len());
    for (i, template) in command.iter().enumerate() {
        match whole(template) {
            Some(path) => match lookup(input, path)? {
                // Without this, the next argument would become the program.
                Value::Null if i == 0 => arguments.push(String::new()),
                Value::Null => {}
                Value::Array(items) => arguments.extend(items.iter().map(text)),
                other => arguments.push(text(other)),
            },
            None => arguments.push(fill(template, input)?),
        }
    }
    Ok(arguments)
}

/// The environment variables of an operation type. A variable of exactly one reference to an absent value is not set.
pub(in crate::runtime) fn environment(env: &Params, input: &Value) -> Result<Vec<(String, String)>, Failure> {
    let mut variables = Vec::with_capacity(env.len());
    for (name, value) in env {
        let value = match value.as_str() {
            None => value.to_string(),
            Some(template) => match whole(template).map(|path| lookup(input, path)).transpose()? {
                Some(Value::Null) => continue,
                Some(value) => text(value),
                None => fill(template, input)?,
            },
        };
        variables.push((name.clone(), value));
    }
    Ok(variables)
}

/// The text for standard input. A list of texts is written as one line for each item.
pub(in crate::runtime) fn stdin(template: &str, input: &Value) -> Result<String, Failure> {
    let Some(path) = whole(template) else { return fill(template, input) };
    match lookup(input, path)? {
        Value::Array(items) if items.iter().all(Value::is_string) => {
            let mut lines = String::new();
            for item in items.iter().filter_map(Value::as_str) {
                lines.push_str(item);
                if !item.ends_with('\n') {
                    lines.push('\n');
                }
            }
            Ok(lines)
        }
        other => Ok(text(other)),
    }
}

/// The path inside the input, if the template is exactly one reference.
fn whole(template: &str) -> Option<&str> {
    let inner = template.strip_prefix("${with.")?.strip_suffix('}')?;
    (!inner.contains('}')).then_some(inner)
}

fn fill(template: &str, input: &Value) -> Result<String, Failure> {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(at) = rest.find("${with.") {
        if rest[..at].ends_with('$') {
            out.push_str(&rest[..at - 1]);
            out.push_str("${with.");
            rest = &rest[at + 7..];
            continue;
        }
        let Some(end) = rest[at..].find('}') else { break };
        out.push_str(&rest[..at]);
        out.push_str(&text(lookup(input, &rest[at + 7..at + end])?));
        rest = &rest[at + end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

fn lookup<'a>(input: &'a Value, path: &str) -> Result<&'a Value, Failure> {
    // A reference that may be absent becomes an empty text.
    let (path, perhaps) = match path.strip_suffix('?') {
        Some(path) => (path, true),
        None => (path, false),
    };
    let mut value = input;
    for part in path.split('.') {
        let next = match value {
            Value::Object(map) => map.get(part),
            Value::Array(items) => part.parse::<usize>().ok().and_then(|i| items.get(i)),
            _ => None,
        };
        if perhaps && next.is_none() && !matches!(value, Value::Array(_)) {
            return Ok(&Value::Null);
        }
        value = next.ok_or_else(|| {
            fail(
                FailureClass::Config,
                "InputMissing",
                format!(
                    "cannot build the command: `${{with.{path}}}` has no value, because the input has no \
                    `{part}` at that place"
                ),
            )
        })?;
    }
    Ok(value)
}

fn text(value: &Value) -> String {
    match value {
        Value::String(s) => s.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_become_text_and_lists_become_arguments() {
        let input = json!({"a": "x y", "n": 7, "list": ["p", 1], "o": {"k": "v"}, "none": null});
        let command: Vec<String> = [
            "prog",
            "${with.a}",
            "-n=${with.n}",
            "${with.list}",
            "${with.o.k}",
            "$${with.a}",
            "${with.none}",
        ]
        .map(String::from)
        .to_vec();
        assert_eq!(arguments(&command, &input).unwrap(), ["prog", "x y", "-n=7", "p", "1", "v", "${with.a}"]);
    }

    #[test]
    fn what_may_be_absent_is_empty() {
        let input = json!({"a": null, "l": [1]});
        let words = ["${with.b?}", "x${with.b?}y", "${with.a.b.c?}", "${with.a?}"].map(String::from);
        assert_eq!(arguments(&words, &input).unwrap(), ["", "xy"], "the first is the program");
        let words = ["p", "${with.b?}", "-x=${with.a?}", "${with.a?}", "${with.e}", "end"].map(String::from);
        assert_eq!(arguments(&words, &json!({"e": "", "l": []})).unwrap(), ["p", "-x=", "", "end"]);
        assert_eq!(stdin("${with.b?}", &input).unwrap(), "");
        assert!(arguments(&["${with.l.3?}".into()], &input).is_err());
    }

    #[test]
    fn variables_are_filled_in() {
        let env = [("T", json!("-${with.t}")), ("N", json!(3)), ("U", json!("${with.u?}"))];
        let env = Params::from_iter(env.map(|(name, value)| (name.to_owned(), value)));
        let filled = environment(&env, &json!({"t": "x"})).unwrap();
        assert_eq!(filled, [("T".into(), "-x".into()), ("N".into(), "3".into())] as [(String, String); 2]);
        assert!(environment(&env, &json!({})).is_err());
    }

    #[test]
    fn a_missing_input_is_an_error_that_names_it() {
        let failure = arguments(&["${with.nope}".into()], &json!({})).unwrap_err();
        assert!(failure.message.contains("`nope`"), "{}", failure.message);
    }

    #[test]
    fn a_list_goes_to_stdin_line_by_line() {
        assert_eq!(stdin("${with.l}", &json!({"l": ["a", "b\n"]})).unwrap(), "a\nb\n");
        assert_eq!(stdin("${with.l}", &json!({"l": [1, 2]})).unwrap(), "[1,2]");
        assert_eq!(stdin("<${with.l}>", &json!({"l": "a"})).unwrap(), "<a>");
    }
}
