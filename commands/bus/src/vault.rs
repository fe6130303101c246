//! The vault: a key per person, outside the log. Who destroys the key forgets the person.
//!
//! One SQLite file. A new key is made when a person's first text comes, and is durable before the
//! block that needs it ([`Vault::sync`]). Deleted keys are overwritten (`secure_delete`).

mod cipher;

use chl_events::{ActorId, KeyId, PartnerId, Sealed};
use cipher::Key;
use rusqlite::{Connection, OptionalExtension, params};
use std::{
    collections::HashMap,
    fmt,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// How many keys stay in memory.
const CACHED_KEYS: usize = 10_000;

/// Whose text it is, by pseudonym.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Person {
    /// The one who wrote it.
    Actor(ActorId),
    /// A partner that is a natural person.
    Partner(PartnerId),
}

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Actor(actor) => write!(f, "actor/{actor}"),
            Self::Partner(partner) => write!(f, "partner/{partner}"),
        }
    }
}

/// Where a text stands: what makes its nonce this one's.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The command's source.
    pub source: &'a str,
    /// The command's id.
    pub id: &'a str,
    /// The field.
    pub field: &'a str,
}

/// Says why the vault failed.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The file could not be read or written.
    #[error("the vault's file: {0}")]
    File(#[from] rusqlite::Error),
    /// A stored key has another length.
    #[error("the key {0} is damaged")]
    Damaged(KeyId),
    /// The text could not be sealed.
    #[error("a text of {0} bytes cannot be sealed")]
    Cipher(usize),
}

/// Keeps the keys of persons.
pub struct Vault {
    inner: Mutex<Inner>,
}

struct Inner {
    file: Connection,
    persons: HashMap<Person, (KeyId, Key)>,
    pending: HashMap<Person, (KeyId, Key)>,
    trial: Option<HashMap<Person, (KeyId, Key)>>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}

const SCHEMA: &str = "
    PRAGMA secure_delete = ON;
    PRAGMA journal_mode = DELETE;
    PRAGMA synchronous = FULL;
    PRAGMA temp_store = MEMORY;
    CREATE TABLE IF NOT EXISTS person_keys (
        person TEXT PRIMARY KEY,
        id BLOB NOT NULL UNIQUE,
        key BLOB NOT NULL
    ) WITHOUT ROWID;";

impl Vault {
    /// Opens the vault's file, or makes it.
    pub fn open(path: &Path) -> Result<Self, VaultError> {
        Self::new(Connection::open(path)?)
    }

    /// A vault in memory: for tests and scratch copies.
    pub fn in_memory() -> Result<Self, VaultError> {
        Self::new(Connection::open_in_memory()?)
    }

