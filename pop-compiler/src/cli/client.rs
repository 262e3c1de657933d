//! `popc client`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use serde_json::Value as Json;

use super::build::difference;
use super::files::{compile_file, find, read};
use super::{CLEAN, Client, FINDINGS, Lang, Output};
use crate::client::{Input, Language, generate};
use crate::render::Summary;

pub(super) fn run(args: &Client, output: &mut Output<'_>) -> anyhow::Result<u8> {
    let mut summary = Summary::default();
    let mut inputs = Vec::new();
    for path in find(&args.paths)? {
        let compiled = compile_file(&path)?;
        summary = summary.plus(Summary::of(&compiled.diagnostics));
        output.findings(&compiled.diagnostics, &compiled.sources, &path)?;
        let Some(mut input) = Input::new(path.display().to_string(), &compiled) else { continue };
        if let Some(places) = built_places(&path)? {
            input.places = places;
        }
        for (_, place) in &mut input.places {
            *place = portable(place);
        }
        inputs.push(input);
    }
    if summary.errors > 0 {
        return Ok(FINDINGS);
    }
    let language = match args.lang {
        Lang::Rust => Language::Rust,
        Lang::Typescript => Language::Typescript,
        Lang::Python => Language::Python,
    };
    let files = generate(language, &inputs).map_err(|error| anyhow!("{error}"))?;
    let directory = &args.output;
    let mut differ = Vec::new();
    for file in &files {
        let target = directory.join(&file.path);
        let Some(difference) = difference(&target, &file.text)? else { continue };
        if args.check {
            differ.push(difference);
            continue;
        }
        fs::create_dir_all(directory).with_context(|| format!("could not create {}", directory.display()))?;
        fs::write(&target, &file.text).with_context(|| format!("could not write {}", target.display()))?;
        writeln!(output.err, "wrote {}", target.display())?;
    }
    for line in &differ {
        writeln!(output.err, "{line}")?;
    }
    if differ.is_empty() {
        return Ok(CLEAN);
    }
    writeln!(output.err, "run the same command without --check to write the files")?;
    Ok(FINDINGS)
}

/// Places of operations from the source map beside a built file.
fn built_places(path: &Path) -> anyhow::Result<Option<Vec<(String, String)>>> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = [".agenda.json", ".template.json"].iter().find_map(|ending| name.strip_suffix(ending));
    let Some(map) = stem.map(|stem| path.with_file_name(format!("{stem}.map.json"))) else { return Ok(None) };
    if !map.is_file() {
        return Ok(None);
    }
    let document: Json = serde_json::from_str(&read(&map)?.text)
        .with_context(|| format!("could not read {}", map.display()))?;
    let operations = document.get("operations").and_then(Json::as_object).into_iter().flatten();
    let mut places: Vec<(String, String)> = operations
        .filter_map(|(name, at)| {
            let (file, line, column) = (at.get("file")?.as_str()?, at.get("line")?, at.get("column")?);
            Some((name.clone(), format!("{file}:{line}:{column}")))
        })
        .collect();
    places.sort();
    Ok(Some(places))
}

/// A place that holds on every machine: relative to the current directory, or else only the file's name.
fn portable(place: &str) -> String {
    let path = Path::new(place);
    let below = match std::env::current_dir() {
        Ok(here) if path.is_absolute() => path.strip_prefix(here).ok().map(Path::to_path_buf),
        _ => Some(path.to_path_buf()),
    };
    let name = || PathBuf::from(path.file_name().unwrap_or_default());
    let parts = below.filter(|p| p.is_relative()).unwrap_or_else(name);
    let parts: Vec<String> = parts
        .components()
        .filter(|c| *c != std::path::Component::CurDir)
        .map(|c| c.as_os_str().to_string_lossy().into_owned())
        .collect();
    parts.join("/")
}
