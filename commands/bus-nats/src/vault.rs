//! The vault on NATS: a bucket that keeps one revision of each person's key, for all processes.
//!
//! A key's name and its bytes are one value under the person's name. The bucket is watched, so that
//! every process has the keys at hand, and none keeps one that was destroyed. To destroy one, the
//! servers overwrite its message where it stands; a marker in its place tells those who watch.

use crate::subject::Subjects;
use async_nats::jetstream::{
    self, ErrorCode,
    context::{CreateStreamError, CreateStreamErrorKind},
    kv::{CreateErrorKind, Entry, Operation, Store},
    stream::{Config, DiscardPolicy, StorageType},
};
use chl_bus::{KeepKeys, PersonKey, VaultError};
use chl_events::{Code, KeyId, Person};
use futures_util::{StreamExt, TryStreamExt};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{runtime::Handle, task::JoinHandle};

/// How many bytes the name of a key has in front of the key.
const NAME_BYTES: usize = 16;
/// So many keys are read at once.
const AT_ONCE: usize = 64;
/// How long the watcher waits before it begins again.
const PAUSE: Duration = Duration::from_millis(500);

/// Says why the vault's bucket could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("the vault's bucket {bucket}: {source}")]
pub struct BucketError {
    bucket: String,
    source: async_nats::Error,
}

/// A person has a key already, made by another process; what was sealed under ours is void.
#[derive(Debug, thiserror::Error)]
#[error("{0} got a key from another process")]
struct Taken(Person);

/// A stored key is not what it should be.
#[derive(Debug, thiserror::Error)]
#[error("the entry {0:?} of the vault's bucket is no key")]
struct Damaged(String);

type Known = Arc<Mutex<HashMap<Person, PersonKey>>>;

/// Keys of persons in a bucket. Its calls block: they are made from threads of their own, never
/// from the runtime's.
pub struct BucketKeys {
    runtime: Handle,
    bucket: Store,
    known: Known,
    watching: JoinHandle<()>,
}

impl BucketKeys {
    /// Finds a ledger's bucket, or makes it, and learns its keys.
    pub async fn open(
        nats: &async_nats::Client,
        ledger: &Code,
        replicas: usize,
    ) -> Result<Self, BucketError> {
        let name = Subjects::of(ledger.clone()).stream("vault");
        let failed = |source| BucketError { bucket: name.clone(), source };
        let context = jetstream::new(nats.clone());
        match context.create_stream(stream_of(&name, replicas)).await {
            Ok(_) => {}
            Err(error) if is_there_already(&error) => {}
            Err(error) => return Err(failed(error.into())),
        }
        let bucket = context.get_key_value(&name).await.map_err(|error| failed(error.into()))?;
        let known = Known::default();
        let all = read_all(&bucket).await.map_err(failed)?;
        lock(&known).extend(all);
        let watching = tokio::spawn(watch(bucket.clone(), Arc::clone(&known)));
        Ok(Self { runtime: Handle::current(), bucket, known, watching })
    }

    fn read(&self, name: &str) -> Result<Option<PersonKey>, VaultError> {
        let entry = self.runtime.block_on(self.bucket.entry(name)).map_err(kept)?;
        entry.filter(is_there).map(|entry| key_in(&entry)).transpose()
    }
}

impl Drop for BucketKeys {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

impl KeepKeys for BucketKeys {
    fn of_person(&mut self, person: &Person) -> Result<Option<PersonKey>, VaultError> {
        if let Some(known) = lock(&self.known).get(person) {
            return Ok(Some(known.clone()));
        }
        // The watcher may lag; a person who is new to this process is asked for.
        let found = self.read(&name_of(person))?;
        if let Some(found) = &found {
            lock(&self.known).insert(person.clone(), found.clone());
        }
        Ok(found)
    }

    fn of_id(&mut self, id: KeyId) -> Result<Option<PersonKey>, VaultError> {
        let find = |known: &Known| lock(known).values().find(|key| key.id == id).cloned();
        if let Some(found) = find(&self.known) {
            return Ok(Some(found));
        }
        let all = self.runtime.block_on(read_all(&self.bucket)).map_err(VaultError::Kept)?;
        *lock(&self.known) = all;
        Ok(find(&self.known))
    }

    fn keep(&mut self, keys: &HashMap<Person, PersonKey>) -> Result<(), VaultError> {
        for (person, key) in keys {
            let value = [key.id.0.as_slice(), key.bytes()].concat();
            match self.runtime.block_on(self.bucket.create(name_of(person), value.into())) {
                Ok(_) => {
                    lock(&self.known).insert(person.clone(), key.clone());
                }
                Err(error) if error.kind() == CreateErrorKind::AlreadyExists => {
                    // Perhaps ours, from a try whose answer was lost.
                    if self.read(&name_of(person))?.is_none_or(|there| there.id != key.id) {
                        return Err(kept(Taken(person.clone())));
                    }
                }
                Err(error) => return Err(kept(error)),
            }
        }
        Ok(())
    }

