//! Which lots and which request a command on a claim touches, for what is due there.

use super::Claim;
use crate::{Facts, Unavailable};
use chl_commands::claim::Claim as Command;
use chl_events::{ClaimId, LotId, RequestId};

/// The claim that a command names.
fn id(command: &Command) -> &ClaimId {
    match command {
        Command::ClaimCoop(command) => &command.claim,
        Command::ClaimMdf(command) => &command.claim,
        Command::AddProof(command) => &command.claim,
        Command::WithdrawClaim(command) => &command.claim,
        Command::ApproveClaim(command) => &command.claim,
        Command::RejectClaim(command) => &command.claim,
        Command::DisputeClaim(command) => &command.claim,
        Command::PayClaim(command) => &command.claim,
        Command::FailPayment(command) => &command.claim,
        Command::ClawbackClaim(command) => &command.claim,
        Command::RecoverClawback(command) => &command.claim,
        Command::WriteOffClawback(command) => &command.claim,
    }
}

/// The lots of the claim that a command names.
pub(crate) fn lots(command: &Command, facts: Facts<'_>) -> Result<Vec<LotId>, Unavailable> {
    let claim = facts.get::<Claim>(id(command))?;
    let parts = claim.iter().flat_map(|claim| &claim.parts);
    Ok(parts.filter_map(|part| part.lot.clone()).collect())
}

/// The request of the claim that a command names.
pub(crate) fn request(
    command: &Command,
    facts: Facts<'_>,
) -> Result<Option<RequestId>, Unavailable> {
    let claim = facts.get::<Claim>(id(command))?;
    Ok(claim.and_then(|claim| Some(claim.request.as_ref()?.0.clone())))
}
