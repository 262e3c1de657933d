//! The files that belong to a workflow: found, read once, and remembered, so that a change of any of them builds again.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::{env, fs};

use pop_compiler::source::Source;

/// The largest file that is read.
const MAX_BYTES: u64 = 64 << 20;

/// The files of one workflow. The first is its own; they are named as rustc names files: from where cargo builds.
pub(super) struct Files {
    /// What the names are relative to.
    base: PathBuf,
    /// The workflow's own file.
    name: String,
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
        let folder = beside.filter(|folder| !package.join(path).exists() && folder.join(path).exists());
        let folder = folder.unwrap_or(package);
        let (base, name) = match folder.strip_prefix(&here) {
            Ok(inside) => (here, inside.join(path)),
            Err(_) => (folder, PathBuf::from(path)),
        };
        let name = name.to_string_lossy().replace('\\', "/");
        Self { base, name, config: None, read: RefCell::default() }
    }

    /// The workflow's own text.
    pub(super) fn entry(&self) -> Result<Source, String> {
        self.load(&self.name).map_err(|why| {
            format!(
                "can't read `{}`: {why}; the path is relative to the package's Cargo.toml, or to this file",
                self.name
            )
        })
    }

    /// A file, by its name.
    pub(super) fn load(&self, name: &str) -> Result<Source, String> {
        let path = self.base.join(name);
        let size = fs::metadata(&path).map_err(|error| why(&error))?.len();
        if size > MAX_BYTES {
            return Err(format!("it has {} MiB; files over 64 MiB are refused", size >> 20));
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

/// The same words as `popc` has.
fn why(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file".to_owned(),
        _ => error.to_string(),
    }
}
