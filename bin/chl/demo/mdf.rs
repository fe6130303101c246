//! MDF: budgets, allocations, requests and what is claimed on them.

use super::agenda::{DAY, HOUR};
use super::claims::Claim;
use super::programmes::{ACTIVITIES, PROGRAMMES};
use super::world::{Sender, Standing, Task, World, date, day, money, programme};
use serde_json::json;

/// A request under way.
#[derive(Debug, Clone)]
pub(super) struct Request {
    id: String,
    partner: usize,
    programme: usize,
    activity: &'static str,
    start: i32,
    end: i32,
    /// What it should cost, in minor units.
    cost: i64,
    /// What of it the vendor pays.
    share: i64,
}

/// A step of a request.
#[derive(Debug, Clone, Copy)]
pub(super) enum RequestStep {
    Decide,
    Cancel,
    /// A claim; true when it is the last.
    Claim(bool),
    Lapse,
}

/// The vendor's share of an MDF activity in percent, by programme.
const SHARES: [i64; 3] = [50, 75, 50];

/// The days of a claim window after the activity, by programme.
const WINDOWS: [i64; 3] = [45, 30, 60];

fn of<const N: usize>(list: &[i64; N], place: usize) -> i64 {
    list.get(place).copied().unwrap_or(0)
}

fn budget(place: usize, half: u8) -> String {
    format!("{}-h{half}", programme(place).id)
}

impl World {
    /// The budgets of a half-year are created.
    pub(super) fn create_budgets(&mut self, half: u8) {
        let partners = i64::try_from(self.partners.len()).unwrap_or(0);
        for (place, terms) in PROGRAMMES.iter().enumerate() {
            let amount = partners * 1_000_000;
            let data = json!({
                "budget": budget(place, half), "programme": terms.id,
                "amount": money(amount, terms.currency), "period": format!("2025-H{half}"),
            });
            self.send("CreateMdfBudget", Sender::finance("head"), data);
        }
    }

    /// The budgets of a half-year are closed.
    pub(super) fn close_budgets(&mut self, half: u8) {
        for place in 0..PROGRAMMES.len() {
            let data = json!({ "budget": budget(place, half) });
            self.send("CloseMdfBudget", Sender::finance("head"), data);
        }
    }

    /// The busier partners get MDF; one that has left gets it too, by mistake.
    pub(super) fn allocate(&mut self, half: u8) {
        for partner in 0..self.partners.len() * 9 / 20 {
            let Some(holder) = self.partners.get(partner) else { return };
            let gone = holder.standing == Standing::Terminated;
            let Some(place) = holder.programmes.first().copied() else { continue };
            if holder.standing != Standing::Active && !gone {
                continue;
            }
            let terms = programme(place);
            let amount = self.dice.amount(200_000, 3_000_000);
            let data = json!({
                "budget": budget(place, half), "partner": self.partner_id(partner),
                "amount": money(amount, terms.currency),
            });
            self.send("AllocateMdf", Sender::finance("plan"), data);
            let back = self.dice.chance(60).then_some(amount / 1000 * 100).filter(|back| *back > 0);
            if let Some(back) = back.filter(|_| !gone) {
                let data = json!({
                    "budget": budget(place, half), "partner": self.partner_id(partner),
                    "amount": money(back, terms.currency),
                });
                self.send("ReturnMdfAllocation", Sender::finance("plan"), data);
            }
            let fund = self.partners.get_mut(partner).filter(|_| !gone);
            if let Some(fund) = fund.map(|partner| partner.funds.entry(place).or_default()) {
                fund.mdf += amount - back.unwrap_or(0);
            }
        }
    }

    /// A request comes in, where chance finds money.
    pub(super) fn arrive_request(&mut self) {
        for _ in 0..10 {
            let Some(partner) = self.active() else { continue };
            let holder = self.partners.get(partner);
            let place = holder.and_then(|p| p.programmes.first()).copied().unwrap_or(0);
            let left = holder.and_then(|p| p.funds.get(&place)).map_or(0, |fund| fund.mdf);
            if left > 100_000 {
                return self.request(partner, place, left);
            }
        }
    }

