//! Opening the log: its errors as the user meets them.

use crate::{exit::Exit, failure::Failure, place::Place};
use chl_log_sled::{OpenError, Options, SledLog};

/// Opens the log.
pub(crate) fn open_log(place: &Place, options: Options) -> Result<SledLog, OpenError> {
    SledLog::open(&place.log(), options)
}

/// Why a log could not be opened, and what to do.
pub(crate) fn unopened(place: &Place, error: OpenError) -> Failure {
    let ledger = place.ledger();
    let (exit, hint) = match &error {
        OpenError::NotFound { .. } => (
            Exit::Unavailable,
            format!(
                "there is no ledger {ledger:?} yet; `chl submit`, `chl import` and `chl demo` make \
                 one, and --data and --ledger say where"
            ),
        ),
        OpenError::Owned { .. } => {
            (Exit::Unavailable, format!("ledger {ledger:?} has an owner that does not answer"))
        }
        damage if damage.is_damage() => (
            Exit::Verification,
            format!(
                "ledger {ledger:?} is damaged; keep a copy, then restore a backup, or accept the \
                 loss with `chl log repair --accept-loss-after POSITION --reason TEXT`"
            ),
        ),
        _ => (Exit::Unavailable, format!("ledger {ledger:?} cannot be opened")),
    };
    Failure::Told { exit, error: anyhow::Error::new(error).context(hint) }
}
