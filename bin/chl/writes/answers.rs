//! Answers on their way out: their form, and what they make of the exit code.

use crate::{
    exit::Exit,
    failure::{Outcome, Step},
};
use chl_bus::{Answer, BusRejection, Refused, Viewer, show};
use std::fmt;

/// How many lines met which end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tally {
    accepted: u64,
    already: u64,
    rejected: u64,
    failed: u64,
    exit: Exit,
}

/// What of an answer's document is counted.
#[derive(serde::Deserialize)]
struct Shown {
    outcome: Ended,
    #[serde(default)]
    duplicate: bool,
    #[serde(default)]
    code: String,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ended {
    Accepted,
    Rejected,
    Failed,
}

impl Default for Tally {
    fn default() -> Self {
        Self { accepted: 0, already: 0, rejected: 0, failed: 0, exit: Exit::Success }
    }
}

impl Tally {
    /// Counts an answer.
    pub(super) fn count(&mut self, answer: &Answer) {
        let (counter, exit) = match answer {
            Answer::Accepted(accepted) if accepted.duplicate => (&mut self.already, Exit::Success),
            Answer::Accepted(_) => (&mut self.accepted, Exit::Success),
            Answer::Rejected { refused, .. } => {
                let changed = matches!(refused, Refused::Bus(BusRejection::StreamChanged { .. }));
                let exit = if changed { Exit::StreamChanged } else { Exit::Rejected };
                (&mut self.rejected, exit)
            }
            Answer::Failed { .. } => (&mut self.failed, Exit::Unavailable),
        };
        *counter += 1;
        self.exit = self.exit.worse(exit);
    }

    /// Counts an answer that came as a document; says whether it is about a line that is no
    /// command.
    pub(super) fn count_shown(&mut self, text: &str) -> Outcome<bool> {
        let shown: Shown = serde_json::from_str(text).or_exit(Exit::Internal, "an answer")?;
        let (counter, exit) = match shown.outcome {
            Ended::Accepted if shown.duplicate => (&mut self.already, Exit::Success),
            Ended::Accepted => (&mut self.accepted, Exit::Success),
            Ended::Rejected if shown.code == "stream.changed" => {
                (&mut self.rejected, Exit::StreamChanged)
            }
            Ended::Rejected => (&mut self.rejected, Exit::Rejected),
            Ended::Failed => (&mut self.failed, Exit::Unavailable),
        };
        *counter += 1;
        self.exit = self.exit.worse(exit);
        Ok(shown.code.starts_with("command."))
    }

    /// How a call with these answers ends.
    pub(super) fn exit(&self) -> Exit {
        self.exit
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} accepted, {} rejected", self.accepted, self.rejected)?;
        if self.already > 0 {
            write!(f, ", {} already applied", self.already)?;
        }
        if self.failed > 0 {
            write!(f, ", {} failed and may be sent again", self.failed)?;
        }
        Ok(())
    }
}

/// An answer as one JSON document, as far as the viewer may see it. Of a line that is no command the number of the line is named,
/// where the document itself only knows its own place.
pub(super) fn document(mut answer: Answer, line: u64, viewer: &Viewer<'_>) -> Outcome<String> {
    let mut named = String::new();
    if let Answer::Rejected { refused, .. } = &mut answer
        && refused.class() == chl_aggregates::Class::Malformed
    {
        if let Refused::Bus(BusRejection::Broken { line: at, .. }) = refused {
            *at = usize::try_from(line).unwrap_or(usize::MAX);
        }
        named = format!("\"line\":{line},");
    }
    let text = show(&answer, viewer).or_exit(Exit::Internal, "an answer")?;
    Ok(match text.strip_prefix('{') {
        Some(fields) if !named.is_empty() => format!("{{{named}{fields}"),
        _ => text,
    })
}
