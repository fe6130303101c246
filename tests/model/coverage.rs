//! What histories have reached: event types, edges of the states, rejection codes.

use chl_aggregates::Class;
use chl_bus::{Answer, BusRejection};
use chl_events::{
    ClaimId, Commit, ConflictId, CustomerId, DealId, Event, PartnerId, RequestId,
    claim::ClaimEvent, conflict::ConflictEvent, coop::CoopEvent, customer::CustomerEvent,
    deal::DealEvent, mdf::MdfEvent, partner::PartnerEvent,
};
use std::collections::{BTreeMap, BTreeSet};

/// Codes that only the ledger's own commands can meet, and which command that is.
pub(crate) const INTERNAL: &[(&str, &str)] = &[
    ("conflict.already_open", "OpenConflict, sent by the policy that opens conflicts"),
    ("conflict.not_contested", "OpenConflict, sent by the policy that opens conflicts"),
];

/// Every edge of the states that the domain draws.
const EDGES: &[&str] = &[
    "partner prospect > applied",
    "partner applied > approved",
    "partner approved > active",
    "partner active > suspended",
    "partner suspended > active",
    "partner prospect > terminated",
    "partner applied > terminated",
    "partner approved > terminated",
    "partner active > terminated",
    "partner suspended > terminated",
    "deal new > submitted",
    "deal new > contested",
    "deal submitted > approved",
    "deal submitted > rejected",
    "deal submitted > withdrawn",
    "deal submitted > displaced",
    "deal submitted > won",
    "deal submitted > lost",
    "deal contested > submitted",
    "deal contested > approved",
    "deal contested > rejected",
    "deal contested > withdrawn",
    "deal contested > won",
    "deal contested > lost",
    "deal submitted > contested",
    "deal approved > contested",
    "deal approved > won",
    "deal approved > lost",
    "deal approved > expired",
    "deal approved > withdrawn",
    "deal approved > displaced",
    "deal displaced > won",
    "deal displaced > lost",
    "deal expired > won",
    "deal expired > lost",
    "conflict new > open",
    "conflict open > escalated",
    "conflict open > resolved",
    "conflict escalated > resolved",
    "conflict open > lapsed",
    "conflict escalated > lapsed",
    "conflict by uphold_incumbent",
    "conflict by award_challenger",
    "conflict by joint",
    "conflict by split",
    "conflict by reject_both",
    "pair new > reported",
    "pair new > kept apart",
    "pair reported > kept apart",
    "pair reported > merged",
    "pair kept apart > merged",
    "pair reported > lapsed",
    "request new > submitted",
    "request submitted > approved",
    "request submitted > rejected",
    "request submitted > cancelled",
    "request approved > cancelled",
    "request approved > lapsed",
    "request approved > claimed",
    "request claimed > closed",
    "claim new > submitted",
    "claim submitted > approved",
    "claim submitted > rejected",
    "claim submitted > withdrawn",
    "claim rejected > submitted",
    "claim submitted > final",
    "claim approved > paid",
    "claim paid > approved",
    "claim paid > clawed back",
    "lot new > earning",
    "lot claimed while earning",
    "lot claimed while usable",
    "lot claimed in claims only",
    "lot exhausted",
    "lot expired",
    "lot converted in part",
    "lot converted as a whole",
];

/// What was reached so far.
#[derive(Debug, Default)]
pub(crate) struct Coverage {
    events: BTreeMap<&'static str, usize>,
    edges: BTreeMap<String, usize>,
    codes: BTreeMap<&'static str, usize>,
    /// Commands accepted, and commands sent.
    pub(crate) accepted: usize,
    pub(crate) sent: usize,
}

