//! Commands on funds that stories begin with, with the least that they need, and the books that
//! every story is watched by.

use crate::given::Given;
use crate::story::{id, programme_with, usd};
use chl_commands::budget::{AllocateMdf, CreateMdfBudget};
use chl_commands::claim::{
    ApproveClaim, ClaimCoop, ClaimMdf, ClawbackClaim, DisputeClaim, FailPayment, PayClaim,
    RecoverClawback, RejectClaim, WithdrawClaim, WriteOffClawback,
};
use chl_commands::coop::{AccrueCoop, CloseCoopPeriod, ExpireCoopLot, ReverseAccrual};
use chl_commands::mdf::{ApproveMdfRequest, RequestMdf};
use chl_events::claim::Proof;
use chl_events::terms::{AccrualRate, Band, BandMode, CoopTerms, MdfTerms, Terms};
use chl_events::{Fund, Money, PartnerId, ProgrammeId, Role};

/// A partner in programme `prog`, whose fund every commit is checked against.
pub(crate) fn fund_of(terms: Terms) -> Given {
    let mut story = programme_with(terms, &["p"]);
    story.watch = Some(crate::books::balanced);
    story
}

/// Terms with co-op alone.
pub(crate) fn coop_terms(coop: CoopTerms) -> Terms {
    Terms { coop: Some(coop), ..Terms::default() }
}

/// 2 % of net purchases, half of an activity's cost, claims within 60 days.
pub(crate) fn two_percent() -> CoopTerms {
    CoopTerms {
        accrual: vec![flat("0.02")],
        match_rate: id("0.5"),
        claim_days: 60,
        ..CoopTerms::default()
    }
}

pub(crate) fn flat(rate: &str) -> AccrualRate {
    banded(&[("0", rate)], None)
}

pub(crate) fn banded(bands: &[(&str, &str)], mode: Option<BandMode>) -> AccrualRate {
    let band = |(from, rate): &(&str, &str)| Band { from: id(from), rate: id(rate) };
    let bands = bands.iter().map(band).collect();
    AccrualRate { tier: None, product_line: None, bands, mode }
}

/// MDF that pays half of an activity's cost; a budget of 10,000 of which 4,000 are the partner's.
pub(crate) fn mdf_fund(mdf: MdfTerms) -> Given {
    fund_of(Terms { mdf: Some(mdf), ..Terms::default() })
        .and(budget("b", "10000"))
        .and(allocate("b", "4000"))
}

pub(crate) fn half() -> MdfTerms {
    MdfTerms { match_rate: id("0.5"), ..MdfTerms::default() }
}

pub(crate) fn budget(budget: &str, amount: &str) -> CreateMdfBudget {
    CreateMdfBudget {
        budget: id(budget),
        programme: prog(),
        amount: usd(amount),
        period: id("2026"),
    }
}

pub(crate) fn allocate(budget: &str, amount: &str) -> AllocateMdf {
    AllocateMdf { budget: id(budget), partner: p(), amount: usd(amount) }
}

/// A request for an event from 10 to 12 March 2026.
pub(crate) fn request(request: &str, cost: &str) -> RequestMdf {
    RequestMdf {
        request: id(request),
        partner: p(),
        programme: prog(),
        activity: id("event"),
        start: id("2026-03-10"),
        end: id("2026-03-12"),
        estimated_cost: usd(cost),
        expected_leads: None,
        expected_revenue: None,
    }
}

pub(crate) fn approve_request(request: &str) -> ApproveMdfRequest {
    ApproveMdfRequest { request: id(request), partner: p(), programme: prog(), amount: None }
}

/// A claim on a request for its first day.
pub(crate) fn claim_mdf(claim: &str, request: &str, cost: &str) -> ClaimMdf {
    ClaimMdf {
        claim: id(claim),
        request: id(request),
        partner: p(),
        programme: prog(),
        cost: usd(cost),
        activity_date: id("2026-03-10"),
        proof: Vec::new(),
        outcome: None,
        r#final: None,
    }
}

pub(crate) fn p() -> PartnerId {
    id("p")
}

pub(crate) fn prog() -> ProgrammeId {
    id("prog")
}

/// A sale of 1 March 2026.
pub(crate) fn accrue(sale: &str, net_amount: &str) -> AccrueCoop {
    accrue_on(sale, net_amount, "2026-03-01")
}

pub(crate) fn accrue_on(sale: &str, net_amount: &str, sold_on: &str) -> AccrueCoop {
    AccrueCoop {
        partner: p(),
        programme: prog(),
        sale: id(sale),
        net_amount: usd(net_amount),
        sold_on: id(sold_on),
        product_line: None,
    }
}

