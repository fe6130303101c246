//! The meter: what became of commands, counted and timed where answers leave, and what troubles
//! the ledger.
//!
//! Counts go to whoever shows them through the `metrics` facade; nobody here knows who that is.
//! The thread that decides counts nothing.

use crate::{answer::Answer, prepare::Prepared};
use chl_events::Instant;
use hashbrown::HashMap;
use metrics::{Counter, Histogram, Unit};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tracing::Span;

const COMMANDS: &str = "chl_commands_total";
const COMMAND_SECONDS: &str = "chl_command_seconds";
const GROUP_COMMANDS: &str = "chl_group_commands";
const APPEND_SECONDS: &str = "chl_append_seconds";

/// A command's type where the document names none that the catalog has.
const NO_TYPE: &str = "none";

/// What hindered a ledger last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// When it was met.
    pub at: Instant,
    /// What it is, for people.
    pub what: String,
    /// Whether it lasts: until it is over no command is accepted.
    pub lasts: bool,
}

/// A command on its way, as its answer is told.
pub(crate) struct OnItsWay {
    name: &'static str,
    span: Span,
}

impl From<&Prepared> for OnItsWay {
    fn from(prepared: &Prepared) -> Self {
        Self { name: prepared.command_name(), span: prepared.span.clone() }
    }
}

/// Type, outcome and code: words of the catalog, never of a sender.
type Became = (&'static str, &'static str, &'static str);

/// Counts for one ledger.
pub(crate) struct Meter {
    ledger: Arc<str>,
    commands: Mutex<HashMap<Became, Counter>>,
    command_seconds: Histogram,
    group_commands: Histogram,
    append_seconds: Histogram,
    trouble: Mutex<Option<Trouble>>,
}

impl Meter {
    /// Counts for the ledger of a name.
    pub(crate) fn new(ledger: &str) -> Self {
        let ledger: Arc<str> = ledger.into();
        let whose = [("ledger", Arc::clone(&ledger))];
        metrics::describe_counter!(COMMANDS, "Commands answered, by type, outcome and code.");
        metrics::describe_histogram!(
            COMMAND_SECONDS,
            Unit::Seconds,
            "From the receipt of a command to its answer."
        );
        metrics::describe_histogram!(GROUP_COMMANDS, "Commands made durable together.");
        metrics::describe_histogram!(
            APPEND_SECONDS,
            Unit::Seconds,
            "Until a group of commits was durable."
        );
        Self {
            commands: Mutex::default(),
            command_seconds: metrics::histogram!(COMMAND_SECONDS, &whose),
            group_commands: metrics::histogram!(GROUP_COMMANDS, &whose),
            append_seconds: metrics::histogram!(APPEND_SECONDS, &whose),
            trouble: Mutex::default(),
            ledger,
        }
    }

    /// A document was refused at the door.
    pub(crate) fn refused(&self, answer: &Answer) {
        self.count(NO_TYPE, answer);
        let code = answer.code().unwrap_or_default();
        tracing::info!(target: "chl::command", code, "refused at the door");
    }

    /// Commands were answered, so long after they had been received.
    pub(crate) fn answered(&self, commands: &[OnItsWay], answers: &[Answer], took: Duration) {
        for (command, answer) in commands.iter().zip(answers) {
            self.count(command.name, answer);
            self.command_seconds.record(took);
            tell(&command.span, answer);
        }
    }

    /// A group was made durable, or asked whether it is; `took` where it had commits.
    pub(crate) fn durable(&self, commands: usize, took: Option<Duration>) {
        self.group_commands.record(u32::try_from(commands).unwrap_or(u32::MAX));
        if let Some(took) = took {
            self.append_seconds.record(took);
        }
    }

    /// Something hinders the ledger from now on.
    pub(crate) fn troubled(&self, at: Instant, what: &str) {
        *self.last_trouble() = Some(Trouble { at, what: what.to_owned(), lasts: true });
    }

    /// Nothing hinders it any more.
    pub(crate) fn relieved(&self) {
        if let Some(trouble) = self.last_trouble().as_mut() {
            trouble.lasts = false;
        }
    }

    /// What hindered it last.
    pub(crate) fn trouble(&self) -> Option<Trouble> {
        self.last_trouble().clone()
    }

    fn last_trouble(&self) -> MutexGuard<'_, Option<Trouble>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, name: &'static str, answer: &Answer) {
        let (outcome, code) = (outcome(answer), answer.code().unwrap_or_default());
        let mut commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        let counter = commands.entry((name, outcome, code)).or_insert_with(|| {
            metrics::counter!(COMMANDS, "ledger" => Arc::clone(&self.ledger), "type" => name,
                "outcome" => outcome, "code" => code)
        });
        counter.increment(1);
    }
}

fn outcome(answer: &Answer) -> &'static str {
    match answer {
        Answer::Accepted(accepted) if accepted.duplicate => "duplicate",
        Answer::Accepted(_) => "accepted",
        Answer::Rejected { .. } => "rejected",
        Answer::Failed { .. } => "failed",
    }
}

/// Says in the log what became of a command, within its span.
fn tell(span: &Span, answer: &Answer) {
    if span.is_disabled() {
        return;
    }
    span.record("outcome", outcome(answer));
    if let Some(code) = answer.code() {
        span.record("code", code);
    }
    if let Answer::Accepted(accepted) = answer {
        span.record("position", accepted.commit.position);
    }
    span.in_scope(|| match answer {
        Answer::Accepted(_) => tracing::debug!(target: "chl::command", "answered"),
        Answer::Rejected { .. } | Answer::Failed { .. } => {
            tracing::info!(target: "chl::command", "answered");
        }
    });
}