/// The states of one history's things.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    partners: BTreeMap<PartnerId, &'static str>,
    deals: BTreeMap<DealId, &'static str>,
    conflicts: BTreeMap<ConflictId, (&'static str, DealId, DealId)>,
    pairs: BTreeMap<ConflictId, (&'static str, [CustomerId; 2])>,
    requests: BTreeMap<RequestId, &'static str>,
    claims: BTreeMap<ClaimId, (&'static str, Option<RequestId>)>,
    last: BTreeMap<ClaimId, bool>,
    lots: BTreeMap<String, CoopLot>,
}

#[derive(Debug, Clone)]
struct CoopLot {
    earning_until: chl_events::Date,
    usable_until: chl_events::Date,
    left: i128,
}

impl Coverage {
    /// Counts an answer.
    pub(crate) fn answer(&mut self, answer: &Answer) {
        self.sent += 1;
        match answer {
            Answer::Accepted(_) => self.accepted += 1,
            Answer::Rejected { refused, .. } => {
                *self.codes.entry(refused.code()).or_default() += 1;
            }
            Answer::Failed { failure, .. } => panic!("a command failed: {failure}"),
        }
    }

    /// Adds what another has reached.
    pub(crate) fn join(&mut self, other: Self) {
        let add = |to: &mut usize, more: usize| *to += more;
        other.events.into_iter().for_each(|(name, n)| add(self.events.entry(name).or_default(), n));
        other.edges.into_iter().for_each(|(name, n)| add(self.edges.entry(name).or_default(), n));
        other.codes.into_iter().for_each(|(name, n)| add(self.codes.entry(name).or_default(), n));
        self.accepted += other.accepted;
        self.sent += other.sent;
    }

    /// What was not reached: event types, edges, rejection codes of classes 2 to 7.
    pub(crate) fn missing(&self) -> Vec<String> {
        // A repair is no command: its test is the log's.
        let repaired = "LogRepaired";
        let events = Event::kinds().map(|kind| kind.name).filter(|name| *name != repaired);
        let events = events.filter(|name| !self.events.contains_key(name));
        let edges = EDGES.iter().filter(|edge| !self.edges.contains_key(**edge));
        let codes = BusRejection::all_codes().into_iter();
        let codes = codes.filter(|doc| doc.class != Class::Malformed);
        let codes = codes.filter(|doc| INTERNAL.iter().all(|(code, _)| *code != doc.code));
        let codes = codes.filter(|doc| !self.codes.contains_key(doc.code));
        events
            .map(|name| format!("event {name}"))
            .chain(edges.map(|edge| format!("edge {edge}")))
            .chain(codes.map(|doc| format!("code {}", doc.code)))
            .collect()
    }

    /// How often everything was reached, rarest first.
    pub(crate) fn report(&self) -> String {
        let all = self.events.iter().map(|(name, n)| (*n, (*name).to_owned()));
        let all = all.chain(self.edges.iter().map(|(name, n)| (*n, name.clone())));
        let all = all.chain(self.codes.iter().map(|(name, n)| (*n, (*name).to_owned())));
        let all: BTreeSet<_> = all.collect();
        all.iter().map(|(n, name)| format!("{n:>8} {name}\n")).collect()
    }

    fn edge(&mut self, what: &str, from: &str, to: &str) {
        if from != to {
            *self.edges.entry(format!("{what} {from} > {to}")).or_default() += 1;
        }
    }

    fn reach(&mut self, what: impl Into<String>) {
        *self.edges.entry(what.into()).or_default() += 1;
    }

    /// Takes in a commit.
    pub(crate) fn commit(&mut self, trace: &mut Trace, commit: &Commit) {
        for recorded in &commit.events {
            *self.events.entry(recorded.event.kind().name).or_default() += 1;
            match &recorded.event {
                Event::Partner(event) => self.partner(trace, event),
                Event::Deal(event) => self.deal(trace, event),
                Event::Conflict(event) => self.conflict(trace, event),
                Event::Mdf(event) => self.mdf(trace, event),
                Event::Claim(event) => self.claim(trace, event, commit),
                Event::Coop(event) => self.coop(trace, event, commit),
                Event::Customer(event) => self.customer(trace, event),
                Event::Ledger(_) | Event::Programme(_) | Event::Budget(_) | Event::Rebate(_) => {}
            }
        }
    }

    fn partner(&mut self, trace: &mut Trace, event: &PartnerEvent) {
        let (partner, to) = match event {
            PartnerEvent::PartnerRecruited(e) => (&e.partner, "prospect"),
            PartnerEvent::PartnerApplied(e) => (&e.partner, "applied"),
            PartnerEvent::PartnerApproved(e) => (&e.partner, "approved"),
            PartnerEvent::PartnerActivated(e) => (&e.partner, "active"),
            PartnerEvent::PartnerSuspended(e) => (&e.partner, "suspended"),
            PartnerEvent::PartnerReinstated(e) => (&e.partner, "active"),
            PartnerEvent::PartnerTerminated(e) => (&e.partner, "terminated"),
            PartnerEvent::ParentAttached(_)
            | PartnerEvent::ParentDetached(_)
            | PartnerEvent::DistributorLinked(_)
            | PartnerEvent::DistributorUnlinked(_)
            | PartnerEvent::PartnerEnrolled(_)
            | PartnerEvent::TierGranted(_)
            | PartnerEvent::CertificationRecorded(_)
            | PartnerEvent::MeasureRecorded(_)
            | PartnerEvent::ScorecardPublished(_)
            | PartnerEvent::ScorecardDisputed(_)
            | PartnerEvent::ScorecardDisputeSettled(_) => return,
        };
        let from = trace.partners.insert(partner.clone(), to).unwrap_or("new");
        self.edge("partner", from, to);
    }

    fn deal(&mut self, trace: &mut Trace, event: &DealEvent) {
        let (deal, to) = match event {
            DealEvent::DealRegistered(e) => {
                (&e.deal, if e.contested.is_some() { "contested" } else { "submitted" })
            }
            DealEvent::DealApproved(e) => (&e.deal, "approved"),
            DealEvent::DealRejected(e) => (&e.deal, "rejected"),
            DealEvent::DealWithdrawn(e) => (&e.deal, "withdrawn"),
            DealEvent::DealExpired(e) => (&e.deal, "expired"),
            DealEvent::DealWon(e) => (&e.deal, "won"),
            DealEvent::DealLost(e) => (&e.deal, "lost"),
            DealEvent::DealDisplaced(e) => (&e.deal, "displaced"),
            DealEvent::DealContested(e) => (&e.deal, "contested"),
            DealEvent::ProtectionEnded(e) => return self.protection_ended(trace, &e.deal),
            DealEvent::DealAmended(_)
            | DealEvent::DealExtended(_)
            | DealEvent::AttributionSet(_) => return,
        };
        let from = trace.deals.insert(deal.clone(), to).unwrap_or("new");
        self.edge("deal", from, to);
    }

    /// One event lapses every conflict of a deal; readers fold it.
    fn protection_ended(&mut self, trace: &mut Trace, deal: &DealId) {
        let conflicts = trace.conflicts.values_mut();
        let mine = conflicts.filter(|(state, incumbent, _)| {
            matches!(*state, "open" | "escalated") && incumbent == deal
        });
        for (state, _, challenger) in mine {
            let from = std::mem::replace(state, "lapsed");
            *self.edges.entry(format!("conflict {from} > lapsed")).or_default() += 1;
            if trace.deals.get(challenger) == Some(&"contested") {
                trace.deals.insert(challenger.clone(), "submitted");
                *self.edges.entry("deal contested > submitted".into()).or_default() += 1;
            }
        }
    }

    fn conflict(&mut self, trace: &mut Trace, event: &ConflictEvent) {
        let (conflict, to) = match event {
            ConflictEvent::ConflictOpened(e) => {
                let sides = ("open", e.incumbent.clone(), e.challenger.clone());
                trace.conflicts.insert(e.conflict.clone(), sides);
                return self.edge("conflict", "new", "open");
            }
            ConflictEvent::ConflictEscalated(e) => (&e.conflict, "escalated"),
            ConflictEvent::ConflictResolved(e) => {
                self.reach(format!("conflict by {}", e.resolution));
                (&e.conflict, "resolved")
            }
            ConflictEvent::ConflictLapsed(e) => (&e.conflict, "lapsed"),
        };
        if let Some((state, ..)) = trace.conflicts.get_mut(conflict) {
            let from = std::mem::replace(state, to);
            self.edge("conflict", from, to);
        }
    }

    fn customer(&mut self, trace: &mut Trace, event: &CustomerEvent) {
        let (conflict, sides, to) = match event {
            CustomerEvent::PossibleDuplicateReported(e) => {
                (&e.conflict, [&e.customer, &e.other], "reported")
            }
            CustomerEvent::CustomersKeptApart(e) => {
                (&e.conflict, [&e.customer, &e.other], "kept apart")
            }
            CustomerEvent::CustomersMerged(e) => {
                (&e.conflict, [&e.survivor, &e.absorbed], "merged")
            }
            CustomerEvent::CustomerAbsorbed(e) => return self.absorbed(trace, &e.customer),
            CustomerEvent::CustomerRegistered(_) => return,
        };
        let sides = sides.map(Clone::clone);
        let from = trace.pairs.insert(conflict.clone(), (to, sides)).map_or("new", |one| one.0);
        self.edge("pair", from, to);
    }

    /// One event ends every question about a customer; readers fold it.
    fn absorbed(&mut self, trace: &mut Trace, customer: &CustomerId) {
        for (state, sides) in trace.pairs.values_mut() {
            if *state == "reported" && sides.contains(customer) {
                *state = "lapsed";
                self.reach("pair reported > lapsed");
            }
        }
    }

    fn mdf(&mut self, trace: &mut Trace, event: &MdfEvent) {
        let (request, to) = match event {
            MdfEvent::MdfRequested(e) => (&e.request, "submitted"),
            MdfEvent::MdfRequestApproved(e) => (&e.request, "approved"),
            MdfEvent::MdfRequestRejected(e) => (&e.request, "rejected"),
            MdfEvent::MdfRequestCancelled(e) => (&e.request, "cancelled"),
            MdfEvent::MdfRequestLapsed(e) => (&e.request, "lapsed"),
            MdfEvent::MdfAllocationCredited(_) | MdfEvent::MdfAllocationReduced(_) => return,
        };
        let from = trace.requests.insert(request.clone(), to).unwrap_or("new");
        self.edge("request", from, to);
    }

    fn claim(&mut self, trace: &mut Trace, event: &ClaimEvent, commit: &Commit) {
        let (claim, to) = match event {
            ClaimEvent::CoopClaimed(e) => {
                for part in &e.parts {
                    self.claim_on(trace, part, commit, e.activity_date);
                }
                (&e.claim, "submitted")
            }
            ClaimEvent::MdfClaimed(e) => {
                trace.claims.insert(e.claim.clone(), ("new", Some(e.request.clone())));
                trace.last.insert(e.claim.clone(), e.is_final);
                if e.is_final {
                    let from = trace.requests.insert(e.request.clone(), "claimed");
                    self.edge("request", from.unwrap_or("new"), "claimed");
                }
                (&e.claim, "submitted")
            }
            ClaimEvent::ClaimDisputed(e) => (&e.claim, "submitted"),
            ClaimEvent::ClaimApproved(e) => {
                if trace.last.get(&e.claim) == Some(&true) {
                    self.edge("request", "claimed", "closed");
                }
                (&e.claim, "approved")
            }
            ClaimEvent::ClaimRejected(e) => {
                (&e.claim, if e.is_final { "final" } else { "rejected" })
            }
            ClaimEvent::ClaimWithdrawn(e) => (&e.claim, "withdrawn"),
            ClaimEvent::ClaimPaid(e) => (&e.claim, "paid"),
            ClaimEvent::PaymentFailed(e) => (&e.claim, "approved"),
            ClaimEvent::ClaimClawedBack(e) => (&e.claim, "clawed back"),
            ClaimEvent::ProofAdded(_)
            | ClaimEvent::ClawbackRecovered(_)
            | ClaimEvent::ClawbackWrittenOff(_) => return,
        };
        let entry = trace.claims.entry(claim.clone()).or_insert(("new", None));
        let from = std::mem::replace(&mut entry.0, to);
        self.edge("claim", from, to);
    }

    fn claim_on(
        &mut self,
        trace: &mut Trace,
        part: &chl_events::claim::Part,
        commit: &Commit,
        on: chl_events::Date,
    ) {
        let Some(id) = &part.lot else { return };
        let Some(lot) = trace.lots.get_mut(&format!("{}/{id}", commit.stream)) else { return };
        lot.left -= part.amount.minor();
        let (exhausted, earning) = (lot.left == 0, on <= lot.earning_until);
        let over = commit.time().date_utc() > lot.usable_until;
        if exhausted {
            self.reach("lot exhausted");
        }
        self.reach(match (over, earning) {
            (true, _) => "lot claimed in claims only",
            (false, true) => "lot claimed while earning",
            (false, false) => "lot claimed while usable",
        });
    }

    fn coop(&mut self, trace: &mut Trace, event: &CoopEvent, commit: &Commit) {
        let stream = &commit.stream;
        match event {
            CoopEvent::CoopLotOpened(e) => {
                let (earning_until, usable_until) = (e.earning_until, e.usable_until);
                let lot = CoopLot { earning_until, usable_until, left: 0 };
                trace.lots.insert(format!("{stream}/{}", e.lot), lot);
                self.edge("lot", "new", "earning");
            }
            CoopEvent::CoopAccrued(e) => {
                if let Some(lot) = trace.lots.get_mut(&format!("{stream}/{}", e.lot)) {
                    lot.left += e.amount.minor();
                }
            }
            CoopEvent::CoopAccrualReversed(e) => {
                if let Some(lot) = trace.lots.get_mut(&format!("{stream}/{}", e.lot)) {
                    lot.left -= e.from_lot.minor();
                }
            }
            CoopEvent::CoopPeriodClosed(e) => {
                if let Some(lot) = trace.lots.get_mut(&format!("{stream}/{}", e.lot)) {
                    lot.left -= e.converted.minor();
                }
                if e.below_threshold {
                    self.reach("lot converted as a whole");
                } else if e.converted.is_positive() {
                    self.reach("lot converted in part");
                }
            }
            CoopEvent::CoopLotExpired(_) => self.reach("lot expired"),
        }
    }
}
