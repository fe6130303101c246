//! Programmes: the chain of published versions, and which of them is in force.

mod publish_programme;
mod rejections;
mod state;
mod terms_check;

pub(crate) use rejections::ProgrammeRejection;
pub(crate) use state::{Programme, Version};
pub(crate) use state::{known, terms_at, terms_in_force, version};

use crate::{Context, Fact, Facts, Refusal, RowsMut, Unavailable};
use chl_commands::programme::Programme as Command;
use chl_events::programme::ProgrammeEvent;

pub(crate) fn decide(
    command: &Command,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    match command {
        Command::PublishProgramme(command) => publish_programme::decide(command, facts, context),
    }
}

pub(crate) fn evolve(event: &ProgrammeEvent, rows: &mut dyn RowsMut) -> Result<(), Unavailable> {
    match event {
        ProgrammeEvent::ProgrammePublished(event) => {
            state::published(event, rows);
            Ok(())
        }
    }
}
