//! Finds, reads and compiles files.

use std::collections::HashSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};

use crate::diagnostic::Diagnostic;
use crate::source::{STDIN, Source};
use crate::{
    Compiled, Format, LoadedCatalog, Options, Severities, check_native, compile, is_native, load_catalog_with,
};

/// Largest file in bytes.
const MAX_BYTES: u64 = 64 << 20;

/// The files of the arguments, as [`find_all`] returns them.
///
/// # Errors
/// The first of its errors.
pub(super) fn find(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let (found, mut errors) = find_all(paths);
    if errors.is_empty() { Ok(found) } else { Err(errors.swap_remove(0)) }
}

/// The files of the arguments, in a stable order and each once: files as they are, and the workflows of directories.
/// The second list holds the errors.
pub(super) fn find_all(paths: &[PathBuf]) -> (Vec<PathBuf>, Vec<anyhow::Error>) {
    let (mut found, mut errors) = (Vec::new(), Vec::new());
    for path in paths {
        if path == Path::new("-") {
            found.push(path.clone());
            continue;
        }
        match fs::metadata(path) {
            Ok(meta) if meta.is_dir() => {
                let before = (found.len(), errors.len());
                below(path, &mut found, &mut errors);
                found[before.0..].sort();
                if (found.len(), errors.len()) == before {
                    errors.push(anyhow!("no *.pop.toml or *.pop.json found in {}", path.display()));
                }
            }
            Ok(_) => found.push(path.clone()),
            Err(error) => errors.push(cant_read(path, error)),
        }
    }
    let mut seen = HashSet::new();
    found.retain(|path| seen.insert(fs::canonicalize(path).unwrap_or_else(|_| path.clone())));
    (found, errors)
}

fn below(path: &Path, found: &mut Vec<PathBuf>, errors: &mut Vec<anyhow::Error>) {
    let mut open = vec![path.to_path_buf()];
    while let Some(directory) = open.pop() {
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) => {
                errors.push(cant_read(&directory, error));
                continue;
            }
        };
        for entry in entries {
            let kind = entry.and_then(|entry| Ok((entry.file_type()?, entry)));
            let (kind, entry) = match kind {
                Ok(kind) => kind,
                Err(error) => {
                    errors.push(cant_read(&directory, error));
                    continue;
                }
            };
            let path = entry.path();
            let hidden = entry.file_name().to_string_lossy().starts_with('.');
            if kind.is_dir() && !hidden {
                open.push(path);
            } else if kind.is_file() && Format::is_workflow_path(&path.to_string_lossy()) {
                found.push(path);
            }
        }
    }
}

fn cant_read(path: &Path, error: std::io::Error) -> anyhow::Error {
    anyhow::Error::new(error).context(format!("could not read {}", path.display()))
}

/// Reads standard input up to [`MAX_BYTES`].
pub(super) fn read_stdin() -> anyhow::Result<Source> {
    let mut bytes = Vec::new();
    std::io::stdin().take(MAX_BYTES + 1).read_to_end(&mut bytes).context("could not read standard input")?;
    if bytes.len() as u64 > MAX_BYTES {
        bail!("standard input exceeds the limit of 64 MiB");
    }
    let text = String::from_utf8(bytes).ok().context("invalid UTF-8 in standard input")?;
    Ok(Source::new(STDIN, text))
}

/// Reads a file up to [`MAX_BYTES`].
pub(super) fn read(path: &Path) -> anyhow::Result<Source> {
    let meta = fs::metadata(path).with_context(|| format!("could not read {}", path.display()))?;
    if meta.len() > MAX_BYTES {
        bail!("{} has {} MiB, over the limit of 64 MiB", path.display(), meta.len() >> 20);
    }
    let bytes = fs::read(path).with_context(|| format!("could not read {}", path.display()))?;
    let text =
        String::from_utf8(bytes).ok().with_context(|| format!("invalid UTF-8 in {}", path.display()))?;
    Ok(Source::new(path.to_string_lossy().as_ref(), text))
}

/// Writes a file atomically: beside its place first, then by a rename. A link stays a link, and the permissions stay.
pub(super) fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let before = fs::metadata(&target).ok();
    if before.as_ref().is_some_and(|meta| meta.permissions().readonly()) {
        bail!("could not write {}: the file is read-only", path.display());
    }
    // a short name, since that of the file may be as long as names can be
    let beside = target.with_file_name(format!(".pop-{}.tmp", std::process::id()));
    let written = (|| {
        let mut file = fs::File::create_new(&beside)?;
        if let Some(meta) = before {
            file.set_permissions(meta.permissions())?;
        }
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, &target)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written.with_context(|| format!("could not write {}", path.display()))
}

/// Reads a catalog file.
///
/// # Errors
/// The file cannot be read.
pub fn catalog_file(path: &Path) -> anyhow::Result<LoadedCatalog> {
    Ok(load_catalog_with(&read(path)?, &loader))
}

fn loader(path: &str) -> Result<Source, String> {
    read(Path::new(path)).map_err(|error| format!("{:#}", error.root_cause()))
}

/// Reads and compiles a workflow, or checks an agenda or a template.
///
/// # Errors
/// The file cannot be read, or its name has an unknown ending.
pub fn compile_file(path: &Path) -> anyhow::Result<Compiled> {
    compile_with(path, &read)
}

/// As [`compile_file`], with `read` for reading files.
pub(super) fn compile_with(
    path: &Path,
    read: &dyn Fn(&Path) -> anyhow::Result<Source>,
) -> anyhow::Result<Compiled> {
    let source = read(path)?;
    let Some(format) = source.format() else {
        bail!("unsupported file {}: use a .toml or .json file", path.display());
    };
    if format == Format::Json && !Format::is_workflow_path(&source.name) && is_native(&source.text) {
        return Ok(check_native(source));
    }
    let (config, severities, faults) = severities_for(path, read);
    let loader = |path: &str| read(Path::new(path)).map_err(|error| format!("{:#}", error.root_cause()));
    let options = Options { loader: &loader, catalogs: &[], severities: &severities };
    let mut compiled = compile(source, format, &options);
    if let Some(config) = config.filter(|_| !faults.is_empty()) {
        compiled.add(config, faults);
    }
    Ok(compiled)
}

/// The `pop.toml` of the file's directory or of the nearest one above, its severities and its findings.
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
