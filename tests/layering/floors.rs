//! The floors of each library: a module imports only from its own floor and from earlier floors, never in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::{is_test, root, sources};

/// A crate and its top-level modules by floor. A new module needs a place here.
struct Building {
    krate: &'static str,
    floors: &'static [(&'static str, &'static [&'static str])],
    /// Imports between modules: were fewer found, the checks would see nothing.
    imports: usize,
}

const BUILDINGS: [Building; 4] = [
    Building {
        krate: "pop-compiler",
        floors: &[
            (
                "text",
                &[
                    "budget",
                    "canonical",
                    "diagnostic",
                    "duration",
                    "quantity",
                    "source",
                    "suggest",
                    "syntax",
                    "tree",
                    "units",
                ],
            ),
            (
                "agenda",
                &["agenda", "generator", "graph", "reference", "retry", "template", "types", "values"],
            ),
            ("language", &["ast", "catalog", "coerce", "expr", "model"]),
            ("rules", &["rules"]),
            ("passes", &["check", "decode", "fix", "lower", "resolve", "severities", "validate"]),
            ("compile", &["compile"]),
            ("tools", &["client", "diff", "fmt", "import", "language_schema", "render", "source_map"]),
            ("cli", &["cli"]),
        ],
        imports: 100,
    },
    Building {
        krate: "pop-macros",
        floors: &[
            ("parts", &["fields", "findings"]),
            ("module", &["module"]),
            ("attributes", &["operation", "record"]),
            ("workflows", &["include", "workflow"]),
        ],
        imports: 8,
    },
    Building {
        krate: "pop-sdk",
        floors: &[
            ("values", &["api", "failure", "findings", "places", "secret", "sse", "values"]),
            ("run", &["run"]),
            ("operations", &["operation"]),
            ("definitions", &["builtin", "definition", "handle", "names"]),
            ("client", &["client"]),
            ("workflows", &["builder", "workflow"]),
            ("handlers", &["handler"]),
            ("tests", &["testing"]),
        ],
        imports: 25,
    },
    Building {
        krate: "pop-server",
        floors: &[
            ("ids", &["ids"]),
            ("env", &["env"]),
            ("scheduler", &["scheduler"]),
            ("core", &["core"]),
            ("store", &["store"]),
            ("engine", &["engine"]),
            ("http", &["http"]),
            ("runtime", &["runtime"]),
            ("pool", &["pool"]),
            ("api", &["api"]),
            ("serve", &["serve"]),
            ("terminal", &["terminal"]),
            ("commands", &["commands"]),
        ],
        imports: 25,
    },
];

impl Building {
    fn src(&self) -> PathBuf {
        root().join(self.krate).join("src")
    }

    /// The number of a module's floor, and the floor's name.
    fn floor(&self, module: &str) -> (usize, &'static str) {
        let mut found = self.floors.iter().enumerate().filter(|(_, (_, modules))| modules.contains(&module));
        let (number, (name, _)) = found
            .next()
            .unwrap_or_else(|| panic!("{}: `{module}` has no floor: add it to BUILDINGS", self.krate));
        assert!(found.next().is_none(), "{}: `{module}` has two floors", self.krate);
        (number, name)
    }
}

/// For each module the imported modules, each with one importing file.
type Arrows = BTreeMap<String, BTreeMap<String, String>>;

/// Names, `::`, braces, commas and semicolons of Rust code, without comments and literals.
fn tokens(code: &str) -> Vec<&str> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(hashes) = raw_string(rest) {
            let end = format!("\"{}", "#".repeat(hashes));
            let start = rest.find('"').map_or(0, |n| n + 1);
            rest[start..].find(&end).map_or(rest.len(), |n| start + n + end.len())
        } else if first == '"' {
            let mut escaped = false;
            let end = rest.char_indices().skip(1).find(|(_, c)| {
                let ends = *c == '"' && !escaped;
                escaped = *c == '\\' && !escaped;
                ends
            });
            end.map_or(rest.len(), |(n, _)| n + 1)
        } else if first == '\'' {
            // a character, or the beginning of a lifetime
            let inner = &rest[1..];
            let escape = inner.strip_prefix('\\').and_then(|r| r[1..].find('\'').map(|n| n + 4));
            let plain = inner.chars().next().map_or(0, char::len_utf8) + 1;
            escape.unwrap_or(if rest[plain..].starts_with('\'') { plain + 1 } else { 1 })
        } else if is_name(first) {
            let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
            found.push(&rest[..end]);
            end
        } else {
            let length = if rest.starts_with("::") { 2 } else { first.len_utf8() };
            if !first.is_whitespace() {
                found.push(&rest[..length]);
            }
            length
        };
        rest = &rest[length..];
    }
    found
}

