//! Where programs may say over HTTP what they would otherwise write into files. It becomes the file that they would have
//! written, so what it means, and which word counts when they say it in both ways, is decided in one place. The HTTP
//! itself is in [`crate::api::attempts`].

use std::collections::HashMap;
use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::de::IgnoredAny;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::files::Folder;
use super::note::Note;
use super::process::parse_progress;
use crate::{api, ids};

/// The longest progress and failure, in bytes. Only an output may be longer.
const SHORT: u64 = 256 << 10;

/// What a program says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// How far it is.
    Progress,
    /// The output.
    Output,
    /// Why it fails.
    Failure,
}

/// Why a word is not taken.
#[derive(Debug)]
pub(crate) enum Unheard {
    /// No attempt that runs has this token.
    Stranger,
    /// It is not what it should be.
    Invalid(String),
    /// It can't be kept.
    Io(io::Error),
}

/// The attempts that run here, by their tokens.
#[derive(Debug)]
pub(crate) struct Desk {
    attempts: Mutex<HashMap<String, Arc<Attempt>>>,
    output_limit: u64,
}

#[derive(Debug)]
struct Attempt {
    /// None once the attempt has ended.
    folder: Mutex<Option<Folder>>,
    said: Notify,
}

impl Desk {
    pub(super) fn new(output_limit: u64) -> Self {
        Self { attempts: Mutex::default(), output_limit }
    }

    /// How long a word may be, in bytes.
    pub(crate) fn limit(&self, word: Word) -> usize {
        let limit = if word == Word::Output { self.output_limit } else { SHORT };
        usize::try_from(limit).unwrap_or(usize::MAX)
    }

    /// Whether an attempt that runs has this token.
    pub(crate) fn knows(&self, token: &str) -> bool {
        lock(&self.attempts).contains_key(token)
    }

    /// Takes a word in. It blocks.
    ///
    /// # Errors
    /// Nobody who runs has this token, or the word is not what the contract says.
    pub(crate) fn say(&self, token: &str, word: Word, text: &[u8]) -> Result<(), Unheard> {
        let attempt = lock(&self.attempts).get(token).cloned().ok_or(Unheard::Stranger)?;
        check(word, text).map_err(Unheard::Invalid)?;
        let folder = lock(&attempt.folder);
        let Some(folder) = &*folder else { return Err(Unheard::Stranger) };
        let path = match word {
            Word::Progress => folder.progress(),
            Word::Output => folder.output(),
            Word::Failure => folder.failure(),
        };
        let mut new = path.clone().into_os_string();
        new.push(".new");
        fs::write(&new, text).and_then(|()| fs::rename(&new, path)).map_err(Unheard::Io)?;
        if word == Word::Progress {
            attempt.said.notify_one();
        }
        Ok(())
    }
}

fn check(word: Word, text: &[u8]) -> Result<(), String> {
    match word {
        Word::Output => serde_json::from_slice::<IgnoredAny>(text)
            .map(drop)
            .map_err(|e| format!("an output is JSON, and this is none: {e}")),
        Word::Progress => std::str::from_utf8(text)
            .ok()
            .and_then(parse_progress)
            .map(drop)
            .ok_or_else(|| "progress is a number, or an object with `percent` and `message`".to_owned()),
        Word::Failure => serde_json::from_slice::<Note>(text)
            .map(drop)
            .map_err(|e| format!("a failure is an object with `message`, `code` and `class`: {e}")),
    }
}

/// A desk that programs can reach.
#[derive(Debug)]
pub(super) struct Served {
    desk: Arc<Desk>,
    url: String,
    _serving: DropGuard,
}

impl Served {
    /// Serves a desk on a free port that only this machine reaches, for as long as what is given back lives.
    ///
    /// # Errors
    /// There is no port.
    pub(super) async fn start(output_limit: u64) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}{}", listener.local_addr()?, api::attempts::PATH);
        let (desk, stop) = (Arc::new(Desk::new(output_limit)), CancellationToken::new());
        tokio::spawn(api::attempts::serve(listener, Arc::clone(&desk), stop.clone()));
        Ok(Self { desk, url, _serving: stop.drop_guard() })
    }

    /// Lets one attempt speak, for as long as the place lives.
    pub(super) fn place(&self, folder: &Folder) -> Place {
        let attempt = Arc::new(Attempt { folder: Mutex::new(Some(folder.clone())), said: Notify::new() });
        let token = ids::token();
        lock(&self.desk.attempts).insert(token.clone(), Arc::clone(&attempt));
        Place { desk: Arc::clone(&self.desk), url: self.url.clone(), token, attempt }
    }
}

/// One attempt's place at the desk.
pub(super) struct Place {
    desk: Arc<Desk>,
    /// `POP_REPORT_URL`.
    pub(super) url: String,
    /// `POP_TOKEN`.
    pub(super) token: String,
    attempt: Arc<Attempt>,
}

impl Place {
    /// Resolves when the program has told its progress.
    pub(super) async fn said(&self) {
        self.attempt.said.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.desk.attempts).remove(&self.token);
        // Who is being listened to at this moment is heard out.
        lock(&self.attempt.folder).take();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
