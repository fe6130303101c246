//! Commands on co-op, MDF and claims.

use super::{Choice, Maker, said};
use crate::model::{
    naive::{Claim, ClaimState, Request, RequestState},
    sent::Sender,
    world,
};
use chl_events::{ClaimId, Fund, RequestId};
use rand::RngExt;
use serde_json::{Value, json};

impl Maker<'_> {
    pub(super) fn accrue(&mut self) -> Option<Choice> {
        let (partner, programme) = (self.partner(), self.programme());
        let programme = if self.slip(40) { "gold" } else { programme };
        let sale = format!("s-{}", if self.slip(3) { 50 } else { self.next });
        let back = if self.slip(8) { -200 } else { -12 };
        let sold_on = if self.slip(2) { 3 } else { self.rng.random_range(back..=0) };
        let data = json!({
            "partner": partner, "programme": programme, "sale": sale,
            "net_amount": self.money(programme, 100, 40_000),
            "sold_on": self.day(programme, sold_on, sold_on),
            "product_line": self.word(&world::LINES),
        });
        said(world::portal(), "AccrueCoop", data)
    }

    pub(super) fn take_back(&mut self) -> Option<Choice> {
        let keys: Vec<_> = self.model.sales.iter().collect();
        let ((programme, partner, sale), kept) = self.one_of(&keys)?;
        let word = programme.to_string();
        let left = kept.net.max(100);
        let all = json!(chl_events::Money::from_minor(left, kept.version.currency));
        let amount = self.part(&word, left).unwrap_or(all);
        let sale = if self.slip(2) { "s-unknown".into() } else { sale.to_string() };
        let mut data = json!({
            "partner": partner, "programme": programme, "sale": sale, "net_amount": amount,
        });
        if self.slip(30) {
            data["sold_on"] = json!(kept.sold_on);
        }
        if self.slip(5) {
            data["sold_on"] = json!("2026-01-02");
        }
        if self.slip(5) {
            data["returned_on"] = json!(self.day(&word, 0, 1));
        }
        said(world::portal(), "ReverseAccrual", data)
    }

    /// Proof with an invoice that is new, or now and then one that was seen.
    fn proof(&mut self) -> Value {
        if self.slip(4) {
            return json!([]);
        }
        let number = if self.slip(4) { self.rng.random_range(40..90) } else { self.next };
        json!([
            {"kind": "invoice", "issuer": "printers-inc", "number": format!("{number}"),
             "sha256": format!("{number:064x}")},
            {"kind": "photo", "sha256": format!("{:064x}", self.next + 1_000_000)},
        ])
    }

    fn claim_id(&mut self) -> String {
        let taken = self.model.claims.keys().next().map(ToString::to_string);
        match taken {
            Some(taken) if self.slip(2) => taken,
            _ => format!("cl-{}", self.next),
        }
    }

    pub(super) fn claim_coop(&mut self) -> Option<Choice> {
        let rich = self.model.lots.iter().filter(|(_, lot)| lot.available > 0);
        let funds: Vec<_> = rich
            .map(|((programme, partner, _), lot)| (programme.clone(), partner.clone(), lot.clone()))
            .collect();
        let (programme, partner, lot) = self.one_of(&funds)?;
        let word = programme.to_string();
        let today = self.today(&word);
        let (mut day, back) = (today, self.rng.random_range(0..15));
        if self.slip(60) {
            day = today.plus_days(-back)?;
        }
        if day < lot.usable_from && self.slip(85) {
            day = lot.usable_from;
        } else if day > lot.usable_until && self.slip(90) {
            day = lot.usable_until;
        }
        if self.slip(3) {
            day = today.plus_days(self.rng.random_range(-40..4))?;
        }
        let partner = if self.slip(3) { self.partner() } else { partner };
        let activity = if self.slip(3) { "travel" } else { self.word(&world::ACTIVITIES[..3]) };
        let data = json!({
            "claim": self.claim_id(), "partner": partner, "programme": programme,
            "activity": activity, "cost": self.money(&word, 20, 900), "activity_date": day,
            "proof": self.proof(),
        });
        said(self.own(&partner), "ClaimCoop", data)
    }

    pub(super) fn budget(&mut self) -> Option<Choice> {
        let programme = self.programme();
        if self.slip(70) {
            let number = if self.slip(15) { "gold".into() } else { self.next.to_string() };
            let data = json!({
                "budget": format!("b-{number}"), "programme": programme,
                "amount": self.money(programme, 500, 5_000), "period": "2026-H1",
            });
            return said(world::approver(), "CreateMdfBudget", data);
        }
        let budgets: Vec<_> = self.model.budgets.keys().skip(2).cloned().collect();
        let budget = self.one_of(&budgets)?;
        said(world::approver(), "CloseMdfBudget", json!({"budget": budget}))
    }

    pub(super) fn allocate(&mut self) -> Option<Choice> {
        let open: Vec<_> = self.model.budgets.iter().filter(|(_, one)| !one.closed).collect();
        let any: Vec<_> = self.model.budgets.iter().collect();
        let (budget, held) = self.target(open, any)?;
        let word = held.programme.to_string();
        let (budget, left) = (budget.clone(), held.unallocated);
        let most = u32::try_from(left / 100).ok()?.min(1_500);
        let amount = if self.slip(10) {
            self.money(&word, 8_000, 12_000)
        } else {
            self.money(&word, 1, most.max(50))
        };
        let partner = if self.slip(4) { world::partner(world::PARTNERS) } else { self.partner() };
        let budget = if self.slip(2) { "b-unknown".into() } else { budget.to_string() };
        let data = json!({"budget": budget, "partner": partner, "amount": amount});
        said(world::approver(), "AllocateMdf", data)
    }

    pub(super) fn give_back(&mut self) -> Option<Choice> {
        let funds: Vec<_> = self.model.mdf.iter().collect();
        let ((programme, partner), fund) = self.one_of(&funds)?;
        let word = programme.to_string();
        let budgets: Vec<_> = fund.from.keys().cloned().collect();
        let budget = self.one_of(&budgets)?;
        let most = u32::try_from(fund.available / 100).ok()?.max(10);
        let partner = if self.slip(5) { self.partner() } else { partner.clone() };
        let low = if self.slip(10) { most } else { 1 };
        let amount = self.money(&word, low, most);
        let data = json!({"budget": budget, "partner": partner, "amount": amount});
        said(world::approver(), "ReturnMdfAllocation", data)
    }

    pub(super) fn request(&mut self) -> Option<Choice> {
        let funds: Vec<_> = self.model.mdf.keys().cloned().collect();
        let (programme, partner) = self.one_of(&funds)?;
        let word = programme.to_string();
        let partner = if self.slip(5) { self.partner() } else { partner };
        let start = if self.slip(4) { -2 } else { self.rng.random_range(0..10) };
        let length = self.rng.random_range(0..10);
        let activity = if self.slip(4) { "travel" } else { self.word(&world::ACTIVITIES[..3]) };
        let taken = self.model.requests.keys().next().map(ToString::to_string);
        let request = match taken {
            Some(taken) if self.slip(3) => taken,
            _ => format!("r-{}", self.next),
        };
        let data = json!({
            "request": request, "partner": partner, "programme": programme,
            "activity": activity, "start": self.day(&word, start, start),
            "end": self.day(&word, start + length, start + length),
            "estimated_cost": self.money(&word, 50, 900), "expected_leads": 12,
        });
        said(self.own(&partner), "RequestMdf", data)
    }

    fn request_in(&mut self, states: &[RequestState]) -> Option<(RequestId, Request)> {
        let pair = |(id, one): (&RequestId, &Request)| (id.clone(), one.clone());
        let fits = self.model.requests.iter().filter(|(_, one)| states.contains(&one.state));
        let sensible = fits.map(pair).collect();
        let any = self.model.requests.iter().map(pair).collect();
        self.target(sensible, any)
    }

    pub(super) fn decide_request(&mut self) -> Option<Choice> {
        let (id, request) = self.request_in(&[RequestState::Submitted])?;
        let word = request.programme.to_string();
        let mut data =
            json!({"request": id, "partner": request.partner, "programme": request.programme});
        if self.slip(15) {
            return said(self.managing(), "RejectMdfRequest", data);
        }
        if let Some(amount) = self.part(&word, request.estimate / 2) {
            data["amount"] = amount;
        }
        said(self.managing(), "ApproveMdfRequest", data)
    }

    pub(super) fn cancel_request(&mut self) -> Option<Choice> {
        let often = [RequestState::Submitted, RequestState::Approved, RequestState::Approved];
        let state = self.one_of(&often)?;
        let (id, request) = self.request_in(&[state])?;
        let data =
            json!({"request": id, "partner": request.partner, "programme": request.programme});
        said(self.own(&request.partner), "CancelMdfRequest", data)
    }

    pub(super) fn claim_mdf(&mut self) -> Option<Choice> {
        let (id, request) = self.request_in(&[RequestState::Approved])?;
        let word = request.programme.to_string();
        let today = self.today(&word);
        let mut day = today.min(request.end).max(request.start);
        if self.slip(4) {
            day = today.plus_days(self.rng.random_range(-30..3))?;
        }
        let most = u32::try_from(request.estimate / 100).ok()?.max(20);
        let low = if self.slip(10) { most } else { 10 };
        let request_id = if self.slip(2) { "r-unknown".into() } else { id.to_string() };
        let mut data = json!({
            "claim": self.claim_id(), "request": request_id, "partner": request.partner,
            "programme": request.programme, "cost": self.money(&word, low, most),
            "activity_date": day, "proof": self.proof(),
        });
        if self.slip(60) {
            data["outcome"] = json!({"leads": 9});
        }
        if self.slip(40) {
            data["final"] = json!(false);
        }
        said(self.own(&request.partner), "ClaimMdf", data)
    }

    /// A claim for which something holds, or now and then any.
    fn claim(&mut self, fits: fn(&Claim) -> bool) -> Option<(Claim, Value)> {
        let pair = |(id, one): (&ClaimId, &Claim)| (id.clone(), one.clone());
        let sensible = self.model.claims.iter().filter(|(_, one)| fits(one)).map(pair).collect();
        let any = self.model.claims.iter().map(pair).collect();
        let (id, claim) = self.target(sensible, any)?;
        let id = if self.slip(1) { "cl-unknown".into() } else { id.to_string() };
        let data = json!({
            "claim": id, "partner": claim.partner, "programme": claim.programme,
            "fund": claim.fund,
        });
        Some((claim, data))
    }

    fn with_part(&mut self, claim: &Claim, data: &mut Value, minor: i128) {
        let word = claim.programme.to_string();
        if let Some(amount) = self.part(&word, minor) {
            data["amount"] = amount;
        }
    }

    fn approving(&mut self) -> Sender {
        if self.slip(50) { world::approver() } else { self.managing() }
    }

    pub(super) fn decide_claim(&mut self) -> Option<Choice> {
        let (claim, mut data) = self.claim(|claim| claim.state == ClaimState::Submitted)?;
        if self.slip(30) {
            data["note"] = json!("the picture shows another product");
            return said(self.approving(), "RejectClaim", data);
        }
        let held = claim.sum(|part| part.held);
        self.with_part(&claim, &mut data, held);
        said(self.approving(), "ApproveClaim", data)
    }

    pub(super) fn add_proof(&mut self) -> Option<Choice> {
        let (claim, mut data) = self
            .claim(|claim| matches!(claim.state, ClaimState::Submitted | ClaimState::Approved))?;
        if self.slip(70) && claim.fund == Fund::Mdf {
            data["outcome"] = json!({"leads": 4});
        } else {
            data["proof"] = self.proof();
        }
        said(self.own(&claim.partner), "AddProof", data)
    }

    pub(super) fn withdraw_claim(&mut self) -> Option<Choice> {
        let (claim, data) = self.claim(|claim| claim.state == ClaimState::Submitted)?;
        said(self.own(&claim.partner), "WithdrawClaim", data)
    }

    pub(super) fn dispute(&mut self) -> Option<Choice> {
        let (claim, data) = self.claim(|claim| claim.state == ClaimState::Rejected)?;
        said(self.own(&claim.partner), "DisputeClaim", data)
    }

    pub(super) fn pay(&mut self) -> Option<Choice> {
        let (claim, mut data) = self.claim(|claim| claim.sum(|part| part.payable) > 0)?;
        let payable = claim.sum(|part| part.payable);
        let word = claim.programme.to_string();
        self.with_part(&claim, &mut data, payable);
        match self.rng.random_range(0..10) {
            0 | 1 => data["method"] = json!("credit_memo"),
            2 => data["method"] = json!("netting"),
            3 if payable > 200 => data["withheld"] = self.money(&word, 1, 1),
            4 => data["paid_on"] = json!(self.day(&word, -1, 1)),
            _ => data["reference"] = json!("wire 17"),
        }
        let sender = if self.slip(6) { world::approver() } else { world::payer() };
        said(sender, "PayClaim", data)
    }

    pub(super) fn fail_payment(&mut self) -> Option<Choice> {
        let (claim, mut data) = self.claim(|claim| claim.sum(|part| part.paid) > 0)?;
        let paid = claim.sum(|part| part.paid);
        self.with_part(&claim, &mut data, paid);
        said(world::payer(), "FailPayment", data)
    }

    pub(super) fn claw_back(&mut self) -> Option<Choice> {
        let (claim, mut data) =
            self.claim(|claim| claim.sum(|part| part.paid) > claim.clawed_back)?;
        let paid = claim.sum(|part| part.paid);
        self.with_part(&claim, &mut data, paid);
        said(world::payer(), "ClawbackClaim", data)
    }

    pub(super) fn recover(&mut self) -> Option<Choice> {
        let (claim, mut data) = self.claim(|claim| claim.owed > 0)?;
        self.with_part(&claim, &mut data, claim.owed);
        if self.slip(40) {
            return said(world::payer(), "WriteOffClawback", data);
        }
        if self.slip(40) {
            data["method"] = json!("netting");
        }
        said(world::payer(), "RecoverClawback", data)
    }

    /// What a nightly sweep sends for what is due, or now and then for what is not.
    pub(super) fn sweep(&mut self) -> Option<Choice> {
        match self.rng.random_range(0..4) {
            0 => {
                let deals: Vec<_> = self.model.deals.iter().collect();
                let (deal, held) = self.one_of(&deals)?;
                let data = json!({"deal": deal, "customer": held.customer});
                said(world::portal(), "ExpireDeal", data)
            }
            1 => {
                let requests: Vec<_> = self.model.requests.iter().collect();
                let (request, held) = self.one_of(&requests)?;
                let (partner, programme) = (&held.partner, &held.programme);
                let data = json!({"request": request, "partner": partner, "programme": programme});
                said(world::portal(), "LapseMdfRequest", data)
            }
            kind => {
                let lots: Vec<_> = self.model.lots.keys().cloned().collect();
                let (programme, partner, lot) = self.one_of(&lots)?;
                let name = if kind == 2 { "CloseCoopPeriod" } else { "ExpireCoopLot" };
                let data = json!({"partner": partner, "programme": programme, "lot": lot});
                said(world::approver(), name, data)
            }
        }
    }
}