    fn forget(&mut self, ids: &[KeyId]) -> Result<(), VaultError> {
        let find = |known: &Known| -> Vec<(Person, PersonKey)> {
            let known = lock(known);
            let doomed = known.iter().filter(|(_, key)| ids.contains(&key.id));
            doomed.map(|(person, key)| (person.clone(), key.clone())).collect()
        };
        let mut doomed = find(&self.known);
        if doomed.len() < ids.len() {
            // The watcher may lag.
            let all = self.runtime.block_on(read_all(&self.bucket)).map_err(VaultError::Kept)?;
            lock(&self.known).extend(all);
            doomed = find(&self.known);
        }
        for (person, key) in doomed {
            let name = name_of(&person);
            self.runtime
                .block_on(destroy(&self.bucket, &name, key.id))
                .map_err(VaultError::Kept)?;
            let mut known = lock(&self.known);
            if known.get(&person).is_some_and(|now| now.id == key.id) {
                known.remove(&person);
            }
        }
        Ok(())
    }

    fn all(&mut self) -> Result<HashMap<Person, PersonKey>, VaultError> {
        self.runtime.block_on(read_all(&self.bucket)).map_err(VaultError::Kept)
    }
}

/// The stream of a bucket, as a bucket of one revision is defined, but that messages may be deleted:
/// only so the servers overwrite one at once.
fn stream_of(bucket: &str, replicas: usize) -> Config {
    Config {
        name: format!("KV_{bucket}"),
        subjects: vec![format!("$KV.{bucket}.>")],
        max_messages_per_subject: 1,
        storage: StorageType::File,
        num_replicas: replicas,
        discard: DiscardPolicy::New,
        allow_rollup: true,
        allow_direct: true,
        ..Default::default()
    }
}

/// Whether a bucket is there that differs: that of an earlier release, or with other replicas.
fn is_there_already(error: &CreateStreamError) -> bool {
    let CreateStreamErrorKind::JetStream(error) = error.kind() else { return false };
    error.error_code() == ErrorCode::STREAM_NAME_EXIST
}

fn lock(known: &Known) -> MutexGuard<'_, HashMap<Person, PersonKey>> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

fn kept(error: impl Into<async_nats::Error>) -> VaultError {
    VaultError::Kept(error.into())
}

/// A person as a key of the bucket: `actor.u-17`.
fn name_of(person: &Person) -> String {
    person.to_string().replace('/', ".")
}

fn person_in(entry: &Entry) -> Option<Person> {
    entry.key.replacen('.', "/", 1).parse().ok()
}

fn is_there(entry: &Entry) -> bool {
    entry.operation == Operation::Put
}

fn key_in(entry: &Entry) -> Result<PersonKey, VaultError> {
    let (id, bytes) = entry
        .value
        .split_first_chunk::<NAME_BYTES>()
        .ok_or_else(|| kept(Damaged(entry.key.clone())))?;
    PersonKey::read(KeyId(*id), bytes)
}

async fn read_all(bucket: &Store) -> Result<HashMap<Person, PersonKey>, async_nats::Error> {
    let names = bucket.keys().await?;
    let entries = names.map(async |name| -> Result<_, async_nats::Error> {
        Ok(bucket.entry(name?).await?.filter(is_there))
    });
    let entries: Vec<Option<Entry>> = entries.buffer_unordered(AT_ONCE).try_collect().await?;
    let held = entries.into_iter().flatten().map(|entry| {
        let person = person_in(&entry).ok_or_else(|| Damaged(entry.key.clone()))?;
        Ok((person, key_in(&entry)?))
    });
    held.collect()
}

/// Destroys a key, if it is the one that stands under a person's name. Another one there is newer:
/// of a person who has acted since.
async fn destroy(bucket: &Store, name: &str, id: KeyId) -> Result<(), async_nats::Error> {
    if let Some(entry) = bucket.entry(name).await?.filter(is_there) {
        if key_in(&entry)?.id != id {
            return Ok(());
        }
        // A bucket of an earlier release permits no deletion: there the marker takes the key out,
        // and the bytes go when the servers next write the file anew.
        if bucket.stream.cached_info().config.deny_delete {
            return Ok(bucket.purge_expect_revision(name, Some(entry.revision)).await?);
        }
        // By its sequence, so that no other is hit; the servers overwrite the bytes on their disks.
        bucket.stream.delete_message(entry.revision).await?;
    }
    // Tells those who watch, unless a newer key or another marker has told them.
    match bucket.purge_expect_revision(name, Some(0)).await {
        Ok(()) => Ok(()),
        Err(_) if bucket.entry(name).await?.is_some() => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Keeps what is known as the bucket has it, for as long as the vault is open.
async fn watch(bucket: Store, known: Known) {
    loop {
        if let Err(error) = watched(&bucket, &known).await {
            tracing::warn!(%error, "the vault's bucket is watched anew");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn watched(bucket: &Store, known: &Known) -> Result<(), async_nats::Error> {
    let mut changes = bucket.watch_all().await?;
    // What changed while nobody watched: a key that was destroyed must not stay here.
    *lock(known) = read_all(bucket).await?;
    while let Some(entry) = changes.next().await {
        let entry = entry?;
        let Some(person) = person_in(&entry) else { continue };
        let mut known = lock(known);
        if is_there(&entry) {
            known.insert(person, key_in(&entry)?);
        } else {
            known.remove(&person);
        }
    }
    Ok(())
}
