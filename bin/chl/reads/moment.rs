//! As of when a question is asked: on the ledger's axis of time, on the business's, or now.

use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step, StepToOwnExit},
    ledger::Reading,
    output::Sink,
};
use chl_events::{Commit, Date, Instant};
use chl_runtime::{AsOf, Frozen, Reader, Until};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// A point of the ledger's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bound {
    /// With the commit at this position.
    Position(u64),
    /// With the last commit recorded then or before.
    RecordedAt(Instant),
}

impl FromStr for Bound {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().map(Self::Position).map_err(|_| format!("{text} is no position"));
        }
        text.parse().map(Self::RecordedAt).map_err(|_| {
            format!(
                "{text:?} is neither a position such as 1841 nor an instant such as \
                 2026-03-01T09:00:00Z"
            )
        })
    }
}

/// The moments a question may name.
#[derive(Debug, Clone, Copy, Default, clap::Args, Serialize, Deserialize)]
pub(crate) struct Moment {
    /// As the ledger stood: with the commit at a POSITION, or all recorded at or before a TIME
    /// (RFC 3339, such as 2026-03-01T09:00:00Z).
    #[arg(long, value_name = "TIME|POSITION")]
    pub(super) as_of: Option<Bound>,
    /// Only what was effective on DATE or before, in the business's own dates.
    #[arg(long, value_name = "DATE")]
    pub(crate) effective: Option<Date>,
}

impl Moment {
    /// Says how far rows that stand for a position were behind the log when it was asked; what is
    /// asked for as of a moment is behind nothing.
    pub(super) fn note_lag(self, ledger: &Reading, position: u64, sink: &mut dyn Sink) -> Outcome {
        let of_now = self.as_of.is_none() && self.effective.is_none();
        let Some(lag) = ledger.lag(position).filter(|_| of_now) else { return Ok(()) };
        let (commits, seconds) = (lag.positions, lag.at(clock()).as_secs());
        sink.note(&format!("behind the ledger by {commits} commits, {seconds} seconds"))
    }

    /// Opens the read models as of the moment: those that are kept, or a temporary fold.
    pub(crate) fn open(self, ledger: &Reading) -> Outcome<Past> {
        if self.as_of.is_none() && self.effective.is_none() {
            return Ok(Past::Kept(ledger.views.fresh()?, clock()));
        }
        let end = ledger.log.head().next;
        let (until, now) = match self.as_of {
            None => (Until::Head, clock()),
            Some(Bound::RecordedAt(at)) => (Until::RecordedAt(at), at),
            Some(Bound::Position(at)) => (Until::Position(at), recorded_at(ledger, at, end)?),
        };
        let now = self.effective.and_then(end_of).map_or(now, |end| now.min(end));
        let past = ledger.views.as_of(until, self.effective)?;
        Ok(Past::Folded(past, now))
    }
}

/// Read models, as they are or as they were.
pub(crate) enum Past {
    /// As they are kept.
    Kept(Reader, Instant),
    /// As they were, in a temporary database.
    Folded(AsOf, Instant),
}

impl Past {
    /// As they stand in a file at this moment.
    pub(super) fn now_in(reader: Reader) -> Self {
        Self::Kept(reader, clock())
    }

    /// To query them.
    pub(crate) fn reader(&mut self) -> &mut Reader {
        match self {
            Self::Kept(reader, _) => reader,
            Self::Folded(past, _) => &mut past.reader,
        }
    }

    /// The moment at which ages and effective states are computed.
    pub(crate) fn now(&self) -> Instant {
        match self {
            Self::Kept(_, now) | Self::Folded(_, now) => *now,
        }
    }
}

/// Says which position rows stand for.
pub(crate) fn note(sink: &mut dyn Sink, position: u64, recorded_at: Option<Instant>) -> Outcome {
    let text = match (position.checked_sub(1), recorded_at) {
        (Some(last), Some(at)) => format!("as of position {last}, recorded at {at}"),
        (Some(last), None) => format!("as of position {last}"),
        (None, _) => "nothing is recorded yet".to_owned(),
    };
    sink.note(&text)
}

/// Says which of the read models that were asked stand still, and why.
pub(crate) fn note_frozen(sink: &mut dyn Sink, frozen: &[Frozen]) -> Outcome {
    frozen.iter().try_for_each(|one| sink.note(&way_on(one)))
}

/// Refuses to make of read models what others rely on, where one of them stands still.
pub(super) fn require_moving(frozen: &[Frozen]) -> Outcome {
    if frozen.is_empty() {
        return Ok(());
    }
    let all: Vec<String> = frozen.iter().map(way_on).collect();
    Err(Failure::new(Exit::Verification, all.join("\n")))
}

fn way_on(one: &Frozen) -> String {
    format!("{one}; `chl rebuild {}` makes it anew", one.view)
}

fn recorded_at(ledger: &Reading, at: u64, end: u64) -> Outcome<Instant> {
    let beyond = || {
        Failure::usage(format_args!(
            "--as-of {at} lies behind the log's end; the last position is {}",
            end.saturating_sub(1)
        ))
    };
    let unread = format!("the commit at position {at}");
    let bytes = ledger.log.commit_at(at).or_own_exit(&unread)?;
    let bytes = bytes.ok_or_else(beyond)?;
    Ok(Commit::decode(&bytes).or_exit(Exit::Verification, &unread)?.recorded_at)
}

/// The last moment of a day, in UTC.
pub(super) fn end_of(day: Date) -> Option<Instant> {
    let next = day.plus_days(1)?.start_utc();
    Some(Instant::from_micros(next.micros().saturating_sub(1)))
}

/// The machine's clock: questions are asked by people, now.
pub(crate) fn clock() -> Instant {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let micros = since.map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX));
    Instant::from_micros(micros)
}

#[cfg(test)]
mod tests {
    use super::Bound;

    #[test]
    fn a_bound_is_a_position_or_an_instant() {
        assert_eq!("1841".parse(), Ok(Bound::Position(1841)));
        let at = "2026-03-01T09:00:00Z".parse::<Bound>();
        assert!(matches!(at, Ok(Bound::RecordedAt(_))));
        let wrong = "2026-03-01".parse::<Bound>();
        assert!(wrong.is_err_and(|text| text.contains("2026-03-01T09:00:00Z")));
    }
}
