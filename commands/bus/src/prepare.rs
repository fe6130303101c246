//! Preparing: what can be done for a command on the caller's own thread.

use crate::{
    answer::Answer,
    authorise::{Connection, Sender, authorise},
    decode::{Defaults, Document, decode},
    rejection::Refused,
    trace::TraceParent,
};
use chl_commands::Command;
use chl_events::{FreeText, Instant, Origin, Sealable};
use tracing::{Span, field};

/// A command that was read and whose sender is settled; it waits for its decision.
#[derive(Debug, Clone)]
pub struct Prepared {
    pub(crate) sender: Sender,
    pub(crate) reason: Option<FreeText>,
    pub(crate) expected_version: Option<u64>,
    pub(crate) command: Command,
    pub(crate) recorded_at: Option<Instant>,
    /// Whether amounts that people set are capped to what is there.
    pub(crate) capped: bool,
    /// The trace it belongs to.
    pub(crate) trace: Option<TraceParent>,
    /// What the log's lines about it stand in.
    pub(crate) span: Span,
}

impl Prepared {
    /// Who sends it, as far as the door has settled that; its reason is not sealed yet.
    pub fn origin(&self) -> &Origin {
        &self.sender.origin
    }

    /// The command itself.
    pub fn command(&self) -> &Command {
        &self.command
    }

    /// When it was recorded before, where it comes from a ledger's own record.
    pub fn recorded_at(&self) -> Option<Instant> {
        self.recorded_at
    }

    /// The same sender's word with another command.
    #[must_use]
    pub fn saying(self, command: impl Into<Command>) -> Self {
        Self { command: command.into(), ..self }
    }

    /// Has an amount that a person set, and that is more than there is, capped to what there is.
    #[must_use]
    pub fn capped(self) -> Self {
        Self { capped: true, ..self }
    }

    /// The command's name in the catalog.
    pub fn command_name(&self) -> &'static str {
        self.command.kind().name
    }

    /// The trace it belongs to.
    pub fn trace(&self) -> Option<TraceParent> {
        self.trace
    }

    /// Joins the trace its transport names, unless the document names one itself: that is the
    /// sender's own word, while a header may be of whoever passed it on.
    #[must_use]
    pub fn within(mut self, trace: Option<TraceParent>) -> Self {
        if self.trace.is_none() {
            self.trace = trace;
            note(&self.span, trace);
        }
        self
    }
}

/// The span of a command: what it is and whose, and later what became of it. No text of a person is
/// in it.
pub(crate) fn span(origin: &Origin, name: &'static str, trace: Option<TraceParent>) -> Span {
    let (outcome, code, position) = (field::Empty, field::Empty, field::Empty);
    let span = tracing::info_span!(
        target: "chl::command",
        "command",
        id = origin.id.as_str(),
        source = origin.source.as_str(),
        "type" = name,
        actor = origin.actor.as_str(),
        trace_id = field::Empty,
        outcome,
        code,
        position,
    );
    note(&span, trace);
    span
}

fn note(span: &Span, trace: Option<TraceParent>) {
    if let Some(trace) = trace.filter(|_| !span.is_disabled()) {
        span.record("trace_id", trace.trace_id());
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
    let Document { envelope, mut command, recorded_at, trace } = document;
    let sender = authorise(connection, &envelope, &command)?;
    if !connection.replay {
        check_plain(envelope.reason.as_ref(), &mut command)?;
    }
    let span = span(&sender.origin, command.kind().name, trace);
    Ok(Prepared {
        sender,
        reason: envelope.reason,
        expected_version: envelope.expected_version,
        command,
        recorded_at: recorded_at.filter(|_| connection.replay),
        capped: false,
        trace,
        span,
    })
}

/// Refuses texts that come in sealed: only a ledger seals, and only a replay brings its texts back.
fn check_plain(reason: Option<&FreeText>, command: &mut Command) -> Result<(), Refused> {
    let problem = "a sealed text is taken only from a ledger's own export";
    if reason.is_some_and(|reason| reason.sealed().is_some()) {
        return Err(Refused::field("reason", problem));
    }
    if command.forgets().is_some_and(|whom| whom.keys().is_some()) {
        let problem = "a person is named as actor/ID or partner/ID";
        return Err(Refused::field("data.person", problem));
    }
    let sealed = command.texts().iter().any(|text| text.sealed().is_some());
    let sealed_name = command.person_name().is_some_and(|(_, name)| name.sealed().is_some());
    match sealed || sealed_name {
        true => Err(Refused::field("data", problem)),
        false => Ok(()),
    }
}
