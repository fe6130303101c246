//! `chl replay`: the history once more, event by event, with what each changes in the states that
//! decisions are made on.

use super::{
    commits::{NOBODY, command_name, event},
    moment::Bound,
};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
    ledger::{Reading, Replaying, commits_from},
    output::{Sheet, Sink},
};
use chl_aggregates::Row;
use chl_bus::{Changed, show_texts};
use chl_events::{Commit, RecordedEvent, Stream};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Replays the log and shows, event by event, what each changes: rows before and after.
///
/// Rows are the states of aggregates, on which commands are decided. They are built anew from the
/// first event on, in a temporary folder; the ledger's own are not touched. Personal data is shown
/// as the key that seals it.
#[derive(Debug, Clone, clap::Args, Serialize, Deserialize)]
pub(crate) struct Replay {
    /// Ends with the commit at a POSITION, or with the last one recorded at or before a TIME; without
    /// it with the newest.
    #[arg(long, value_name = "TIME|POSITION")]
    until: Option<Bound>,
    /// Shows what begins at this position; what lies before is replayed unseen.
    #[arg(long, value_name = "POSITION", default_value_t = 0)]
    from: u64,
    /// Only events of this stream, such as customer/acme.
    #[arg(long)]
    stream: Option<Stream>,
    /// Waits for Enter after each event, on a terminal. A number goes on by so many, q ends it.
    #[arg(long)]
    pub(crate) step: bool,
}

/// The columns of an event.
const COLUMNS: &[&str] = &[
    "position",
    "event",
    "recorded_at",
    "stream",
    "version",
    "command",
    "actor",
    "type",
    "data",
    "changed",
];

impl Replay {
    /// Replays, and shows what is asked for.
    pub(crate) fn answer(&self, ledger: &Reading, sink: &mut dyn Sink) -> Outcome<Exit> {
        let end = ledger.log.head().next;
        if let Some(Bound::Position(until)) = self.until
            && until >= end
        {
            let last = end.saturating_sub(1);
            return Err(Failure::usage(format_args!(
                "--until {until} lies behind the log's end; the last position is {last}"
            )));
        }
        let sheet = Sheet::new("", COLUMNS);
        sink.begin(&sheet)?;
        let mut found = false;
        let mut replaying = Replaying::begin(ledger.log.clone())?;
        for commit in commits_from(ledger.log.as_ref(), 0)? {
            let commit = commit?;
            if self.is_over(&commit) {
                break;
            }
            for (index, recorded) in commit.events.iter().enumerate() {
                let changed = replaying.event(&commit, recorded)?;
                if self.shows(&commit) {
                    found = true;
                    sink.row(sheet.values(shown(&commit, index, recorded, &changed)?))?;
                }
            }
        }
        if !found {
            sink.note("no event is what was asked for")?;
        }
        Ok(Exit::Success)
    }

    fn is_over(&self, commit: &Commit) -> bool {
        match self.until {
            None => false,
            Some(Bound::Position(until)) => commit.position > until,
            Some(Bound::RecordedAt(until)) => commit.recorded_at > until,
        }
    }

    fn shows(&self, commit: &Commit) -> bool {
        let of_stream = self.stream.as_ref().is_none_or(|stream| *stream == commit.stream);
        of_stream && commit.position >= self.from
    }
}

fn shown(
    commit: &Commit,
    index: usize,
    recorded: &RecordedEvent,
    changed: &[Changed],
) -> Outcome<Value> {
    let unreadable = format!("the states at position {}", commit.position);
    let rows: Result<Vec<Value>, _> = changed.iter().map(row).collect();
    let mut event = event(recorded).or_exit(Exit::Internal, &unreadable)?;
    let mut field = |name: &str| event.get_mut(name).map(Value::take);
    let (kind, data) = (field("type"), field("data"));
    let mut shown = json!({
        "position": commit.position,
        "event": index,
        "recorded_at": commit.recorded_at,
        "stream": commit.stream,
        "version": commit.version,
        "command": command_name(commit),
        "actor": commit.origin.actor,
        "type": kind,
        "data": data,
        "changed": rows.or_exit(Exit::Internal, &unreadable)?,
    });
    show_texts(&mut shown, &NOBODY);
    Ok(shown)
}

fn row(changed: &Changed) -> Result<Value, serde_json::Error> {
    let Changed { key, before, after } = changed;
    let kind = Row::KINDS.iter().find(|(number, _)| *number == key.kind);
    Ok(json!({
        "row": kind.map(|(_, name)| *name),
        "key": key.id.as_str(),
        "before": serde_json::to_value(before)?,
        "after": serde_json::to_value(after)?,
    }))
}
