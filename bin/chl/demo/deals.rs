//! Deals: registered, approved, contested, closed.

use super::agenda::{DAY, HOUR};
use super::names;
use super::programmes::PRODUCT_LINES;
use super::slots::{Deal, Occupant, Stage, UNSURE, customer, name};
use super::world::{Sender, Task, World, date, day, money, programme};
use serde_json::{Value, json};

/// A step of a deal.
#[derive(Debug, Clone, Copy)]
pub(super) enum DealStep {
    Decide,
    Amend,
    Extend,
    Withdraw,
    Expire,
    Win,
    Lose,
    Escalate(u8),
    Resolve(u8),
    /// The conflict has lapsed: the vendor looks at the deal again.
    Again,
}

impl World {
    /// A deal comes in.
    pub(super) fn arrive_deal(&mut self) {
        let Some(partner) = self.active() else { return };
        let place = self.programme_of(partner);
        let value =
            self.dice.amount(programme(place).minimum_value, programme(place).largest_value);
        let territory = self.partners.get(partner).map_or("", |partner| partner.territory);
        let mut deal = Deal {
            partner: (!self.dice.chance(30)).then_some(partner),
            programme: place,
            customer: 0,
            line: self.dice.pick(&PRODUCT_LINES),
            territory,
            value,
            stage: Stage::Pending,
            until: 0,
        };
        let occupant = self.find_place(&mut deal);
        self.register(deal, occupant);
    }

    /// Chooses customer and product line: now and then another's slot on purpose.
    fn find_place(&mut self, deal: &mut Deal) -> Occupant {
        if self.dice.chance(170) {
            let from = self.dice.below(self.deals.registered() + 1);
            let rival = self.deals.rival(from, self.now);
            if let Some(rival) = rival.and_then(|rival| self.deals.open.get(&rival)) {
                (deal.customer, deal.line) = (rival.customer, rival.line);
                let occupant = self.deals.occupant(deal, self.now);
                if matches!(occupant, Occupant::Another(_)) {
                    return occupant;
                }
            }
        }
        let known = usize::try_from(self.customers).unwrap_or(0);
        if known > 40 && self.dice.chance(700) {
            deal.customer = u64::try_from(self.dice.skewed(known)).unwrap_or(0) + 1;
            let occupant = self.deals.occupant(deal, self.now);
            // One deal of its own per slot is a term of one programme; some forget it.
            let one = programme(deal.programme).id == "momentum";
            let fits = match occupant {
                Occupant::Nobody => true,
                Occupant::Oneself => !one || self.dice.chance(300),
                Occupant::Another(_) | Occupant::Unsure => false,
            };
            if fits {
                return occupant;
            }
        }
        deal.customer = self.register_customer(deal.partner);
        Occupant::Nobody
    }

    fn register_customer(&mut self, partner: Option<usize>) -> u64 {
        self.customers += 1;
        let number = self.customers;
        let name = names::company(&mut self.dice);
        let parent = (number > 200 && self.dice.chance(40))
            .then(|| customer(self.dice.below(number - 1) + 1));
        let data = json!({
            "customer": customer(number), "name": name, "parent": parent,
            "country": self.dice.pick(&["US", "DE", "GB", "FR", "NL"]),
        });
        let sender = self.sender_for(partner);
        self.send("RegisterCustomer", sender, data);
        number
    }

    /// The partner's own user, mostly; else a service, and a manager for direct sales.
    fn sender_for(&mut self, partner: Option<usize>) -> Sender {
        match partner {
            None => self.manager(1),
            Some(_) if self.dice.chance(150) => Sender::service("/crm-sync"),
            Some(partner) => Sender::partner(&self.partner_id(partner)),
        }
    }

