//! What a writer does when its log fails, and that nothing is lost or doubled by it.

use super::{Bed, Broken, commits, cut, holds, require};
use crate::{AppendError, EventLog, faulty::splitmix};

/// Appends groups to a log that fails now and then, and requires that in the end every commit is
/// there once and in order.
///
/// After a failed write the log must refuse everything until it is opened again; the prefix of
/// the group that is stored then is kept, and the rest sent anew. The log shall fail at least
/// once, else the run shows nothing. The seed picks the sizes of the groups.
pub fn survives_faults(bed: &mut dyn Bed, seed: u64, groups: u64) -> Result<(), Broken> {
    let run = || -> Result<u64, Broken> {
        let mut log = bed.open()?;
        let mut all: Vec<Vec<u8>> = Vec::new();
        let mut failures = 0;
        for group in 0..groups {
            let drawn = splitmix(seed ^ group.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let count = 1 + drawn % 40;
            all.extend(commits(all.len() as u64, count));
            while log.head().next < all.len() as u64 {
                if let Err(error) = send(log.as_mut(), &all, 1 + drawn % 7) {
                    failures += 1;
                    log = settle(bed, log, error)?;
                }
            }
        }
        holds(log.as_ref(), &all)?;
        drop(log);
        holds(bed.open()?.as_ref(), &all)?;
        Ok(failures)
    };
    let failures = run_named(seed, run)?;
    require(failures > 0, || format!("seed {seed}: the log never failed"))
}

fn run_named<T>(seed: u64, run: impl FnOnce() -> Result<T, Broken>) -> Result<T, Broken> {
    run().map_err(|broken| Broken(format!("seed {seed}: {broken}")))
}

/// Sends everything that the log does not hold yet.
fn send(log: &mut dyn EventLog, all: &[Vec<u8>], size: u64) -> Result<(), SendError> {
    let mut chain = log.chain();
    let expected = chain.next();
    let held = usize::try_from(expected).map_err(Broken::from)?;
    let missing = all.get(held..).unwrap_or_default();
    let size = usize::try_from(size).map_err(Broken::from)?;
    let blocks = cut(&mut chain, missing, size)?;
    log.append(expected, &blocks)?;
    Ok(())
}

enum SendError {
    Append(AppendError),
    Other(Broken),
}

impl From<AppendError> for SendError {
    fn from(error: AppendError) -> Self {
        Self::Append(error)
    }
}

impl From<Broken> for SendError {
    fn from(broken: Broken) -> Self {
        Self::Other(broken)
    }
}

/// Goes on after a failed append: at once when nothing was stored, else with a log opened anew.
fn settle(
    bed: &mut dyn Bed,
    mut log: Box<dyn EventLog>,
    error: SendError,
) -> Result<Box<dyn EventLog>, Broken> {
    match error {
        SendError::Other(broken) => Err(broken),
        SendError::Append(AppendError::Unavailable(_)) => Ok(log),
        SendError::Append(AppendError::Poisoned(_)) => {
            let expected = log.head().next;
            let again = log.append(expected, &[]);
            require(matches!(again, Err(AppendError::Poisoned(_))), || {
                format!("a poisoned log answered {again:?}")
            })?;
            drop(log);
            bed.open()
        }
        SendError::Append(error @ (AppendError::Conflict { .. } | AppendError::Refused(_))) => {
            Err(Broken::new(error))
        }
    }
}
