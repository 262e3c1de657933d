//! The rule for prose of CONTRIBUTING.md, as far as a test can keep it: phrases that must not come back, in the texts that
//! people read. Texts are the string literals of the crates' code, their help, and the documentation.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::Lit;

/// Phrases that no text may have, and what to write instead.
const NOWHERE: &[(&str, &str)] = &[
    ("makes no sense", "invalid X"),
    ("make no sense", "invalid X"),
    ("nothing here", "name what is missing"),
    ("somebody", "name who"),
    ("whoever", "name who"),
    ("exited well", "exited with code 0"),
    ("can't be made", "could not create X: why"),
    ("can't be kept", "could not store X: why"),
    ("goes wrong", "fails"),
    ("went wrong", "failed"),
    ("what it came to", "the outcome"),
    ("a fault of pop's own", "internal error of POP"),
    ("is not good", "invalid"),
];

/// Phrases that a message or a help text may not have either: it says what is invalid, with the value, and what to do.
const IN_NO_MESSAGE: &[(&str, &str)] = &[
    (" is no ", "invalid X: expected Y"),
    (" are no ", "invalid X: expected Y"),
    ("there is nothing", "X not found"),
    ("there is no ", "X does not exist"),
    ("once more", "retry"),
    ("meanwhile", "concurrently"),
    ("does not take", "X accepts: list what is accepted"),
    ("no longer watching", "stopped watching"),
    ("give it a ", "add X"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crates lie in the workspace").to_path_buf()
}

fn files(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    const ELSEWHERE: [&str; 6] = ["target", "node_modules", ".git", ".venv", "snapshots", "faults"];
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() {
            if !ELSEWHERE.iter().any(|other| name == *other) {
                files(&path, extension, found);
            }
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
}

/// A text that people read.
#[derive(Debug, PartialEq)]
struct Said {
    line: usize,
    text: String,
    /// A message or a help text, not documentation.
    message: bool,
}

/// The texts of a file: string literals of code, or whole lines.
fn texts(path: &Path, text: &str) -> Vec<Said> {
    if path.extension().is_some_and(|e| e == "rs") {
        return literals(text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default());
    }
    let message = path.extension().is_some_and(|e| e == "snap");
    text.lines().zip(1..).map(|(text, line)| Said { line, text: text.to_owned(), message }).collect()
}

/// The string literals. Doc comments are literals to Rust, too.
fn literals(code: &str) -> Vec<Said> {
    let mut found = Vec::new();
    gather(code.parse::<TokenStream>().expect("the crates compile"), true, &mut found);
    found
}

fn gather(tokens: TokenStream, message: bool, found: &mut Vec<Said>) {
    let mut message = message;
    for token in tokens {
        match token {
            TokenTree::Group(group) => gather(group.stream(), true, found),
            TokenTree::Literal(literal) => {
                let line = literal.span().start().line;
                if let Lit::Str(text) = Lit::new(literal) {
                    found.push(Said { line, text: text.value(), message });
                }
            }
            TokenTree::Ident(name) => message = name != "doc",
            TokenTree::Punct(_) => {}
        }
    }
}

#[test]
fn literals_are_found_as_rust_reads_them() {
    let code = "// no\n/// yes\nlet a = \"one \\\n    two\"; let c = '\"'; r#\"fo\"ur\"#;";
    let expected = [(2, " yes", false), (3, "one two", true), (4, "fo\"ur", true)];
    assert_eq!(
        literals(code),
        expected.map(|(line, text, message)| Said { line, text: text.to_owned(), message })
    );
}

#[test]
fn the_worst_phrases_do_not_come_back() {
    let root = root();
    let mut all = Vec::new();
    for krate in ["pop-compiler/src", "pop-macros/src", "pop-sdk/src", "pop-server/src"] {
        files(&root.join(krate), "rs", &mut all);
    }
    files(&root, "md", &mut all);
    all.push(root.join("tests/snapshots/help.snap"));
    let mut found = Vec::new();
    for path in all {
        let name = path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().into_owned();
        // These show what not to write.
        if name.ends_with("glossary.md")
            || name == "CONTRIBUTING.md"
            || name.contains("test") && path.extension().is_some_and(|e| e == "rs")
        {
            continue;
        }
        for Said { line, text, message } in texts(&path, &fs::read_to_string(&path).unwrap()) {
            let lower = text.to_lowercase().replace("no longer", "").replace("no more than", "");
            let banned = NOWHERE.iter().chain(IN_NO_MESSAGE.iter().filter(|_| message));
            for (phrase, instead) in banned.filter(|(phrase, _)| lower.contains(phrase)) {
                found.push(format!("{name}:{line}: `{phrase}` in {text:?}. Write: {instead}"));
            }
        }
    }
    assert!(found.is_empty(), "{} texts break the rule for prose:\n{}", found.len(), found.join("\n"));
}