/// Number of `#` of the raw string at the start of the text.
fn raw_string(text: &str) -> Option<usize> {
    let rest = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let quote = rest.trim_start_matches('#');
    quote.starts_with('"').then_some(rest.len() - quote.len())
}

/// The paths of a `use` up to its semicolon, each after `prefix`.
fn use_paths(tokens: &mut &[&str], prefix: &[String], found: &mut Vec<Vec<String>>) {
    let mut path = prefix.to_vec();
    while let Some((token, rest)) = tokens.split_first() {
        *tokens = rest;
        match *token {
            "::" => {}
            "{" => {
                while !matches!(tokens.first(), None | Some(&"}")) {
                    use_paths(tokens, &path, found);
                }
                *tokens = tokens.get(1..).unwrap_or_default();
                path.clear();
            }
            "as" => *tokens = tokens.get(1..).unwrap_or_default(),
            "," | ";" => break,
            name => path.push(name.to_owned()),
        }
        if tokens.first() == Some(&"}") {
            break;
        }
    }
    if path.len() > prefix.len() {
        found.push(path);
    }
}

/// Every path of a file in an import, or with `crate` or `super` at its start.
fn paths(code: &str) -> Vec<Vec<String>> {
    let all = tokens(code);
    let mut rest = all.as_slice();
    let mut found = Vec::new();
    while let Some((token, after)) = rest.split_first() {
        rest = after;
        if *token == "use" {
            use_paths(&mut rest, &[], &mut found);
        } else if matches!(*token, "crate" | "super") && rest.first() == Some(&"::") {
            let mut path = vec![(*token).to_owned()];
            while let ["::", name, after @ ..] = rest {
                path.push((*name).to_owned());
                rest = after;
            }
            found.push(path);
        }
    }
    found
}

/// The path from the root of the crate for a path in the module at `file`; none for other crates.
fn from_root(path: &[String], file: &[String]) -> Option<Vec<String>> {
    match path.first().map(String::as_str) {
        Some("crate") => Some(path[1..].to_vec()),
        Some("super") => {
            let up = path.iter().take_while(|name| *name == "super").count();
            let above = file.len().checked_sub(up).expect("no module is above the root");
            Some(file[..above].iter().chain(&path[up..]).cloned().collect())
        }
        _ => None,
    }
}

/// The imports between the top-level modules below `src`.
fn arrows(src: &Path, modules: &BTreeSet<String>) -> Arrows {
    let lib = fs::read_to_string(src.join("lib.rs")).unwrap();
    let exported = paths(&lib).into_iter().filter_map(|path| {
        let from = path.iter().find(|name| !matches!(name.as_str(), "self" | "crate"))?;
        Some((path.last()?.clone(), from.clone()))
    });
    let mut exported: BTreeMap<String, String> = exported.collect();
    let mut found = Arrows::new();
    // A macro is exported at the root, wherever its module is.
    for (path, code) in sources(src) {
        let place = path.strip_prefix(src).unwrap().with_extension("");
        let module = place.iter().next().unwrap().to_string_lossy().into_owned();
        let all = tokens(&code);
        for name in all.windows(3).filter(|w| w[0] == "macro_rules" && w[1] == "!").map(|w| w[2]) {
            exported.entry(name.to_owned()).or_insert_with(|| module.clone());
        }
    }
    for (path, code) in sources(src) {
        let place = path.strip_prefix(src).unwrap().with_extension("");
        let file: Vec<String> = place.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        if file[0] == "lib" || file[0] == "bin" || is_test(&path) || file.iter().any(|part| part == "tests") {
            continue;
        }
        for path in paths(&code) {
            let Some(full) = from_root(&path, &file) else { continue };
            let name = full.first().unwrap_or_else(|| panic!("{}: imports the root", place.display()));
            let module = if modules.contains(name) { name } else { exported.get(name).unwrap_or(name) };
            if module != name && !modules.contains(module) {
                continue; // another crate's, under a name at the root
            }
            assert!(modules.contains(module), "{}: `{}` leads nowhere", place.display(), path.join("::"));
            if *module != file[0] {
                let from = found.entry(file[0].clone()).or_default();
                from.entry(module.clone()).or_insert_with(|| format!("{}.rs", place.display()));
            }
        }
    }
    found
}

