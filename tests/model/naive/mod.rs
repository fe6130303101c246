//! The naive model: what the rules of the domain say a ledger answers and holds.
//!
//! Written from the domain's description alone, and as plainly as possible: one struct of maps,
//! everything that is due settled before every command, no streams, no events, no double entry.
//! Where the description leaves a question open the model says [`Verdict::Unsure`].

mod claims;
mod conflicts;
mod coop;
mod customers;
mod deals;
pub(crate) mod exact;
mod mdf;
mod partners;
mod scorecards;
mod settlement;

use super::sent::Sent;
use chl_commands::{Command, rebate::Rebate};
use chl_events::{
    BudgetId, ClaimId, Code, ConflictId, Currency, CustomerId, Date, DealId, Instant, LotId,
    PartnerId, Period, ProgrammeId, RequestId, Role, SaleId, terms::Terms,
};
pub(crate) use claims::{Claim, ClaimState};
pub(crate) use conflicts::Conflict;
pub(crate) use coop::{Lot, Sale};
pub(crate) use customers::Pair;
pub(crate) use deals::{Deal, DealState};
use jiff::tz::TimeZone;
pub(crate) use mdf::{Budget, MdfFund, Request, RequestState};
pub(crate) use partners::{Partner, PartnerState};
pub(crate) use scorecards::FigureKey;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What the model expects of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is accepted.
    Accepted,
    /// It is refused, in one of these classes of precedence.
    Refused(Vec<u8>),
    /// The domain does not say.
    Unsure,
}

/// Goes on, or says what the command comes to.
pub(crate) type Check<T = ()> = Result<T, Verdict>;

/// A version of a programme.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    /// Its number.
    pub(crate) version: u32,
    /// From when on it is in force.
    pub(crate) effective_from: Date,
    /// The currency of its funds.
    pub(crate) currency: Currency,
    /// The zone of its days.
    pub(crate) zone: TimeZone,
    /// Its rules.
    pub(crate) terms: Arc<Terms>,
}

/// A partner's fund in a programme.
pub(crate) type FundKey = (ProgrammeId, PartnerId);

/// Everything the ledger knows, as plainly as it can be put.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    pub(crate) partners: BTreeMap<PartnerId, Partner>,
    pub(crate) programmes: BTreeMap<ProgrammeId, Vec<Version>>,
    pub(crate) customers: BTreeSet<CustomerId>,
    /// Who was merged, and into whom.
    pub(crate) merged: BTreeMap<CustomerId, CustomerId>,
    /// What became of customers that look alike.
    pub(crate) pairs: BTreeMap<Pair, &'static str>,
    pub(crate) deals: BTreeMap<DealId, Deal>,
    pub(crate) conflicts: BTreeMap<ConflictId, Conflict>,
    pub(crate) lots: BTreeMap<(ProgrammeId, PartnerId, LotId), Lot>,
    pub(crate) sales: BTreeMap<(ProgrammeId, PartnerId, SaleId), Sale>,
    pub(crate) budgets: BTreeMap<BudgetId, Budget>,
    pub(crate) mdf: BTreeMap<FundKey, MdfFund>,
    pub(crate) requests: BTreeMap<RequestId, Request>,
    pub(crate) claims: BTreeMap<ClaimId, Claim>,
    /// Scorecards that were published, and what became of their figures.
    pub(crate) scorecards: BTreeSet<(PartnerId, ProgrammeId, Period)>,
    pub(crate) figures: BTreeMap<FigureKey, &'static str>,
    /// Whether checks are passed over, because the ledger was seen to accept.
    forced: bool,
}

impl Model {
    /// Says what a command comes to, and takes it in if it is accepted.
    pub(crate) fn step(&mut self, sent: &Sent) -> Verdict {
        self.settle(sent.time());
        match self.decide(sent) {
            Ok(()) => Verdict::Accepted,
            Err(verdict) => verdict,
        }
    }

    /// Takes in a command that the ledger was seen to accept where the model was not sure.
    pub(crate) fn follow(&mut self, sent: &Sent) {
        self.forced = true;
        // A command whose very subject the model does not know changes nothing here.
        let _ = self.decide(sent);
        self.forced = false;
    }

