//! Positions then and now: a command that names an entry of the log means the same entry now.

use super::history::Then;
use chl_bus::Prepared;
use chl_commands::{
    Command,
    ledger::{Ledger, ReverseEntry},
    partner::{Partner, PublishScorecard},
};
use std::collections::BTreeSet;

/// Where the commits of accepted commands stand now.
#[derive(Debug, Default)]
pub(super) struct Positions {
    /// Where commands stood then, and where they stand now, as often as the distance changes.
    moved: Vec<(u64, u64)>,
    /// Those that are refused now.
    gone: BTreeSet<u64>,
}

impl Positions {
    /// Notes where a command's commit stands now.
    pub(super) fn stands(&mut self, then: u64, now: u64) {
        if self.now(then) != Some(now) {
            self.moved.push((then, now));
        }
    }

    /// Notes that a command is refused now.
    pub(super) fn is_gone(&mut self, then: u64) {
        self.gone.insert(then);
    }

    /// Where what stood at a position stands now; nowhere when it is refused.
    fn now(&self, then: u64) -> Option<u64> {
        if self.gone.contains(&then) {
            return None;
        }
        let behind = self.moved.partition_point(|(moved, _)| *moved <= then);
        let Some((before, now)) = behind.checked_sub(1).and_then(|last| self.moved.get(last))
        else {
            return Some(then);
        };
        then.checked_sub(*before)?.checked_add(*now)
    }

    /// The command with the position it names as it is now. An entry that is gone becomes one that
    /// never is.
    pub(super) fn renamed(&self, prepared: Prepared) -> Prepared {
        let Some(position) = named(prepared.command()) else { return prepared };
        let now = self.now(position).unwrap_or(u64::MAX);
        let mut command = prepared.command().clone();
        if let Some(position) = named_mut(&mut command) {
            *position = now;
        }
        prepared.saying(command)
    }
}

/// The position that a command names.
pub(super) fn named(command: &Command) -> Option<u64> {
    if let Command::Ledger(Ledger::ReverseEntry(ReverseEntry { position, .. }))
    | Command::Partner(Partner::PublishScorecard(PublishScorecard { position, .. })) = command
    {
        return Some(*position);
    }
    None
}

fn named_mut(command: &mut Command) -> Option<&mut u64> {
    if let Command::Ledger(Ledger::ReverseEntry(ReverseEntry { position, .. }))
    | Command::Partner(Partner::PublishScorecard(PublishScorecard { position, .. })) = command
    {
        return Some(position);
    }
    None
}

impl Then {
    /// Where it stood.
    pub(super) fn position(&self) -> Option<u64> {
        match self {
            Self::Accepted(position) => Some(*position),
            Self::Refused(_) | Self::Unsent => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Positions;

    #[test]
    fn a_position_moves_with_what_was_decided_before_it() {
        let mut positions = Positions::default();
        positions.stands(1, 1);
        assert_eq!(positions.now(1), Some(1));
        positions.stands(2, 3);
        positions.is_gone(4);
        positions.stands(5, 5);
        let now: Vec<_> = (0..8).map(|then| positions.now(then)).collect();
        let expected = [Some(0), Some(1), Some(3), Some(4), None, Some(5), Some(6), Some(7)];
        assert_eq!(now, expected);
    }
}
