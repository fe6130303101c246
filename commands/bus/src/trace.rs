//! Trace context: the trace of the sender's that a command belongs to (W3C Trace Context).
//!
//! The ledger begins no spans of its own: what it was given goes on with the answer and with what
//! was recorded. It is no part of a commit, whose bytes say what happened and not who watched.

use std::{
    collections::VecDeque,
    fmt,
    str::FromStr,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Of how many traced commands the positions are remembered; events of older ones leave without.
const REMEMBERED: usize = 65_536;

/// The bytes of a `traceparent`: version, trace, parent and flags, with a dash between two.
const LENGTH: usize = 55;

/// A `traceparent` of the form `00-TRACE-PARENT-FLAGS`, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent {
    trace: u128,
    parent: u64,
    flags: u8,
}

/// Says that a text is no `traceparent`; the standard asks to go on as if there were none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no traceparent such as 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]
pub struct NoTraceParent;

impl TraceParent {
    /// The trace's own id, as 32 digits.
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace)
    }
}

impl FromStr for TraceParent {
    type Err = NoTraceParent;

    /// Reads one; of a later version, which may be longer, the part that this one knows.
    fn from_str(text: &str) -> Result<Self, NoTraceParent> {
        let (known, later) = text.split_at_checked(LENGTH).ok_or(NoTraceParent)?;
        let mut parts = known.split('-');
        let mut part = |digits| {
            let part = parts.next().filter(|part| part.len() == digits)?;
            let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            part.bytes().all(hex).then(|| u128::from_str_radix(part, 16).ok()).flatten()
        };
        let read = (|| Some((part(2)?, part(32)?, part(16)?, part(2)?)))();
        let (version, trace, parent, flags) = read.ok_or(NoTraceParent)?;
        let longer = version > 0 && later.starts_with('-');
        if version == 0xff || trace == 0 || parent == 0 || !(later.is_empty() || longer) {
            return Err(NoTraceParent);
        }
        let parent = u64::try_from(parent).map_err(|_| NoTraceParent)?;
        Ok(Self { trace, parent, flags: u8::try_from(flags).map_err(|_| NoTraceParent)? })
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.parent, self.flags)
    }
}

/// Which traces the newest commits belong to, for those who pass on what was recorded.
///
/// In memory, and of bounded length: another process, or this one started again, does not know.
#[derive(Debug, Default)]
pub struct Traces {
    newest: Mutex<VecDeque<Traced>>,
}

#[derive(Debug)]
struct Traced {
    first: u64,
    next: u64,
    trace: TraceParent,
}

impl Traces {
    /// The trace of the commit at a position, where it is remembered.
    pub fn of(&self, position: u64) -> Option<TraceParent> {
        let newest = self.newest();
        let behind = newest.partition_point(|traced| traced.next <= position);
        newest.get(behind).filter(|traced| traced.first <= position).map(|traced| traced.trace)
    }

    /// Remembers the trace of the commits from `first` up to `next`, the newest so far.
    pub(crate) fn note(&self, first: u64, next: u64, trace: TraceParent) {
        let mut newest = self.newest();
        if newest.len() == REMEMBERED {
            newest.pop_front();
        }
        newest.push_back(Traced { first, next, trace });
    }

    /// Forgets what was decided from a position on and is not kept.
    pub(crate) fn roll_back(&self, next: u64) {
        let mut newest = self.newest();
        let kept = newest.partition_point(|traced| traced.first < next);
        newest.truncate(kept);
    }

    fn newest(&self) -> MutexGuard<'_, VecDeque<Traced>> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_traceparent_is_read_as_the_standard_has_it() {
        let trace: TraceParent = GOOD.parse().unwrap();
        assert_eq!(trace.to_string(), GOOD);
        assert_eq!(trace.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        let later = GOOD.replacen("00", "cc", 1) + "-what-comes-later";
        assert_eq!(later.parse(), Ok(trace));
        for bad in [
            "",
            "00",
            &GOOD.to_uppercase(),
            &GOOD.replacen("00", "ff", 1),
            &GOOD.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            &GOOD.replace("00f067aa0ba902b7", &"0".repeat(16)),
            &GOOD.replace("-01", "-+1"),
            &GOOD.replace('-', "_"),
            &format!("{GOOD}-more"),
            &GOOD.replace("b7-01", "b-701"),
            &GOOD.replace("01", "0é"),
        ] {
            assert_eq!(bad.parse::<TraceParent>(), Err(NoTraceParent), "{bad:?}");
        }
    }

    #[test]
    fn a_position_has_the_trace_of_its_chain_until_that_is_thrown_away() {
        let traces = Traces::default();
        let (one, two): (TraceParent, TraceParent) =
            (GOOD.parse().unwrap(), GOOD.replace("-01", "-00").parse().unwrap());
        traces.note(3, 5, one);
        traces.note(8, 9, two);
        let of = |positions: std::ops::Range<u64>| {
            positions.map(|position| traces.of(position)).collect::<Vec<_>>()
        };
        assert_eq!(of(2..6), [None, Some(one), Some(one), None]);
        assert_eq!(of(7..10), [None, Some(two), None]);
        traces.roll_back(8);
        assert_eq!((traces.of(8), traces.of(4)), (None, Some(one)));
    }

    #[test]
    fn only_the_newest_are_remembered() {
        let traces = Traces::default();
        let trace: TraceParent = GOOD.parse().unwrap();
        for position in 0..=REMEMBERED as u64 {
            traces.note(position, position + 1, trace);
        }
        assert_eq!((traces.of(0), traces.of(1)), (None, Some(trace)));
    }
}
