//! Crates that are made and built by the tests: what trybuild can't show.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

use pop_compiler::source::Source;
use pop_compiler::{Format, Options, canonical, import};
use serde_json::{Map, Value};

/// A crate in the build directory, which the tests share what they build with.
struct Crate {
    name: &'static str,
    folder: PathBuf,
}

impl Crate {
    fn new(name: &'static str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("generated").join(name);
        fs::create_dir_all(folder.join("src")).unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let sdk = root.join("pop-sdk").display().to_string();
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n\
             pop-sdk = {{ path = {sdk:?}, default-features = false, features = [\"macros\"] }}\nserde_json = \"1\"\n"
        );
        let made = Self { name, folder };
        made.write("Cargo.toml", &manifest);
        fs::copy(root.join("Cargo.lock"), made.folder.join("Cargo.lock")).unwrap();
        made
    }

    /// Writes a file, if it does not say that already.
    fn write(&self, path: &str, text: &str) {
        let path = self.folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if fs::read_to_string(&path).ok().as_deref() != Some(text) {
            fs::write(path, text).unwrap();
        }
    }

    fn build(&self) -> Output {
        let mut command = Command::new(env!("CARGO"));
        command.args(["build", "--offline", "--color=never"]).current_dir(&self.folder);
        command.arg("--target-dir").arg(self.folder.parent().unwrap().join("target"));
        command.output().unwrap()
    }

    /// What the program puts out; it must build.
    #[track_caller]
    fn run(&self) -> String {
        let built = self.build();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let program = self.folder.parent().unwrap().join("target/debug").join(self.name);
        let ran = Command::new(program).output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap()
    }

    /// What rustc says; it must not build.
    #[track_caller]
    fn refused(&self) -> String {
        let built = self.build();
        assert!(!built.status.success(), "it builds");
        String::from_utf8(built.stderr).unwrap()
    }
}

const FLOW: &str = r#"
[workflow]
name     = "flow"
catalogs = ["ops/text.toml"]

[operations.count]
uses = "text.count"
with = { file = "a" }

[operations.sub]
workflow = "sub.pop.toml"

[outputs]
words = "${count.words}"
"#;

const SUB: &str = r#"
[workflow]
name = "sub"

[operations.wait]
uses = "pop.sleep"
with = { seconds = 1 }
"#;

fn catalog(command: &str, output: &str) -> String {
    format!(
        "[operations.\"text.count\"]\ninput = {{ file = \"path\" }}\noutput = {{ {output} = \"int\" }}\n\
         command = [\"{command}\", \"${{with.file}}\"]\n"
    )
}

#[test]
fn a_change_of_any_file_of_an_included_workflow_builds_again() {
    let made = Crate::new("included");
    made.write("src/main.rs", "pop_sdk::include_workflow!(\"flows/flow.pop.toml\");\n\nfn main() {\n    print!(\"{}\", flow::compile().to_json());\n}\n");
    made.write("flows/flow.pop.toml", FLOW);
    made.write("flows/sub.pop.toml", SUB);
    made.write("flows/ops/text.toml", &catalog("wc", "words"));
    made.write("flows/pop.toml", "");
    let first = made.run();
    assert!(first.contains("\"wc\""), "{first}");

    // The catalog.
    made.write("flows/ops/text.toml", &catalog("count", "words"));
    let second = made.run();
    assert!(second.contains("\"count\"") && !second.contains("\"wc\""), "{second}");
    // A workflow inside.
    made.write("flows/sub.pop.toml", &SUB.replace("seconds = 1", "seconds = 2"));
    assert!(made.run().contains("\"seconds\": 2"));
    // The workflow itself.
    made.write("flows/flow.pop.toml", &FLOW.replace("file = \"a\"", "file = \"b\""));
    assert!(made.run().contains("\"file\": \"b\""));
    // A fault in the catalog is a fault of the build, at its place in the workflow; and once it is mended it is gone.
    made.write("flows/ops/text.toml", &catalog("count", "lines"));
    let refused = made.refused();
    assert!(refused.contains("`count` has no field `words` [unknown-field]"), "{refused}");
    assert!(refused.contains("--> flows/flow.pop.toml:14:18"), "{refused}");
    assert!(refused.contains("--> src/main.rs:1:28"), "{refused}");
    made.write("flows/ops/text.toml", &catalog("count", "words"));
    made.run();
    // What the project says about its rules.
    made.write("flows/flow.pop.toml", &format!("{FLOW}\n[inputs]\nunused = \"int\"\n"));
    assert!(String::from_utf8(made.build().stderr).unwrap().contains("unused input `unused` [unused-input]"));
    made.write("flows/pop.toml", "[lints]\nunused-input = \"deny\"\n");
    assert!(made.refused().contains("error: unused input `unused` [unused-input]"));
}

/// Recorded workflows as TOML, as the JSON form that was made of the same, and what the compiler makes of the TOML.
fn recorded() -> Option<Vec<(String, Value, String)>> {
    let data = env::var_os("POP_DATA")?;
    let folder = fs::read_dir(Path::new(&data).join("workflows")).unwrap();
    let mut paths: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "json"));
    paths.sort();
    let made = paths.iter().map(|path| {
        let imported = import::wfcommons::import(&fs::read_to_string(path).unwrap()).unwrap();
        let source = Source::new("recorded.pop.toml", imported.to_toml());
        let compiled = pop_compiler::compile(source, Format::Toml, &Options::default());
        let agenda =
            compiled.agenda.unwrap_or_else(|| panic!("{}: {:?}", path.display(), compiled.diagnostics));
        let json = serde_json::from_str(&imported.to_json()).unwrap();
        (path.file_stem().unwrap().to_str().unwrap().to_owned(), json, canonical::pretty(&agenda))
    });
    Some(made.collect())
}

