//! Claims of either fund: decided, paid, and what can go wrong after that.

use super::agenda::HOUR;
use super::world::{Sender, Standing, Task, World, date, day, money, programme};
use serde_json::{Value, json};

/// A claim under way.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    /// Its identifier.
    pub(super) id: String,
    /// Whose it is.
    pub(super) partner: usize,
    /// The programme, by place.
    pub(super) programme: usize,
    /// The fund's word.
    pub(super) fund: &'static str,
    /// What is held, about, in minor units.
    pub(super) granted: i64,
    /// Its proof.
    pub(super) invoice: Value,
}

/// A step of a claim.
#[derive(Debug, Clone, Copy)]
pub(super) enum ClaimStep {
    AddProof,
    /// The same invoice is sent in again, on another claim.
    Again,
    Withdraw,
    /// Approved or rejected; true when it was disputed before.
    Decide(bool),
    Dispute,
    Pay,
    Fail,
    ClawBack,
    Recover,
    WriteOff,
}

impl World {
    /// A claim was sent: what becomes of it is drawn.
    pub(super) fn follow(&mut self, claim: Claim) {
        let after = self.days(2, 10);
        let step = match self.dice.below(100) {
            0..4 => Some(ClaimStep::Withdraw),
            4..96 => Some(ClaimStep::Decide(false)),
            // It waits for somebody.
            _ => None,
        };
        if self.dice.chance(90) {
            self.plan(HOUR, &claim, ClaimStep::AddProof);
        }
        if self.dice.chance(25) {
            self.plan(30 * HOUR, &claim, ClaimStep::Again);
        }
        if let Some(step) = step {
            self.plan(after, &claim, step);
        }
    }

    fn plan(&mut self, after: i64, claim: &Claim, step: ClaimStep) {
        self.later(after, Task::Claim(Box::new(claim.clone()), step));
    }

    /// Whether the partner can still act.
    fn acts(&self, partner: usize) -> bool {
        self.partners.get(partner).is_some_and(|partner| partner.standing == Standing::Active)
    }

    fn address(&self, claim: &Claim) -> Value {
        json!({
            "claim": claim.id, "partner": self.partner_id(claim.partner),
            "programme": programme(claim.programme).id, "fund": claim.fund,
        })
    }

    fn on_claim(&mut self, kind: &str, sender: Sender, claim: &Claim, more: Value) {
        let mut data = self.address(claim);
        if let (Value::Object(data), Value::Object(more)) = (&mut data, more) {
            data.extend(more);
        }
        self.send(kind, sender, data);
    }

    pub(super) fn step_claim(&mut self, claim: Claim, step: ClaimStep) {
        let partner = Sender::partner(&self.partner_id(claim.partner));
        match step {
            ClaimStep::AddProof if self.acts(claim.partner) => {
                let more = json!([{ "kind": "attendee_list", "sha256": self.digest() }]);
                self.on_claim("AddProof", partner, &claim, json!({ "proof": more }));
            }
            ClaimStep::Again => self.claim_again(&claim),
            ClaimStep::Withdraw => {
                let note = json!({ "note": "sent in twice" });
                self.on_claim("WithdrawClaim", partner, &claim, note);
            }
            ClaimStep::Decide(disputed) => self.decide_claim(claim, disputed),
            ClaimStep::Dispute if self.acts(claim.partner) => {
                let note = json!({ "note": "the invoice was legible" });
                self.on_claim("DisputeClaim", partner, &claim, note);
                let after = self.days(2, 8);
                self.plan(after, &claim, ClaimStep::Decide(true));
            }
            ClaimStep::Pay => self.pay(claim),
            ClaimStep::Fail => {
                let note = json!({ "note": "the account is closed" });
                self.on_claim("FailPayment", Sender::finance("pay-1"), &claim, note);
                let after = self.days(3, 9);
                self.plan(after, &claim, ClaimStep::Pay);
            }
            ClaimStep::ClawBack => self.claw_back(claim),
            ClaimStep::Recover => {
                let data = json!({ "method": "cash" });
                self.on_claim("RecoverClawback", Sender::finance("pay-2"), &claim, data);
            }
            ClaimStep::WriteOff => {
                let note = json!({ "note": "not worth a lawsuit" });
                self.on_claim("WriteOffClawback", Sender::finance("head"), &claim, note);
            }
            ClaimStep::AddProof | ClaimStep::Dispute => {}
        }
    }

