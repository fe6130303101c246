//! Subjects: where commands, questions and answers travel.

use chl_events::{ActorId, Code};

/// What a subject under an actor's token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// A command, answered by reply.
    Command,
    /// A question, answered by reply.
    Query,
    /// A command to publish and go.
    Queue,
    /// The answer to a command of the queue.
    Result,
}

impl Lane {
    fn token(self) -> &'static str {
        match self {
            Self::Command => "cmd",
            Self::Query => "query",
            Self::Queue => "queue",
            Self::Result => "result",
        }
    }
}

/// The subjects of one ledger.
#[derive(Debug, Clone)]
pub(crate) struct Subjects {
    ledger: Code,
}

impl Subjects {
    /// Those of a ledger's name.
    pub(crate) fn of(ledger: Code) -> Self {
        Self { ledger }
    }

    /// The ledger's name.
    pub(crate) fn ledger(&self) -> &str {
        self.ledger.as_str()
    }

    /// Every actor's subjects of a lane.
    pub(crate) fn all(&self, lane: Lane) -> String {
        format!("chl.{}.as.*.{}.*", self.ledger, lane.token())
    }

    /// One subject of a lane.
    pub(crate) fn one(&self, lane: Lane, actor: &str, name: &str) -> String {
        format!("chl.{}.as.{actor}.{}.{name}", self.ledger, lane.token())
    }

    /// Commands whose claims are believed.
    pub(crate) fn trusted(&self) -> String {
        format!("chl.{}.cmd.*", self.ledger)
    }

    /// Where commands of the queue are parked; `*` for any actor or type.
    pub(crate) fn parked(&self, actor: &str, name: &str) -> String {
        format!("chl.{}.parked.{actor}.{name}", self.ledger)
    }

    /// Where it is noted what became of them; `*` for any actor or type.
    pub(crate) fn settled(&self, actor: &str, name: &str) -> String {
        format!("chl.{}.settled.{actor}.{name}", self.ledger)
    }

    /// Every event that leaves.
    pub(crate) fn events(&self) -> String {
        format!("chl.{}.event.>", self.ledger)
    }

    /// An event of a type on a stream of the ledger: each kind of stream has its number of tokens.
    pub(crate) fn event(&self, kind: &str, stream: &str) -> String {
        format!("chl.{}.event.{kind}.{}", self.ledger, stream.replace('/', "."))
    }

    /// Every partner's feed.
    pub(crate) fn partners(&self) -> String {
        format!("chl.{}.partner.>", self.ledger)
    }

    /// An event of a type in a partner's feed; `*` for any type.
    pub(crate) fn partner(&self, partner: &str, kind: &str) -> String {
        format!("chl.{}.partner.{partner}.{kind}", self.ledger)
    }

    /// Where the nodes note how far the feeds have come.
    pub(crate) fn feeds(&self) -> String {
        format!("chl.{}.feeds", self.ledger)
    }

    /// A stream's name for this ledger: stream names allow what identifiers allow.
    pub(crate) fn stream(&self, what: &str) -> String {
        format!("chl-{}-{what}", self.ledger)
    }
}

/// Who sent a message, as its subject tells; none on a subject that names nobody.
pub(crate) fn sender(subject: &str) -> Option<ActorId> {
    let mut tokens = subject.split('.').skip(2);
    (tokens.next() == Some("as")).then_some(())?;
    ActorId::new(tokens.next()?).ok()
}

/// The last token of a subject: the type of a command, the name of a question.
pub(crate) fn name(subject: &str) -> &str {
    subject.rsplit('.').next().unwrap_or(subject)
}

/// Whether a subject is where somebody waits for an answer: an inbox, or what servers put in its
/// place between accounts. Nowhere else would a sender's word move the ledger to publish: it may
/// publish to its own log, and a sender may not.
pub(crate) fn is_inbox(subject: &str) -> bool {
    subject.starts_with("_INBOX.") || subject.starts_with("_R_.")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn who_and_what_stand_in_the_subject() {
        let subjects = Subjects::of(Code::new("main").unwrap());
        let one = subjects.one(Lane::Command, "svc-portal", "RegisterDeal");
        assert_eq!(one, "chl.main.as.svc-portal.cmd.RegisterDeal");
        assert_eq!(sender(&one).unwrap().as_str(), "svc-portal");
        assert_eq!(name(&one), "RegisterDeal");
        assert_eq!(sender("chl.main.cmd.RegisterDeal"), None);
        assert_eq!(subjects.all(Lane::Query), "chl.main.as.*.query.*");
    }
}
