//! Where keys are kept: outside the log, durable before the block that needs them.

use super::{Key, VaultError};
use chl_events::{KeyId, Person};
use rusqlite::{Connection, OptionalExtension, params};
use std::{collections::HashMap, fmt, path::Path};

/// How many keys stay in memory.
const CACHED_KEYS: usize = 10_000;

/// A person's key and the name it goes by.
#[derive(Clone)]
pub struct PersonKey {
    /// Its name: what sealed texts say they were sealed under.
    pub id: KeyId,
    pub(super) key: Key,
}

impl fmt::Debug for PersonKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PersonKey({})", self.id)
    }
}

impl PersonKey {
    /// Reads a key that was kept.
    pub fn read(id: KeyId, bytes: &[u8]) -> Result<Self, VaultError> {
        let key = Key::from_slice(bytes).ok_or(VaultError::Damaged(id))?;
        Ok(Self { id, key })
    }

    /// The bytes to keep.
    pub fn bytes(&self) -> &[u8] {
        self.key.bytes()
    }
}

/// Keeps keys of persons.
pub trait KeepKeys: Send {
    /// A person's key.
    fn of_person(&mut self, person: &Person) -> Result<Option<PersonKey>, VaultError>;

    /// The key of a name.
    fn of_id(&mut self, id: KeyId) -> Result<Option<PersonKey>, VaultError>;

    /// Keeps new keys; they are durable when it returns. A person who has a key already keeps that
    /// one, and it is an error.
    fn keep(&mut self, keys: &HashMap<Person, PersonKey>) -> Result<(), VaultError>;

    /// Destroys the keys of some names, as far as they are there. They are gone when it returns.
    fn forget(&mut self, ids: &[KeyId]) -> Result<(), VaultError>;

    /// Every key there is.
    fn all(&mut self) -> Result<HashMap<Person, PersonKey>, VaultError>;
}

/// Keys in one SQLite file. Deleted ones are overwritten.
pub(super) struct KeyFile {
    file: Connection,
    persons: HashMap<Person, PersonKey>,
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

impl KeyFile {
    pub(super) fn open(path: &Path) -> Result<Self, VaultError> {
        Self::over(Connection::open(path)?)
    }

    pub(super) fn in_memory() -> Result<Self, VaultError> {
        Self::over(Connection::open_in_memory()?)
    }

    fn over(file: Connection) -> Result<Self, VaultError> {
        file.execute_batch(SCHEMA)?;
        Ok(Self { file, persons: HashMap::new() })
    }

    fn remember(&mut self, person: &Person, key: &PersonKey) {
        if self.persons.len() >= CACHED_KEYS {
            self.persons.clear();
        }
        self.persons.insert(person.clone(), key.clone());
    }
}

impl KeepKeys for KeyFile {
    fn of_person(&mut self, person: &Person) -> Result<Option<PersonKey>, VaultError> {
        if let Some(known) = self.persons.get(person) {
            return Ok(Some(known.clone()));
        }
        let query = "SELECT id, key FROM person_keys WHERE person = ?1";
        let found = self
            .file
            .prepare_cached(query)?
            .query_row([person.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let found: Option<([u8; 16], Vec<u8>)> = found;
        let Some((id, key)) = found else { return Ok(None) };
        let key = PersonKey::read(KeyId(id), &key)?;
        self.remember(person, &key);
        Ok(Some(key))
    }

    fn of_id(&mut self, id: KeyId) -> Result<Option<PersonKey>, VaultError> {
        let mut query = self.file.prepare_cached("SELECT key FROM person_keys WHERE id = ?1")?;
        let found: Option<Vec<u8>> = query.query_row([id.0], |row| row.get(0)).optional()?;
        found.map(|key| PersonKey::read(id, &key)).transpose()
    }

    fn keep(&mut self, keys: &HashMap<Person, PersonKey>) -> Result<(), VaultError> {
        let transaction = self.file.transaction()?;
        for (person, key) in keys {
            let insert = "INSERT INTO person_keys (person, id, key) VALUES (?1, ?2, ?3)";
            let row = params![person.to_string(), key.id.0, key.bytes()];
            transaction.prepare_cached(insert)?.execute(row)?;
        }
        transaction.commit()?;
        keys.iter().for_each(|(person, key)| self.remember(person, key));
        Ok(())
    }

    fn forget(&mut self, ids: &[KeyId]) -> Result<(), VaultError> {
        self.persons.retain(|_, key| !ids.contains(&key.id));
        let transaction = self.file.transaction()?;
        for id in ids {
            let delete = "DELETE FROM person_keys WHERE id = ?1";
            transaction.prepare_cached(delete)?.execute([id.0])?;
        }
        Ok(transaction.commit()?)
    }

    fn all(&mut self) -> Result<HashMap<Person, PersonKey>, VaultError> {
        let mut query = self.file.prepare("SELECT person, id, key FROM person_keys")?;
        let mut rows = query.query([])?;
        let mut all = HashMap::new();
        while let Some(row) = rows.next()? {
            let (person, id, key): (String, [u8; 16], Vec<u8>) =
                (row.get(0)?, row.get(1)?, row.get(2)?);
            let key = PersonKey::read(KeyId(id), &key)?;
            let person = person.parse().map_err(|_| VaultError::Damaged(key.id))?;
            all.insert(person, key);
        }
        Ok(all)
    }
}