/// A workflow of the JSON form, in which only `pop.sleep` occurs, as `workflow!`.
fn in_rust(module: &str, workflow: &Value) -> String {
    let header = &workflow["workflow"];
    let operations = workflow["operations"].as_object().unwrap();
    let idents: HashMap<&str, String> =
        operations.keys().enumerate().map(|(i, name)| (name.as_str(), format!("_op{i}"))).collect();
    let mut text = String::from("workflow! {\n");
    if let Some(description) = header.get("description") {
        writeln!(text, "    #[doc = {description}]").unwrap();
    }
    writeln!(text, "    #[workflow(name = {})]\n    pub {module}() -> Nothing {{", header["name"]).unwrap();
    for name in in_order(operations) {
        let with = &operations[name]["with"];
        writeln!(text, "        #[name = {name:?}]").unwrap();
        write!(
            text,
            "        let {} = Sleep {{ seconds: Some({:?})",
            idents[name],
            with["seconds"].as_f64().unwrap()
        )
        .unwrap();
        for field in ["inputs", "output"] {
            if let Some(value) = with.get(field) {
                write!(text, ", {field}: json!({})", value_in_rust(value, &idents)).unwrap();
            }
        }
        text += ", .. }";
        if let Some(after) = operations[name]["after"].as_array() {
            let after: Vec<&str> = after.iter().map(|name| idents[name.as_str().unwrap()].as_str()).collect();
            write!(text, " after [{}]", after.join(", ")).unwrap();
        }
        text += ";\n";
    }
    text + "        Nothing {}\n    }\n}\n"
}

fn value_in_rust(value: &Value, idents: &HashMap<&str, String>) -> String {
    match value {
        Value::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(key, value)| format!("{key:?}: {}", value_in_rust(value, idents)))
                .collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Value::String(text) => match text.strip_prefix("${") {
            Some(reference) => {
                let (maker, file) = reference.split_once(".files").unwrap();
                let plain = |text: &str| {
                    let text = text.trim_end_matches('}').trim_start_matches('.');
                    let quoted = text.strip_prefix("['").and_then(|text| text.strip_suffix("']"));
                    quoted.map_or(text.to_owned(), |text| text.replace("\\'", "'").replace("\\\\", "\\"))
                };
                format!("{}[\"files\"][{:?}]", idents[plain(maker).as_str()], plain(file))
            }
            None => format!("{:?}", text.replace("$${", "${").replace('{', "{{").replace('}', "}}")),
        },
        other => panic!("recordings have no {other}"),
    }
}

/// The operations, each behind those that it needs: Rust knows a name only behind its `let`.
fn in_order(operations: &Map<String, Value>) -> Vec<&str> {
    let needs = |name: &str| -> Vec<&str> {
        let after = operations[name]["after"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let inputs = operations[name]["with"]["inputs"].as_object();
        let references =
            inputs.into_iter().flat_map(Map::values).filter_map(Value::as_str).map(|reference| {
                let maker = reference.trim_start_matches("${").split(".files").next().unwrap();
                maker.strip_prefix("['").and_then(|maker| maker.strip_suffix("']")).unwrap_or(maker)
            });
        after.chain(references).collect()
    };
    let (mut done, mut order) = (HashSet::new(), Vec::new());
    while order.len() < operations.len() {
        let before = order.len();
        for name in operations.keys().map(String::as_str) {
            if !done.contains(name) && needs(name).iter().all(|other| done.contains(other)) {
                done.insert(name);
                order.push(name);
            }
        }
        assert!(order.len() > before, "recordings have no cycles");
    }
    order
}

#[test]
fn recorded_workflows_are_the_same_in_rust() {
    let Some(recorded) = recorded() else {
        eprintln!("skipped: POP_DATA does not say where the recorded workflows are");
        return;
    };
    assert_eq!(recorded.len(), 12);
    let made = Crate::new("recorded");
    let mut text = String::from(
        "use pop_sdk::builtin::Sleep;\nuse pop_sdk::workflow;\n\n\
         #[derive(serde::Deserialize)]\npub struct Nothing {}\n\n",
    );
    text = text
        .replace("serde::Deserialize", "pop_sdk::values::serde::Deserialize")
        .replace("pub struct", "#[serde(crate = \"pop_sdk::values::serde\")]\npub struct");
    let mut main = String::from("fn main() {\n");
    for (i, (_, workflow, _)) in recorded.iter().enumerate() {
        text += &in_rust(&format!("recorded{i}"), workflow);
        writeln!(main, "    print!(\"{{}}\\0\", recorded{i}::compile().to_json());").unwrap();
    }
    made.write("src/main.rs", &format!("{text}\n{main}}}\n"));
    let output = made.run();
    let printed: Vec<&str> = output.split_terminator('\0').collect();
    assert_eq!(printed.len(), recorded.len());
    for ((name, _, agenda), printed) in recorded.iter().zip(printed) {
        assert!(agenda == printed, "{name} differs");
    }
}
