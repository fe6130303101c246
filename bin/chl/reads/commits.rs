//! `chl log view` and `chl log tail`: the commits as they stand.

use super::query::at_least_one;
use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step, StepToOwnExit},
    ledger::{Reading, commits_from},
    output::{Sheet, Sink},
};
use chl_bus::{Viewer, show_texts};
use chl_commands::Command;
use chl_events::{Commit, Event, RecordedEvent, Role, Stream};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{str::FromStr, time::Duration};

/// Shows commits of the log, with their events, postings and commands.
///
/// RANGE is a position (`1841`), or positions from one up to, but without, another (`100..200`,
/// `100..`, `..200`). Personal data is shown as the key that seals it.
#[derive(Debug, Clone, clap::Args, Serialize, Deserialize)]
pub(crate) struct View {
    /// Which positions; without it all.
    #[arg(default_value = "..")]
    range: Range,
    /// Only commits of this stream, such as customer/acme.
    #[arg(long)]
    stream: Option<Stream>,
    /// Only commits that hold an event of this type, or whose command is of it.
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// At most so many.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = at_least_one())]
    limit: Option<u64>,
}

/// Shows the newest commits.
#[derive(Debug, Clone, clap::Args, Serialize, Deserialize)]
pub(crate) struct Tail {
    /// How many.
    #[arg(
        short = 'n',
        long = "lines",
        value_name = "N",
        default_value_t = 10,
        allow_negative_numbers = true
    )]
    pub(crate) lines: u64,
    /// Goes on with every commit that comes, until it is interrupted.
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Where an interrupted following goes on.
    #[arg(skip)]
    pub(crate) from: Option<u64>,
}

/// Positions from one up to, but without, another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Range {
    /// The first position.
    pub(crate) from: u64,
    /// The position behind the last.
    pub(crate) to: u64,
}

impl FromStr for Range {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no range; write 1841, 100..200, 100.. or ..200");
        let number = |text: &str| text.parse::<u64>().map_err(|_| wrong());
        let Some((from, to)) = text.split_once("..") else {
            let at = number(text)?;
            return Ok(Self { from: at, to: at.saturating_add(1) });
        };
        let from = if from.is_empty() { 0 } else { number(from)? };
        let to = if to.is_empty() { u64::MAX } else { number(to)? };
        if from > to { Err(wrong()) } else { Ok(Self { from, to }) }
    }
}

/// The columns of a commit.
pub(crate) const COLUMNS: &[&str] = &[
    "position",
    "recorded_at",
    "stream",
    "version",
    "command",
    "actor",
    "events",
    "time",
    "role",
    "onbehalfof",
    "partner",
    "level",
    "backfill",
    "source",
    "id",
    "reason",
    "correlationid",
    "causationid",
    "data",
];
/// What of it fits on a terminal.
const PEOPLE: &[&str] =
    &["position", "recorded_at", "stream", "version", "command", "actor", "events"];
/// How long a follower waits before it looks whether the owner is about to leave.
const HEARTBEAT: Duration = Duration::from_millis(200);

fn sheet() -> Sheet<'static> {
    Sheet::new("", COLUMNS).people(PEOPLE)
}

impl View {
    /// Asks for so many commits of a stream, from a position on.
    pub(crate) fn of_stream(stream: Stream, from: u64, limit: u64) -> Self {
        let range = Range { from, to: u64::MAX };
        Self { range, stream: Some(stream), kind: None, limit: Some(limit) }
    }

    /// Shows them.
    pub(crate) fn answer(&self, ledger: &Reading, sink: &mut dyn Sink) -> Outcome<Exit> {
        self.require_known()?;
        let sheet = sheet();
        sink.begin(&sheet)?;
        let end = ledger.log.head().next;
        if self.range.from >= end {
            let last = end.saturating_sub(1);
            sink.note(&format!("the log ends at position {last}, before the range asked for"))?;
        }
        let (mut left, mut shown) = (self.limit.unwrap_or(u64::MAX), false);
        for commit in commits_from(ledger.log.as_ref(), self.range.from)? {
            let commit = commit?;
            if left == 0 || commit.position >= self.range.to {
                break;
            }
            if self.wants(&commit) {
                left -= 1;
                sink.row(sheet.values(json(&commit, &NOBODY)?))?;
                shown = true;
            }
        }
        if !shown && self.range.from < end {
            sink.note("no commit in this range is what was asked for")?;
        }
        Ok(Exit::Success)
    }

