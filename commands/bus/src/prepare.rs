//! Preparing: what can be done for a command on the caller's own thread.

use crate::{
    answer::Answer,
    authorise::{Connection, Sender, authorise},
    decode::{Defaults, Document, decode},
    rejection::Refused,
};
use chl_commands::Command;
use chl_events::{FreeText, Instant, Origin, Sealable};

/// A command that was read and whose sender is settled; it waits for its decision.
#[derive(Debug, Clone)]
pub struct Prepared {
    pub(crate) sender: Sender,
    pub(crate) reason: Option<FreeText>,
    pub(crate) expected_version: Option<u64>,
    pub(crate) command: Command,
    pub(crate) recorded_at: Option<Instant>,
}

impl Prepared {
    /// Who sends it, as far as the door has settled that; its reason is not sealed yet.
    pub fn origin(&self) -> &Origin {
        &self.sender.origin
    }

    /// The command's name in the catalog.
    pub fn command_name(&self) -> &'static str {
        self.command.kind().name
    }
}

/// Reads a document and settles its sender; what fails here has seen nothing of the ledger and may
/// be answered at once.
pub fn prepare(bytes: &[u8], connection: &Connection) -> Result<Prepared, Box<Answer>> {
    let defaults = Defaults { source: connection.default_source.as_deref() };
    let rejected = |id, refused| Box::new(Answer::Rejected { id, refused, dry_run: false });
    let document =
        decode(bytes, defaults).map_err(|undecoded| rejected(undecoded.id, undecoded.refused))?;
    let id = document.envelope.id.clone();
    prepare_document(document, connection).map_err(|refused| rejected(Some(id), refused))
}

/// Settles the sender of a document that was read.
pub fn prepare_document(document: Document, connection: &Connection) -> Result<Prepared, Refused> {
    let Document { envelope, mut command, recorded_at } = document;
    let sender = authorise(connection, &envelope, &command)?;
    if !connection.replay {
        check_plain(envelope.reason.as_ref(), &mut command)?;
    }
    Ok(Prepared {
        sender,
        reason: envelope.reason,
        expected_version: envelope.expected_version,
        command,
        recorded_at: recorded_at.filter(|_| connection.replay),
    })
}

/// Refuses texts that come in sealed: only a ledger seals, and only a replay brings its texts back.
fn check_plain(reason: Option<&FreeText>, command: &mut Command) -> Result<(), Refused> {
    let problem = "a sealed text is taken only from a ledger's own export";
    if reason.is_some_and(|reason| reason.sealed().is_some()) {
        return Err(Refused::field("reason", problem));
    }
    let sealed = command.texts().iter().any(|text| text.sealed().is_some());
    let sealed_name = command.person_name().is_some_and(|(_, name)| name.sealed().is_some());
    match sealed || sealed_name {
        true => Err(Refused::field("data", problem)),
        false => Ok(()),
    }
}