    fn new(file: Connection) -> Result<Self, VaultError> {
        file.execute_batch(SCHEMA)?;
        let (persons, pending) = (HashMap::new(), HashMap::new());
        Ok(Self { inner: Mutex::new(Inner { file, persons, pending, trial: None }) })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Seals a text under a person's key, making one where there is none.
    pub fn seal(
        &self,
        person: &Person,
        place: Place<'_>,
        text: &str,
    ) -> Result<Sealed, VaultError> {
        let (id, key) = self.lock().key_of(person)?;
        key.seal(id, place, text)
    }

    /// Seals a text again under a key that sealed it before; none when that key is gone.
    pub fn seal_under(
        &self,
        id: KeyId,
        place: Place<'_>,
        text: &str,
    ) -> Result<Option<Sealed>, VaultError> {
        let key = self.lock().key(id)?;
        key.map(|key| key.seal(id, place, text)).transpose()
    }

    /// Opens a text; none when its key is gone or another than sealed it.
    pub fn open_text(&self, sealed: &Sealed) -> Result<Option<String>, VaultError> {
        let key = self.lock().key(sealed.key)?;
        Ok(key.and_then(|key| key.open(sealed)))
    }

    /// Makes new keys durable: before the block that holds what they sealed.
    pub fn sync(&self) -> Result<(), VaultError> {
        self.lock().sync()
    }

    /// Destroys a person's key: no text sealed under it can be read again. Says whether there was
    /// one.
    pub fn forget(&self, person: &Person) -> Result<bool, VaultError> {
        let mut inner = self.lock();
        let waited = inner.pending.remove(person).is_some();
        inner.persons.remove(person);
        let gone = inner
            .file
            .execute("DELETE FROM person_keys WHERE person = ?1", [person.to_string()])?;
        Ok(waited || gone > 0)
    }

    /// Copies the vault into a new file, as an export or backup takes it along.
    pub fn copy_to(&self, path: &Path) -> Result<(), VaultError> {
        let mut inner = self.lock();
        inner.sync()?;
        let target = path.to_string_lossy();
        inner.file.execute("VACUUM INTO ?1", [target.as_ref()])?;
        Ok(())
    }

    /// From now on new keys are for trial: they end with it and are never written.
    pub(crate) fn begin_trial(&self) {
        self.lock().trial = Some(HashMap::new());
    }

    /// Forgets the keys made for trial.
    pub(crate) fn end_trial(&self) {
        self.lock().trial = None;
    }
}

impl Inner {
    fn key_of(&mut self, person: &Person) -> Result<(KeyId, Key), VaultError> {
        let known = self.persons.get(person).or_else(|| self.pending.get(person));
        let known = known.or_else(|| self.trial.as_ref().and_then(|trial| trial.get(person)));
        if let Some(known) = known {
            return Ok(known.clone());
        }
        let query = "SELECT id, key FROM person_keys WHERE person = ?1";
        let found = self
            .file
            .prepare_cached(query)?
            .query_row([person.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let found: Option<([u8; 16], Vec<u8>)> = found;
        let Some((id, key)) = found else { return Ok(self.new_key(person)) };
        let id = KeyId(id);
        let key = Key::from_slice(&key).ok_or(VaultError::Damaged(id))?;
        self.remember(person, id, &key);
        Ok((id, key))
    }

    fn new_key(&mut self, person: &Person) -> (KeyId, Key) {
        let made = (KeyId(cipher::random_id()), Key::random());
        let to = self.trial.as_mut().unwrap_or(&mut self.pending);
        to.insert(person.clone(), made.clone());
        made
    }

    fn remember(&mut self, person: &Person, id: KeyId, key: &Key) {
        if self.persons.len() >= CACHED_KEYS {
            self.persons.clear();
        }
        self.persons.insert(person.clone(), (id, key.clone()));
    }

    fn key(&self, id: KeyId) -> Result<Option<Key>, VaultError> {
        let trial = self.trial.iter().flat_map(HashMap::values);
        let mut young = self.pending.values().chain(trial);
        if let Some((_, key)) = young.find(|(known, _)| *known == id) {
            return Ok(Some(key.clone()));
        }
        let mut query = self.file.prepare_cached("SELECT key FROM person_keys WHERE id = ?1")?;
        let found: Option<Vec<u8>> = query.query_row([id.0], |row| row.get(0)).optional()?;
        found.map(|key| Key::from_slice(&key).ok_or(VaultError::Damaged(id))).transpose()
    }

    fn sync(&mut self) -> Result<(), VaultError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let transaction = self.file.transaction()?;
        for (person, (id, key)) in &self.pending {
            let insert = "INSERT INTO person_keys (person, id, key) VALUES (?1, ?2, ?3)";
            transaction.prepare_cached(insert)?.execute(params![
                person.to_string(),
                id.0,
                key.bytes()
            ])?;
        }
        transaction.commit()?;
        for (person, (id, key)) in std::mem::take(&mut self.pending) {
            self.remember(&person, id, &key);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn anna() -> Person {
        Person::Actor(ActorId::new("u-anna").unwrap())
    }

    fn place<'a>(id: &'a str, field: &'a str) -> Place<'a> {
        Place { source: "/portal", id, field }
    }

    #[test]
    fn a_text_opens_again_and_its_bytes_are_reproducible() {
        let vault = Vault::in_memory().unwrap();
        let one = vault.seal(&anna(), place("1", "reason"), "first meeting").unwrap();
        assert_eq!(vault.open_text(&one).unwrap().as_deref(), Some("first meeting"));
        assert_eq!(vault.seal(&anna(), place("1", "reason"), "first meeting").unwrap(), one);
    }

    #[test]
    fn no_nonce_serves_two_texts() {
        let vault = Vault::in_memory().unwrap();
        let texts = [
            vault.seal(&anna(), place("1", "reason"), "same").unwrap(),
            vault.seal(&anna(), place("2", "reason"), "same").unwrap(),
            vault.seal(&anna(), place("1", "note"), "same").unwrap(),
            vault.seal(&anna(), place("1", "reason"), "other").unwrap(),
        ];
        let nonces: std::collections::BTreeSet<_> =
            texts.iter().map(|sealed| sealed.ciphertext.get(..24).unwrap()).collect();
        assert_eq!(nonces.len(), texts.len());
    }

    #[test]
    fn keys_survive_reopening_once_synced_and_forgetting_ends_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vault.sqlite");
        let vault = Vault::open(&path).unwrap();
        let sealed = vault.seal(&anna(), place("1", "reason"), "hello").unwrap();
        vault.sync().unwrap();
        drop(vault);
        let vault = Vault::open(&path).unwrap();
        assert_eq!(vault.open_text(&sealed).unwrap().as_deref(), Some("hello"));
        assert!(vault.forget(&anna()).unwrap());
        assert!(!vault.forget(&anna()).unwrap());
        assert_eq!(vault.open_text(&sealed).unwrap(), None);
        let again = vault.seal(&anna(), place("1", "reason"), "hello").unwrap();
        assert_ne!(again.key, sealed.key);
    }

    #[test]
    fn a_key_destroyed_leaves_no_bytes_in_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vault.sqlite");
        let vault = Vault::open(&path).unwrap();
        vault.seal(&anna(), place("1", "reason"), "hello").unwrap();
        vault.sync().unwrap();
        let held = |path: &Path| {
            let bytes = std::fs::read(path).unwrap();
            bytes.windows(6).any(|window| window == b"u-anna")
        };
        assert!(held(&path));
        vault.forget(&anna()).unwrap();
        assert!(!held(&path));
    }

    #[test]
    fn a_trial_leaves_no_key() {
        let vault = Vault::in_memory().unwrap();
        vault.begin_trial();
        let sealed = vault.seal(&anna(), place("1", "reason"), "hello").unwrap();
        assert_eq!(vault.seal(&anna(), place("1", "reason"), "hello").unwrap(), sealed);
        vault.end_trial();
        vault.sync().unwrap();
        assert_eq!(vault.open_text(&sealed).unwrap(), None);
    }
}
