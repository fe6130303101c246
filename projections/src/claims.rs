//! Claims on co-op and MDF: what was asked, held, approved, paid and taken back.

use crate::{
    FoldError, Keeps, List,
    fact::Fact,
    lots::LotRow,
    requests::RequestRow,
    row::{row, states},
};
use chl_events::{
    ActorId, ClaimId, Code, Date, Event, Fund, Instant, Money, PartnerId, ProgrammeId, Rate,
    RequestId,
    claim::{ClaimEvent, CoopClaimed, MdfClaimed, Outcome, Part, PaymentMethod},
};

states! {
    /// What a claim is.
    ClaimState {
        /// Sent in; its money is held.
        Submitted => "submitted",
        /// Payable.
        Approved => "approved",
        /// Paid in full.
        Paid => "paid",
        /// Refused; may be disputed once.
        Rejected => "rejected",
        /// Sent in again after a refusal; its money is held anew.
        Disputed => "disputed",
        /// Refused for good.
        Final => "final",
        /// Taken back by its sender.
        Withdrawn => "withdrawn",
        /// Part or all of it was demanded back.
        ClawedBack => "clawed_back",
    }
}

row! {
    /// A claim.
    ClaimRow in "claims"
    keys {
        /// The claim.
        claim: ClaimId,
    }
    fields {
        /// The partner.
        partner: PartnerId,
        /// The programme.
        programme: ProgrammeId,
        /// The version of the terms that decided.
        programme_version: u32,
        /// The fund.
        fund: Fund,
        /// The MDF request it is on.
        request: Option<RequestId>,
        /// Whether it is the request's last.
        is_final: Option<bool>,
        /// What was done.
        activity: Code,
        /// When it was done.
        activity_date: Date,
        /// What it cost.
        cost: Money,
        /// The vendor's share of the cost.
        match_rate: Rate,
        /// The vendor's share in money.
        requested: Money,
        /// What was held at first: the share, capped.
        granted: Money,
        /// What is held now.
        held: Money,
        /// What was approved.
        approved: Money,
        /// What is paid, tax withheld included, failures taken off.
        paid: Money,
        /// Tax withheld of that.
        withheld: Money,
        /// What was demanded back.
        clawed_back: Money,
        /// Of that, recovered.
        recovered: Money,
        /// Of that, given up.
        written_off: Money,
        /// What it is.
        state: ClaimState,
        /// The lots it draws on, as `lot:amount`.
        lots: List,
        /// How many proofs it has.
        proofs: u32,
        /// Leads the activity brought.
        leads: Option<u32>,
        /// Revenue the activity brought.
        revenue: Option<Money>,
        /// Who sent it in.
        submitted_by: ActorId,
        /// When it was sent in.
        submitted_at: Instant,
        /// Who approved it; null where the approval was imported without names.
        approved_by: Option<ActorId>,
        /// When it was approved.
        approved_at: Option<Instant>,
        /// Whether the approval was brought in without the names of those who gave it.
        imported: bool,
        /// Whether it was disputed.
        disputed: bool,
        /// The day of the last payment.
        paid_on: Option<Date>,
        /// Who paid.
        paid_by: Option<ActorId>,
        /// How.
        method: Option<PaymentMethod>,
        /// When the earliest of its lots expires: co-op released after it is lost at once.
        lot_expires_at: Option<Instant>,
        /// MDF: the last day a claim on its request may be sent in.
        claims_until: Option<Date>,
        /// MDF: until when money clawed back returns to the partner.
        tail_until: Option<Instant>,
    }
    indices [["partner"], ["programme", "activity_date"]]
}

/// What the two kinds of claims have in common when they are sent in.
struct Sent<'a> {
    claim: &'a ClaimId,
    partner: &'a PartnerId,
    programme: &'a ProgrammeId,
    programme_version: u32,
    activity: &'a Code,
    activity_date: Date,
    cost: Money,
    match_rate: Rate,
    requested: Money,
    granted: Money,
    proofs: usize,
}

