//! Finding and reading files, and compiling what they hold.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::diagnostic::Diagnostic;
use crate::source::Source;
use crate::{
    Compiled, Door, LoadedCatalog, Options, Severities, check_native, compile, is_native, load_catalog_with,
};

/// The largest file that is read.
const MAX_BYTES: u64 = 64 << 20;

/// The files that the arguments mean: files as they are, directories searched for workflows, in a stable order.
pub(super) fn find(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in paths {
        let meta = fs::metadata(path).with_context(|| format!("can't read {}", path.display()))?;
        if !meta.is_dir() {
            found.push(path.clone());
            continue;
        }
        let before = found.len();
        let mut open = vec![path.clone()];
        while let Some(directory) = open.pop() {
            let entries =
                fs::read_dir(&directory).with_context(|| format!("can't read {}", directory.display()))?;
            for entry in entries {
                let entry = entry.with_context(|| format!("can't read {}", directory.display()))?;
                let (path, kind) = (entry.path(), entry.file_type()?);
                let hidden = entry.file_name().to_string_lossy().starts_with('.');
                if kind.is_dir() && !hidden {
                    open.push(path);
                } else if kind.is_file() && Door::is_workflow_path(&path.to_string_lossy()) {
                    found.push(path);
                }
            }
        }
        found[before..].sort();
        if found.len() == before {
            bail!("no *.pop.toml or *.pop.json is in {}", path.display());
        }
    }
    Ok(found)
}

/// Reads a file of a size that makes sense.
pub(super) fn read(path: &Path) -> anyhow::Result<Source> {
    let meta = fs::metadata(path).with_context(|| format!("can't read {}", path.display()))?;
    if meta.len() > MAX_BYTES {
        bail!("{} has {} MiB; files over 64 MiB are refused", path.display(), meta.len() >> 20);
    }
    let bytes = fs::read(path).with_context(|| format!("can't read {}", path.display()))?;
    let text =
        String::from_utf8(bytes).ok().with_context(|| format!("{} is not UTF-8 text", path.display()))?;
    Ok(Source::new(path.to_string_lossy().as_ref(), text))
}

/// Writes a file so that nobody ever sees half of it: beside it first, then in its place. A link stays a link, and the
/// permissions stay as they were.
pub(super) fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let beside = target.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let written = (|| {
        let mut file = fs::File::create_new(&beside)?;
        file.write_all(text.as_bytes())?;
        if let Ok(meta) = fs::metadata(&target) {
            file.set_permissions(meta.permissions())?;
        }
        file.sync_all()?;
        fs::rename(&beside, &target)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written.with_context(|| format!("can't write {}", path.display()))
}

/// Reads a catalog file.
///
/// # Errors
/// The file can't be read.
pub fn catalog_file(path: &Path) -> anyhow::Result<LoadedCatalog> {
    Ok(load_catalog_with(&read(path)?, &loader))
}

fn loader(path: &str) -> Result<Source, String> {
    read(Path::new(path)).map_err(|error| format!("{:#}", error.root_cause()))
}

/// Reads and compiles a workflow, or checks an agenda or a template.
///
/// # Errors
/// The file can't be read, or its name says nothing about what it holds.
pub fn compile_file(path: &Path) -> anyhow::Result<Compiled> {
    compile_with(path, &read)
}

/// As [`compile_file`], with files read by `read`.
pub(super) fn compile_with(
    path: &Path,
    read: &dyn Fn(&Path) -> anyhow::Result<Source>,
) -> anyhow::Result<Compiled> {
    let source = read(path)?;
    let Some(door) = source.door() else {
        bail!("{} is neither .toml nor .json", path.display());
    };
    if door == Door::Json && !Door::is_workflow_path(&source.name) && is_native(&source.text) {
        return Ok(check_native(source));
    }
    let (config, severities, faults) = severities_for(path, read);
    let loader = |path: &str| read(Path::new(path)).map_err(|error| format!("{:#}", error.root_cause()));
    let options = Options { loader: &loader, catalogs: &[], severities: &severities };
    let mut compiled = compile(source, door, &options);
    if let Some(config) = config.filter(|_| !faults.is_empty()) {
        compiled.add(config, faults);
    }
    Ok(compiled)
}

/// The `pop.toml` of the file's directory or of the nearest one above it, what it says, and what is wrong with it.
fn severities_for(
    path: &Path,
    read: &dyn Fn(&Path) -> anyhow::Result<Source>,
) -> (Option<Source>, Severities, Vec<Diagnostic>) {
    let full = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let found = full.ancestors().skip(1).map(|d| d.join("pop.toml")).find(|p| p.is_file());
    // as people write it, where that is shorter
    let here = std::path::absolute(".").unwrap_or_default();
    let found = found.map(|path| path.strip_prefix(here).map(Path::to_path_buf).unwrap_or(path));
    let Some(Ok(config)) = found.map(|path| read(&path)) else { return Default::default() };
    let (severities, faults) = Severities::parse(&config);
    (Some(config), severities, faults)
}
