//! The work itself: one async function for each operation type.

use std::fs::{self, OpenOptions};
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};

use pop_sdk::handler::{Context, HandlerError, Handlers};
use serde::{Deserialize, Serialize};

use crate::clip::{Clip, picture, scale, sha256};
use crate::{Encode, Encoded, Package, Packaged, Probe, Probed, Publish, Published};

/// All handlers of this program.
pub fn all() -> Handlers {
    Handlers::new().operation(probe).operation(encode).operation(package).operation(publish)
}

/// Looks at a clip.
pub async fn probe(_: Context, input: Probe) -> Result<Probed, HandlerError> {
    let bytes = read(&input.source)?;
    let clip = Clip::read(&bytes)?;
    Ok(Probed {
        width: clip.width,
        height: clip.height,
        frames: u32::try_from(clip.frames.len())?,
        moving: clip.frames.iter().any(|frame| *frame != clip.frames[0]),
        sha256: sha256(&bytes),
    })
}

/// What an attempt of `encode` leaves for the next one.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// The file that was begun.
    pub file: PathBuf,
    /// How many pictures of it are whole.
    pub frames: u32,
}

/// Makes a smaller clip, picture by picture; goes on where an earlier attempt was stopped.
pub async fn encode(ctx: Context, input: Encode) -> Result<Encoded, HandlerError> {
    let bytes = read(&input.source)?;
    let clip = Clip::read(&bytes)?;
    let height = input.rung.height;
    if height == 0 || height > clip.height {
        let message = format!("a clip of {} rows can't become one of {height}", clip.height);
        return Err(HandlerError::fatal(message).code("WrongRung"));
    }
    let width = u64::from(clip.width) * u64::from(height) / u64::from(clip.height);
    let width = u32::try_from(width)?.max(1);
    let begun = ctx.last_checkpoint::<Begun>().filter(|begun| begun.file.is_file());
    let mut begun = match begun {
        Some(begun) => begun,
        None => Begun { file: std::env::current_dir()?.join(format!("{height}p.pgm")), frames: 0 },
    };
    let mut file = OpenOptions::new().create(true).write(true).truncate(false).open(&begun.file)?;
    let whole = picture(width, height, &vec![0; width as usize * height as usize]).len() as u64;
    // What an earlier attempt wrote in part goes.
    file.set_len(whole * u64::from(begun.frames))?;
    file.seek(std::io::SeekFrom::End(0))?;
    for frame in clip.frames.iter().skip(begun.frames as usize) {
        ctx.check_cancelled()?;
        let points = scale(frame, (clip.width, clip.height), (width, height), input.rung.greys);
        file.write_all(&picture(width, height, &points))?;
        begun.frames += 1;
        ctx.checkpoint(&begun)?;
        let percent = f64::from(begun.frames) * 100.0 / f64::from(input.frames.max(1));
        ctx.progress(percent, format!("picture {} of {}", begun.frames, input.frames));
    }
    file.sync_all()?;
    Ok(Encoded { sha256: sha256(&read(&begun.file)?), file: begun.file })
}

/// What is in a package.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// What it is called.
    pub title: String,
    /// The clips.
    pub renditions: Vec<Rendition>,
}

/// One clip of a package.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendition {
    /// Where it is; beside the manifest once it is published.
    pub file: PathBuf,
    /// Its SHA-256.
    pub sha256: String,
}

/// Writes a manifest of all rungs, after a look at each.
pub async fn package(_: Context, input: Package) -> Result<Packaged, HandlerError> {
    let mut manifest = Manifest { title: input.title, renditions: Vec::new() };
    for (file, sha256) in input.renditions.into_iter().zip(input.checksums) {
        verify(&file, &sha256)?;
        if manifest.renditions.iter().any(|other| other.file.file_name() == file.file_name()) {
            let message = format!("two rungs give a {}", file.display());
            return Err(HandlerError::fatal(message).code("DoubleRung"));
        }
        manifest.renditions.push(Rendition { file, sha256 });
    }
    let place = std::env::current_dir()?.join("manifest.json");
    fs::write(&place, serde_json::to_vec_pretty(&manifest)?)?;
    Ok(Packaged { manifest: place })
}

/// Copies a package to where people find it, and checks what arrived.
pub async fn publish(ctx: Context, input: Publish) -> Result<Published, HandlerError> {
    let mut manifest: Manifest = serde_json::from_slice(&read(&input.manifest)?)?;
    fs::create_dir_all(&input.target)?;
    let (mut bytes, count) = (0, manifest.renditions.len());
    for (i, rendition) in manifest.renditions.iter_mut().enumerate() {
        ctx.check_cancelled()?;
        let Some(name) = rendition.file.file_name().map(PathBuf::from) else {
            return Err(HandlerError::fatal("the manifest names a file without a name"));
        };
        bytes += put(&read(&rendition.file)?, &input.target.join(&name))?;
        verify(&input.target.join(&name), &rendition.sha256)?;
        rendition.file = name;
        ctx.progress(u32::try_from((i + 1) * 100 / count)?, format!("{} of {count} files", i + 1));
    }
    // The manifest last: who sees it finds all it speaks of.
    let place = input.target.join("manifest.json");
    bytes += put(&serde_json::to_vec_pretty(&manifest)?, &place)?;
    Ok(Published { manifest: place, bytes })
}

/// Writes a file as a whole or not at all.
fn put(bytes: &[u8], place: &Path) -> Result<u64, HandlerError> {
    let new = place.with_extension("new");
    fs::write(&new, bytes)?;
    fs::rename(&new, place)?;
    Ok(bytes.len() as u64)
}

fn verify(file: &Path, expected: &str) -> Result<(), HandlerError> {
    if sha256(&read(file)?) == expected {
        return Ok(());
    }
    Err(HandlerError::error(format!("{} is not what it was", file.display())).code("Damaged"))
}

fn read(file: &Path) -> Result<Vec<u8>, HandlerError> {
    fs::read(file).map_err(|e| {
        let error = if e.kind() == std::io::ErrorKind::NotFound {
            HandlerError::fatal(e).code("SourceMissing")
        } else {
            HandlerError::from(e)
        };
        error.context(format!("can't read {}", file.display()))
    })
}
