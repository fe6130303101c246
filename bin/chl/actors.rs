//! Who may call over the bus and over HTTP: the list of actors, and tokens for those in it.

use crate::{
    exit::Exit,
    failure::{Outcome, Step},
    output::{Output, Sheet, Sink},
    talk,
};
use chl_bus::{Actors, TokenDigest};
use data_encoding::BASE64URL_NOPAD;
use serde_json::json;
use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, SystemTime},
};

/// What every token begins with: so that one that is found where it should not be is known for one.
const PREFIX: &str = "chl_";

/// How often the file of the list is looked at.
const GLANCE: Duration = Duration::from_millis(500);

/// The list of actors, where one is named.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ActorsOption {
    /// The list of actors: what each is to the ledger. It is read anew when the file changes.
    #[arg(long, value_name = "FILE", env = "CHL_ACTORS")]
    actors: Option<PathBuf>,
}

impl ActorsOption {
    /// Reads the list; none where none is named.
    pub(crate) fn read(&self) -> Outcome<Option<Actors>> {
        let read = self.actors.as_deref().map(Actors::read).transpose();
        read.or_exit(Exit::Usage, "--actors")
    }

    /// Reads the list anew whenever its file has changed, for as long as the answer is held.
    pub(crate) fn watch(&self, actors: &Arc<Actors>) -> Option<Watch> {
        let path = self.actors.clone()?;
        let (ends, ended) = channel::<()>();
        let actors = Arc::clone(actors);
        let watching = thread::spawn(move || watch(&path, &actors, &ended));
        Some(Watch { ends: Some(ends), watching: Some(watching) })
    }
}

/// Watches the file of the list until it is dropped.
pub(crate) struct Watch {
    ends: Option<Sender<()>>,
    watching: Option<JoinHandle<()>>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.ends = None;
        if let Some(watching) = self.watching.take() {
            let _ended = watching.join();
        }
    }
}

/// What tells one state of a file from another.
type Stamp = (SystemTime, u64, u64);

fn stamp(path: &Path) -> Option<Stamp> {
    let file = fs::metadata(path).ok()?;
    Some((file.modified().ok()?, file.len(), file.ino()))
}

/// Takes over what the file holds whenever it has changed and stayed so for a glance: it is not read
/// while it is being written. A list that cannot be used changes nothing.
fn watch(path: &Path, actors: &Actors, ended: &Receiver<()>) {
    let (mut read, mut before) = (None, None);
    while ended.recv_timeout(GLANCE) == Err(RecvTimeoutError::Timeout) {
        let now = stamp(path);
        if now == before && now != read {
            read = now;
            match Actors::read(path) {
                Ok(list) if actors.replace(&list) => {
                    let (file, count) = (path.display(), list.count());
                    talk::say(&format!("{file} was read anew: {count} actors"));
                }
                Ok(_) => {}
                Err(error) => talk::say(&format!("{error}; the list before it counts")),
            }
        }
        before = now;
    }
}

/// Makes a bearer token for HTTP, and the digest of it for the list of actors.
///
/// The digest goes into the list (`tokens = ["sha256:…"]`), the token to whoever is to use it; it
/// is shown this once and kept nowhere. An actor may have several, so that a new one can be in use
/// before the old one is taken out.
#[derive(Debug, clap::Args)]
pub(crate) struct Token {}

const COLUMNS: &[&str] = &["token", "digest"];

impl Token {
    /// Makes and prints one.
    pub(crate) fn print(&self, mut output: Output) -> Outcome<Exit> {
        let random: [u8; 32] = rand::random();
        let token = format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&random));
        let digest = TokenDigest::of(&token).to_string();
        output.begin(&Sheet::new("", COLUMNS))?;
        output.row(vec![json!(token), json!(digest)])?;
        output.end()?;
        Ok(Exit::Success)
    }
}
