//! The three formats give the same bytes, the catalog is what the handlers say, and the workflow does what it should: with
//! mocks, and with the real handlers on real files.

use std::path::{Path, PathBuf};
use std::process::Command;

use media_ladder::clip::{sample, sha256};
use media_ladder::handlers::{self, Begun, Manifest};
use media_ladder::{Encode, Encoded, Ladder, Package, Packaged, Probe, Probed, Publish, Published, Rung};
use pop_sdk::HandlerError;
use pop_sdk::testing::{TestContext, TestRun};
use serde_json::json;

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn built(file: &str) -> String {
    let compiled = pop_compiler::cli::compile_file(&folder().join(file)).expect("the file can be read");
    assert!(compiled.diagnostics.is_empty(), "{:?}", compiled.diagnostics);
    pop_compiler::canonical::pretty(&compiled.template)
}

#[test]
fn rust_toml_and_json_give_the_same_bytes() {
    let rust = media_ladder::media_ladder::compile().to_json();
    assert_eq!(rust, built("media.pop.toml"));
    assert_eq!(rust, built("media.pop.json"));
    insta::with_settings!({snapshot_path => folder().join("../../tests/snapshots"), prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("media-ladder.template.json", rust);
    });
}

#[test]
fn the_catalog_is_what_the_handlers_say() {
    let printed = Command::new(env!("CARGO_BIN_EXE_media-ops")).arg("--describe").output().unwrap();
    let committed = std::fs::read_to_string(folder().join("ops/media.toml")).unwrap();
    assert_eq!(
        String::from_utf8(printed.stdout).unwrap(),
        committed,
        "the handlers have changed: media-ops --describe > examples/media-ladder/ops/media.toml"
    );
}

fn inputs(folder: &Path) -> media_ladder::media_ladder::Inputs {
    media_ladder::media_ladder::Inputs {
        source: folder.join("clip.pgm"),
        target: folder.join("published"),
        title: None,
        ladder: Some([36, 18].map(|height| Rung { height, greys: 16 }).to_vec()),
    }
}

#[test]
fn each_rung_is_encoded_and_what_moves_is_published() {
    let run = |moving| {
        TestRun::new(&media_ladder::media_ladder::compile())
            .mock(move |_: Probe| Ok(Probed { width: 8, height: 4, frames: 3, moving, sha256: "s".into() }))
            .mock(|_: Encode| Ok(Encoded { file: "f".into(), sha256: "e".into() }))
            .mock(|_: Package| Ok(Packaged { manifest: "m".into() }))
            .mock(|_: Publish| Ok(Published { manifest: "p".into(), bytes: 1 }))
            .run(&inputs(Path::new("/clips")))
            .unwrap()
    };
    let moving = run(true);
    assert_eq!(moving.order(), ["probe", "encode.0", "encode.1", "package", "publish"]);
    assert_eq!(
        moving.input_of("encode.1"),
        Some(&json!({ "source": "/clips/clip.pgm", "frames": 3, "rung": { "height": 18, "greys": 16 } }))
    );
    assert_eq!(moving.input_of("package").unwrap()["checksums"], json!(["e", "e"]));
    let still = run(false);
    assert_eq!(still.skipped(), ["publish"]);
    let expected = Ladder { manifest: None, renditions: vec!["f".into(), "f".into()], frames: 3 };
    assert_eq!(still.outputs().unwrap(), expected);
}

#[test]
fn a_rung_that_fails_is_tried_again_and_then_nothing_is_published() {
    let run = TestRun::new(&media_ladder::media_ladder::compile())
        .mock(|_: Probe| Ok(Probed { width: 8, height: 4, frames: 3, moving: true, sha256: "s".into() }))
        .mock(|_: Encode| Err(HandlerError::error("disk full")))
        .run(&inputs(Path::new("/clips")))
        .unwrap();
    assert_eq!((run.attempts("encode.0"), run.attempts("encode.1")), (3, 3));
    assert_eq!((run.failed(), run.skipped()), (vec!["encode.0", "encode.1"], vec!["package", "publish"]));
    assert_eq!(run.outputs().unwrap_err().message, "disk full");
}

/// Handlers write to the current folder: an attempt's own. All tests of this process that need one share this.
fn work_folder() -> PathBuf {
    static FOLDER: std::sync::LazyLock<tempfile::TempDir> = std::sync::LazyLock::new(|| {
        let folder = tempfile::tempdir().unwrap();
        std::env::set_current_dir(folder.path()).unwrap();
        folder
    });
    FOLDER.path().to_owned()
}

#[test]
fn the_handlers_make_a_ladder() {
    let folder = work_folder();
    std::fs::write(folder.join("clip.pgm"), sample(4)).unwrap();
    let run = TestRun::new(&media_ladder::media_ladder::compile())
        .handle(handlers::probe)
        .handle(handlers::encode)
        .handle(handlers::package)
        .handle(handlers::publish)
        .run(&inputs(&folder))
        .unwrap();
    let ladder = run.outputs().unwrap();
    assert_eq!((ladder.frames, ladder.renditions.len()), (4, 2));
    let manifest = ladder.manifest.expect("a clip that moves is published");
    let text = std::fs::read(&manifest).unwrap();
    let published: Manifest = serde_json::from_slice(&text).unwrap();
    assert_eq!(published.title, "untitled");
    for rendition in published.renditions {
        let bytes = std::fs::read(manifest.with_file_name(rendition.file)).unwrap();
        assert_eq!(sha256(&bytes), rendition.sha256);
    }

    let missing = TestRun::new(&media_ladder::media_ladder::compile())
        .handle(handlers::probe)
        .run(&inputs(Path::new("/nowhere")))
        .unwrap();
    let failure = missing.outputs().unwrap_err();
    assert_eq!((&*failure.code, missing.attempts("probe")), ("SourceMissing", 1));
}

#[test]
fn a_stopped_encode_goes_on_where_it_was() {
    let folder = work_folder();
    let source = folder.join("long.pgm");
    std::fs::write(&source, sample(6)).unwrap();
    let input = || -> Encode {
        let rung = json!({ "height": 9, "greys": 256 });
        serde_json::from_value(json!({ "source": source, "frames": 6, "rung": rung })).unwrap()
    };
    let block = |work| tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work);
    let whole: Encoded = block(handlers::encode(TestContext::new().context(), input())).unwrap();
    let expected = std::fs::read(&whole.file).unwrap();

    let stopped = TestContext::new();
    stopped.cancel();
    block(handlers::encode(stopped.context(), input())).unwrap_err();
    // Two pictures were whole, a third was under way.
    let begun = Begun { file: folder.join("begun.pgm"), frames: 2 };
    std::fs::write(&begun.file, &expected[..expected.len() / 2 - 10]).unwrap();
    let again = TestContext::new().with_last_checkpoint(&begun);
    let encoded = block(handlers::encode(again.context(), input())).unwrap();
    assert_eq!((encoded.sha256, encoded.file), (whole.sha256, begun.file));
    assert_eq!(again.message().as_deref(), Some("picture 6 of 6"));
}
