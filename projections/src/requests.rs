//! MDF requests: what was asked for before the activity, and what is reserved for it.

use crate::{
    FoldError, Keeps,
    fact::Fact,
    row::{row, states},
};
use chl_events::{
    ActorId, Code, Date, Event, Instant, Money, PartnerId, ProgrammeId, RequestId, mdf::MdfEvent,
};

states! {
    /// What an MDF request is.
    RequestState {
        /// Asked for, not decided.
        Submitted => "submitted",
        /// Its amount is reserved.
        Approved => "approved",
        /// The last claim on it stands.
        Claimed => "claimed",
        /// Its last claim was approved.
        Closed => "closed",
        /// Refused.
        Rejected => "rejected",
        /// Called off.
        Cancelled => "cancelled",
        /// Its claim window passed.
        Lapsed => "lapsed",
    }
}

row! {
    /// An MDF request.
    RequestRow in "requests"
    keys {
        /// The request.
        request: RequestId,
    }
    fields {
        /// The partner.
        partner: PartnerId,
        /// The programme.
        programme: ProgrammeId,
        /// What is to be done.
        activity: Code,
        /// First day of the activity.
        start_on: Date,
        /// Last day of the activity.
        end_on: Date,
        /// What it should cost.
        estimated_cost: Money,
        /// How many leads it should bring.
        expected_leads: Option<u32>,
        /// How much revenue it should bring.
        expected_revenue: Option<Money>,
        /// What it is.
        state: RequestState,
        /// When it was sent in.
        requested_at: Instant,
        /// What was reserved when it was approved.
        approved: Option<Money>,
        /// Who approved it.
        approved_by: Option<ActorId>,
        /// When it was approved.
        approved_at: Option<Instant>,
        /// The version of the terms its claims follow.
        programme_version: Option<u32>,
        /// The last day a claim may be sent in.
        claims_until: Option<Date>,
        /// When what is still reserved then lapses.
        lapses_at: Option<Instant>,
        /// Until when money clawed back from its claims returns to the partner.
        tail_until: Option<Instant>,
        /// When it ended: rejected, cancelled, lapsed or closed.
        ended_at: Option<Instant>,
    }
    indices [["partner"]]
}

impl RequestState {
    /// Whether nothing can be claimed on it any more.
    pub(crate) fn is_over(self) -> bool {
        match self {
            Self::Submitted | Self::Approved | Self::Claimed => false,
            Self::Closed | Self::Rejected | Self::Cancelled | Self::Lapsed => true,
        }
    }
}

impl RequestRow {
    pub(crate) fn end(&mut self, fact: &Fact<'_>, state: RequestState) {
        self.state = state;
        self.ended_at = Some(fact.time());
    }
}

/// Folds the facts of MDF requests; those of the claims on them fold in `claimed`.
pub(crate) fn fold<S: Keeps<RequestRow>>(fact: &Fact<'_>, store: &mut S) -> Result<(), FoldError> {
    let Event::Mdf(event) = fact.event() else { return Ok(()) };
    match event {
        MdfEvent::MdfAllocationCredited(_) | MdfEvent::MdfAllocationReduced(_) => Ok(()),
        MdfEvent::MdfRequested(e) => {
            store.put(RequestRow {
                request: e.request.clone(),
                partner: e.partner.clone(),
                programme: e.programme.clone(),
                activity: e.activity.clone(),
                start_on: e.start,
                end_on: e.end,
                estimated_cost: e.estimated_cost,
                expected_leads: e.expected_leads,
                expected_revenue: e.expected_revenue,
                state: RequestState::Submitted,
                requested_at: fact.time(),
                approved: None,
                approved_by: None,
                approved_at: None,
                programme_version: None,
                claims_until: None,
                lapses_at: None,
                tail_until: None,
                ended_at: None,
            })?;
            Ok(())
        }
        MdfEvent::MdfRequestApproved(e) => edit(fact, store, &e.request, |row| {
            row.state = RequestState::Approved;
            row.approved = Some(e.amount);
            row.approved_by = Some(fact.actor());
            row.approved_at = Some(fact.time());
            row.programme_version = Some(e.programme_version);
            row.claims_until = Some(e.claims_until);
            row.lapses_at = Some(e.lapses_at);
            row.tail_until = Some(e.tail_until);
        }),
        MdfEvent::MdfRequestRejected(e) => {
            edit(fact, store, &e.request, |row| row.end(fact, RequestState::Rejected))
        }
        MdfEvent::MdfRequestCancelled(e) => {
            edit(fact, store, &e.request, |row| row.end(fact, RequestState::Cancelled))
        }
        MdfEvent::MdfRequestLapsed(e) => {
            edit(fact, store, &e.request, |row| row.end(fact, RequestState::Lapsed))
        }
    }
}

/// Changes a request.
pub(crate) fn edit<S: Keeps<RequestRow>>(
    fact: &Fact<'_>,
    store: &mut S,
    request: &RequestId,
    change: impl FnOnce(&mut RequestRow),
) -> Result<(), FoldError> {
    let key = (request.clone(),);
    if let Some(row) = fact.known(store.edit(&key)?, "request", request)? {
        change(row);
    }
    Ok(())
}
