//! `popc import`.

use std::fs;

use anyhow::{Context, bail};

use super::{CLEAN, Output, Wfcommons, files};
use crate::Format;
use crate::import::wfcommons;

pub(super) fn run(args: &Wfcommons, output: &mut Output<'_>) -> anyhow::Result<u8> {
    let source = files::read(&args.file)?;
    let imported = wfcommons::import(&source.text)
        .with_context(|| format!("could not import {}", args.file.display()))?;
    let Some(target) = &args.output else {
        write!(output.out, "{}", imported.to_toml())?;
        return Ok(CLEAN);
    };
    let text = match Format::from_path(&target.to_string_lossy()) {
        Some(Format::Toml) => imported.to_toml(),
        Some(Format::Json) => imported.to_json(),
        None => bail!("invalid file name {}: use *.pop.toml or *.pop.json", target.display()),
    };
    fs::write(target, text).with_context(|| format!("could not write {}", target.display()))?;
    writeln!(output.err, "wrote {}", target.display())?;
    Ok(CLEAN)
}
