//! Rejections of claims on either fund.

use crate::rejection::rejections;
use chl_events::{ClaimId, Code, Date, Instant, Money, PartnerId, ProgrammeId};

rejections! {
    /// Rejections of claims, in order of precedence.
    ClaimRejection {
        /// Nobody approves a claim that they sent in or disputed.
        OwnClaim { claim: ClaimId }
            = "claim.own_claim", NotPermitted, "claim {claim} was sent in by the same person";
        /// Nobody pays a claim that they approved.
        OwnApproval { claim: ClaimId }
            = "claim.own_approval", NotPermitted, "claim {claim} was approved by the same person";
        /// The partner's fund has no such claim.
        UnknownClaim { claim: ClaimId }
            = "claim.unknown", Unknown, "the fund has no claim {claim}";
        /// The partner has no such fund: nothing has accrued and nothing was allocated.
        UnknownFund { partner: PartnerId, programme: ProgrammeId }
            = "fund.unknown", Unknown, "partner {partner} has no such fund in {programme}";
        /// The identifier of the claim is taken.
        ClaimTaken { claim: ClaimId }
            = "claim.taken", AlreadyDone, "a claim {claim} exists already";
        /// The invoice stands on a live claim. A rejected or withdrawn claim frees it.
        InvoiceTaken { invoice: String }
            = "claim.invoice_taken", AlreadyDone, "invoice {invoice} stands on a live claim";
        /// A rejection is disputed once; this one is final.
        Disputed { claim: ClaimId }
            = "claim.disputed", AlreadyDone, "claim {claim} was disputed before";
        /// The claim is not in a state in which this can be done.
        WrongState { claim: ClaimId, state: &'static str }
            = "claim.wrong_state", WrongState, "claim {claim} is {state}";
        /// The terms do not pay for the activity.
        ActivityExcluded { activity: Code }
            = "claim.activity_excluded", Terms, "the terms do not pay for {activity}";
        /// The terms ask for a kind of proof that is missing. Send it along.
        ProofMissing { kind: Code }
            = "claim.proof_missing", Terms, "proof of kind {kind} is missing";
        /// A claim is for an activity carried out, not for one to come.
        TooEarly { activity_date: Date, today: Date }
            = "claim.too_early", Terms, "the activity is on {activity_date}; it is {today}";
        /// The claim window is over.
        TooLate { until: Date, today: Date }
            = "claim.too_late", Terms, "the claim was due by {until}; it is {today}";
        /// The activity lies outside the days that were asked for.
        OutsideRequest { start: Date, end: Date, activity_date: Date }
            = "claim.outside_request", Terms,
            "{activity_date} lies outside {start} to {end}, as the request has it";
        /// No lot pays for an activity of that date, or none takes claims any more.
        NoUsableLot { activity_date: Date }
            = "claim.no_usable_lot", Terms, "no lot pays for an activity of {activity_date} today";
        /// The caps of the activity leave nothing.
        CapReached { activity: Code }
            = "claim.cap_reached", Terms, "the caps of {activity} leave nothing";
        /// The terms ask for the activity's outcome before payment. Add it as proof.
        OutcomeMissing { claim: ClaimId }
            = "claim.outcome_missing", Terms, "the outcome of claim {claim} is not reported";
        /// Tax is withheld of cash only.
        WithheldNotCash { withheld: Money }
            = "claim.withheld_not_cash", Terms, "{withheld} would be withheld of no cash";
        /// The partner left, and the programme's tail for open claims is over.
        TailOver { until: Instant }
            = "claim.tail_over", Terms, "open claims of the partner ran off until {until}";
        /// Nothing is left that could be held, or, where the terms refuse it, not enough.
        FundExhausted { available: Money, requested: Money }
            = "claim.fund_exhausted", Money, "{requested} is claimed; {available} is available";
        /// More would be approved than the claim holds.
        OverHeld { held: Money, given: Money }
            = "claim.over_held", Money, "{given} is more than the {held} held";
        /// More would be paid, or set off, than is payable.
        OverPayable { payable: Money, given: Money }
            = "claim.over_payable", Money, "{given} is more than the {payable} payable";
        /// More would be withheld than is paid.
        OverPayment { payment: Money, withheld: Money }
            = "claim.over_payment", Money, "{withheld} is more than the payment of {payment}";
        /// More would come back than was paid, last or in all.
        OverPaid { paid: Money, given: Money }
            = "claim.over_paid", Money, "{given} is more than the {paid} paid";
        /// More would be recovered, set off or given up than the partner owes.
        OverOwed { owed: Money, given: Money }
            = "claim.over_owed", Money, "{given} is more than the {owed} owed";
    }
}
