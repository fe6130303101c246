//! The version of a server: those whose fences do not hold are refused.

use std::fmt;

/// The oldest server whose fences hold: before, replicated streams let writers past them.
const OLDEST_SERVER: Version = Version(2, 12, 3);

/// A server's version: major, minor, patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u32, u32, u32);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// A server is older than what holds its promises.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the server is of version {found}; at least {OLDEST_SERVER} is needed, since before it \
     replicated streams let a writer past another one's fence"
)]
pub struct TooOld {
    /// What it says of itself.
    pub found: String,
}

/// Refuses a version below the oldest; one that does not read is refused too.
pub(crate) fn check(found: &str) -> Result<(), TooOld> {
    let mut parts = found.split(['.', '-', '+']).map(|part| part.parse().ok());
    let mut next = || parts.next().flatten();
    let version = (|| Some(Version(next()?, next()?, next()?)))();
    match version {
        Some(version) if version >= OLDEST_SERVER => Ok(()),
        _ => Err(TooOld { found: found.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_before_the_fences_held_are_refused() {
        for new_enough in ["2.12.3", "2.12.10", "2.15.1", "3.0.0", "2.13.0-RC.1"] {
            assert!(check(new_enough).is_ok(), "{new_enough}");
        }
        for too_old in ["2.12.2", "2.9.10", "1.99.99", "2.12", "", "unknown"] {
            assert_eq!(check(too_old), Err(TooOld { found: too_old.into() }));
        }
    }
}
