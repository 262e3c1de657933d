//! The boundaries of ARCHITECTURE.md, checked on the manifests and on every source file.

#[path = "layering/floors.rs"]
mod floors;

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crates lie in the workspace").to_path_buf()
}

/// The names in the `[dependencies]` tables of a crate.
fn dependencies(krate: &str) -> Vec<String> {
    let manifest = fs::read_to_string(root().join(krate).join("Cargo.toml")).unwrap();
    let mut inside = false;
    let mut names = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line == "[dependencies]";
        } else if inside && let Some((name, _)) = line.split_once(['.', ' ', '=']) {
            names.push(name.to_owned());
        }
    }
    names
}

/// The Rust files below a folder, with their text up to the tests at the end.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
                found.push((path, code));
            }
        }
    }
    found
}

/// Test code may import any module.
fn is_test(path: &Path) -> bool {
    let name = path.file_stem().and_then(|s| s.to_str()).unwrap_or_default();
    let folder = path.parent().and_then(|p| p.file_name()).and_then(|s| s.to_str()).unwrap_or_default();
    folder == "tests"
        || name.contains("test")
        || name == "properties"
        || name == "fixture"
        || name == "conformance"
}

#[track_caller]
fn never(files: &[(PathBuf, String)], words: &[&str], why: &str) {
    for (path, code) in files.iter().filter(|(p, _)| !is_test(p)) {
        for (number, line) in code.lines().enumerate() {
            let line = line.trim_start();
            if line.starts_with("//") {
                continue;
            }
            for word in words {
                assert!(!line.contains(word), "{}:{}: `{word}`: {why}", path.display(), number + 1);
            }
        }
    }
}

#[test]
fn the_crates_are_a_ladder() {
    let ladder = ["pop-compiler", "pop-macros", "pop-sdk", "pop-server"];
    for (rung, krate) in ladder.iter().enumerate() {
        for dependency in dependencies(krate) {
            if let Some(other) = ladder.iter().position(|k| *k == dependency) {
                assert!(other < rung, "{krate} must not depend on {dependency}");
            }
        }
    }
}

#[test]
fn lower_rungs_have_no_input_or_output() {
    for banned in ["tokio", "reqwest", "axum", "rusqlite", "kube", "jiff", "uuid"] {
        for krate in ["pop-compiler", "pop-macros"] {
            assert!(!dependencies(krate).iter().any(|d| d == banned), "{krate} must not depend on {banned}");
        }
    }
    for banned in ["axum", "rusqlite", "kube", "clap"] {
        assert!(!dependencies("pop-sdk").iter().any(|d| d == banned), "pop-sdk must not depend on {banned}");
    }
    let mut files = sources(&root().join("pop-compiler/src"));
    files.retain(|(path, _)| {
        let path = path.to_string_lossy();
        !path.contains("/bin/") && !path.contains("/cli")
    });
    never(
        &files,
        &["std::fs", "std::net", "std::env", "std::process", "SystemTime", "Instant::now"],
        "compiling does no I/O",
    );
}

#[test]
fn the_cores_are_pure() {
    let server = root().join("pop-server/src");
    let sdk = root().join("pop-sdk/src");
    let mut files = sources(&server.join("core"));
    let alone = [
        server.join("core.rs"),
        server.join("pool/admission.rs"),
        server.join("pool/agent/state.rs"),
        server.join("pool/executor/state.rs"),
        server.join("pool/reports.rs"),
    ];
    files.extend(alone.map(|file| (file.clone(), fs::read_to_string(file).unwrap())));
    let words = [
        "tokio",
        "axum",
        "rusqlite",
        "reqwest",
        "kube::",
        "crate::env",
        "crate::engine",
        "crate::store",
        "crate::api",
        "Uuid",
    ];
    // What the run machine calls `api` are the wire types.
    let mut run = sources(&sdk.join("run"));
    run.push((sdk.join("run.rs"), fs::read_to_string(sdk.join("run.rs")).unwrap()));
    let run_words = ["tokio", "reqwest", "crate::client", "crate::handler", "std::env", "std::fs"];
    never(&run, &run_words, "the run machine takes events and the time in, and gives effects out");
    never(&files, &words, "the core takes commands and the time in, and gives writes and effects out");
    never(&files, &["derive(Serialize", ", Serialize"], "only wire types are serialised");
}

#[test]
fn what_is_stored_is_no_wire_type() {
    let server = root().join("pop-server/src");
    let mut files = sources(&server.join("core"));
    files.extend(sources(&server.join("scheduler")));
    files.extend(sources(&server.join("store")));
    files.extend(["core.rs", "scheduler.rs", "store.rs"].map(|file| {
        let path = server.join(file);
        (path.clone(), fs::read_to_string(path).unwrap())
    }));
    never(
        &files,
        &["pop_sdk"],
        "the core and the store have records of their own; `api/view.rs` and `api/request.rs` turn them into wire types and \
         back",
    );
    let documents = sources(&server.join("store"));
    never(
        &documents,
        &["deny_unknown_fields"],
        "a stored document may hold what a newer program has put there",
    );
    never(
        &documents,
        &["INSERT OR"],
        "say which key may be there already (ON CONFLICT); other violations are errors",
    );
}

