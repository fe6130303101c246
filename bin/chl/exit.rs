//! Exit codes: what a script can tell without reading.

use chl_bus::{CatchUpError, HistoryError};
use chl_log::ReadError;
use std::process::ExitCode;

/// The list of codes at the end of every help text.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  all accepted, or already applied
  1  an internal error
  2  wrong usage: an option, a file or a map cannot be read as such
  3  some command was rejected
  4  a stream had another version than expected; nothing was rejected for another reason
  5  the ledger or bus is unavailable, or another process owns it
  6  the log or a proof fails verification";

/// How a call ended, as its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Exit {
    /// 0: all accepted, or already applied.
    Success = 0,
    /// 1: an error of the program or the machine under it.
    Internal = 1,
    /// 2: an option, a file or a map cannot be read as such.
    Usage = 2,
    /// 3: some command was rejected.
    Rejected = 3,
    /// 4: the stream had another version than the one expected.
    StreamChanged = 4,
    /// 5: the ledger or bus is unavailable, or another process owns it.
    Unavailable = 5,
    /// 6: the log or a proof fails verification.
    Verification = 6,
}

impl Exit {
    /// How much one end outweighs another when a call had several.
    fn weight(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::StreamChanged => 1,
            Self::Rejected => 2,
            Self::Usage => 3,
            Self::Internal => 4,
            Self::Unavailable => 5,
            Self::Verification => 6,
        }
    }

    /// The end that is told of two: 4 only when nothing else was refused, 3 before a success,
    /// and what hinders the ledger itself before all answers.
    pub(crate) fn worse(self, other: Self) -> Self {
        if other.weight() > self.weight() { other } else { self }
    }
}

/// An error that says by itself how a call ends: a log out of reach is not a damaged one.
pub(crate) trait OwnExit {
    /// The exit code that fits.
    fn exit(&self) -> Exit;
}

impl OwnExit for ReadError {
    fn exit(&self) -> Exit {
        if self.is_damage() { Exit::Verification } else { Exit::Unavailable }
    }
}

impl OwnExit for CatchUpError {
    fn exit(&self) -> Exit {
        match self {
            Self::Log(error) | Self::History(HistoryError::Log(error)) => error.exit(),
            Self::Commit(_) | Self::History(HistoryError::Commit(_)) | Self::Contradiction(_) => {
                Exit::Verification
            }
            Self::Keys(_) | Self::States(_) | Self::Vault(_) => Exit::Unavailable,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::{Exit, OwnExit};
    use chl_bus::CatchUpError;
    use chl_log::ReadError;

    #[test]
    fn a_log_out_of_reach_is_not_a_damaged_one() {
        assert_eq!(ReadError::Closed.exit(), Exit::Unavailable);
        assert_eq!(ReadError::Gap { position: 7 }.exit(), Exit::Verification);
        assert_eq!(CatchUpError::Log(ReadError::Closed).exit(), Exit::Unavailable);
    }

    #[test]
    fn a_rejection_outweighs_a_changed_stream_and_an_outage_outweighs_both() {
        let both = Exit::Success.worse(Exit::StreamChanged).worse(Exit::Rejected);
        assert_eq!(both, Exit::Rejected);
        assert_eq!(Exit::StreamChanged.worse(Exit::Success), Exit::StreamChanged);
        assert_eq!(both.worse(Exit::Unavailable), Exit::Unavailable);
        assert_eq!(Exit::Unavailable.worse(both), Exit::Unavailable);
    }
}