impl ClaimRow {
    fn sent(fact: &Fact<'_>, fund: Fund, sent: &Sent<'_>) -> Self {
        let nothing = sent.granted.currency().zero();
        Self {
            claim: sent.claim.clone(),
            partner: sent.partner.clone(),
            programme: sent.programme.clone(),
            programme_version: sent.programme_version,
            fund,
            request: None,
            is_final: None,
            activity: sent.activity.clone(),
            activity_date: sent.activity_date,
            cost: sent.cost,
            match_rate: sent.match_rate,
            requested: sent.requested,
            granted: sent.granted,
            held: sent.granted,
            approved: nothing,
            paid: nothing,
            withheld: nothing,
            clawed_back: nothing,
            recovered: nothing,
            written_off: nothing,
            state: ClaimState::Submitted,
            lots: List::default(),
            proofs: u32::try_from(sent.proofs).unwrap_or(u32::MAX),
            leads: None,
            revenue: None,
            submitted_by: fact.actor(),
            submitted_at: fact.time(),
            approved_by: None,
            approved_at: None,
            imported: false,
            disputed: false,
            paid_on: None,
            paid_by: None,
            method: None,
            lot_expires_at: None,
            claims_until: None,
            tail_until: None,
        }
    }

    fn report(&mut self, outcome: Option<&Outcome>) {
        if let Some(outcome) = outcome {
            self.leads = outcome.leads.or(self.leads);
            self.revenue = outcome.revenue.or(self.revenue);
        }
    }

    fn end(&mut self, state: ClaimState) {
        self.state = state;
        self.held = self.held.currency().zero();
    }

    /// Payable or paid, by how much of what was approved is paid.
    fn settle(&mut self) {
        let left = self.approved.checked_sub(self.paid);
        let paid = left.is_some_and(|left| !left.is_positive()) && self.paid.is_positive();
        self.state = if paid { ClaimState::Paid } else { ClaimState::Approved };
    }
}

fn parts(parts: &[Part]) -> List {
    let named = parts.iter().filter_map(|part| Some((part.lot.as_ref()?, part.amount)));
    List::of(named.map(|(lot, amount)| format!("{lot}:{}", amount.amount())))
}

/// Folds the facts of claims.
pub(crate) fn fold<S: Keeps<ClaimRow> + Keeps<LotRow> + Keeps<RequestRow>>(
    fact: &Fact<'_>,
    store: &mut S,
) -> Result<(), FoldError> {
    let Event::Claim(event) = fact.event() else { return Ok(()) };
    match event {
        ClaimEvent::CoopClaimed(e) => coop_claimed(fact, e, store),
        ClaimEvent::MdfClaimed(e) => mdf_claimed(fact, e, store),
        ClaimEvent::ProofAdded(e) => edit(fact, store, &e.claim, |row| {
            let added = u32::try_from(e.proof.len()).unwrap_or(u32::MAX);
            row.proofs = row.proofs.saturating_add(added);
            row.report(e.outcome.as_ref());
            Ok(())
        }),
        ClaimEvent::ClaimWithdrawn(e) => edit(fact, store, &e.claim, |row| {
            row.end(ClaimState::Withdrawn);
            Ok(())
        }),
        ClaimEvent::ClaimApproved(e) => edit(fact, store, &e.claim, |row| {
            row.end(ClaimState::Approved);
            row.approved = e.amount;
            row.approved_by = (!e.imported).then(|| fact.actor());
            row.approved_at = Some(fact.time());
            row.imported = e.imported;
            Ok(())
        }),
        ClaimEvent::ClaimRejected(e) => edit(fact, store, &e.claim, |row| {
            row.end(if e.is_final { ClaimState::Final } else { ClaimState::Rejected });
            Ok(())
        }),
        ClaimEvent::ClaimDisputed(e) => edit(fact, store, &e.claim, |row| {
            row.state = ClaimState::Disputed;
            row.disputed = true;
            row.held = e.granted;
            row.lots = parts(&e.parts);
            Ok(())
        }),
        ClaimEvent::ClaimPaid(e) => edit(fact, store, &e.claim, |row| {
            fact.sum(&mut row.paid, e.amount)?;
            fact.sum(&mut row.withheld, e.withheld)?;
            row.paid_on = Some(e.paid_on);
            row.paid_by = Some(fact.actor());
            row.method = Some(e.method);
            row.settle();
            Ok(())
        }),
        ClaimEvent::PaymentFailed(e) => edit(fact, store, &e.claim, |row| {
            fact.less(&mut row.paid, e.amount)?;
            if row.paid.is_zero() {
                row.withheld = row.withheld.currency().zero();
            }
            row.settle();
            Ok(())
        }),
        ClaimEvent::ClaimClawedBack(e) => edit(fact, store, &e.claim, |row| {
            row.state = ClaimState::ClawedBack;
            fact.sum(&mut row.clawed_back, e.amount)
        }),
        ClaimEvent::ClawbackRecovered(e) => {
            edit(fact, store, &e.claim, |row| fact.sum(&mut row.recovered, e.amount))
        }
        ClaimEvent::ClawbackWrittenOff(e) => {
            edit(fact, store, &e.claim, |row| fact.sum(&mut row.written_off, e.amount))
        }
    }
}