#[test]
fn http_and_sql_stay_in_their_folders() {
    let server = root().join("pop-server/src");
    let files = sources(&server);
    let outside = |folders: &[&str]| {
        let inside = |p: &Path| {
            let p = p.strip_prefix(&server).unwrap_or(p).to_string_lossy().into_owned();
            folders.iter().any(|f| p.starts_with(f))
        };
        files.iter().filter(|(p, _)| !inside(p)).cloned().collect::<Vec<_>>()
    };
    never(
        &outside(&[
            "api",
            "http",
            "serve",
            "runtime/attempts/http.rs",
            "runtime/kubernetes/endpoint.rs",
            "runtime/shim/link.rs",
        ]),
        &["axum::", "tower_http::", "hyper::"],
        "only `api/` knows HTTP (`http` is what it shares with programs' and pods' reports, and `serve` starts it)",
    );
    never(
        &outside(&["store/sqlite"]),
        &["rusqlite"],
        "only `store/sqlite/` knows SQLite: the store's trait and its errors fit any database",
    );
    never(
        &outside(&["runtime/kubernetes"]),
        &["kube::", "k8s_openapi"],
        "only `runtime/kubernetes/` knows Kubernetes",
    );
    never(
        &outside(&["runtime", "pool/builtin"]),
        &["tokio::process", "rustix::process"],
        "only runtimes know processes",
    );
}

#[test]
fn routes_stand_in_the_table() {
    let server = root().join("pop-server/src");
    let mut files = sources(&server);
    let tables = ["api/routes.rs", "runtime/attempts/http.rs", "runtime/kubernetes/endpoint.rs"]
        .map(|file| server.join(file));
    files.retain(|(path, _)| !tables.contains(path));
    let words =
        [".route(", "MethodRouter::new", "routing::get", "routing::post", "routing::put", "routing::delete"];
    never(&files, &words, "a route is an entry of `api/routes.rs`, with the permission that it needs");
}

#[test]
fn time_and_randomness_come_in_through_the_environment() {
    let server = root().join("pop-server/src");
    let mut files = sources(&server);
    files.retain(|(path, _)| !path.starts_with(server.join("env")) && !path.ends_with("src/env.rs"));
    let words = [
        "std::time::Instant",
        "time::{Duration, Instant}",
        "Uuid",
        "getrandom",
        "RandomState",
        "DefaultHasher",
    ];
    never(&files, &words, "a simulation gives its own time and randomness: use `Env`, and tokio's `Instant`");
}

#[test]
fn no_file_is_too_long_to_read() {
    for krate in ["pop-compiler", "pop-macros", "pop-sdk", "pop-server"] {
        for (path, _) in sources(&root().join(krate)) {
            if path.components().any(|c| c.as_os_str() == "target") {
                continue;
            }
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            assert!(lines <= 700, "{} has {lines} lines: split it along a seam", path.display());
        }
    }
}

#[test]
fn every_file_says_what_it_is() {
    for krate in ["pop-compiler/src", "pop-macros/src", "pop-sdk/src", "pop-server/src"] {
        for (path, code) in sources(&root().join(krate)) {
            assert!(code.starts_with("//!"), "{} does not say what lives there", path.display());
        }
    }
}

/// The paths that a page names in backquotes, relative to the root.
fn named_paths(text: &str) -> Vec<&str> {
    let inside = text.split('`').skip(1).step_by(2);
    let from_the_root = ["pop-", "tests/", "docs/", "examples/", "benches/"];
    let is_path =
        |name: &&str| from_the_root.iter().any(|start| name.starts_with(start)) && name.contains('/');
    inside.filter(is_path).filter(|name| !name.contains(['*', ' ', '<', '{', '…', '('])).collect()
}

#[test]
fn the_pages_name_files_that_exist() {
    let root = root();
    let mut pages =
        vec![root.join("ARCHITECTURE.md"), root.join("CONTRIBUTING.md"), root.join("docs/glossary.md")];
    pages.extend(fs::read_dir(root.join("docs/decisions")).unwrap().map(|entry| entry.unwrap().path()));
    let mut missing = Vec::new();
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        for path in named_paths(&text) {
            if !root.join(path).exists() {
                missing.push(format!("{}: `{path}`", page.display()));
            }
        }
    }
    assert!(missing.is_empty(), "pages name what is not there:\n{}", missing.join("\n"));
}
