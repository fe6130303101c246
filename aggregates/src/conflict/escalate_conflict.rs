//! EscalateConflict: a higher level of authority is to decide.

use super::ConflictRejection;
use super::state::{levels, named};
use crate::context::sealed;
use crate::{Context, Fact, Facts, Refusal};
use chl_commands::conflict::EscalateConflict;
use chl_events::conflict::ConflictEscalated;

pub(super) fn decide(
    command: &EscalateConflict,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let conflict = named(facts, &command.conflict, &command.customer)?;
    let (id, level) = (&command.conflict, command.level);
    if level <= conflict.level {
        let level = conflict.level;
        return Err(ConflictRejection::LevelReached { conflict: id.clone(), level }.into());
    }
    let version = conflict.terms(facts)?;
    let named = levels(&version).iter().find(|named| named.level == level);
    let days = named.ok_or(ConflictRejection::LevelUnknown { level })?.days;
    context.require_time()?;
    context.require_order(conflict.latest)?;
    let zone = version.zone();
    let event = ConflictEscalated {
        conflict: id.clone(),
        customer: command.customer.clone(),
        level,
        due: Some(zone.plus_days(context.time, days)),
        note: sealed(command.note.as_ref()),
    };
    Ok(vec![Fact::new(zone.day(context.time), event)])
}
