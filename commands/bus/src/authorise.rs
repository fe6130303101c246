//! Authorising: what a connection lets a document say, and what a role may send.

use crate::rejection::{BusRejection, Refused};
use chl_commands::{Command, Envelope};
use chl_events::{ActorId, Instant, Origin, PartnerId, Role};

/// Which sources a connection may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sources {
    /// Every one, except the ledger's own.
    Any,
    /// These alone.
    Only(Vec<String>),
}

/// What a door knows of a sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Who it is.
    pub actor: ActorId,
    /// What it is to the ledger.
    pub role: Role,
    /// The partner it belongs to, for role partner.
    pub partner: Option<PartnerId>,
    /// Its level of authority, for role channel manager.
    pub level: Option<u8>,
    /// The sources it may use.
    pub sources: Sources,
    /// The source of documents that name none.
    pub default_source: Option<String>,
    /// Whether a document's actor, role, partner and level are believed.
    pub trust_claims: bool,
    /// Whether texts may come in sealed and the ledger's own documents are taken: a replay.
    pub replay: bool,
}

impl Connection {
    /// The operating user of a command line, who may use any source.
    pub fn operator(actor: ActorId) -> Self {
        Self {
            actor,
            role: Role::Operator,
            partner: None,
            level: None,
            sources: Sources::Any,
            default_source: None,
            trust_claims: false,
            replay: false,
        }
    }
}

/// A document's sender, as far as it is settled at the door.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sender {
    /// Who sends; its reason is sealed later.
    pub(crate) origin: Origin,
    /// When it happened, where the sender is believed.
    pub(crate) believed_time: Option<Instant>,
    /// What the sender may not do; answered only after key and expected version were looked at.
    pub(crate) refused: Option<Refused>,
}

/// Settles who sends, or refuses a sender who is not who the document says.
pub(crate) fn authorise(
    connection: &Connection,
    envelope: &Envelope,
    command: &Command,
) -> Result<Sender, Refused> {
    check_source(connection, &envelope.source)?;
    let origin = origin(connection, envelope)?;
    let believed_time = envelope.time.filter(|_| origin.role == Role::Operator);
    let refused = check_role(&origin, command).err().map(Refused::from);
    Ok(Sender { origin, believed_time, refused })
}

fn check_source(connection: &Connection, source: &str) -> Result<(), BusRejection> {
    let own = ["/policy", "/clock", "/ledger"].iter().any(|own| {
        source.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    let allowed = match &connection.sources {
        Sources::Any => true,
        Sources::Only(sources) => sources.iter().any(|allowed| allowed == source),
    };
    if own || !allowed {
        return Err(BusRejection::Source { name: source.into() });
    }
    Ok(())
}

fn origin(connection: &Connection, envelope: &Envelope) -> Result<Origin, BusRejection> {
    let believed = connection.trust_claims;
    let role = envelope.role.unwrap_or(connection.role);
    let actor = envelope.actor.as_ref().unwrap_or(&connection.actor);
    // A claimed role stands on its own: the connection's partner and level belong to its own role.
    let same = role == connection.role;
    let partner = envelope.partner.as_ref().or(connection.partner.as_ref().filter(|_| same));
    let level = envelope.level.or(connection.level.filter(|_| same));
    let claim = |attribute, claimed: String, agrees: bool| match agrees || believed {
        true => Ok(()),
        false => Err(BusRejection::Claim { attribute, claimed }),
    };
    claim("actor", actor.to_string(), *actor == connection.actor)?;
    claim("role", role.to_string(), same)?;
    if let Some(partner) = partner {
        claim("partner", partner.to_string(), Some(partner) == connection.partner.as_ref())?;
    }
    if let Some(level) = level {
        claim("level", level.to_string(), Some(level) == connection.level)?;
    }
    if matches!(role, Role::Policy | Role::Clock) {
        return Err(BusRejection::Claim { attribute: "role", claimed: role.to_string() });
    }
    Ok(Origin {
        source: envelope.source.as_str().into(),
        id: envelope.id.as_str().into(),
        actor: actor.clone(),
        on_behalf_of: envelope.on_behalf_of.clone(),
        role,
        partner: partner.cloned(),
        level,
        backfill: envelope.backfill,
        reason: None,
        correlation: envelope.correlation.as_deref().map(Into::into),
        causation: envelope.causation.as_deref().map(Into::into),
    })
}

fn check_role(origin: &Origin, command: &Command) -> Result<(), BusRejection> {
    let (kind, role) = (command.kind(), origin.role);
    if !kind.allows(role) {
        return Err(BusRejection::Role { role, command: kind.name });
    }
    let speaks_for_itself = match command.owner() {
        Some(owner) => origin.partner.as_ref() == Some(owner),
        // Whose deal it is, or that it is the vendor's own, the decision knows.
        None => origin.partner.is_some(),
    };
    if role == Role::Partner && !speaks_for_itself {
        return Err(BusRejection::Partner { command: kind.name });
    }
    if origin.on_behalf_of.is_some() && !matches!(role, Role::Operator | Role::Service) {
        return Err(BusRejection::OnBehalfOf { role });
    }
    if origin.backfill && role != Role::Operator {
        return Err(BusRejection::Backfill { role });
    }
    Ok(())
}
