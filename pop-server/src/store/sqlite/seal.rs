//! Encrypts texts with secrets: AES-256-GCM under a key in a file beside the database. The store keeps an encrypted
//! text as a blob, so plain and encrypted texts cannot be confused.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::{digest, rand};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension as _};

use crate::ids::AgendaNo;
use crate::store::StoreError;

/// Length of a key in bytes.
const KEY: usize = 32;
/// Length in bytes of a key's id, the start of the key's digest.
const ID: usize = 8;

/// Encrypts and decrypts. The first encryption creates the key.
#[derive(Debug, Default)]
pub(super) struct Seal {
    /// Path of the key file; none for a database in memory.
    file: Option<PathBuf>,
    key: OnceLock<Key>,
}

#[derive(Debug)]
struct Key {
    key: RandomizedNonceKey,
    id: [u8; ID],
}

impl Key {
    fn new(bytes: &[u8]) -> Result<Self, StoreError> {
        let key = RandomizedNonceKey::new(&AES_256_GCM, bytes);
        let key = key.map_err(|_| StoreError::Key("the key is not 32 bytes long".to_owned()))?;
        let mut id = [0; ID];
        id.copy_from_slice(&digest::digest(&digest::SHA256, bytes).as_ref()[..ID]);
        Ok(Self { key, id })
    }
}

impl Seal {
    /// Reads the key in `<database>.key`. Fails if the database has encrypted texts and their key is absent or another
    /// one.
    pub(super) fn open(database: &Path, connection: &Connection) -> Result<Self, StoreError> {
        let mut file = database.as_os_str().to_owned();
        file.push(".key");
        let seal = Self { file: Some(PathBuf::from(file)), key: OnceLock::new() };
        let used =
            connection.query_row("SELECT key FROM seal", [], |row| row.get::<_, Vec<u8>>(0)).optional()?;
        let found = seal.read()?;
        match (used, found) {
            (Some(_), None) => return Err(seal.unusable("the key file does not exist")),
            (Some(used), Some(key)) if used != key.id => {
                return Err(seal.unusable("the file holds another key"));
            }
            (_, Some(key)) => {
                let _ = seal.key.set(key);
            }
            (None, None) => {}
        }
        Ok(seal)
    }

    fn unusable(&self, why: &str) -> StoreError {
        let file = self.file.as_deref().unwrap_or(Path::new("")).display();
        StoreError::Key(format!("{file}: {why}"))
    }

    fn read(&self) -> Result<Option<Key>, StoreError> {
        let Some(file) = &self.file else { return Ok(None) };
        match std::fs::read(file) {
            Ok(bytes) => {
                Key::new(&bytes).map(Some).map_err(|_| self.unusable("the key is not 32 bytes long"))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.unusable(&error.to_string())),
        }
    }

    fn key(&self, connection: &Connection) -> Result<&Key, StoreError> {
        let key = if let Some(key) = self.key.get() {
            key
        } else {
            let new = self.make()?;
            self.key.get_or_init(|| new)
        };
        connection
            .prepare_cached("INSERT INTO seal (one, key) VALUES (1, ?1) ON CONFLICT (one) DO NOTHING")?
            .execute([&key.id[..]])?;
        Ok(key)
    }

    /// Creates a key. The key is durable before any text is encrypted.
    fn make(&self) -> Result<Key, StoreError> {
        let mut bytes = [0; KEY];
        rand::fill(&mut bytes).map_err(|_| self.unusable("the system gave no random numbers"))?;
        if let Some(file) = &self.file {
            let write = || -> std::io::Result<()> {
                let mut out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
                out.write_all(&bytes)?;
                out.sync_all()?;
                let folder = file.parent().unwrap_or(Path::new("/"));
                std::fs::File::open(folder)?.sync_all()
            };
            write().map_err(|error| self.unusable(&error.to_string()))?;
        }
        Key::new(&bytes)
    }

    /// The stored form of a text.
    pub(super) fn seal(
        &self,
        connection: &Connection,
        no: AgendaNo,
        sealed: bool,
        text: String,
    ) -> Result<Value, StoreError> {
        if !sealed {
            return Ok(Value::Text(text));
        }
        let Key { key, id } = self.key(connection)?;
        let mut bytes = text.into_bytes();
        let nonce = key.seal_in_place_append_tag(aad(no), &mut bytes);
        let nonce = nonce.map_err(|_| self.unusable("encryption failed"))?;
        Ok(Value::Blob([&id[..], &nonce.as_ref()[..], &bytes].concat()))
    }

    /// The text of its stored form.
    pub(super) fn unseal(&self, no: AgendaNo, stored: ValueRef<'_>) -> Result<String, StoreError> {
        let corrupt = |why: &str| StoreError::Corrupt { column: "body", why: why.to_owned() };
        let blob = match stored {
            ValueRef::Blob(blob) => blob,
            other => return other.as_str().map(str::to_owned).map_err(|e| corrupt(&e.to_string())),
        };
        let Key { key, id } = self.key.get().ok_or_else(|| self.unusable("the key file does not exist"))?;
        let (used, rest) =
            blob.split_at_checked(ID).ok_or_else(|| corrupt("the sealed text is too short"))?;
        let (nonce, rest) =
            rest.split_at_checked(NONCE_LEN).ok_or_else(|| corrupt("the sealed text is too short"))?;
        if used != id {
            return Err(self.unusable("a text was sealed with another key"));
        }
        let mut bytes = rest.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(nonce)
            .map_err(|_| corrupt("the sealed text has no valid nonce"))?;
        let text = key
            .open_in_place(nonce, aad(no), &mut bytes)
            .map_err(|_| corrupt("the sealed text was changed"))?;
        String::from_utf8(text.to_vec()).map_err(|e| corrupt(&e.to_string()))
    }
}

/// Binds an encrypted text to its agenda: under another agenda, decryption fails.
fn aad(no: AgendaNo) -> Aad<[u8; 8]> {
    Aad::from(no.0.to_be_bytes())
}
