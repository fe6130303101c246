//! What leaves for partners of a commit: for each that it concerns, as it may see it.

use crate::{
    concern::{Concern, concern},
    show::{Viewer, event_for, show_texts},
};
use chl_events::{
    Code, Commit, ConflictId, DealId, Event, LedgerId, PartnerId, RecordedEvent, Role,
    conflict::ConflictEvent, deal::DealEvent,
};
use data_encoding::BASE32_NOPAD;
use quick_cache::unsync::Cache;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{error::Error, sync::Arc};

/// Whose deal it is, and who the sides of a conflict are, is known of so many without a question.
const KNOWN: usize = 10_000;
/// How many characters of a digest an id has: 130 bits.
const ID_CHARS: usize = 26;

/// Says why it is not known whom a deal or a conflict concerns.
#[derive(Debug, thiserror::Error)]
#[error("whom an event concerns is not known now: {0}")]
pub struct PartiesError(#[source] pub Box<dyn Error + Send + Sync>);

/// What knows whose deal it is, and who meets in a conflict, of all that is recorded. It may have to
/// look it up; it is asked from a thread of its own.
pub trait Parties: Send + Sync + 'static {
    /// The partner whose deal it is; none for the vendor's own.
    fn of_deal(&self, deal: &DealId) -> Result<Option<PartnerId>, PartiesError>;

    /// The partners that meet in a conflict.
    fn of_conflict(&self, conflict: &ConflictId) -> Result<Vec<PartnerId>, PartiesError>;
}

/// Says why it cannot be told what leaves of a commit.
#[derive(Debug, thiserror::Error)]
pub enum RedactError {
    /// The commit does not decode.
    #[error(transparent)]
    Commit(#[from] chl_events::CommitError),
    /// An event cannot be shown.
    #[error("an event cannot be shown: {0}")]
    Show(#[from] serde_json::Error),
    /// It is not known whom it concerns.
    #[error(transparent)]
    Parties(#[from] PartiesError),
}

/// An event as one partner may see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Redacted {
    /// The partner.
    pub partner: PartnerId,
    /// The type of the event.
    pub kind: &'static str,
    /// Its id: the same whenever it leaves, and no position.
    pub id: String,
    /// The CloudEvent.
    pub document: Value,
}

/// Tells what leaves for partners, commit by commit in the order of the log.
pub struct Redaction {
    ledger: Code,
    id: LedgerId,
    parties: Arc<dyn Parties>,
    deals: Cache<DealId, Option<PartnerId>>,
    conflicts: Cache<ConflictId, Vec<PartnerId>>,
}

impl Redaction {
    /// For the ledger of a name and an id.
    pub fn new(ledger: Code, id: LedgerId, parties: Arc<dyn Parties>) -> Self {
        Self { ledger, id, parties, deals: Cache::new(KNOWN), conflicts: Cache::new(KNOWN) }
    }

    /// What leaves of a commit, given as its bytes in the log.
    pub fn events(&mut self, bytes: &[u8]) -> Result<Vec<Redacted>, RedactError> {
        let commit = Commit::decode(bytes)?;
        let mut leaving = Vec::new();
        for (index, recorded) in commit.events.iter().enumerate() {
            for partner in self.concerned(&commit, &recorded.event)? {
                let id = event_id(self.id, &partner, (bytes, index));
                let names = (self.ledger.as_str(), id.as_str());
                if let Some(document) = document(names, &commit, recorded, &partner)? {
                    let kind = recorded.event.kind().name;
                    leaving.push(Redacted { partner, kind, id, document });
                }
            }
        }
        Ok(leaving)
    }

    /// The partners an event concerns.
    fn concerned(
        &mut self,
        commit: &Commit,
        event: &Event,
    ) -> Result<Vec<PartnerId>, PartiesError> {
        if let Event::Deal(DealEvent::DealRegistered(registered)) = event {
            self.deals.insert(registered.deal.clone(), registered.partner.clone());
        }
        if let Event::Conflict(ConflictEvent::ConflictOpened(opened)) = event {
            let sides = [&opened.incumbent_partner, &opened.challenger_partner];
            let sides = sides.into_iter().flatten().cloned().collect();
            self.conflicts.insert(opened.conflict.clone(), sides);
        }
        Ok(match concern(event) {
            Concern::Vendor => Vec::new(),
            Concern::Sender => commit.origin.partner.iter().cloned().collect(),
            Concern::Partner(partner) => vec![partner.clone()],
            Concern::Deal(deal) => {
                let parties = &self.parties;
                let known = self.deals.get_or_insert_with(deal, || parties.of_deal(deal))?;
                known.and_then(Clone::clone).into_iter().collect()
            }
            Concern::Conflict(of) => {
                let parties = &self.parties;
                let known = self.conflicts.get_or_insert_with(of, || parties.of_conflict(of))?;
                known.cloned().unwrap_or_default()
            }
        })
    }
}

/// An event's id in a partner's feed: the first characters of the lowercase base32 (RFC 4648, no
/// padding) of SHA-256 over the ledger's id, the partner, the event's index and the commit's bytes.
/// Who does not know the ledger's id learns nothing from it.
fn event_id(ledger: LedgerId, partner: &PartnerId, (commit, index): (&[u8], usize)) -> String {
    let mut digest = Sha256::new();
    digest.update(ledger.0);
    digest.update(format!("{partner}/{index}/"));
    digest.update(commit);
    let text = BASE32_NOPAD.encode(&digest.finalize()).to_ascii_lowercase();
    text.chars().take(ID_CHARS).collect()
}

/// An event as the CloudEvent of one partner; none when it may not see it. Who acted, and under
/// which id, is told of the partner's own commands alone.
fn document(
    (ledger, id): (&str, &str),
    commit: &Commit,
    recorded: &RecordedEvent,
    partner: &PartnerId,
) -> Result<Option<Value>, serde_json::Error> {
    let own_deal = match concern(&recorded.event) {
        Concern::Deal(deal) => Some(deal.as_str()),
        Concern::Vendor | Concern::Sender | Concern::Partner(_) | Concern::Conflict(_) => None,
    };
    let Some(mut shown) = event_for(recorded, Some(partner), own_deal)? else { return Ok(None) };
    show_texts(&mut shown, &Viewer { role: Role::Partner, partner: Some(partner), vault: None });
    let subject = match concern(&recorded.event) {
        Concern::Conflict(conflict) => format!("conflict/{conflict}"),
        Concern::Vendor | Concern::Sender | Concern::Partner(_) | Concern::Deal(_) => {
            commit.stream.to_string()
        }
    };
    let mut document = json!({
        "specversion": "1.0",
        "id": id,
        "source": format!("/chl/{ledger}"),
        "type": shown.get("type"),
        "subject": subject,
        "time": commit.time().to_string(),
        "datacontenttype": "application/json",
        "effectiveon": recorded.effective_on.to_string(),
        "data": shown.get("data"),
    });
    if let (true, Value::Object(own)) =
        (commit.origin.partner.as_ref() == Some(partner), &mut document)
    {
        let origin = &commit.origin;
        own.insert("actor".into(), json!(origin.actor));
        own.insert("commandid".into(), json!(origin.id));
        own.insert("commandsource".into(), json!(origin.source));
        own.insert("correlationid".into(), json!(origin.correlation));
    }
    Ok(Some(document))
}
