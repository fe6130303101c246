//! Why a call ended early: one clear line, and the exit code it ends with.

use crate::exit::{Exit, OwnExit};
use std::{error::Error, fmt, io};

/// What a step of a call gives.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// A call cannot go on.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Whoever read the output has gone: the rest is wanted by nobody, and that is no error.
    ReaderGone,
    /// Something to be told to the user.
    Told {
        /// How the program ends.
        exit: Exit,
        /// What happened, with its sources, and what to do.
        error: anyhow::Error,
    },
}

impl Failure {
    /// A failure with a text of our own.
    pub(crate) fn new(exit: Exit, text: impl fmt::Display) -> Self {
        Self::Told { exit, error: anyhow::anyhow!("{text}") }
    }

    /// Something in the call's arguments or files.
    pub(crate) fn usage(text: impl fmt::Display) -> Self {
        Self::new(Exit::Usage, text)
    }

    /// The failure of a write to standard output.
    pub(crate) fn output(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::ReaderGone
        } else {
            Self::Told {
                exit: Exit::Internal,
                error: anyhow::Error::new(error).context("standard output cannot be written"),
            }
        }
    }

    /// How the program ends.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::ReaderGone => Exit::Success,
            Self::Told { exit, .. } => *exit,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Told { error, .. } = self else {
            return f.write_str("the reader of the output has gone");
        };
        // An error whose source is already part of its own text is not told twice.
        let mut told = String::new();
        for cause in error.chain().map(ToString::to_string) {
            if !told.contains(&cause) {
                let colon = if told.is_empty() { "" } else { ": " };
                told = format!("{told}{colon}{cause}");
            }
        }
        f.write_str(&told)
    }
}

/// Gives an error the exit code and the words of the step that met it.
pub(crate) trait Step<T> {
    /// The step failed: `what` says what could not be done.
    fn or_exit(self, exit: Exit, what: impl fmt::Display) -> Outcome<T>;
}

impl<T, E: Error + Send + Sync + 'static> Step<T> for Result<T, E> {
    fn or_exit(self, exit: Exit, what: impl fmt::Display) -> Outcome<T> {
        self.map_err(|error| Failure::Told {
            exit,
            error: anyhow::Error::new(error).context(what.to_string()),
        })
    }
}

/// The same for errors that know their exit code themselves.
pub(crate) trait StepToOwnExit<T> {
    /// The step failed: `what` says what could not be done.
    fn or_own_exit(self, what: impl fmt::Display) -> Outcome<T>;
}

impl<T, E: OwnExit + Error + Send + Sync + 'static> StepToOwnExit<T> for Result<T, E> {
    fn or_own_exit(self, what: impl fmt::Display) -> Outcome<T> {
        self.or_else(|error| {
            let exit = error.exit();
            Err(error).or_exit(exit, what)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_no_error_and_a_full_disk_is_one() {
        let gone = Failure::output(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(gone.exit(), Exit::Success);
        let full = Failure::output(io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(full.exit(), Exit::Internal);
    }

    #[test]
    fn a_cause_is_told_once() {
        let inner = io::Error::other("disk on fire");
        let failed: Outcome = Err(inner).or_exit(Exit::Unavailable, "the log: disk on fire");
        let told = failed.map_err(|failure| failure.to_string());
        assert_eq!(told, Err("the log: disk on fire".into()));
    }
}