/// Takes a reversed entry's money back out of the claim it went into.
pub(crate) fn fold_mirror<S: Keeps<ClaimRow>>(
    fact: &Fact<'_>,
    store: &mut S,
) -> Result<(), FoldError> {
    let Event::Claim(event) = fact.event() else { return Ok(()) };
    match event {
        ClaimEvent::ClawbackRecovered(e) => {
            edit(fact, store, &e.claim, |row| fact.less(&mut row.recovered, e.amount))
        }
        ClaimEvent::ClawbackWrittenOff(e) => {
            edit(fact, store, &e.claim, |row| fact.less(&mut row.written_off, e.amount))
        }
        ClaimEvent::ClaimClawedBack(e) => edit(fact, store, &e.claim, |row| {
            fact.less(&mut row.clawed_back, e.amount)?;
            if row.clawed_back.is_zero() {
                row.settle();
            }
            Ok(())
        }),
        // A claim's other steps are undone by commands of their own, with events of their own.
        ClaimEvent::CoopClaimed(_)
        | ClaimEvent::MdfClaimed(_)
        | ClaimEvent::ProofAdded(_)
        | ClaimEvent::ClaimWithdrawn(_)
        | ClaimEvent::ClaimApproved(_)
        | ClaimEvent::ClaimRejected(_)
        | ClaimEvent::ClaimDisputed(_)
        | ClaimEvent::ClaimPaid(_)
        | ClaimEvent::PaymentFailed(_) => Ok(()),
    }
}

fn coop_claimed<S: Keeps<ClaimRow> + Keeps<LotRow>>(
    fact: &Fact<'_>,
    e: &CoopClaimed,
    store: &mut S,
) -> Result<(), FoldError> {
    let mut expires_at: Option<Instant> = None;
    for lot in e.parts.iter().filter_map(|part| part.lot.as_ref()) {
        let key = (e.partner.clone(), e.programme.clone(), lot.clone());
        let row: Option<&LotRow> = store.peek(&key)?;
        let end = row.map(|row| row.expires_at);
        expires_at = expires_at.into_iter().chain(end).min();
    }
    let sent = Sent {
        claim: &e.claim,
        partner: &e.partner,
        programme: &e.programme,
        programme_version: e.programme_version,
        activity: &e.activity,
        activity_date: e.activity_date,
        cost: e.cost,
        match_rate: e.match_rate,
        requested: e.requested,
        granted: e.granted,
        proofs: e.proof.len(),
    };
    let mut row = ClaimRow::sent(fact, Fund::Coop, &sent);
    row.lots = parts(&e.parts);
    row.lot_expires_at = expires_at;
    store.put(row)?;
    Ok(())
}

fn mdf_claimed<S: Keeps<ClaimRow> + Keeps<RequestRow>>(
    fact: &Fact<'_>,
    e: &MdfClaimed,
    store: &mut S,
) -> Result<(), FoldError> {
    let request: Option<&RequestRow> = store.peek(&(e.request.clone(),))?;
    let (claims_until, tail_until) =
        request.map_or((None, None), |row| (row.claims_until, row.tail_until));
    let sent = Sent {
        claim: &e.claim,
        partner: &e.partner,
        programme: &e.programme,
        programme_version: e.programme_version,
        activity: &e.activity,
        activity_date: e.activity_date,
        cost: e.cost,
        match_rate: e.match_rate,
        requested: e.requested,
        granted: e.granted,
        proofs: e.proof.len(),
    };
    let mut row = ClaimRow::sent(fact, Fund::Mdf, &sent);
    row.request = Some(e.request.clone());
    row.is_final = Some(e.is_final);
    row.report(e.outcome.as_ref());
    row.claims_until = claims_until;
    row.tail_until = tail_until;
    store.put(row)?;
    Ok(())
}

fn edit<S: Keeps<ClaimRow>>(
    fact: &Fact<'_>,
    store: &mut S,
    claim: &ClaimId,
    change: impl FnOnce(&mut ClaimRow) -> Result<(), FoldError>,
) -> Result<(), FoldError> {
    let key = (claim.clone(),);
    match fact.known(store.edit(&key)?, "claim", claim)? {
        Some(row) => change(row),
        None => Ok(()),
    }
}