    fn register(&mut self, mut deal: Deal, occupant: Occupant) {
        let number = self.deals.next();
        let terms = programme(deal.programme);
        let close_in = self.dice.between(25, 120);
        let data = json!({
            "deal": name(number), "customer": customer(deal.customer),
            "partner": deal.partner.map(|partner| self.partner_id(partner)),
            "route": deal.partner.is_none().then_some("direct"),
            "programme": terms.id, "product_line": deal.line, "territory": deal.territory,
            "value": money(deal.value, terms.currency),
            "expected_close": date(day(self.now + close_in * DAY)),
            "contract": if terms.contracts { self.contract(deal.value) } else { Value::Null },
        });
        let sender = self.sender_for(deal.partner);
        self.send("RegisterDeal", sender, data);
        match occupant {
            Occupant::Oneself if terms.id == "momentum" => return,
            Occupant::Another(incumbent) => {
                deal.stage = Stage::Contested(incumbent);
                self.deals.open.insert(number, deal);
                self.plan_conflict(number, incumbent);
                return;
            }
            Occupant::Nobody | Occupant::Oneself | Occupant::Unsure => {}
        }
        let automatic = deal.value < terms.auto_below;
        self.deals.open.insert(number, deal);
        self.deals.guard(number);
        if automatic {
            self.protect(number);
        } else {
            let after = self.days(1, 4);
            self.later(after, Task::Deal(number, DealStep::Decide));
        }
    }

    /// A contract with this annual value.
    fn contract(&mut self, value: i64) -> Value {
        let signed_on = date(day(self.now) - 1 - i32::try_from(self.dice.below(40)).unwrap_or(0));
        if self.dice.chance(150) {
            return json!({ "tcv": money(value * 6, "GBP"), "perpetual": true });
        }
        let years = self.dice.between(1, 3);
        json!({
            "tcv": money(value * years, "GBP"), "months": 12 * years,
            "signed_on": self.dice.chance(500).then_some(signed_on),
        })
    }

    /// A deal is approved: it guards its slot for the window, and its fate is drawn.
    pub(super) fn protect(&mut self, number: u64) {
        let now = self.now;
        let Some(deal) = self.deals.open.get_mut(&number) else { return };
        let days = programme(deal.programme).protection_days;
        deal.stage = Stage::Approved;
        deal.until = now + days * DAY;
        self.deals.guard(number);
        let within = self.days(5, days - 6);
        let fate = [
            (44, Some(DealStep::Win)),
            (22, Some(DealStep::Lose)),
            (4, Some(DealStep::Withdraw)),
            (18, Some(DealStep::Expire)),
            (12, None),
        ];
        let step = self.dice.weighted(&fate).flatten();
        let after = match step {
            Some(DealStep::Expire) => days * DAY + self.dice.between(2 * HOUR + UNSURE, DAY),
            _ => within,
        };
        if let Some(step) = step {
            self.later(after, Task::Deal(number, step));
        }
        if self.dice.chance(150) {
            let after = self.days(1, 5);
            self.later(after, Task::Deal(number, DealStep::Amend));
        }
        if matches!(step, Some(DealStep::Expire) | None) && self.dice.chance(350) {
            let after = days * DAY - self.days(2, 9);
            self.later(after, Task::Deal(number, DealStep::Extend));
        }
    }

    /// A deal goes on.
    pub(super) fn step_deal(&mut self, number: u64, step: DealStep) {
        let Some(deal) = self.deals.open.get(&number).cloned() else { return };
        match step {
            DealStep::Decide if deal.stage == Stage::Pending => self.decide_deal(number, &deal),
            DealStep::Again if deal.stage == Stage::Lapsed => self.decide_again(number, &deal),
            DealStep::Amend => {
                let value = money(deal.value * 11 / 10, programme(deal.programme).currency);
                self.tell(number, &deal, "AmendDeal", json!({ "value": value }));
            }
            DealStep::Extend if self.deals.guards(number, self.now + UNSURE) => {
                let note = json!({ "note": "the customer's budget comes later" });
                self.tell(number, &deal, "ExtendDeal", note);
                if let Some(deal) = self.deals.open.get_mut(&number) {
                    deal.until += programme(deal.programme).extension_days * DAY;
                }
            }
            DealStep::Withdraw => {
                self.tell(number, &deal, "WithdrawDeal", json!({}));
                self.end(number);
            }
            DealStep::Expire => self.expire(number, &deal),
            DealStep::Win => self.win(number, &deal),
            DealStep::Lose => {
                let reason = self.dice.pick(&["price", "competitor", "no_budget", "no_decision"]);
                let closed_on = date(day(self.now) - 1);
                let data = json!({ "closed_on": closed_on, "loss_reason": reason });
                self.tell(number, &deal, "MarkDealLost", data);
                self.end(number);
            }
            DealStep::Escalate(level) => self.escalate(number, &deal, level),
            DealStep::Resolve(level) => self.resolve(number, &deal, level),
            // What was planned is overtaken.
            DealStep::Decide | DealStep::Again | DealStep::Extend => {}
        }
    }