/// A circle of modules that import each other, in order, if one exists from `path` on.
fn circle(arrows: &Arrows, path: &mut Vec<String>, done: &mut BTreeSet<String>) -> Option<Vec<String>> {
    let module = path.last()?.clone();
    for to in arrows.get(&module).into_iter().flat_map(BTreeMap::keys) {
        if let Some(start) = path.iter().position(|module| module == to) {
            return Some(path[start..].to_vec());
        }
        if !done.contains(to) {
            path.push(to.clone());
            if let Some(found) = circle(arrows, path, done) {
                return Some(found);
            }
            path.pop();
        }
    }
    done.insert(module);
    None
}

/// The modules that `lib.rs` declares, in its order.
fn declared(src: &Path) -> Vec<String> {
    let lib = fs::read_to_string(src.join("lib.rs")).unwrap();
    let all = tokens(&lib);
    all.windows(3).filter(|w| w[0] == "mod" && w[2] == ";").map(|w| w[1].to_owned()).collect()
}

#[test]
fn every_module_has_one_floor() {
    for building in &BUILDINGS {
        let krate = building.krate;
        let modules = declared(&building.src());
        let floors: Vec<usize> = modules.iter().map(|module| building.floor(module).0).collect();
        assert!(
            floors.is_sorted(),
            "{krate}: lib.rs declares the modules floor by floor, in the order of BUILDINGS"
        );
        for module in building.floors.iter().flat_map(|(_, modules)| *modules) {
            assert!(
                modules.iter().any(|known| known == module),
                "{krate}: BUILDINGS has `{module}`, which is no module"
            );
        }
    }
}

#[test]
fn no_module_imports_from_a_later_floor() {
    let mut faults = Vec::new();
    for building in &BUILDINGS {
        let src = building.src();
        let modules = declared(&src).into_iter().collect();
        for (from, targets) in arrows(&src, &modules) {
            let (number, name) = building.floor(&from);
            for (to, file) in targets {
                let (later, other) = building.floor(&to);
                if later > number {
                    let krate = building.krate;
                    faults.push(format!("{krate}/src/{file}: `{from}` ({name}) imports `{to}` ({other})"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "imports from later floors:\n{}", faults.join("\n"));
}

#[test]
fn no_modules_import_each_other() {
    for building in &BUILDINGS {
        let (src, krate) = (building.src(), building.krate);
        let modules: BTreeSet<String> = declared(&src).into_iter().collect();
        let arrows = arrows(&src, &modules);
        // were imports not found, there would be no circle either
        let imports: usize = arrows.values().map(BTreeMap::len).sum();
        assert!(imports > building.imports, "{krate}: {imports}");
        let mut done = BTreeSet::new();
        for module in &modules {
            let found = circle(&arrows, &mut vec![module.clone()], &mut done);
            if let Some(circle) = found {
                let next = |i: usize| &circle[(i + 1) % circle.len()];
                let step = |(i, from): (usize, &String)| {
                    format!("{krate}/src/{}: `{from}` imports `{}`", arrows[from][next(i)], next(i))
                };
                let steps: Vec<String> = circle.iter().enumerate().map(step).collect();
                panic!("modules import each other in a circle:\n{}", steps.join("\n"));
            }
        }
    }
}

#[test]
fn imports_are_read_as_rust_reads_them() {
    let code = r##"
        use crate::{a::{self, B as C}, d::*};
        use super::super::e;
        // use crate::no;
        const S: &str = "use crate::no; \" crate::no"; const R: &str = r#"" crate::no"#;
        fn f<'x>(_: &'x str) -> char { crate::g::h('"', '\'', '\u{22}'); super::i() }
        pub(crate) use j::k;
    "##;
    let mut found: Vec<String> = paths(code).iter().map(|path| path.join("::")).collect();
    found.sort();
    assert_eq!(
        found,
        [
            "crate::a::B",
            "crate::a::self",
            "crate::d::*",
            "crate::g::h",
            "j::k",
            "super::i",
            "super::super::e"
        ]
    );
    let file = ["x", "y", "z"].map(str::to_owned);
    let up = ["super", "super", "e"].map(str::to_owned);
    assert_eq!(from_root(&up, &file), Some(vec!["x".to_owned(), "e".to_owned()]));
}
