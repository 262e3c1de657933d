//! `popc build`.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, bail};

use super::files::{compile_file, find};
use super::{Build, CLEAN, FINDINGS, Output};
use crate::canonical;
use crate::render::{Summary, text};

pub(super) fn run(args: &Build, output: &mut Output<'_>) -> anyhow::Result<u8> {
    let mut summary = Summary::default();
    let mut written: HashMap<PathBuf, PathBuf> = HashMap::new();
    for path in find(&args.paths)? {
        let compiled = compile_file(&path)?;
        summary = summary.plus(Summary::of(&compiled.diagnostics));
        write!(output.err, "{}", text::findings(&compiled.diagnostics, &compiled.sources, output.colour))?;
        let (bytes, kind) = match (&compiled.agenda, &compiled.template) {
            (Some(agenda), _) => (canonical::pretty(agenda), "agenda"),
            (None, Some(template)) => (canonical::pretty(template), "template"),
            (None, None) => continue,
        };
        let Some(directory) = &args.output else {
            write!(output.out, "{bytes}")?;
            continue;
        };
        let stem = if compiled.workflow_name.is_empty() {
            path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
        } else {
            compiled.workflow_name.replace(['/', '\\', ':'], "_")
        };
        let target = directory.join(format!("{stem}.{kind}.json"));
        if let Some(first) = written.insert(target.clone(), path.clone()) {
            bail!("{} and {} would both write {}", first.display(), path.display(), target.display());
        }
        fs::create_dir_all(directory).with_context(|| format!("can't make {}", directory.display()))?;
        fs::write(&target, bytes).with_context(|| format!("can't write {}", target.display()))?;
        writeln!(output.err, "wrote {}", target.display())?;
    }
    Ok(if summary.errors > 0 { FINDINGS } else { CLEAN })
}
