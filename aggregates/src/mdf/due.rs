//! What the clock owes on the request that a command touches: its lapse.

use super::{Request, RequestState};
use crate::Due;
use crate::{Facts, Unavailable, claim};
use chl_commands::Command;
use chl_commands::claim::Claim;
use chl_commands::mdf::{LapseMdfRequest, Mdf};
use chl_events::{Instant, RequestId, Stream};

/// What is due by `time` on the request that a command touches, save what it asks for itself.
pub(crate) fn due(
    command: &Command,
    facts: Facts<'_>,
    time: Instant,
) -> Result<Vec<Due>, Unavailable> {
    let Some(Stream::Mdf(programme, partner)) = command.stream() else { return Ok(Vec::new()) };
    let Some(id) = touched(command, facts)? else { return Ok(Vec::new()) };
    let request = facts.get::<Request>(&id)?.filter(|request| {
        request.partner == partner
            && request.programme == programme
            && request.state == RequestState::Approved
    });
    let at = request.and_then(|request| Some(request.approval.as_ref()?.lapses_at));
    let lapse = LapseMdfRequest { request: id, partner, programme };
    let due = at.map(|at| Due { at, command: lapse.into() });
    Ok(due.into_iter().filter(|due| due.at <= time && due.command != *command).collect())
}

fn touched(command: &Command, facts: Facts<'_>) -> Result<Option<RequestId>, Unavailable> {
    Ok(match command {
        Command::Mdf(Mdf::RequestMdf(command)) => Some(command.request.clone()),
        Command::Mdf(Mdf::ApproveMdfRequest(command)) => Some(command.request.clone()),
        Command::Mdf(Mdf::RejectMdfRequest(command)) => Some(command.request.clone()),
        Command::Mdf(Mdf::CancelMdfRequest(command)) => Some(command.request.clone()),
        Command::Mdf(Mdf::LapseMdfRequest(command)) => Some(command.request.clone()),
        Command::Claim(Claim::ClaimMdf(command)) => Some(command.request.clone()),
        Command::Claim(command) => claim::request(command, facts)?,
        Command::Mdf(Mdf::CreditMdfAllocation(_) | Mdf::ReturnMdfAllocation(_))
        | Command::Ledger(_)
        | Command::Partner(_)
        | Command::Programme(_)
        | Command::Customer(_)
        | Command::Deal(_)
        | Command::Conflict(_)
        | Command::Coop(_)
        | Command::Budget(_)
        | Command::Rebate(_) => None,
    })
}
