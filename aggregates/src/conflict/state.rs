//! States of conflicts.

use super::ConflictRejection;
use crate::deal::Deal;
use crate::programme::{self, Version};
use crate::{Facts, Refusal, RowsMut, Unavailable, customer, rows};
use chl_events::conflict::{ConflictEvent, ConflictOpened};
use chl_events::{
    Code, Commit, ConflictId, CustomerId, DealId, Instant, ProgrammeId, terms::ConflictLevel,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How far a conflict has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictState {
    /// Open, unless the incumbent's guard has ended: see [`stands`].
    Open,
    /// Decided.
    Resolved,
    /// Ended undecided, with its challenger.
    Lapsed,
}

/// A conflict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conflict {
    /// The customer it was opened on.
    pub customer: CustomerId,
    /// The product line.
    pub product_line: Code,
    /// The deal that guards the slot.
    pub incumbent: DealId,
    /// The deal that came second.
    pub challenger: DealId,
    /// The incumbent's programme, whose terms say who decides.
    pub programme: ProgrammeId,
    /// The version of those terms.
    pub version: u32,
    /// How far it has come.
    pub state: ConflictState,
    /// The level that is to decide.
    pub level: u8,
    /// The latest effective instant recorded of it.
    pub latest: Instant,
}

impl Conflict {
    /// The terms that say who decides.
    pub(crate) fn terms(&self, facts: Facts<'_>) -> Result<Arc<Version>, Unavailable> {
        programme::version(facts, &self.programme, self.version)
    }
}

/// The levels of a version's terms.
pub(super) fn levels(version: &Version) -> &[ConflictLevel] {
    version.terms.deal_registration.as_ref().map_or(&[], |terms| &terms.conflict_levels)
}

/// Whether a conflict stands, or is about to be opened by the policy.
pub(crate) fn stands(facts: Facts<'_>, id: &ConflictId) -> Result<bool, Unavailable> {
    match facts.get::<Conflict>(id)? {
        None => Ok(true),
        Some(conflict) => open(facts, &conflict),
    }
}

/// Whether a conflict is open: not decided, and its incumbent still guards the slot.
fn open(facts: Facts<'_>, conflict: &Conflict) -> Result<bool, Unavailable> {
    let incumbent = facts.get::<Deal>(&conflict.incumbent)?;
    let guards = incumbent.is_some_and(|deal| deal.guards);
    Ok(conflict.state == ConflictState::Open && guards)
}

/// The open conflict a command names (classes 3 to 5).
pub(super) fn named(
    facts: Facts<'_>,
    id: &ConflictId,
    customer: &CustomerId,
) -> Result<Arc<Conflict>, Refusal> {
    customer::require_unmerged(facts, customer)?;
    let unknown = || ConflictRejection::Unknown { conflict: id.clone() };
    let conflict = facts.get::<Conflict>(id)?.ok_or_else(unknown)?;
    if !customer::is_now(facts, &conflict.customer, customer)? {
        return Err(unknown().into());
    }
    if conflict.state == ConflictState::Resolved {
        return Err(ConflictRejection::AlreadyResolved { conflict: id.clone() }.into());
    }
    if !open(facts, &conflict)? {
        return Err(ConflictRejection::Lapsed { conflict: id.clone() }.into());
    }
    Ok(conflict)
}

pub(crate) fn evolve(
    event: &ConflictEvent,
    commit: &Commit,
    rows: &mut dyn RowsMut,
) -> Result<(), Unavailable> {
    let time = commit.time();
    match event {
        ConflictEvent::ConflictOpened(event) => opened(event, time, rows),
        ConflictEvent::ConflictEscalated(event) => {
            on(rows, &event.conflict, time, |conflict| conflict.level = event.level)
        }
        ConflictEvent::ConflictResolved(event) => {
            on(rows, &event.conflict, time, |row| row.state = ConflictState::Resolved)
        }
        ConflictEvent::ConflictLapsed(event) => {
            on(rows, &event.conflict, time, |row| row.state = ConflictState::Lapsed)
        }
    }
}

fn on(
    rows: &mut dyn RowsMut,
    id: &ConflictId,
    at: Instant,
    change: impl FnOnce(&mut Conflict),
) -> Result<(), Unavailable> {
    rows::update::<Conflict>(rows, id, |conflict| {
        change(conflict);
        conflict.latest = conflict.latest.max(at);
    })
}

fn opened(
    event: &ConflictOpened,
    time: Instant,
    rows: &mut dyn RowsMut,
) -> Result<(), Unavailable> {
    let missing =
        || Unavailable(format!("no deal {}, which a conflict names", event.incumbent).into());
    let incumbent = rows::get::<Deal>(rows, &event.incumbent)?.ok_or_else(missing)?;
    let conflict = Conflict {
        customer: event.customer.clone(),
        product_line: event.product_line.clone(),
        incumbent: event.incumbent.clone(),
        challenger: event.challenger.clone(),
        programme: incumbent.programme.clone(),
        version: event.evidence.programme_version,
        state: ConflictState::Open,
        level: event.level,
        latest: time,
    };
    rows::put(rows, &event.conflict, conflict);
    Ok(())
}
