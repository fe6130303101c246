//! Claims on co-op and MDF: from the hold to the payment, and back.

mod add_proof;
mod approve_claim;
mod case;
mod claim_coop;
mod claim_mdf;
mod clawback;
mod dispute_claim;
mod draw;
mod end_claim;
mod pay_claim;
mod proof;
mod rejections;
mod state;
mod touched;

pub(crate) use rejections::ClaimRejection;
pub(crate) use state::{Claim, ClaimPart, ClaimState, Invoice};

pub(crate) use clawback::{can_undo_recovery, recovery_undone, write_off_undone};
pub(crate) use touched::{lots, request};

use crate::{Context, Fact, Facts, Refusal, RowsMut, Unavailable};
use chl_commands::claim::Claim as Command;
use chl_events::Commit;
use chl_events::claim::ClaimEvent;

pub(crate) fn decide(
    command: &Command,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    match command {
        Command::ClaimCoop(command) => claim_coop::decide(command, facts, context),
        Command::ClaimMdf(command) => claim_mdf::decide(command, facts, context),
        Command::AddProof(command) => add_proof::decide(command, facts, context),
        Command::WithdrawClaim(command) => end_claim::withdraw(command, facts, context),
        Command::ApproveClaim(command) => approve_claim::decide(command, facts, context),
        Command::RejectClaim(command) => end_claim::reject(command, facts, context),
        Command::DisputeClaim(command) => dispute_claim::decide(command, facts, context),
        Command::PayClaim(command) => pay_claim::pay(command, facts, context),
        Command::FailPayment(command) => pay_claim::fail(command, facts, context),
        Command::ClawbackClaim(command) => clawback::claw_back(command, facts, context),
        Command::RecoverClawback(command) => clawback::recover(command, facts, context),
        Command::WriteOffClawback(command) => clawback::write_off(command, facts, context),
    }
}

pub(crate) fn evolve(
    event: &ClaimEvent,
    commit: &Commit,
    rows: &mut dyn RowsMut,
) -> Result<(), Unavailable> {
    match event {
        ClaimEvent::CoopClaimed(event) => claim_coop::evolve(event, commit, rows),
        ClaimEvent::MdfClaimed(event) => claim_mdf::evolve(event, commit, rows),
        ClaimEvent::ProofAdded(event) => add_proof::evolve(event, commit, rows),
        ClaimEvent::ClaimWithdrawn(event) => end_claim::withdrawn(event, commit, rows),
        ClaimEvent::ClaimApproved(event) => approve_claim::evolve(event, commit, rows),
        ClaimEvent::ClaimRejected(event) => end_claim::rejected(event, commit, rows),
        ClaimEvent::ClaimDisputed(event) => dispute_claim::evolve(event, commit, rows),
        ClaimEvent::ClaimPaid(event) => pay_claim::paid(event, commit, rows),
        ClaimEvent::PaymentFailed(event) => pay_claim::failed(event, commit, rows),
        ClaimEvent::ClaimClawedBack(event) => clawback::clawed_back(event, commit, rows),
        ClaimEvent::ClawbackRecovered(event) => clawback::recovered(event, commit, rows),
        ClaimEvent::ClawbackWrittenOff(event) => clawback::written_off(event, commit, rows),
    }
}
