//! Placeholders of other languages in a text: `{{ x }}`, `$(params.x)`, `~{x}`, `$x`, `{x}`. Whether one names something
//! that is known here is decided where names are.

use std::ops::Range;

use super::is_name_char;

/// A placeholder as another language writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Placeholder {
    /// All of it.
    pub(crate) range: Range<usize>,
    /// The name, and names behind it.
    pub(crate) path: Vec<String>,
    /// Whether a shell, or a program's own text, has the same form for names of its own.
    pub(crate) common: bool,
    /// Whether anything else stands between the braces.
    pub(crate) more: bool,
}

/// Names that stand between braces in programs.
const WORDS: &[&str] = &["print", "next", "exit", "else", "return", "break", "continue"];

/// Longer texts are programs or data of their own.
const LONGEST: usize = 20_000;

/// The longest text between two marks that is read as a name, in bytes.
const LONGEST_NAME: usize = 200;

/// So many are looked at in one text.
pub(crate) const MOST: usize = 100;

/// The placeholders in `text`, in their order. What stands in `${…}` is none.
pub(crate) fn placeholders(text: &str) -> Vec<Placeholder> {
    let mut found = Vec::new();
    // a template of another tool
    if text.len() > LONGEST || text.contains("{%") {
        return found;
    }
    let mut at = 0;
    while let Some(next) = text[at..].find(['$', '{', '~']).filter(|_| found.len() < MOST) {
        at += next;
        let rest = &text[at..];
        if let Some(inside) = rest.strip_prefix("${") {
            at += 2 + super::habits::length(inside);
            continue;
        }
        match placeholder(text, at) {
            Some(placeholder) => {
                at = placeholder.range.end;
                found.push(placeholder);
            }
            None => at += if rest.starts_with("{{") || rest.starts_with("$$") { 2 } else { 1 },
        }
    }
    found
}

fn placeholder(text: &str, at: usize) -> Option<Placeholder> {
    let rest = &text[at..];
    let before = text[..at].chars().next_back();
    if before == Some('\\') {
        return None;
    }
    let enclosed = |open: &str, close: &str, common: bool| {
        let inner = rest.strip_prefix(open)?;
        let near = &inner[..inner.floor_char_boundary(LONGEST_NAME)];
        let end = near.find(close)?;
        let (path, more) = path(&inner[..end])?;
        let end = at + open.len() + end + close.len();
        Some(Placeholder { range: at..end, common: common && path.len() == 1, path, more })
    };
    if rest.starts_with("{{") {
        return enclosed("{{", "}}", false);
    }
    if rest.starts_with("~{") {
        return enclosed("~{", "}", false);
    }
    if rest.starts_with("$(") {
        // a name alone is a command
        return enclosed("$(", ")", false).filter(|found| found.path.len() > 1 && !found.more);
    }
    if rest.starts_with('{') {
        // `%{x}`, `@{x}`, `#{x}` are of others; so is `\word{x}`
        let command = text[..at]
            .rsplit_once('\\')
            .is_some_and(|(_, word)| !word.is_empty() && word.chars().all(char::is_alphabetic));
        if before.is_some_and(|c| "%@#{}$".contains(c)) || command {
            return None;
        }
        let found = enclosed("{", "}", true).filter(|found| !found.more && !rest[1..].starts_with(' '))?;
        return (!WORDS.contains(&found.path[0].as_str())).then_some(found);
    }
    // `$x`, `$inputs.x`
    let name = rest.strip_prefix('$')?;
    if !name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
        return None;
    }
    let variable = |text: &str| text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    let mut path = Vec::new();
    let mut end = 0;
    loop {
        let length = variable(&name[end..]);
        path.push(name[end..end + length].to_owned());
        end += length;
        let next = name[end..].strip_prefix('.').is_some_and(|next| variable(next) > 0);
        if !next {
            break;
        }
        end += 1;
    }
    Some(Placeholder { range: at..at + 1 + end, common: true, path, more: false })
}

/// `a.b['c']` as names, and whether anything stands behind it.
fn path(inner: &str) -> Option<(Vec<String>, bool)> {
    let inner = inner.trim();
    let mut path = Vec::new();
    let mut rest = inner;
    loop {
        let length = rest.find(|c| !is_name_char(c)).unwrap_or(rest.len());
        if length == 0 || rest.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            return None;
        }
        path.push(rest[..length].to_owned());
        rest = &rest[length..];
        while let Some(quoted) = rest.strip_prefix("['").or(rest.strip_prefix("[\"")) {
            let end = quoted.find(['\'', '"'])?;
            path.push(quoted[..end].to_owned());
            rest = quoted[end + 1..].strip_prefix(']')?;
        }
        match rest.strip_prefix('.') {
            Some(next) => rest = next,
            None => break,
        }
    }
    let more = !rest.trim().is_empty();
    // `{ print x }`, `{{ x y }}`
    (!more || rest.trim_start().starts_with('|')).then_some((path, more))
}

/// Whether a text has a variable of that name of its own: the name stands in it without the marks of a placeholder.
pub(crate) fn defines(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        let whole = !before.is_some_and(is_name_char) && !after.is_some_and(is_name_char);
        let marked = before == Some('$') || before == Some('{') && matches!(after, Some('}' | '.' | ':'));
        let field = before == Some('.');
        // `awk -vx=1`, `getopts x:`
        let given = text[..at].ends_with("-v") && after == Some('=');
        (whole && !marked && !field) || given
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_of_other_languages() {
        for (text, shown, path) in [
            ("a {{ x }} b", "{{ x }}", "x"),
            ("{{inputs.parameters.x}}", "{{inputs.parameters.x}}", "inputs.parameters.x"),
            ("{{ steps['a b'].out }}", "{{ steps['a b'].out }}", "steps.a b.out"),
            ("{{ x | upper }}", "{{ x | upper }}", "x"),
            ("é $(params.x)", "$(params.x)", "params.x"),
            ("~{x}", "~{x}", "x"),
            ("$inputs.x.", "$inputs.x", "inputs.x"),
            ("-i $x/y", "$x", "x"),
            ("out/{x}.bam", "{x}", "x"),
            ("${a} {x}", "{x}", "x"),
        ] {
            let all = placeholders(text);
            assert_eq!(all.len(), 1, "{text}");
            assert_eq!((&text[all[0].range.clone()], all[0].path.join(".").as_str()), (shown, path));
        }
    }

    #[test]
    fn what_shells_and_programs_write_is_none() {
        for text in [
            "$(date) $1 $@ $? $$ $# ${HOME} ${x:-y}",
            "awk '{print $1}' '{ print x }' {print}",
            "{{.Names}} {{- x }} {{range .Items}} {{#if x}} {% for x in y %} {{ x }}",
            "find . -exec {} \\; ~/x {a,b} {1..3} %{http_code} stash@{0} @{u} #{x}",
            "\\frac{x}{y} \\{x} \\$x",
            "{\"a\": 1} { x }",
            "x=$((1 + 2))",
        ] {
            assert_eq!(placeholders(text), [], "{text}");
        }
    }

    #[test]
    fn a_text_may_have_variables_of_its_own() {
        for text in
            ["for x in *; do echo $x; done", "x=1; echo $x", "read -r x; $x", "--arg x 1 '$x'", "x {x}"]
        {
            assert!(defines(text, "x"), "{text}");
        }
        for text in ["echo $x", "echo {x}", "xx $x", "inputs.x", "x1 ${x}", "${x:-1}"] {
            assert!(!defines(text, "x"), "{text}");
        }
    }
}
