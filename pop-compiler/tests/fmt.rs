//! `popc fmt` from outside, and over the whole corpus: what is formatted compiles to the same bytes.
#![cfg(feature = "cli")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use pop_compiler::source::Source;
use pop_compiler::{Compiled, Format, Options, canonical, compile, fmt};

fn tests(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests").join(path)
}

/// A directory of this test's own.
fn scratch(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).unwrap();
    directory
}

fn popc(directory: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_popc")).arg("fmt").args(args).current_dir(directory).output().unwrap()
}

fn bytes(name: &str, text: &str) -> String {
    let loader = |path: &str| match fs::read_to_string(tests("workflows").join(path)) {
        Ok(text) => Ok(Source::new(path, text)),
        Err(error) => Err(error.to_string()),
    };
    let format = Format::from_path(name).unwrap();
    let compiled: Compiled =
        compile(Source::new(name, text), format, &Options { loader: &loader, ..Options::default() });
    assert!(compiled.diagnostics.is_empty(), "{name}: {:#?}", compiled.diagnostics);
    compiled.agenda.map_or_else(|| canonical::pretty(&compiled.template), |agenda| canonical::pretty(&agenda))
}

#[test]
fn formatted_workflows_compile_to_the_same_bytes() {
    let mut seen = 0;
    for entry in fs::read_dir(tests("workflows")).unwrap().map(Result::unwrap) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !Format::is_workflow_path(&name) {
            continue;
        }
        seen += 1;
        let format = Format::from_path(&name).unwrap();
        let text = fs::read_to_string(entry.path()).unwrap();
        // as it is, and with all the room that can be taken away or added without a change of meaning
        let odd = match format {
            Format::Toml => text.replace(" = ", "=").replace(", ", "   ,\t").replace('\n', " \r\n"),
            Format::Json => text.replace(": ", ":").replace('\n', "\n\n\n"),
        };
        let formatted = fmt::format(&text, format).unwrap();
        assert_eq!(bytes(&name, &formatted), bytes(&name, &text), "{name}");
        assert_eq!(fmt::format(&formatted, format).unwrap(), formatted, "{name}");
        let from_odd = fmt::format(&odd, format).unwrap();
        assert_eq!(fmt::format(&from_odd, format).unwrap(), from_odd, "{name}");
        assert_ne!(from_odd, odd, "{name}");
    }
    assert!(seen >= 20);
}

#[test]
fn files_are_formatted_in_place_and_check_writes_nothing() {
    let directory = scratch("fmt");
    let (ugly, broken) = (directory.join("a.pop.toml"), directory.join("b.pop.toml"));
    fs::write(&ugly, "[workflow]\nname=\"x\"  # a name\n[operations.a]\nuses=\"pop.sleep\"").unwrap();
    fs::write(&broken, "[workflow\n").unwrap();
    let out = popc(&directory, &["--check", "a.pop.toml"]);
    assert_eq!(out.status.code(), Some(1));
    assert_eq!(String::from_utf8(out.stderr).unwrap(), "not formatted: a.pop.toml\n");
    assert!(fs::read_to_string(&ugly).unwrap().contains("name="));

    let out = popc(&directory, &["."]);
    assert_eq!(out.status.code(), Some(1), "one file can't be read");
    let said = String::from_utf8(out.stderr).unwrap();
    assert!(said.contains("formatted ./a.pop.toml\n") && said.contains("error[syntax]"), "{said}");
    let expected = "[workflow]\nname = \"x\" # a name\n\n[operations.a]\nuses = \"pop.sleep\"\n";
    assert_eq!(fs::read_to_string(&ugly).unwrap(), expected);
    assert_eq!(fs::read_to_string(&broken).unwrap(), "[workflow\n");
    assert_eq!(popc(&directory, &["--check", "a.pop.toml"]).status.code(), Some(0));
}
