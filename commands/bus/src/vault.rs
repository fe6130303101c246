//! The vault: a key per person, outside the log. Who destroys the key forgets the person.
//!
//! A new key is made when a person's first text comes, and is durable before the block that needs
//! it ([`Vault::sync`]).

mod cipher;
mod keep;

pub use keep::{KeepKeys, PersonKey};

use chl_events::{KeyId, Person, Sealed};
use cipher::Key;
use keep::KeyFile;
use std::{
    collections::HashMap,
    fmt,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

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
    /// The place where keys are kept, which is no file, failed.
    #[error("the vault: {0}")]
    Kept(#[source] Box<dyn std::error::Error + Send + Sync>),
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
    keys: Box<dyn KeepKeys>,
    pending: HashMap<Person, PersonKey>,
    trial: Option<HashMap<Person, PersonKey>>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}

impl Vault {
    /// Opens a vault in a file, or makes it.
    pub fn open(path: &Path) -> Result<Self, VaultError> {
        Ok(Self::over(Box::new(KeyFile::open(path)?)))
    }

    /// A vault in memory: for tests and scratch copies.
    pub fn in_memory() -> Result<Self, VaultError> {
        Ok(Self::over(Box::new(KeyFile::in_memory()?)))
    }

    /// A vault over any place where keys are kept.
    pub fn over(keys: Box<dyn KeepKeys>) -> Self {
        Self { inner: Mutex::new(Inner { keys, pending: HashMap::new(), trial: None }) }
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
        let PersonKey { id, key } = self.lock().key_of(person)?;
        key.seal(id, place, text)
    }

    /// Seals a text again under a key that sealed it before; none when that key is gone.
    pub fn seal_under(
        &self,
        id: KeyId,
        place: Place<'_>,
        text: &str,
    ) -> Result<Option<Sealed>, VaultError> {
        let found = self.lock().key(id)?;
        found.map(|found| found.key.seal(id, place, text)).transpose()
    }

    /// Opens a text; none when its key is gone or another than sealed it.
    pub fn open_text(&self, sealed: &Sealed) -> Result<Option<String>, VaultError> {
        let found = self.lock().key(sealed.key)?;
        Ok(found.and_then(|found| found.key.open(sealed)))
    }

    /// Makes new keys durable: before the block that holds what they sealed.
    pub fn sync(&self) -> Result<(), VaultError> {
        self.lock().sync()
    }

    /// The names of the keys that a person's texts may be sealed under; none of one who never wrote
    /// or was forgotten.
    pub fn keys_of(&self, person: &Person) -> Result<Vec<KeyId>, VaultError> {
        let known = self.lock().known(person)?;
        Ok(known.map(|known| known.id).into_iter().collect())
    }

    /// Whether a key is there.
    pub fn has(&self, id: KeyId) -> Result<bool, VaultError> {
        Ok(self.lock().key(id)?.is_some())
    }

    /// Destroys keys, as far as they are there: no text sealed under them can be read again.
    pub fn forget(&self, ids: &[KeyId]) -> Result<(), VaultError> {
        if ids.is_empty() {
            return Ok(());
        }
        let mut inner = self.lock();
        inner.pending.retain(|_, young| !ids.contains(&young.id));
        inner.keys.forget(ids)
    }

    /// Copies the vault into a new file, as an export or backup takes it along.
    pub fn copy_to(&self, path: &Path) -> Result<(), VaultError> {
        self.copy_into(&Self::open(path)?)
    }

    /// Copies every key into another vault, which has none of these persons' yet.
    pub fn copy_into(&self, other: &Self) -> Result<(), VaultError> {
        let mut inner = self.lock();
        inner.sync()?;
        let all = inner.keys.all()?;
        drop(inner);
        other.lock().keys.keep(&all)
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
    fn key_of(&mut self, person: &Person) -> Result<PersonKey, VaultError> {
        Ok(self.known(person)?.unwrap_or_else(|| self.new_key(person)))
    }

    fn known(&mut self, person: &Person) -> Result<Option<PersonKey>, VaultError> {
        let young = self.pending.get(person);
        let young = young.or_else(|| self.trial.as_ref().and_then(|trial| trial.get(person)));
        if let Some(known) = young {
            return Ok(Some(known.clone()));
        }
        self.keys.of_person(person)
    }

    fn new_key(&mut self, person: &Person) -> PersonKey {
        let made = PersonKey { id: KeyId(cipher::random_id()), key: Key::random() };
        let to = self.trial.as_mut().unwrap_or(&mut self.pending);
        to.insert(person.clone(), made.clone());
        made
    }

    fn key(&mut self, id: KeyId) -> Result<Option<PersonKey>, VaultError> {
        let trial = self.trial.iter().flat_map(HashMap::values);
        if let Some(young) = self.pending.values().chain(trial).find(|young| young.id == id) {
            return Ok(Some(young.clone()));
        }
        self.keys.of_id(id)
    }

    fn sync(&mut self) -> Result<(), VaultError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let kept = self.keys.keep(&self.pending);
        // Whether they were kept or not: what was sealed under keys that were not is decided anew.
        self.pending.clear();
        kept
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn anna() -> Person {
        Person::Actor("u-anna".parse().unwrap())
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
        assert_eq!(vault.keys_of(&anna()).unwrap(), [sealed.key]);
        // Once is enough, and twice harms nobody.
        for _ in 0..2 {
            vault.forget(&[sealed.key]).unwrap();
            assert_eq!(vault.keys_of(&anna()).unwrap(), []);
            assert!(!vault.has(sealed.key).unwrap());
            assert_eq!(vault.open_text(&sealed).unwrap(), None);
        }
        let again = vault.seal(&anna(), place("1", "reason"), "hello").unwrap();
        assert_ne!(again.key, sealed.key);
        assert!(vault.has(again.key).unwrap());
        vault.forget(&[again.key]).unwrap();
        vault.sync().unwrap();
        assert_eq!(vault.open_text(&again).unwrap(), None, "what waited to be kept is gone too");
    }

    #[test]
    fn a_key_destroyed_leaves_no_bytes_in_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vault.sqlite");
        let vault = Vault::open(&path).unwrap();
        // So many that pages are split and cells move, and nothing is found where they stood.
        for number in 0..3_000 {
            let person = Person::Actor(format!("u-{}", number * 7_919 % 3_000).parse().unwrap());
            vault.seal(&person, place("1", "reason"), "hello").unwrap();
            if number % 10 == 0 {
                vault.sync().unwrap();
            }
        }
        vault.sync().unwrap();
        let all = vault.lock().keys.all().unwrap();
        let (doomed, kept): (Vec<_>, Vec<_>) =
            all.values().partition(|key| key.id.0.first().is_some_and(|byte| byte % 16 == 0));
        let held = |keys: &[&PersonKey]| {
            let file = std::fs::read(&path).unwrap();
            let parts: std::collections::HashSet<&[u8]> = file.windows(32).collect();
            keys.iter().filter(|key| parts.contains(key.bytes())).count()
        };
        assert_eq!((held(&doomed), held(&kept)), (doomed.len(), kept.len()));
        doomed.iter().for_each(|key| vault.forget(&[key.id]).unwrap());
        assert_eq!((held(&doomed), held(&kept)), (0, kept.len()));
    }

    #[test]
    fn a_vault_is_copied_whole() {
        let dir = tempfile::tempdir().unwrap();
        let (vault, path) = (Vault::in_memory().unwrap(), dir.path().join("copy"));
        let partner = Person::Partner("p-1".parse().unwrap());
        let one = vault.seal(&anna(), place("1", "reason"), "hello").unwrap();
        let two = vault.seal(&partner, place("1", "name"), "Anna").unwrap();
        vault.copy_to(&path).unwrap();
        let copy = Vault::open(&path).unwrap();
        assert_eq!(copy.open_text(&one).unwrap().as_deref(), Some("hello"));
        assert_eq!(copy.open_text(&two).unwrap().as_deref(), Some("Anna"));
        assert_eq!(copy.seal(&anna(), place("1", "reason"), "hello").unwrap(), one);
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