    /// Refuses a type that no release ever had.
    fn require_known(&self) -> Outcome {
        let Some(kind) = &self.kind else { return Ok(()) };
        let events = Event::kinds().map(|kind| kind.name);
        let mut known = events.chain(Command::kinds().map(|kind| kind.name));
        if known.any(|name| name == kind) {
            return Ok(());
        }
        Err(Failure::usage(format_args!("no event and no command is of the type {kind:?}")))
    }

    fn wants(&self, commit: &Commit) -> bool {
        let of_kind = |kind: &String| {
            let event = |recorded: &RecordedEvent| recorded.event.kind().name == kind;
            command_name(commit) == kind || commit.events.iter().any(event)
        };
        self.stream.as_ref().is_none_or(|stream| *stream == commit.stream)
            && self.kind.as_ref().is_none_or(of_kind)
    }
}

impl Tail {
    /// Shows them, and while the ledger stays open those that come.
    pub(crate) fn answer(&self, ledger: &Reading, sink: &mut dyn Sink) -> Outcome<Exit> {
        let sheet = sheet();
        sink.begin(&sheet)?;
        let end = ledger.log.head().next;
        let mut next = self.from.unwrap_or(end.saturating_sub(self.lines)).min(end);
        loop {
            for commit in commits_from(ledger.log.as_ref(), next)? {
                let commit = commit?;
                next = commit.position.saturating_add(1);
                sink.row(sheet.values(json(&commit, &NOBODY)?))?;
            }
            sink.pass_on()?;
            if !self.follow || ledger.closing.is_near() {
                return Ok(Exit::Success);
            }
            let waited = ledger.log.wait_beyond(next, HEARTBEAT);
            waited.or_own_exit("the log cannot be followed")?;
        }
    }
}

/// The type of a commit's command; nothing for what the ledger says of itself.
pub(crate) fn command_name(commit: &Commit) -> &'static str {
    Command::kind_tagged(commit.command.tag).map_or("", |kind| kind.name)
}

/// Nobody who may read texts: what is sealed is shown as the key that seals it.
pub(crate) const NOBODY: Viewer<'_> = Viewer { role: Role::Analyst, partner: None, vault: None };

/// A commit as JSON, with sealed texts as the viewer may see them.
pub(crate) fn json(commit: &Commit, viewer: &Viewer<'_>) -> Outcome<Value> {
    let origin = &commit.origin;
    let unreadable = format!("the commit at {} cannot be shown", commit.position);
    let data = if commit.command.data.is_empty() {
        Value::Null
    } else {
        let command = Command::decode(&commit.command).or_exit(Exit::Verification, &unreadable)?;
        serde_json::to_value(command).or_exit(Exit::Internal, &unreadable)?
    };
    let events: Result<Vec<Value>, _> = commit.events.iter().map(event).collect();
    let mut shown = json!({
        "position": commit.position,
        "recorded_at": commit.recorded_at,
        "stream": commit.stream,
        "version": commit.version,
        "command": command_name(commit),
        "actor": origin.actor,
        "events": events.or_exit(Exit::Internal, &unreadable)?,
        "time": commit.believed_time,
        "role": origin.role,
        "onbehalfof": origin.on_behalf_of,
        "partner": origin.partner,
        "level": origin.level,
        "backfill": origin.backfill,
        "source": origin.source,
        "id": origin.id,
        "reason": origin.reason,
        "correlationid": origin.correlation,
        "causationid": origin.causation,
        "data": data,
    });
    show_texts(&mut shown, viewer);
    Ok(shown)
}

/// An event as JSON: its type, its data, its dates, and the lines it posts.
pub(crate) fn event(recorded: &RecordedEvent) -> Result<Value, serde_json::Error> {
    let mut shown = serde_json::to_value(&recorded.event)?;
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("effective_on".into(), serde_json::to_value(recorded.effective_on)?);
        fields.insert("posted_on".into(), serde_json::to_value(recorded.posted_on)?);
        if !recorded.lines.is_empty() {
            fields.insert("lines".into(), serde_json::to_value(&recorded.lines)?);
        }
    }
    Ok(shown)
}

#[cfg(test)]
mod tests {
    use super::Range;

    #[test]
    fn ranges_are_read_and_what_is_none_is_named() {
        assert_eq!("7".parse(), Ok(Range { from: 7, to: 8 }));
        assert_eq!("2..5".parse(), Ok(Range { from: 2, to: 5 }));
        assert_eq!("..5".parse(), Ok(Range { from: 0, to: 5 }));
        assert_eq!("2..".parse(), Ok(Range { from: 2, to: u64::MAX }));
        let wrong = "5..2".parse::<Range>();
        assert!(wrong.is_err_and(|text| text.contains("5..2")));
    }
}
