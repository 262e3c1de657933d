//! Large workflows: what they take grows in proportion, and nothing runs deeper for a longer chain. `cargo bench` does the
//! same with 500,000 and 1,000,000 operations.

use std::fmt::Write as _;

use pop_compiler::agenda::Agenda;
use pop_compiler::graph::Graph;
use pop_compiler::source::Source;
use pop_compiler::{Format, Options, canonical, compile};

/// Each operation reads the one before it.
fn chain(n: usize) -> String {
    let mut text = String::from("[workflow]\nname = \"chain\"\n");
    for i in 0..n {
        let value = i.checked_sub(1).map_or("source".to_owned(), |up| format!("${{step{up}.value}}-{i}"));
        let _ = write!(
            text,
            "\n[operations.step{i}]\nuses = \"pop.transform\"\nwith = {{ value = {{ value = \"{value}\", height = {i} }} }}\ntimeout = \"2h\"\n"
        );
    }
    text
}

/// The stack has 26 bytes for each operation: anything that calls itself along the chain would overflow it.
#[test]
fn a_long_chain_needs_no_deep_stack() {
    const LENGTH: usize = 40_000;
    let long = || {
        let compiled =
            compile(Source::new("chain.pop.toml", chain(LENGTH)), Format::Toml, &Options::default());
        assert!(compiled.diagnostics.is_empty());
        let agenda = compiled.agenda.clone().expect("it compiles");
        assert_eq!(Graph::new(&agenda).levels().last(), Some(&(LENGTH - 1)));
        let text = canonical::pretty(&agenda);
        let read: Agenda = serde_json::from_str(&text).expect("what was written can be read");
        assert_eq!(read, agenda);
        assert!(format!("{compiled:?}").len() > text.len());
    };
    let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(long).expect("a thread starts");
    thread.join().expect("no overflow, no panic");
}

/// 500,000 operations are to compile in 2 GiB; a tenth of them gets a tenth of that, besides what the program itself is.
#[cfg(all(target_os = "linux", feature = "cli"))]
#[test]
fn memory_is_in_proportion() {
    const LIMIT: usize = (2 << 20) / 10;
    const PROGRAM: usize = 32 << 10;
    let directory = std::env::temp_dir().join(format!("pop-scale-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a folder for the test");
    let file = directory.join("chain.pop.toml");
    std::fs::write(&file, chain(50_000)).expect("the workflow is written");
    let ended = std::process::Command::new("sh")
        .args(["-c", "ulimit -v \"$1\" && exec \"$2\" check \"$3\"", "sh"])
        .arg((LIMIT + PROGRAM).to_string())
        .arg(env!("CARGO_BIN_EXE_popc"))
        .arg(&file)
        .output()
        .expect("a shell starts");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{} {said}", ended.status);
    assert!(said.starts_with("1 file: no findings"), "{said}");
    let _ = std::fs::remove_dir_all(directory);
}
