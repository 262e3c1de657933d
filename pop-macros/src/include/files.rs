//! The files that belong to a workflow: found, read once, and remembered, so that a change of any of them builds again.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::{env, fs};

use pop_compiler::Format;
use pop_compiler::source::Source;
use pop_compiler::suggest::closest;

/// The largest file that is read.
const MAX_BYTES: u64 = 64 << 20;

/// The files of one workflow. The first is its own; they are named as rustc names files: from where cargo builds.
pub(super) struct Files {
    /// What the names are relative to.
    base: PathBuf,
    /// The workflow's own file.
    name: String,
    /// The same as it is written in Rust.
    written: String,
    /// What that may be relative to: the package, and the folder of the Rust file.
    roots: Vec<PathBuf>,
    config: Option<String>,
    read: RefCell<Vec<(String, PathBuf)>>,
}

impl Files {
    /// The files of the workflow at `path`: relative to the package that is built or, when nothing is there, to the Rust
    /// file that includes it.
    pub(super) fn new(path: &str, rust: Option<&Path>) -> Self {
        let package = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
        let here = env::current_dir().unwrap_or_default();
        let beside = rust.and_then(Path::parent).map(|folder| here.join(folder));
        let roots = std::iter::once(package.clone()).chain(beside.clone()).collect();
        let folder = beside.filter(|folder| !package.join(path).exists() && folder.join(path).exists());
        let folder = folder.unwrap_or(package);
        let (base, name) = match folder.strip_prefix(&here) {
            Ok(inside) => (here, inside.join(path)),
            Err(_) => (folder, PathBuf::from(path)),
        };
        let name = name.to_string_lossy().replace('\\', "/");
        Self { base, name, written: path.to_owned(), roots, config: None, read: RefCell::default() }
    }

    /// The workflow's own text.
    pub(super) fn entry(&self) -> Result<Source, String> {
        self.load(&self.name).map_err(|why| {
            let near = self.near().map(|path| format!("\nhelp: did you mean `{path}`?")).unwrap_or_default();
            format!(
                "could not read `{}`: {why}. The path is relative to the package's Cargo.toml, or to this file{near}",
                self.name
            )
        })
    }

    /// The workflow file whose path is nearest to the one that is not there, as it would be written.
    fn near(&self) -> Option<String> {
        let file = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        let (folder, name) = match self.written.rsplit_once('/') {
            Some((folder, name)) => (format!("{folder}/"), name),
            None => (String::new(), self.written.as_str()),
        };
        // Beside where it should be.
        for root in &self.roots {
            let entries = fs::read_dir(root.join(&folder)).into_iter().flatten().flatten().take(MOST_ENTRIES);
            let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
            let mut names: Vec<String> = names.filter(|name| Format::is_workflow_path(name)).collect();
            names.sort();
            if let Some(near) = closest(name, names.iter().map(String::as_str)) {
                return Some(format!("{folder}{near}"));
            }
        }
        // Elsewhere in the package: the path, or the right name in another folder.
        let known = workflows(self.roots.first()?);
        if let Some(near) = closest(&self.written, known.iter().map(String::as_str)) {
            return Some(near.to_owned());
        }
        let names: Vec<String> = known.iter().map(|path| file(path)).collect();
        let near = closest(name, names.iter().map(String::as_str))?;
        let at = names.iter().position(|name| name == near)?;
        known.get(at).cloned()
    }

    /// A file, by its name.
    pub(super) fn load(&self, name: &str) -> Result<Source, String> {
        let path = self.base.join(name);
        let size = fs::metadata(&path).map_err(|error| why(&error))?.len();
        if size > MAX_BYTES {
            return Err(format!("{} MiB exceed the limit of 64 MiB", size >> 20));
        }
        let text = fs::read_to_string(&path).map_err(|error| why(&error))?;
        let mut read = self.read.borrow_mut();
        if !read.iter().any(|(known, _)| known == name) {
            read.push((name.to_owned(), path));
        }
        Ok(Source::new(name, text))
    }

    /// The `pop.toml` of the workflow's directory, or of the nearest one above it.
    pub(super) fn config(&mut self) -> Option<Source> {
        let full = self.base.join(&self.name);
        let found =
            full.ancestors().skip(1).map(|folder| folder.join("pop.toml")).find(|path| path.is_file())?;
        let name = found.strip_prefix(&self.base).unwrap_or(&found).to_string_lossy().replace('\\', "/");
        let source = self.load(&name).ok()?;
        self.config = Some(name);
        Some(source)
    }

    /// What the program that is built calls the files.
    pub(super) fn names(&self) -> Vec<String> {
        let read = self.read.borrow();
        read.iter().map(|(name, _)| self.inside(name)).collect()
    }

    /// Where they are.
    pub(super) fn paths(&self) -> Vec<String> {
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        self.read.borrow().iter().map(|(_, path)| absolute(path).to_string_lossy().into_owned()).collect()
    }

    pub(super) fn entry_name(&self) -> String {
        self.inside(&self.name)
    }

    pub(super) fn config_name(&self) -> Option<String> {
        self.config.as_deref().map(|name| self.inside(name))
    }

    /// A name that does not leave the directory that all names are in. When a file is above where cargo builds, that
    /// directory is one above too.
    fn inside(&self, name: &str) -> String {
        let ups = |name: &str| name.split('/').take_while(|part| *part == "..").count();
        let above = self.read.borrow().iter().map(|(name, _)| ups(name)).max().unwrap_or_default();
        if name.starts_with('/') {
            // Only the name of `pop.toml`, or of a catalog that was named by where it is.
            return name.to_owned();
        }
        let base: Vec<String> =
            self.base.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
        let own = ups(name);
        let kept = base.len().saturating_sub(above)..base.len().saturating_sub(own);
        let mut parts: Vec<&str> = base[kept].iter().map(String::as_str).collect();
        parts.extend(name.split('/').skip(own));
        parts.join("/")
    }
}

/// How many entries of folders are looked at for a path that was meant.
const MOST_ENTRIES: usize = 10_000;

/// The workflow files of a package by their paths in it, in order.
fn workflows(package: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![package.to_path_buf()];
    let mut left = MOST_ENTRIES;
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            left = left.saturating_sub(1);
            if left == 0 {
                break;
            }
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            let kind = entry.file_type();
            if kind.is_ok_and(|kind| kind.is_dir()) {
                // What cargo writes is nothing that anybody means.
                if !name.starts_with('.') && name != "target" {
                    open.push(path);
                }
            } else if Format::is_workflow_path(&name)
                && let Ok(inside) = path.strip_prefix(package)
            {
                found.push(inside.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    found.sort();
    found
}

/// The same words as `popc` has.
fn why(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file".to_owned(),
        _ => error.to_string(),
    }
}
