//! Deals: registration, protection of a slot, closing.
//!
//! Submitted → approved (protected from approval to approval + `protection_days`) → won, lost,
//! expired, withdrawn or displaced; submitted → rejected; contested while a conflict stands.

mod amend_deal;
mod approve_deal;
mod close_deal;
mod ending;
mod expire_deal;
mod extend_deal;
mod fold;
mod register_deal;
mod reject_deal;
mod rejections;
mod slot;
mod standing;
mod state;
mod terms;
mod withdraw_deal;

pub(crate) use approve_deal::approval;
pub(crate) use ending::guard_end;
pub(crate) use expire_deal::{due, due_at};
pub(crate) use fold::evolve;
pub(crate) use rejections::DealRejection;
pub(crate) use slot::{Guard, Slot};
pub(crate) use slot::{
    Occupant, Place, last_other, move_slot, occupant, overlap, require_order, slot as slot_at,
};
pub(crate) use standing::{named, read, stored};
pub(crate) use state::{Deal, DealState};

use crate::{Context, Fact, Facts, Refusal};
use chl_commands::deal::Deal as Command;

pub(crate) fn decide(
    command: &Command,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    match command {
        Command::RegisterDeal(command) => register_deal::decide(command, facts, context),
        Command::ApproveDeal(command) => approve_deal::decide(command, facts, context),
        Command::RejectDeal(command) => reject_deal::decide(command, facts, context),
        Command::AmendDeal(command) => amend_deal::decide(command, facts, context),
        Command::WithdrawDeal(command) => withdraw_deal::decide(command, facts, context),
        Command::ExtendDeal(command) => extend_deal::decide(command, facts, context),
        Command::ExpireDeal(command) => expire_deal::decide(command, facts, context),
        Command::MarkDealWon(command) => close_deal::won(command, facts, context),
        Command::MarkDealLost(command) => close_deal::lost(command, facts, context),
    }
}