    fn decide(&mut self, sent: &Sent) -> Check {
        self.unsure(sent.time.is_some() || sent.expected_version.is_some())?;
        let zero = has_zero(&sent.document()["data"]);
        let refused = self.permitted(sent).is_err();
        // What is malformed and not permitted is refused as either.
        self.deny(zero && refused, &[1, 2])?;
        self.deny(zero, &[1])?;
        self.permitted(sent)?;
        match &sent.command {
            Command::Partner(command) => self.partner_command(command, sent),
            Command::Programme(command) => self.publish(command),
            Command::Customer(command) => self.customer_command(command),
            Command::Deal(command) => self.deal_command(command, sent),
            Command::Conflict(command) => self.conflict_command(command, sent),
            Command::Coop(command) => self.coop_command(command, sent),
            Command::Budget(command) => self.budget_command(command, sent),
            Command::Mdf(command) => self.mdf_command(command, sent),
            Command::Claim(command) => self.claim_command(command, sent),
            Command::Ledger(_) => self.unsure(true),
            Command::Rebate(Rebate::CreditRebate(_)) => self.deny(true, &[2]),
        }
    }

    /// The role may send it, and a partner speaks for itself.
    fn permitted(&self, sent: &Sent) -> Check {
        let role = sent.sender.role;
        self.deny(!sent.command.kind().allows(role), &[2])?;
        let foreign = |owner| sent.sender.partner.as_ref() != Some(owner);
        self.deny(role == Role::Partner && sent.command.owner().is_some_and(foreign), &[2])
    }

    /// Records what is due at an instant: ends of protection, closings and expiries of lots,
    /// lapses of requests.
    pub(crate) fn settle(&mut self, now: Instant) {
        self.expire_deals(now);
        self.close_and_expire_lots(now);
        self.lapse_requests(now);
    }

    /// Refuses when something stands against it.
    fn deny(&self, obstacle: bool, classes: &[u8]) -> Check {
        if obstacle && !self.forced { Err(Verdict::Refused(classes.to_vec())) } else { Ok(()) }
    }

    /// Leaves it open when the domain does.
    fn unsure(&self, open: bool) -> Check {
        if open && !self.forced { Err(Verdict::Unsure) } else { Ok(()) }
    }

    /// A programme's version in force on a day: unknown programme 3, none in force 6.
    fn terms_at(&self, programme: &ProgrammeId, on: Date) -> Check<Version> {
        let versions = self.programmes.get(programme).ok_or(Verdict::Refused(vec![3]))?;
        let in_force = versions.iter().rev().find(|version| version.effective_from <= on);
        in_force.cloned().ok_or(Verdict::Refused(vec![6]))
    }

    /// The zone of a programme, whatever the version.
    pub(crate) fn zone(&self, programme: &ProgrammeId) -> TimeZone {
        let versions = self.programmes.get(programme).map(Vec::as_slice).unwrap_or_default();
        versions.last().map_or(TimeZone::UTC, |version| version.zone.clone())
    }

    /// The checks every command of a partner in a programme begins with: both known (3).
    fn known(&self, programme: &ProgrammeId, partner: &PartnerId) -> Check<&Partner> {
        self.deny(!self.programmes.contains_key(programme), &[3])?;
        self.partners.get(partner).ok_or(Verdict::Refused(vec![3]))
    }

    /// And for what is new: active and enrolled (5).
    fn active(&self, programme: &ProgrammeId, partner: &PartnerId) -> Check {
        let known = self.known(programme, partner)?;
        self.deny(known.state != PartnerState::Active, &[5])?;
        self.deny(!known.enrolled.contains_key(programme), &[5])
    }
}

/// Whether any amount of money in it is nothing.
fn has_zero(value: &Value) -> bool {
    match value {
        Value::Object(fields) => {
            let amount = fields
                .get("amount")
                .and_then(Value::as_str)
                .filter(|_| fields.contains_key("currency"));
            let zero = amount.is_some_and(|text| text.chars().all(|c| matches!(c, '0' | '.')));
            zero || fields.values().any(has_zero)
        }
        Value::Array(items) => items.iter().any(has_zero),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// A lot's name: its first and last earning day.
pub(crate) fn lot_id(first: Date, last: Date) -> LotId {
    let digits = |date: Date| date.to_string().replace('-', "");
    format!("{}-{}", digits(first), digits(last)).parse().unwrap()
}

/// A word as a code.
pub(crate) fn code(word: &str) -> Code {
    word.parse().unwrap()
}

/// The model's own name of a challenger's conflict; the ledger's is learnt from its answer.
pub(crate) fn conflict_name(challenger: &DealId) -> ConflictId {
    format!("cf-{challenger}").parse().unwrap()
}

/// The same for a conflict that a merge brought a challenger into.
pub(crate) fn merge_conflict_name(challenger: &DealId, absorbed: &CustomerId) -> ConflictId {
    format!("cf-{challenger}-{absorbed}").parse().unwrap()
}
