//! Rejections of MDF requests and allocations.

use crate::rejection::rejections;
use chl_events::{Code, Date, Instant, Money, ProgrammeId, RequestId};

rejections! {
    /// Rejections of MDF requests and allocations, in order of precedence.
    MdfRejection {
        /// Nobody approves a request of their own.
        OwnRequest { request: RequestId }
            = "mdf.own_request", NotPermitted, "request {request} was sent in by the same person";
        /// The partner's fund has no such request.
        UnknownRequest { request: RequestId }
            = "mdf.request_unknown", Unknown, "the fund has no request {request}";
        /// The identifier of the request is taken.
        RequestTaken { request: RequestId }
            = "mdf.request_taken", AlreadyDone, "a request {request} exists already";
        /// The request is not in a state in which this can be done.
        WrongState { request: RequestId, state: &'static str }
            = "mdf.wrong_state", WrongState, "request {request} is {state}";
        /// The request has a claim that is not decided. Decide the claim first.
        OpenClaim { request: RequestId, held: Money }
            = "mdf.open_claim", WrongState, "a claim on request {request} still holds {held}";
        /// The version in force states no MDF.
        NotOffered { programme: ProgrammeId, version: u32 }
            = "mdf.not_offered", Terms, "version {version} of {programme} has no MDF";
        /// The terms do not pay for the activity.
        ActivityExcluded { activity: Code }
            = "mdf.activity_excluded", Terms, "the terms do not pay for {activity}";
        /// Funds are asked for before the activity, not after it has begun.
        TooLate { start: Date, today: Date }
            = "mdf.too_late", Terms, "the activity began on {start}; it is {today}";
        /// The request's claim window is not over.
        TooEarly { request: RequestId, due: Instant }
            = "mdf.too_early", Terms, "request {request} does not lapse before {due}";
        /// More would be reserved than the vendor's share of the estimate.
        AboveShare { most: Money, given: Money }
            = "mdf.above_share", Terms, "{given} is more than the vendor's share, {most}";
        /// The fund does not hold so much that is neither reserved nor returned.
        FundExhausted { available: Money, needed: Money }
            = "mdf.fund_exhausted", Money, "{needed} is needed; {available} is available";
        /// More would be returned than the budget allocated to the partner.
        OverAllocation { allocated: Money, given: Money }
            = "mdf.over_allocation", Money, "{given} is more than the {allocated} of this budget";
    }
}
