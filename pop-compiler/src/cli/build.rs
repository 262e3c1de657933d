//! `popc build`.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::files::{compile_file, find, read};
use super::{Build, CLEAN, FINDINGS, Output};
use crate::agenda::Agenda;
use crate::diagnostic::has_errors;
use crate::render::Summary;
use crate::{Compiled, Format, canonical, data, place_in_data, source_map};

pub(super) fn run(args: &Build, output: &mut Output<'_>) -> anyhow::Result<u8> {
    let mut summary = Summary::default();
    let mut written: HashMap<PathBuf, PathBuf> = HashMap::new();
    let mut differ = Vec::new();
    let files = find(&args.paths)?;
    if args.input.is_some() && files.len() != 1 {
        bail!("--input needs exactly one workflow, but {} files are given", files.len());
    }
    for path in files {
        let compiled = compile_file(&path)?;
        summary = summary.plus(Summary::of(&compiled.diagnostics));
        output.findings(&compiled.diagnostics, &compiled.sources, &path)?;
        if compiled.template.is_none() && compiled.agenda.is_none() {
            continue;
        }
        let expanded = match &args.input {
            None => None,
            Some(input) => match expanded(&compiled, &path, input, output)? {
                Some(agenda) => Some(agenda),
                None => return Ok(FINDINGS),
            },
        };
        let (bytes, kind) = match (expanded.as_ref().or(compiled.agenda.as_ref()), &compiled.template) {
            (Some(agenda), _) => (canonical::pretty(agenda), "agenda"),
            (None, template) => (canonical::pretty(template), "template"),
        };
        let Some(directory) = &args.output else {
            write!(output.out, "{bytes}")?;
            continue;
        };
        let stem = stem(&compiled, &path);
        let mut results = vec![(directory.join(format!("{stem}.{kind}.json")), bytes)];
        if args.source_map {
            let map = canonical::pretty(&source_map::document(&compiled));
            results.push((directory.join(format!("{stem}.map.json")), map));
        }
        for (target, bytes) in results {
            if let Some(first) = written.insert(target.clone(), path.clone()) {
                bail!(
                    "{} and {} would both write {}. Rename one of the files",
                    first.display(),
                    path.display(),
                    target.display()
                );
            }
            if args.check {
                differ.extend(difference(&target, &bytes)?);
                continue;
            }
            fs::create_dir_all(directory)
                .with_context(|| format!("could not create {}", directory.display()))?;
            fs::write(&target, bytes).with_context(|| format!("could not write {}", target.display()))?;
            writeln!(output.err, "wrote {}", target.display())?;
        }
    }
    for line in &differ {
        writeln!(output.err, "{line}")?;
    }
    if !differ.is_empty() {
        writeln!(output.err, "run the same command without --check to write the files")?;
    }
    Ok(if summary.errors > 0 || !differ.is_empty() { FINDINGS } else { CLEAN })
}

fn stem(compiled: &Compiled, path: &Path) -> String {
    if !compiled.workflow_name.is_empty() {
        return compiled.workflow_name.replace(['/', '\\', ':'], "_");
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    [".agenda.json", ".template.json", ".json"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .unwrap_or(&name)
        .to_owned()
}

/// Message about a file that is missing or differs; none if the file is up to date.
pub(super) fn difference(target: &Path, bytes: &str) -> anyhow::Result<Option<String>> {
    match fs::read(target) {
        Ok(found) if found == bytes.as_bytes() => Ok(None),
        Ok(_) => Ok(Some(format!("differs: {}", target.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Ok(Some(format!("missing: {}", target.display())))
        }
        Err(error) => Err(error).with_context(|| format!("could not read {}", target.display())),
    }
}

/// The agenda of a submission with the inputs of a file; none for invalid inputs, which are reported.
fn expanded(
    compiled: &Compiled,
    path: &Path,
    input: &Path,
    output: &mut Output<'_>,
) -> anyhow::Result<Option<Agenda>> {
    let Some(template) = compiled.template.as_ref().filter(|_| compiled.agenda.is_none()) else {
        bail!("{} declares no inputs: remove --input", path.display());
    };
    let source = read(input)?;
    let format = Format::from_path(&source.name).unwrap_or(Format::Json);
    let (inputs, sources, mut findings) = data(source, format);
    let mut agenda = None;
    if !has_errors(&findings) {
        match template.expand(&inputs) {
            Ok(made) => agenda = Some(made),
            Err(found) => {
                findings = found;
                place_in_data(&mut findings, &sources, format, "/agenda/");
            }
        }
    }
    output.findings(&findings, &sources, input)?;
    Ok(agenda)
}
