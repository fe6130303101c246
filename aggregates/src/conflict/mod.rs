//! Conflicts: two routes to market at one slot, from the evidence to the decision.
//!
//! Open → (escalated) → resolved or lapsed. A conflict lapses when the incumbent's guard of the
//! slot ends for any reason, or the challenger ends; the challenger is then submitted and
//! unprotected.

mod escalate_conflict;
mod id;
mod open_conflict;
mod opening;
mod rejections;
mod resolve_conflict;
mod state;

pub use id::{conflict_id, duplicate_id};
pub(crate) use id::{kind_of, merge_conflict_id};
pub(crate) use opening::{Opening, rule_of};
pub(crate) use rejections::ConflictRejection;
pub(crate) use state::Conflict;
pub(crate) use state::{evolve, stands};

use crate::{Context, Due, Fact, Facts, Refusal, Unavailable, customer, deal};
use chl_commands::conflict::Conflict as Command;
use chl_events::Instant;

pub(crate) fn decide(
    command: &Command,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    match command {
        Command::OpenConflict(command) => open_conflict::decide(command, facts, context),
        Command::EscalateConflict(command) => escalate_conflict::decide(command, facts, context),
        Command::ResolveConflict(command) => resolve_conflict::decide(command, facts, context),
    }
}

/// What the clock owes on the slot a command on conflicts touches.
pub(crate) fn due(
    command: &Command,
    facts: Facts<'_>,
    time: Instant,
) -> Result<Vec<Due>, Unavailable> {
    let id = match command {
        Command::OpenConflict(command) => &command.conflict,
        Command::EscalateConflict(command) => &command.conflict,
        Command::ResolveConflict(command) => &command.conflict,
    };
    match facts.get::<Conflict>(id)? {
        Some(row) => {
            let customer = customer::survivor(facts, &row.customer)?;
            deal::due_at(facts, &customer, &row.product_line, time, None)
        }
        None => Ok(Vec::new()),
    }
}
