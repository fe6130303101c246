//! Who signs a ledger's checkpoints, and what keeps it from ever signing two histories.
//!
//! ```text
//! keys/ID.key   a private key; only its owner may read it
//! keys/ID.pub   its public half, which stays when the private key is taken away
//! signed        the last checkpoint that was, or may have been, signed; durable before a signature
//!               leaves
//! checkpoint    the newest signed checkpoint
//! ```

use crate::{
    checkpoint::{Checkpoint, CheckpointError},
    kept::{HashesError, KeptHashes},
    key::{KeyError, PrivateKey, PublicKey},
    note::{Note, NoteError},
    tree::{TreeHead, root_at},
};
use chl_log_files::{Draft, create_dir, create_dir_with_parents, sync_dir};
use std::{
    fs::{self, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    str::FromStr,
};

const PRIVATE: &str = "key";
const PUBLIC: &str = "pub";
/// Only the owner may look into the folder of keys, and read a private one.
const FOLDER_MODE: u32 = 0o700;
const KEY_MODE: u32 = 0o600;
/// What others may do with a file.
const OTHERS: u32 = 0o077;

/// Says why a checkpoint was not signed, or what was signed cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The file system failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
    /// Others than its owner may read a private key.
    #[error("{}: others may read this private key (mode {mode:03o}): `chmod 600` it, and make a new \
             one if somebody has", path.display())]
    Loose {
        /// The key's file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// A file holds no key.
    #[error("{}: {source}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: KeyError,
    },
    /// There is no key that signs for this ledger.
    #[error("there is no private key of {0:?}")]
    NoKey(String),
    /// What was signed before cannot be read.
    #[error("{}: {source}", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: CheckpointError,
    },
    /// What was signed before was another ledger's, or the text cannot be signed.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The ledger is shorter than what was signed, or another one: it would be a second history.
    #[error("a checkpoint of {} commits of {:?} was signed before, with root {}, which this history \
             does not continue", signed.tree.size, signed.origin, signed.tree.root)]
    Forked {
        /// What was signed.
        signed: Checkpoint,
    },
    /// The hashes of the tree are out of reach.
    #[error(transparent)]
    Hashes(#[from] HashesError),
}

impl SignError {
    /// Whether a history is denied, or what vouches for it damaged; else something is missing or
    /// out of reach.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Forked { .. } | Self::Record { .. } | Self::Note(_) => true,
            Self::Hashes(error) => error.is_damage(),
            Self::Io { .. } | Self::Loose { .. } | Self::Key { .. } | Self::NoKey(_) => false,
        }
    }
}

/// The folder of a ledger's keys and of what they have signed; one owner at a time.
#[derive(Debug, Clone)]
pub struct Notary {
    dir: PathBuf,
}

impl Notary {
    /// Names the folder; it need not be there yet.
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// Adds a key that signs for a ledger from now on, beside those that are there.
    pub fn add(&self, key: &PrivateKey) -> Result<PathBuf, SignError> {
        let keys = self.keys();
        let io = io_error(&keys);
        create_dir_with_parents(&self.dir).and_then(|()| create_dir(&keys)).map_err(&io)?;
        fs::set_permissions(&keys, Permissions::from_mode(FOLDER_MODE)).map_err(&io)?;
        let path = |end: &str| keys.join(format!("{}.{end}", key.public().id()));
        write_new(&path(PUBLIC), 0o644, &key.public().to_string())?;
        write_new(&path(PRIVATE), KEY_MODE, &key.reveal())?;
        sync_dir(&keys).map_err(io)?;
        Ok(path(PRIVATE))
    }

    /// The private keys, refused when others may read one.
    pub fn private_keys(&self) -> Result<Vec<PrivateKey>, SignError> {
        let read = |path: &PathBuf| {
            let mode = fs::metadata(path).map_err(io_error(path))?.permissions().mode() & 0o777;
            if mode & OTHERS != 0 {
                return Err(SignError::Loose { path: path.clone(), mode });
            }
            key_in(path)
        };
        self.files(PRIVATE)?.iter().map(read).collect()
    }

