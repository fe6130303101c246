//! Who may call over the bus and over HTTP: the list of actors, and tokens for those in it.

use crate::{
    exit::Exit,
    failure::{Outcome, Step},
    output::{Output, Sheet, Sink},
};
use chl_bus::{Actors, TokenDigest};
use data_encoding::BASE64URL_NOPAD;
use serde_json::json;
use std::path::PathBuf;

/// What every token begins with: so that one that is found where it should not be is known for one.
const PREFIX: &str = "chl_";

/// The list of actors, where one is named.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ActorsOption {
    /// The list of actors: what each is to the ledger.
    #[arg(long, value_name = "FILE", env = "CHL_ACTORS")]
    actors: Option<PathBuf>,
}

impl ActorsOption {
    /// Reads the list; none where none is named.
    pub(crate) fn read(&self) -> Outcome<Option<Actors>> {
        let read = self.actors.as_deref().map(Actors::read).transpose();
        read.or_exit(Exit::Usage, "--actors")
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
