//! RejectMdfRequest, CancelMdfRequest and LapseMdfRequest: a request ends without its last claim,
//! and what is still reserved for it is the fund's again.

use super::{MdfRejection, Request, RequestState, state};
use crate::context::sealed;
use crate::posting::{Move, Posting};
use crate::{Context, Fact, Facts, Refusal, partner, programme};
use chl_commands::mdf::{CancelMdfRequest, LapseMdfRequest, RejectMdfRequest};
use chl_events::mdf::{MdfRequestCancelled, MdfRequestLapsed, MdfRequestRejected};
use chl_events::{Date, Fund, PartnerId, ProgrammeId, RequestId};
use std::sync::Arc;

pub(super) fn reject(
    command: &RejectMdfRequest,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let RejectMdfRequest { request: id, partner, programme, note } = command;
    let request = named(facts, programme, partner, id)?;
    if request.state != RequestState::Submitted {
        return Err(wrong_state(id, &request));
    }
    let today = check_time(facts, programme, &request, context)?;
    let event = MdfRequestRejected {
        request: id.clone(),
        partner: partner.clone(),
        programme: programme.clone(),
        note: sealed(note.as_ref()),
    };
    Ok(vec![Fact::new(today, event)])
}

pub(super) fn cancel(
    command: &CancelMdfRequest,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let CancelMdfRequest { request: id, partner, programme, note } = command;
    let request = named(facts, programme, partner, id)?;
    if request.held.is_positive() {
        let (request, held) = (id.clone(), request.held);
        return Err(MdfRejection::OpenClaim { request, held }.into());
    }
    let released = match request.state {
        RequestState::Submitted => None,
        RequestState::Approved => Some(request.reserved),
        RequestState::Claimed
        | RequestState::Closed
        | RequestState::Rejected
        | RequestState::Cancelled
        | RequestState::Lapsed => return Err(wrong_state(id, &request)),
    };
    let today = check_time(facts, programme, &request, context)?;
    let lines = Posting::of(Fund::Mdf, partner);
    let lines =
        released.into_iter().fold(lines, |lines, released| lines.add(Move::Unreserve, released));
    let event = MdfRequestCancelled {
        request: id.clone(),
        partner: partner.clone(),
        programme: programme.clone(),
        released,
        note: sealed(note.as_ref()),
    };
    Ok(vec![Fact::posting(today, event, lines.lines())])
}

pub(super) fn lapse(
    command: &LapseMdfRequest,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let LapseMdfRequest { request: id, partner, programme } = command;
    let request = named(facts, programme, partner, id)?;
    let approval = request.approval.as_ref().filter(|_| request.state == RequestState::Approved);
    let Some(approval) = approval else { return Err(wrong_state(id, &request)) };
    context.require_time()?;
    let due = approval.lapses_at;
    if context.time < due {
        return Err(MdfRejection::TooEarly { request: id.clone(), due }.into());
    }
    let version = programme::version(facts, programme, approval.programme_version)?;
    let released = request.unclaimed();
    let event = MdfRequestLapsed {
        request: id.clone(),
        partner: partner.clone(),
        programme: programme.clone(),
        released,
    };
    let lines = Posting::of(Fund::Mdf, partner).add(Move::Unreserve, released).lines();
    Ok(vec![Fact::posting(version.zone().day(due), event, lines)])
}

fn named(
    facts: Facts<'_>,
    programme: &ProgrammeId,
    partner: &PartnerId,
    id: &RequestId,
) -> Result<Arc<Request>, Refusal> {
    partner::known(facts, partner)?;
    programme::known(facts, programme)?;
    state::request(facts, programme, partner, id)
}

fn wrong_state(id: &RequestId, request: &Request) -> Refusal {
    MdfRejection::WrongState { request: id.clone(), state: request.state.as_str() }.into()
}

/// The day of the command, once its time is neither in the future nor before the request's.
fn check_time(
    facts: Facts<'_>,
    programme: &ProgrammeId,
    request: &Request,
    context: &Context<'_>,
) -> Result<Date, Refusal> {
    let version = programme::terms_in_force(facts, programme, context.time)?;
    context.require_time()?;
    context.require_order(request.latest)?;
    Ok(version.zone().day(context.time))
}

#[cfg(test)]
mod tests {
    use crate::fund_story::{
        allocate, approve, approve_request, claim_mdf, half, mdf_fund, p, prog, reject, request,
    };
    use crate::given::Given;
    use crate::story::{id, usd};
    use chl_commands::claim::ClaimMdf;
    use chl_commands::mdf::{CancelMdfRequest, LapseMdfRequest, RejectMdfRequest};
    use chl_events::Fund::Mdf;

    fn approved() -> Given {
        let story = mdf_fund(half()).and(request("r", "4000")).by_manager("cm", 1);
        story.and(approve_request("r")).by_operator()
    }

    fn lapse_r() -> LapseMdfRequest {
        LapseMdfRequest { request: id("r"), partner: p(), programme: prog() }
    }

    fn cancel_r() -> CancelMdfRequest {
        CancelMdfRequest { request: id("r"), partner: p(), programme: prog(), note: None }
    }

    fn reject_r() -> RejectMdfRequest {
        RejectMdfRequest { request: id("r"), partner: p(), programme: prog(), note: None }
    }

    #[test]
    fn what_was_reserved_is_free_again() {
        let mut story = approved();
        assert_eq!(story.allocated(), usd("2000"));
        story.when(reject_r()).refused("mdf.wrong_state");
        story.when(lapse_r()).refused("mdf.too_early");
        let cancelled = story.clone().and(cancel_r());
        assert_eq!(cancelled.allocated(), usd("4000"));
        let lapsed = story.at("2026-05-12T00:00:00Z").and(lapse_r());
        assert_eq!(lapsed.allocated(), usd("4000"));
        let mut lapsed = lapsed;
        lapsed.when(cancel_r()).refused("mdf.wrong_state");
        lapsed.when(claim_mdf("c", "r", "1")).refused("mdf.wrong_state");
    }

    #[test]
    fn before_approval_nothing_is_reserved() {
        let story = mdf_fund(half()).and(request("r", "4000"));
        assert_eq!(story.clone().and(cancel_r()).allocated(), usd("4000"));
        let mut rejected = story.and(reject_r());
        rejected.when(cancel_r()).refused("mdf.wrong_state");
        rejected.when(lapse_r()).refused("mdf.wrong_state");
    }

    #[test]
    fn an_open_claim_keeps_its_part() {
        let part = ClaimMdf { r#final: Some(false), ..claim_mdf("c", "r", "1000") };
        let mut story = approved().at("2026-03-10T09:00:00Z").and(part);
        story.when(cancel_r()).refused("mdf.open_claim");
        // Any command on the claim makes the request lapse first; what the claim holds stays.
        let story = story.at("2026-05-12T00:00:00Z").by_manager("cm", 1);
        let mut kept = story.clone();
        let names = kept.when(approve(Mdf, "c", None)).names();
        assert_eq!(names, ["MdfRequestLapsed", "ClaimApproved"]);
        assert_eq!(kept.allocated(), usd("3500"));
        let freed = story.and(reject(Mdf, "c"));
        assert_eq!(freed.and(allocate("b", "1")).allocated(), usd("4001"));
    }
}
