//! What the vendor does when half of the year is over: books are closed, and customers that came
//! in twice are looked at.

use super::partners::Partner;
use super::programmes::PRODUCT_LINES;
use super::world::{Sender, Standing, World, money, programme};
use serde_json::json;

/// The last day that is closed, and the one from which it is opened once more.
const CLOSED: (&str, &str) = ("2025-05-31", "2025-05-01");

impl World {
    /// Closes the books of spring; a forgotten invoice opens them once more.
    pub(super) fn close_books(&mut self) {
        let (through, from) = CLOSED;
        let close = json!({ "through": through });
        self.send("ClosePeriod", Sender::finance("head"), close.clone());
        let reason = "an invoice of May was forgotten";
        let reopen = json!({ "from": from, "reason": reason });
        self.send("ReopenPeriod", Sender::finance("controller"), reopen);
        self.send("ClosePeriod", Sender::finance("head"), close);
    }

    /// Two pairs of customers look like one company; one pair is.
    pub(super) fn look_at_twins(&mut self) {
        let names = [
            ("twin-1", "Meridian Freight GmbH"),
            ("twin-2", "Meridian Freight"),
            ("twin-3", "Harbour Lights Ltd"),
            ("twin-4", "Harbor Light Limited"),
        ];
        let crm = || Sender::service("/crm-sync");
        for (customer, name) in names {
            self.send("RegisterCustomer", crm(), json!({ "customer": customer, "name": name }));
        }
        self.sell_to_twins(["twin-1", "twin-2"]);
        for (customer, other) in [("twin-1", "twin-2"), ("twin-3", "twin-4")] {
            let evidence = json!([{ "likeness": "similar_name", "score": 91 }]);
            let data =
                json!({ "customer": customer, "other": other, "score": 91, "evidence": evidence });
            self.send("ReportPossibleDuplicate", crm(), data);
        }
        let manager = || Sender::manager(2, 1);
        let data = json!({ "survivor": "twin-1", "absorbed": "twin-2", "note": "one tax number" });
        self.send("MergeCustomers", manager(), data);
        let data = json!({ "customer": "twin-3", "other": "twin-4", "note": "two tax numbers" });
        self.send("KeepCustomersApart", manager(), data);
    }

    /// Two partners register a deal each, with what they take for two customers.
    fn sell_to_twins(&mut self, customers: [&str; 2]) {
        let terms = programme(0);
        let sells = |partner: &&Partner| {
            partner.standing == Standing::Active && partner.programmes.contains(&0)
        };
        let sellers: Vec<String> =
            self.partners.iter().filter(sells).take(2).map(|partner| partner.id.clone()).collect();
        let [line, ..] = PRODUCT_LINES;
        for (seller, customer) in sellers.iter().zip(customers) {
            let data = json!({
                "deal": format!("deal-{customer}"), "customer": customer, "partner": seller,
                "programme": terms.id, "product_line": line,
                "value": money(terms.minimum_value, terms.currency),
            });
            self.send("RegisterDeal", Sender::partner(seller), data);
        }
    }
}
