//! Whom an event concerns: the one place that decides which events a partner may see at all.
//!
//! No arm is a wildcard: a new type of event does not compile until somebody has decided.

use chl_events::{
    ConflictId, DealId, Event, PartnerId, budget::BudgetEvent, claim::ClaimEvent,
    conflict::ConflictEvent, coop::CoopEvent, customer::CustomerEvent, deal::DealEvent,
    ledger::LedgerEvent, mdf::MdfEvent, partner::PartnerEvent, programme::ProgrammeEvent,
    rebate::RebateEvent,
};

/// Whom an event concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concern<'a> {
    /// Nobody but the vendor: its books, its programmes, the ledger itself.
    Vendor,
    /// The vendor, and whoever sent the command.
    Sender,
    /// One partner.
    Partner(&'a PartnerId),
    /// The partner whose deal it is, and nobody else.
    Deal(&'a DealId),
    /// Both sides of a conflict, which learn its id and state and no more.
    Conflict(&'a ConflictId),
}

/// The field that all events of an area have.
macro_rules! field {
    ($event:expr, $area:ident [$($name:ident),+ $(,)?].$field:ident) => {
        match $event { $($area::$name(event) => &event.$field),+ }
    };
}

/// Whom an event concerns.
pub fn concern(event: &Event) -> Concern<'_> {
    match event {
        Event::Ledger(event) => match event {
            LedgerEvent::LedgerOpened(_)
            | LedgerEvent::LogRepaired(_)
            | LedgerEvent::EntryReversed(_)
            | LedgerEvent::PeriodClosed(_)
            | LedgerEvent::ClosingBalancesRecorded(_)
            | LedgerEvent::PeriodReopened(_)
            | LedgerEvent::PersonForgotten(_) => Concern::Vendor,
        },
        Event::Programme(event) => match event {
            ProgrammeEvent::ProgrammePublished(_) => Concern::Vendor,
        },
        Event::Budget(event) => match event {
            // What a partner gets of a budget is on its own stream, too.
            BudgetEvent::MdfBudgetCreated(_)
            | BudgetEvent::MdfBudgetClosed(_)
            | BudgetEvent::MdfAllocated(_)
            | BudgetEvent::MdfAllocationReturned(_) => Concern::Vendor,
        },
        Event::Customer(event) => match event {
            // That a customer is known shows that somebody works on it.
            CustomerEvent::CustomerRegistered(_) => Concern::Sender,
            // Who looks like whom, and who is whom, is the vendor's to find out.
            CustomerEvent::PossibleDuplicateReported(_)
            | CustomerEvent::CustomersKeptApart(_)
            | CustomerEvent::CustomersMerged(_)
            | CustomerEvent::CustomerAbsorbed(_) => Concern::Vendor,
        },
        Event::Partner(event) => Concern::Partner(of_partner(event)),
        Event::Deal(event) => Concern::Deal(of_deal(event)),
        Event::Conflict(event) => Concern::Conflict(field!(
            event,
            ConflictEvent[ConflictOpened, ConflictEscalated, ConflictResolved, ConflictLapsed]
                .conflict
        )),
        Event::Mdf(event) => Concern::Partner(of_mdf(event)),
        Event::Coop(event) => Concern::Partner(field!(
            event,
            CoopEvent[
                CoopLotOpened,
                CoopAccrued,
                CoopAccrualReversed,
                CoopPeriodClosed,
                CoopLotExpired,
            ]
            .partner
        )),
        Event::Claim(event) => Concern::Partner(of_claim(event)),
        Event::Rebate(event) => {
            Concern::Partner(field!(event, RebateEvent[RebateCredited].partner))
        }
    }
}

/// The partner itself; of a link the one that has the parent or distributor.
fn of_partner(event: &PartnerEvent) -> &PartnerId {
    field!(
        event,
        PartnerEvent[
            PartnerRecruited,
            PartnerApplied,
            PartnerApproved,
            PartnerActivated,
            PartnerSuspended,
            PartnerReinstated,
            PartnerTerminated,
            ParentAttached,
            ParentDetached,
            DistributorLinked,
            DistributorUnlinked,
            PartnerEnrolled,
            TierGranted,
            CertificationRecorded,
            MeasureRecorded,
            ScorecardPublished,
            ScorecardDisputed,
            ScorecardDisputeSettled,
        ]
        .partner
    )
}

fn of_deal(event: &DealEvent) -> &DealId {
    field!(
        event,
        DealEvent[
            DealRegistered,
            DealApproved,
            DealRejected,
            DealAmended,
            DealWithdrawn,
            DealExtended,
            DealExpired,
            DealWon,
            DealLost,
            DealDisplaced,
            ProtectionEnded,
            AttributionSet,
            DealContested,
        ]
        .deal
    )
}

fn of_mdf(event: &MdfEvent) -> &PartnerId {
    field!(
        event,
        MdfEvent[
            MdfAllocationCredited,
            MdfAllocationReduced,
            MdfRequested,
            MdfRequestApproved,
            MdfRequestRejected,
            MdfRequestCancelled,
            MdfRequestLapsed,
        ]
        .partner
    )
}

fn of_claim(event: &ClaimEvent) -> &PartnerId {
    field!(
        event,
        ClaimEvent[
            CoopClaimed,
            MdfClaimed,
            ProofAdded,
            ClaimWithdrawn,
            ClaimApproved,
            ClaimRejected,
            ClaimDisputed,
            ClaimPaid,
            PaymentFailed,
            ClaimClawedBack,
            ClawbackRecovered,
            ClawbackWrittenOff,
        ]
        .partner
    )
}
