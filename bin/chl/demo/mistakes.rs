//! What people and systems get wrong: commands that the ledger refuses, or has seen before.

use super::programmes::{EXCLUDED_ACTIVITY, PRODUCT_LINES};
use super::slots::customer;
use super::world::{Sender, World, date, day, money, programme};
use serde_json::{Value, json};

impl World {
    /// Something comes in that should not.
    pub(super) fn arrive_mistake(&mut self) {
        let Some(partner) = self.active() else { return };
        let place = self.programme_of(partner);
        let id = self.partner_id(partner);
        match self.dice.below(16) {
            0 | 1 => self.send_again(),
            2 | 3 => self.wrong_claim(partner, place, 90, "webinar", true),
            4 => self.wrong_claim(partner, place, 3, EXCLUDED_ACTIVITY, true),
            5 => self.wrong_claim(partner, place, 3, "event", false),
            6 | 7 => {
                let data = self.deal(partner, place, json!({ "value": money(9_900, "USD") }));
                self.send("RegisterDeal", Sender::partner(&id), data);
            }
            8 => {
                let data = self.deal(partner, place, json!({ "customer": "c-unheard-of" }));
                self.send("RegisterDeal", Sender::partner(&id), data);
            }
            9 => {
                let data = self.deal(partner, place, json!({ "territory": "abroad" }));
                self.send("RegisterDeal", Sender::partner(&id), data);
            }
            10 | 11 => self.accrue_twice(partner, place),
            12 => {
                // Another partner's name on one's own connection.
                let data = self.deal(partner, place, json!({}));
                self.send("RegisterDeal", Sender::partner("p-0000"), data);
            }
            13 => {
                let sale = self.name("s");
                let data = json!({
                    "partner": id, "programme": programme(place).id, "sale": sale,
                    "net_amount": money(5_000, programme(place).currency),
                });
                self.send("ReverseAccrual", Sender::service("/erp"), data);
            }
            14 => self.wrong_currency(partner, place),
            _ => self.reuse_id(partner, place),
        }
    }

    /// The data of a registration with something wrong in it.
    fn deal(&mut self, partner: usize, place: usize, wrong: Value) -> Value {
        let terms = programme(place);
        let value = money(terms.largest_value, terms.currency);
        let deal = self.name("dx");
        let territory = self.partners.get(partner).map_or("", |partner| partner.territory);
        let mut data = json!({
            "deal": deal, "customer": customer(1), "partner": self.partner_id(partner),
            "programme": terms.id, "product_line": self.dice.pick(&PRODUCT_LINES),
            "territory": territory, "value": value,
            "expected_close": date(day(self.now) + 60),
            "contract": terms.contracts.then(|| json!({ "tcv": value, "months": 12 })),
        });
        if let (Value::Object(data), Value::Object(wrong)) = (&mut data, wrong) {
            data.extend(wrong);
        }
        data
    }

    fn wrong_claim(&mut self, partner: usize, place: usize, ago: i32, what: &str, proven: bool) {
        let terms = programme(place);
        let claim = self.name("kx");
        let proof = if proven { self.proof(what) } else { json!([]) };
        let data = json!({
            "claim": claim, "partner": self.partner_id(partner), "programme": terms.id,
            "activity": what, "cost": money(50_000, terms.currency),
            "activity_date": date(day(self.now) - ago), "proof": proof,
        });
        let sender = Sender::partner(&self.partner_id(partner));
        self.send("ClaimCoop", sender, data);
    }

    /// The shop sends a sale twice, under two ids.
    fn accrue_twice(&mut self, partner: usize, place: usize) {
        let terms = programme(place);
        let sale = self.name("s");
        for _ in 0..2 {
            let data = json!({
                "partner": self.partner_id(partner), "programme": terms.id, "sale": sale,
                "net_amount": money(10_000, terms.currency), "sold_on": date(day(self.now) - 1),
            });
            self.send("AccrueCoop", Sender::service("/erp"), data);
        }
    }

    fn wrong_currency(&mut self, partner: usize, place: usize) {
        let sale = self.name("s");
        let data = json!({
            "partner": self.partner_id(partner), "programme": programme(place).id, "sale": sale,
            "net_amount": money(10_000, "CHF"), "sold_on": date(day(self.now) - 1),
        });
        self.send("AccrueCoop", Sender::service("/erp"), data);
    }

    /// Two customers under one command id.
    fn reuse_id(&mut self, partner: usize, place: usize) {
        let id = self.name("batch");
        for measure in ["satisfaction", "renewal_rate"] {
            let data = json!({
                "partner": self.partner_id(partner), "measure": measure,
                "period": format!("2024-{:02}", place + 1), "value": "0.5",
            });
            self.send_as(&id, "RecordMeasure", Sender::service("/crm-sync"), data);
        }
    }
}
