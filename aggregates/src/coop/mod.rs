//! Co-op: what sales accrue, in lots by earning period, until it is claimed, converted or expired.

mod accrue_coop;
mod close_coop_period;
mod due;
mod expire_coop_lot;
mod lot;
mod rejections;
mod reverse_accrual;
mod state;
mod undo;
mod window;

pub(crate) use rejections::CoopRejection;
pub(crate) use state::{CoopFund, Lot, OpenLot, RateKey, Sale};

pub(crate) use due::due;
pub(crate) use lot::terms;
pub(crate) use state::{
    accrual_undone, change_owed, fund, held, lot_of_fact, released, return_undone,
};
pub(crate) use undo::{can_undo_accrual, can_undo_return};

use crate::{Context, Fact, Facts, Refusal, RowsMut, Unavailable};
use chl_commands::coop::Coop as Command;
use chl_events::coop::CoopEvent;

pub(crate) fn decide(
    command: &Command,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    match command {
        Command::AccrueCoop(command) => accrue_coop::decide(command, facts, context),
        Command::ReverseAccrual(command) => reverse_accrual::decide(command, facts, context),
        Command::CloseCoopPeriod(command) => close_coop_period::decide(command, facts, context),
        Command::ExpireCoopLot(command) => expire_coop_lot::decide(command, facts, context),
    }
}

pub(crate) fn evolve(event: &CoopEvent, rows: &mut dyn RowsMut) -> Result<(), Unavailable> {
    match event {
        CoopEvent::CoopLotOpened(event) => state::opened(event, rows),
        CoopEvent::CoopAccrued(event) => state::accrued(event, rows),
        CoopEvent::CoopAccrualReversed(event) => state::reversed(event, rows),
        CoopEvent::CoopPeriodClosed(event) => state::closed(event, rows),
        CoopEvent::CoopLotExpired(event) => state::expired(event, rows),
    }
}
