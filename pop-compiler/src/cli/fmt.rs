//! `popc fmt`.

use anyhow::bail;

use super::files::{find, read, replace};
use super::{CLEAN, FINDINGS, Fmt, Output};
use crate::source::Sources;
use crate::{Door, fmt};

pub(super) fn run(args: &Fmt, output: &mut Output<'_>) -> anyhow::Result<u8> {
    let mut code = CLEAN;
    for path in find(&args.paths)? {
        let source = read(&path)?;
        let Some(door) = Door::from_path(&source.name) else {
            bail!("{} is neither .toml nor .json", path.display());
        };
        match fmt::format(&source.text, door) {
            Ok(formatted) if formatted == *source.text => {}
            Ok(_) if args.check => {
                code = FINDINGS;
                writeln!(output.err, "not formatted: {}", path.display())?;
            }
            Ok(formatted) => {
                replace(&path, &formatted)?;
                writeln!(output.err, "formatted {}", path.display())?;
            }
            Err(findings) => {
                code = FINDINGS;
                let mut sources = Sources::new();
                sources.add(source);
                output.findings(&findings, &sources, &path)?;
            }
        }
    }
    Ok(code)
}
