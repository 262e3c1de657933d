//! `popc fmt`.

use std::path::Path;

use anyhow::bail;

use super::files::{find_all, read, replace};
use super::{CLEAN, FINDINGS, Fmt, Output, USAGE};
use crate::fmt;
use crate::source::Sources;

pub(super) fn run(args: &Fmt, output: &mut Output<'_>) -> anyhow::Result<u8> {
    let (files, mut failures) = find_all(&args.paths);
    let mut code = CLEAN;
    for path in files {
        match one(args, &path, output) {
            Ok(one) => code = code.max(one),
            Err(error) => failures.push(error),
        }
    }
    for error in &failures {
        writeln!(output.err, "error: {error:#}")?;
    }
    Ok(if failures.is_empty() { code } else { USAGE })
}

fn one(args: &Fmt, path: &Path, output: &mut Output<'_>) -> anyhow::Result<u8> {
    let source = read(path)?;
    let Some(format) = source.format() else {
        bail!("unsupported file {}: use a .toml or .json file", path.display());
    };
    Ok(match fmt::format(&source.text, format) {
        Ok(formatted) if formatted == *source.text => CLEAN,
        Ok(_) if args.check => {
            writeln!(output.err, "not formatted: {}", path.display())?;
            FINDINGS
        }
        Ok(formatted) => {
            replace(path, &formatted)?;
            writeln!(output.err, "formatted {}", path.display())?;
            CLEAN
        }
        Err(findings) => {
            let mut sources = Sources::new();
            sources.add(source);
            output.findings(&findings, &sources, path)?;
            FINDINGS
        }
    })
}
