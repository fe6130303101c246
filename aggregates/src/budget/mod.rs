//! MDF budgets: what a vendor sets aside, and what partners get of it.

mod allocation;
mod life;
mod rejections;
mod state;

pub(crate) use rejections::BudgetRejection;
pub(crate) use state::Budget;

pub(crate) use state::{can_undo_creation, creation_undone, known};

use crate::{Context, Fact, Facts, Refusal, RowsMut, Unavailable, programme};
use chl_commands::budget::Budget as Command;
use chl_events::budget::BudgetEvent;
use chl_events::{Date, ProgrammeId};

pub(crate) fn decide(
    command: &Command,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    match command {
        Command::CreateMdfBudget(command) => life::create(command, facts, context),
        Command::CloseMdfBudget(command) => life::close(command, facts, context),
        Command::AllocateMdf(command) => allocation::allocate(command, facts, context),
        Command::RestoreMdfBudget(command) => allocation::restore(command, facts, context),
    }
}

pub(crate) fn evolve(event: &BudgetEvent, rows: &mut dyn RowsMut) -> Result<(), Unavailable> {
    match event {
        BudgetEvent::MdfBudgetCreated(event) => {
            state::created(event, rows);
            Ok(())
        }
        BudgetEvent::MdfBudgetClosed(event) => state::closed(rows, &event.budget, event.returned),
        BudgetEvent::MdfAllocated(event) => state::allocated(rows, &event.budget, event.amount),
        BudgetEvent::MdfAllocationReturned(event) => {
            state::returned(rows, &event.budget, event.amount)
        }
    }
}

/// The day of the command in the zone of the programme's newest version; budgets are planned
/// before a version is in force.
fn today(
    facts: Facts<'_>,
    programme: &ProgrammeId,
    context: &Context<'_>,
) -> Result<Date, Refusal> {
    let newest = programme::known(facts, programme)?.newest;
    Ok(programme::version(facts, programme, newest)?.zone().day(context.time))
}
