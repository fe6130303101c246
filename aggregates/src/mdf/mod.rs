//! MDF of one partner in one programme: allocations, and requests that reserve them.

mod allocation;
mod approve_mdf_request;
mod due;
mod end_mdf_request;
mod rejections;
mod request_mdf;
mod state;

pub(crate) use rejections::MdfRejection;
pub(crate) use state::{Allocation, Approval, MdfFund, Request, RequestState};

pub(crate) use allocation::stream_of;
pub(crate) use due::due;
pub(crate) use state::{change_fund, fund, request, terms};

use crate::{Context, Fact, Facts, Refusal, RowsMut, Unavailable};
use chl_commands::mdf::Mdf as Command;
use chl_events::Commit;
use chl_events::mdf::MdfEvent;

pub(crate) fn decide(
    command: &Command,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    match command {
        Command::CreditMdfAllocation(command) => allocation::credit(command, facts, context),
        Command::ReturnMdfAllocation(command) => allocation::give_back(command, facts, context),
        Command::RequestMdf(command) => request_mdf::decide(command, facts, context),
        Command::ApproveMdfRequest(command) => approve_mdf_request::decide(command, facts, context),
        Command::RejectMdfRequest(command) => end_mdf_request::reject(command, facts, context),
        Command::CancelMdfRequest(command) => end_mdf_request::cancel(command, facts, context),
        Command::LapseMdfRequest(command) => end_mdf_request::lapse(command, facts, context),
    }
}

pub(crate) fn evolve(
    event: &MdfEvent,
    commit: &Commit,
    rows: &mut dyn RowsMut,
) -> Result<(), Unavailable> {
    match event {
        MdfEvent::MdfAllocationCredited(event) => state::credited(event, rows),
        MdfEvent::MdfAllocationReduced(event) => state::reduced(event, rows),
        MdfEvent::MdfRequested(event) => {
            state::requested(event, commit, rows);
            Ok(())
        }
        MdfEvent::MdfRequestApproved(event) => state::approved(event, commit, rows),
        MdfEvent::MdfRequestRejected(event) => {
            state::over(rows, &event.request, RequestState::Rejected, None, commit)
        }
        MdfEvent::MdfRequestCancelled(event) => {
            state::over(rows, &event.request, RequestState::Cancelled, event.released, commit)
        }
        MdfEvent::MdfRequestLapsed(event) => {
            let released = Some(event.released);
            state::over(rows, &event.request, RequestState::Lapsed, released, commit)
        }
    }
}