    fn decide_deal(&mut self, number: u64, deal: &Deal) {
        let manager = self.manager(1);
        let data = json!({ "deal": name(number), "customer": customer(deal.customer) });
        match self.dice.below(100) {
            0..92 => {
                self.send("ApproveDeal", manager, data);
                self.protect(number);
            }
            92..98 => {
                self.send("RejectDeal", manager, data);
                self.end(number);
            }
            // Nobody gets to it: it stays pending.
            _ => {}
        }
    }

    fn decide_again(&mut self, number: u64, deal: &Deal) {
        let occupant = self.deals.occupant(deal, self.now);
        let manager = self.manager(1);
        let data = json!({ "deal": name(number), "customer": customer(deal.customer) });
        match occupant {
            Occupant::Nobody if self.dice.chance(700) => {
                self.send("ApproveDeal", manager, data);
                self.protect(number);
            }
            Occupant::Nobody | Occupant::Oneself | Occupant::Another(_) => {
                self.send("RejectDeal", manager, data);
                self.end(number);
            }
            Occupant::Unsure => self.later(DAY, Task::Deal(number, DealStep::Again)),
        }
    }

    fn expire(&mut self, number: u64, deal: &Deal) {
        if deal.stage != Stage::Approved {
            return;
        }
        if deal.until > self.now {
            // Extended meanwhile.
            let after = deal.until - self.now + 2 * UNSURE;
            return self.later(after, Task::Deal(number, DealStep::Expire));
        }
        let data = json!({ "deal": name(number), "customer": customer(deal.customer) });
        self.send("ExpireDeal", Sender::service("/sweep"), data);
        self.lapse(number);
        if let Some(deal) = self.deals.open.get_mut(&number) {
            deal.stage = Stage::Unprotected;
        }
        // The market does not wait for protection.
        let after = self.days(5, 40);
        match self.dice.below(10) {
            0..3 => self.later(after, Task::Deal(number, DealStep::Win)),
            3..6 => self.later(after, Task::Deal(number, DealStep::Lose)),
            _ => {}
        }
    }

    fn win(&mut self, number: u64, deal: &Deal) {
        let terms = programme(deal.programme);
        let value = deal.value * self.dice.between(85, 115) / 100;
        let closed_on = date(day(self.now) - 1);
        let data = json!({ "closed_on": closed_on, "value": money(value, terms.currency) });
        self.tell(number, deal, "MarkDealWon", data);
        self.end(number);
        if let Some(partner) = deal.partner.filter(|_| self.dice.chance(700)) {
            self.accrue(partner, deal.programme, value, deal.line, 1);
        }
    }

    /// Sends a command on a deal in its partner's name.
    fn tell(&mut self, number: u64, deal: &Deal, kind: &str, mut data: Value) {
        if let Value::Object(fields) = &mut data {
            fields.insert("deal".into(), name(number).into());
            fields.insert("customer".into(), customer(deal.customer).into());
        }
        let sender = self.sender_for(deal.partner);
        self.send(kind, sender, data);
    }

    /// A deal is over.
    pub(super) fn end(&mut self, number: u64) {
        self.lapse(number);
        self.deals.open.remove(&number);
    }

    /// A guard ends; the vendor looks again at those whose conflicts lapse.
    pub(super) fn lapse(&mut self, number: u64) {
        for challenger in self.deals.unguard(number) {
            let after = self.days(2, 6);
            self.later(after, Task::Deal(challenger, DealStep::Again));
        }
    }
}