pub(crate) fn give_back(sale: &str, net_amount: &str) -> ReverseAccrual {
    ReverseAccrual {
        partner: p(),
        programme: prog(),
        sale: id(sale),
        net_amount: usd(net_amount),
        sold_on: None,
        returned_on: None,
    }
}

/// A claim for an advertisement of 1 March 2026.
pub(crate) fn claim(claim: &str, cost: &str) -> ClaimCoop {
    claim_on(claim, cost, "2026-03-01")
}

pub(crate) fn claim_on(claim: &str, cost: &str, activity_date: &str) -> ClaimCoop {
    ClaimCoop {
        claim: id(claim),
        partner: p(),
        programme: prog(),
        activity: id("ad"),
        cost: usd(cost),
        activity_date: id(activity_date),
        proof: Vec::new(),
    }
}

/// A proof of a kind whose digest repeats one digit.
pub(crate) fn proof(kind: &str, digit: char) -> Proof {
    let sha256 = std::iter::repeat_n(digit, 64).collect();
    Proof { kind: id(kind), issuer: None, number: None, sha256, amount: None }
}

pub(crate) fn approve(fund: Fund, claim: &str, amount: Option<&str>) -> ApproveClaim {
    let amount = amount.map(usd);
    ApproveClaim { claim: id(claim), partner: p(), programme: prog(), fund, amount, note: None }
}

pub(crate) fn reject(fund: Fund, claim: &str) -> RejectClaim {
    RejectClaim { claim: id(claim), partner: p(), programme: prog(), fund, note: None }
}

pub(crate) fn withdraw(fund: Fund, claim: &str) -> WithdrawClaim {
    WithdrawClaim { claim: id(claim), partner: p(), programme: prog(), fund, note: None }
}

pub(crate) fn dispute(fund: Fund, claim: &str) -> DisputeClaim {
    DisputeClaim { claim: id(claim), partner: p(), programme: prog(), fund, note: None }
}

pub(crate) fn pay(fund: Fund, claim: &str, amount: Option<&str>) -> PayClaim {
    PayClaim {
        claim: id(claim),
        partner: p(),
        programme: prog(),
        fund,
        amount: amount.map(usd),
        paid_on: None,
        method: None,
        withheld: None,
        reference: None,
        note: None,
    }
}

pub(crate) fn fail(fund: Fund, claim: &str, amount: Option<&str>) -> FailPayment {
    let amount = amount.map(usd);
    FailPayment { claim: id(claim), partner: p(), programme: prog(), fund, amount, note: None }
}

pub(crate) fn claw_back(fund: Fund, claim: &str, amount: Option<&str>) -> ClawbackClaim {
    let amount = amount.map(usd);
    ClawbackClaim { claim: id(claim), partner: p(), programme: prog(), fund, amount, note: None }
}

pub(crate) fn recover(fund: Fund, claim: &str, amount: Option<&str>) -> RecoverClawback {
    RecoverClawback {
        claim: id(claim),
        partner: p(),
        programme: prog(),
        fund,
        amount: amount.map(usd),
        method: None,
        note: None,
    }
}

pub(crate) fn write_off(fund: Fund, claim: &str, amount: Option<&str>) -> WriteOffClawback {
    let amount = amount.map(usd);
    WriteOffClawback { claim: id(claim), partner: p(), programme: prog(), fund, amount, note: None }
}

pub(crate) fn close(lot: &str) -> CloseCoopPeriod {
    CloseCoopPeriod { partner: p(), programme: prog(), lot: id(lot) }
}

pub(crate) fn expire(lot: &str) -> ExpireCoopLot {
    ExpireCoopLot { partner: p(), programme: prog(), lot: id(lot) }
}

impl Given {
    /// What the lot still offers (AL).
    #[track_caller]
    pub(crate) fn available(&self, lot: &str) -> Money {
        let row = crate::coop::lot_of_fact(self.facts(), &prog(), &p(), &id(lot));
        row.expect("the story opened it").available
    }

    /// What is allocated to the partner and free.
    #[track_caller]
    pub(crate) fn allocated(&self) -> Money {
        let fund = crate::mdf::fund(self.facts(), &prog(), &p()).expect("rows in memory are there");
        fund.expect("the story opened it").available
    }

    /// Somebody else of the vendor sends.
    pub(crate) fn by_finance(self, actor: &str) -> Self {
        self.by(Role::Finance, actor)
    }
}