    fn claim_again(&mut self, claim: &Claim) {
        let terms = programme(claim.programme);
        let data = json!({
            "claim": self.name("kx"), "partner": self.partner_id(claim.partner),
            "programme": terms.id, "activity": "event", "cost": money(50_000, terms.currency),
            "activity_date": date(day(self.now) - 3), "proof": claim.invoice,
        });
        let sender = Sender::partner(&self.partner_id(claim.partner));
        self.send("ClaimCoop", sender, data);
    }

    fn decide_claim(&mut self, claim: Claim, disputed: bool) {
        let currency = programme(claim.programme).currency;
        let manager = self.manager(1);
        let after = self.days(2, 12);
        match self.dice.below(100) {
            0..76 => {
                self.on_claim("ApproveClaim", manager, &claim, json!({}));
                self.plan(after, &claim, ClaimStep::Pay);
            }
            76..86 => {
                let amount = (claim.granted * 6 / 10).max(100);
                let data = json!({
                    "amount": money(amount, currency), "note": "half of the stand was another's",
                });
                self.on_claim("ApproveClaim", manager, &claim, data);
                self.plan(after, &claim, ClaimStep::Pay);
            }
            _ => {
                let note = json!({ "note": "the invoice cannot be read" });
                self.on_claim("RejectClaim", manager, &claim, note);
                if !disputed && self.dice.chance(500) {
                    self.plan(after, &claim, ClaimStep::Dispute);
                }
            }
        }
    }

    fn pay(&mut self, claim: Claim) {
        let currency = programme(claim.programme).currency;
        let payer = self.dice.between(1, 3);
        let owed = self.owed(&claim, 0);
        let set_off = owed > claim.granted * 12 / 10;
        if set_off {
            self.owed(&claim, -claim.granted);
        }
        let withheld = !set_off && self.dice.chance(60);
        let method = match (set_off, withheld || self.dice.chance(720)) {
            (true, _) => "netting",
            (false, true) => "cash",
            (false, false) => "credit_memo",
        };
        let withheld = withheld.then(|| money((claim.granted / 10).max(1), currency));
        let reference = self.name("pmt");
        let data = json!({ "method": method, "withheld": withheld, "reference": reference });
        self.on_claim("PayClaim", Sender::finance(&format!("pay-{payer}")), &claim, data);
        let after = self.days(3, 25);
        match self.dice.below(1000) {
            0..30 => self.plan(after, &claim, ClaimStep::Fail),
            30..75 => self.plan(after, &claim, ClaimStep::ClawBack),
            _ => {}
        }
    }

    /// What the partner owes in a claim's fund and is to be set off, after a change.
    fn owed(&mut self, claim: &Claim, change: i64) -> i64 {
        let holder = self.partners.get_mut(claim.partner);
        let funds = holder.map(|partner| partner.funds.entry(claim.programme).or_default());
        funds.map_or(0, |fund| {
            fund.owed += change;
            fund.owed
        })
    }

    fn claw_back(&mut self, claim: Claim) {
        let currency = programme(claim.programme).currency;
        let part = self.dice.chance(400).then(|| (claim.granted / 4).max(100));
        let amount = part.map(|part| money(part, currency));
        let data = json!({ "amount": amount, "note": "the event was called off" });
        self.on_claim("ClawbackClaim", Sender::finance("head"), &claim, data);
        let after = self.days(4, 30);
        match self.dice.below(100) {
            0..45 => self.plan(after, &claim, ClaimStep::Recover),
            // What is paid next is set off against it.
            45..65 => {
                self.owed(&claim, part.unwrap_or(claim.granted));
            }
            65..80 => self.plan(after, &claim, ClaimStep::WriteOff),
            _ => {}
        }
    }
}