    /// The public half of every key that ever signed here.
    pub fn public_keys(&self) -> Result<Vec<PublicKey>, SignError> {
        self.files(PUBLIC)?.iter().map(|path| key_in(path)).collect()
    }

    /// What was signed last, or may have been.
    pub fn signed(&self) -> Result<Option<Checkpoint>, SignError> {
        let path = self.dir.join("signed");
        let text = read_if_there(&path)?;
        let record = |text: String| text.parse();
        text.map(record).transpose().map_err(|source| SignError::Record { path, source })
    }

    /// The newest signed checkpoint.
    pub fn latest(&self) -> Result<Option<Note>, SignError> {
        let text = read_if_there(&self.dir.join("checkpoint"))?;
        Ok(text.map(|text| text.parse()).transpose()?)
    }

    /// Signs the tree that hashes were kept of, with every key of the ledger, unless that would
    /// deny what was signed before.
    pub fn sign(&self, origin: &str, hashes: &KeptHashes) -> Result<Note, SignError> {
        let mut keys = self.private_keys()?;
        keys.retain(|key| key.public().name() == origin);
        if keys.is_empty() {
            return Err(SignError::NoKey(origin.to_owned()));
        }
        let next = Checkpoint { origin: origin.to_owned(), tree: hashes.head() };
        let signed = self.signed()?;
        if let Some(signed) = &signed {
            continues(signed, &next, hashes)?;
        }
        let text = next.to_string();
        if signed.as_ref() != Some(&next) {
            self.publish("signed", &text)?;
        }
        let note = Note::sign(&text, &keys)?;
        self.publish("checkpoint", &note.to_string())?;
        Ok(note)
    }

    fn keys(&self) -> PathBuf {
        self.dir.join("keys")
    }

    /// The keys' files of a kind, in the order of their ids.
    fn files(&self, kind: &str) -> Result<Vec<PathBuf>, SignError> {
        let keys = self.keys();
        let mut files = Vec::new();
        if keys.is_dir() {
            for entry in fs::read_dir(&keys).map_err(io_error(&keys))? {
                let path = entry.map_err(io_error(&keys))?.path();
                if path.extension().is_some_and(|extension| extension == kind) {
                    files.push(path);
                }
            }
        }
        files.sort();
        Ok(files)
    }

    fn publish(&self, name: &str, text: &str) -> Result<(), SignError> {
        let path = self.dir.join(name);
        let written = Draft::create(&path)
            .and_then(|mut draft| draft.write_all(text.as_bytes()).and_then(|()| draft.publish()));
        written.map_err(io_error(&path))
    }
}

/// Refuses what a checkpoint that was signed denies.
fn continues(signed: &Checkpoint, next: &Checkpoint, hashes: &KeptHashes) -> Result<(), SignError> {
    let TreeHead { size, root } = signed.tree;
    let known = signed.origin == next.origin && size <= next.tree.size;
    if known && root_at(hashes, size)? == root {
        return Ok(());
    }
    Err(SignError::Forked { signed: signed.clone() })
}

fn key_in<K: FromStr<Err = KeyError>>(path: &Path) -> Result<K, SignError> {
    let text = fs::read_to_string(path).map_err(io_error(path))?;
    text.trim_end().parse().map_err(|source| SignError::Key { path: path.to_owned(), source })
}

fn read_if_there(path: &Path) -> Result<Option<String>, SignError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error(path)(error)),
    }
}

/// Writes a file that was not there, with its mode from its first byte on.
fn write_new(path: &Path, mode: u32, text: &str) -> Result<(), SignError> {
    let open = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let written = open.and_then(|mut file| {
        writeln!(file, "{text}")?;
        file.sync_all()
    });
    written.map_err(io_error(path))
}

fn io_error(path: &Path) -> impl Fn(io::Error) -> SignError + '_ {
    move |source| SignError::Io { path: path.to_owned(), source }
}
