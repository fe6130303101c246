//! What the vendor does when half of the year is over: books are closed, and customers that came
//! in twice are looked at.

use super::world::{Sender, World};
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
}