    fn request(&mut self, partner: usize, place: usize, left: i64) {
        let terms = programme(place);
        let share = left * self.dice.between(10, 60) / 100;
        let cost = share * 100 / of(&SHARES, place);
        let start = day(self.now) + i32::try_from(self.dice.between(6, 30)).unwrap_or(6);
        let end = start + i32::try_from(self.dice.between(0, 4)).unwrap_or(0);
        let id = self.name("r");
        let activity = self.dice.pick(&ACTIVITIES);
        let request = Request { id, partner, programme: place, activity, start, end, cost, share };
        let data = json!({
            "request": request.id, "partner": self.partner_id(partner), "programme": terms.id,
            "activity": activity, "start": date(start), "end": date(end),
            "estimated_cost": money(cost, terms.currency),
            "expected_leads": self.dice.between(10, 200),
            "expected_revenue": money(cost * self.dice.between(4, 12), terms.currency),
        });
        let sender = Sender::partner(&self.partner_id(partner));
        self.send("RequestMdf", sender, data);
        self.reserve(&request, request.share);
        let after = self.days(1, 5);
        let step = match self.dice.below(100) {
            0..4 => RequestStep::Cancel,
            4..96 => RequestStep::Decide,
            // Nobody answers.
            _ => return,
        };
        self.later(after, Task::Request(Box::new(request), step));
    }

    fn on_request(&mut self, kind: &str, sender: Sender, request: &Request) {
        let data = json!({
            "request": request.id, "partner": self.partner_id(request.partner),
            "programme": programme(request.programme).id,
        });
        self.send(kind, sender, data);
    }

    pub(super) fn step_request(&mut self, request: Request, step: RequestStep) {
        let manager = self.manager(1);
        match step {
            RequestStep::Decide if self.dice.chance(90) => {
                self.on_request("RejectMdfRequest", manager, &request);
                self.reserve(&request, -request.share);
            }
            RequestStep::Decide => self.approve_request(request, manager),
            RequestStep::Cancel => {
                let sender = Sender::partner(&self.partner_id(request.partner));
                self.on_request("CancelMdfRequest", sender, &request);
                self.reserve(&request, -request.share);
            }
            RequestStep::Claim(last) => self.claim_request(request, last),
            RequestStep::Lapse => {
                self.on_request("LapseMdfRequest", Sender::service("/sweep"), &request);
                self.reserve(&request, -request.share);
            }
        }
    }

    fn reserve(&mut self, request: &Request, amount: i64) {
        let holder = self.partners.get_mut(request.partner);
        if let Some(fund) = holder.and_then(|p| p.funds.get_mut(&request.programme)) {
            fund.mdf -= amount;
        }
    }

    fn approve_request(&mut self, mut request: Request, manager: Sender) {
        let terms = programme(request.programme);
        let less = self.dice.chance(150);
        if less {
            let share = (request.share * 7 / 10).max(100);
            self.reserve(&request, share - request.share);
            request.share = share;
        }
        let amount = less.then(|| money(request.share, terms.currency));
        let data = json!({
            "request": request.id, "partner": self.partner_id(request.partner),
            "programme": terms.id, "amount": amount,
        });
        self.send("ApproveMdfRequest", manager, data);
        let over = (i64::from(request.end) + 2) * DAY - self.now;
        let claim = over + self.days(0, 20);
        let lapse = over + (of(&WINDOWS, request.programme) + 1) * DAY;
        let (after, step) = match self.dice.below(100) {
            0..66 => (claim, RequestStep::Claim(true)),
            66..80 => (claim, RequestStep::Claim(false)),
            80..86 => (over / 2, RequestStep::Cancel),
            86..96 => (lapse, RequestStep::Lapse),
            // It lapses unseen.
            _ => return,
        };
        self.later(after, Task::Request(Box::new(request), step));
    }

    fn claim_request(&mut self, request: Request, last: bool) {
        let partner = self.partners.get(request.partner);
        if partner.is_none_or(|partner| partner.standing != Standing::Active) {
            return;
        }
        let terms = programme(request.programme);
        let percent = if last { self.dice.between(70, 115) } else { self.dice.between(20, 45) };
        let cost = (request.cost * percent / 100).max(100);
        let outcome = (terms.id == "momentum" || self.dice.chance(400)).then(|| {
            let revenue = money(cost * self.dice.between(1, 9), terms.currency);
            json!({ "leads": self.dice.between(5, 150), "revenue": revenue })
        });
        let proof = self.proof(request.activity);
        let invoice = proof.clone();
        let id = self.name("k");
        let data = json!({
            "claim": id, "request": request.id, "partner": self.partner_id(request.partner),
            "programme": terms.id, "cost": money(cost, terms.currency),
            "activity_date": date(request.start), "proof": proof, "outcome": outcome,
            "final": (!last).then_some(false),
        });
        let sender = Sender::partner(&self.partner_id(request.partner));
        self.send("ClaimMdf", sender, data);
        let granted = (cost * of(&SHARES, request.programme) / 100).min(request.share);
        let claim = Claim {
            id,
            partner: request.partner,
            programme: request.programme,
            fund: "mdf",
            granted,
            invoice,
        };
        self.follow(claim);
        if !last {
            let after = self.dice.between(HOUR, 6 * DAY);
            let rest = Request { share: (request.share - granted).max(0), ..request };
            self.later(after, Task::Request(Box::new(rest), RequestStep::Claim(true)));
        }
    }
}
