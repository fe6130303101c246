//! Two customers that turn out to be one, through the public path: lines of JSON in, answers and
//! read models out.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "other tests use the rest")]
mod model;

use chl_runtime::View;
use model::path::Ledger;
use serde_json::{Value, json};

/// A ledger and the lines it was told, an hour apart.
struct Told {
    ledger: Ledger,
    lines: usize,
}

impl Told {
    fn send(&mut self, name: &str, data: Value) -> Value {
        self.lines += 1;
        let (day, hour) = (1 + self.lines / 24, self.lines % 24);
        let line = json!({
            "id": self.lines.to_string(), "source": "/test", "type": name, "data": data,
            "time": format!("2026-01-{day:02}T{hour:02}:00:00Z"),
        });
        serde_json::to_value(self.ledger.answer(&line.to_string())).unwrap()
    }

    #[track_caller]
    fn accepted(&mut self, name: &str, data: Value) -> Vec<String> {
        let answer = self.send(name, data);
        assert_eq!(answer["outcome"], "accepted", "{answer}");
        let events = answer["events"].as_array().unwrap().iter();
        events.map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    }

    #[track_caller]
    fn refused(&mut self, name: &str, data: Value) -> Value {
        let answer = self.send(name, data);
        assert_eq!(answer["outcome"], "rejected", "{answer}");
        answer
    }

    fn deal(&mut self, deal: &str, customer: &str, partner: &str) -> Vec<String> {
        let value = json!({"amount": "5000.00", "currency": "USD"});
        let data = json!({
            "deal": deal, "customer": customer, "partner": partner, "programme": "gold",
            "product_line": "gtx", "value": value,
        });
        self.accepted("RegisterDeal", data)
    }

    fn row(&self, view: View, column: &str, value: &str) -> Value {
        let rows = self.ledger.rows(view, &[(column, value)]);
        rows.first().unwrap_or_else(|| panic!("no {column} {value}")).clone()
    }
}

/// `acme` and `acme-inc`, and a deal of another partner at each: d-1 is the older one.
fn two_customers() -> Told {
    let mut told = Told { ledger: Ledger::trusting(), lines: 0 };
    let terms = json!({"deal_registration": {"approval": "auto"}});
    let gold = json!({
        "programme": "gold", "version": 1, "effective_from": "2026-01-01", "currency": "USD",
        "terms": terms,
    });
    told.accepted("PublishProgramme", gold);
    for partner in ["p-1", "p-2"] {
        let recruit = json!({"partner": partner, "name": partner, "types": ["reseller"]});
        told.accepted("RecruitPartner", recruit);
        for step in ["ApplyForProgramme", "ApprovePartner", "ActivatePartner"] {
            told.accepted(step, json!({"partner": partner}));
        }
        told.accepted("EnrolPartner", json!({"partner": partner, "programme": "gold"}));
    }
    for (customer, name) in [("acme", "Acme"), ("acme-inc", "ACME, Inc."), ("apex", "Apex")] {
        told.accepted("RegisterCustomer", json!({"customer": customer, "name": name}));
    }
    told.deal("d-1", "acme-inc", "p-1");
    told.deal("d-2", "acme", "p-2");
    told
}

fn report(one: &str, other: &str) -> Value {
    let evidence = json!([{"likeness": "same_name", "score": 100}]);
    json!({"customer": one, "other": other, "score": 100, "evidence": evidence})
}

#[test]
fn a_merge_shows_one_customer_everywhere() {
    let mut told = two_customers();
    told.accepted("ReportPossibleDuplicate", report("acme", "acme-inc"));
    told.accepted("ReportPossibleDuplicate", report("apex", "acme-inc"));
    let open = told.row(View::Conflicts, "customer", "acme");
    assert_eq!(open["state"], "open", "{open}");
    assert_eq!((&open["other_customer"], &open["score"]), (&json!("acme-inc"), &json!(100)));
    assert_eq!(open["alike"], json!(["same_name:100"]), "{open}");

    let merge = json!({"survivor": "acme", "absorbed": "acme-inc", "note": "one tax number"});
    let made = told.accepted("MergeCustomers", merge.clone());
    let expected = ["CustomersMerged", "DealContested", "ProtectionEnded", "ConflictOpened"];
    assert_eq!(made, expected);

    let gone = told.row(View::Customers, "customer", "acme-inc");
    assert_eq!(gone["merged_into"], "acme", "{gone}");
    let deal = told.row(View::Deals, "deal", "d-1");
    assert_eq!((&deal["customer"], &deal["state"]), (&json!("acme"), &json!("approved")), "{deal}");
    assert!(deal.get("previous_deal").is_none(), "whose deal came before is shown to nobody");
    let contested = told.row(View::Deals, "deal", "d-2");
    assert_eq!(contested["state"], "contested", "{contested}");
    assert_eq!(contested["guard_end"], "contested", "{contested}");
    let conflict = told.row(View::Conflicts, "challenger", "d-2");
    assert_eq!((&conflict["incumbent"], &conflict["state"]), (&json!("d-1"), &json!("open")));
    let decided = told.row(View::Conflicts, "other_customer", "acme-inc");
    let both = told.ledger.rows(View::Conflicts, &[("other_customer", "acme-inc")]);
    let states: Vec<&Value> = both.iter().map(|row| &row["state"]).collect();
    assert_eq!(states.len(), 2, "{decided}");
    assert!(states.contains(&&json!("resolved")) && states.contains(&&json!("lapsed")));

    let again = told.refused("MergeCustomers", merge);
    assert_eq!(again["code"], "customer.merged", "{again}");
    assert_eq!(again["details"]["survivor"], "acme", "{again}");
    let won = |customer| json!({"deal": "d-1", "customer": customer, "closed_on": "2026-01-02"});
    let refused = told.refused("MarkDealWon", won("acme-inc"));
    assert_eq!(refused["details"]["survivor"], "acme", "{refused}");
    assert_eq!(told.accepted("MarkDealWon", won("acme")), ["DealWon", "ProtectionEnded"]);
    assert_eq!(told.row(View::Deals, "deal", "d-2")["state"], "submitted");
    let approve = json!({"deal": "d-2", "customer": "acme"});
    assert_eq!(told.accepted("ApproveDeal", approve), ["DealApproved"]);
}

#[test]
fn a_merge_reaches_back_over_merges_before_it() {
    let mut told = two_customers();
    let merge = |survivor: &str, absorbed: &str| json!({"survivor": survivor, "absorbed": absorbed, "note": "one tax number"});
    let lost = json!({"deal": "d-1", "customer": "acme-inc", "closed_on": "2026-01-02"});
    told.accepted("MarkDealLost", lost);
    told.accepted("MergeCustomers", merge("acme", "acme-inc"));
    told.accepted("MergeCustomers", merge("apex", "acme"));
    for deal in ["d-1", "d-2"] {
        assert_eq!(told.row(View::Deals, "deal", deal)["customer"], "apex");
    }
    for gone in ["acme", "acme-inc"] {
        assert_eq!(told.row(View::Customers, "customer", gone)["merged_into"], "apex");
    }
    let apex = told.row(View::Customers, "customer", "apex");
    assert_eq!(apex["absorbed"], json!(["acme", "acme-inc"]), "{apex}");
    let kept = told.ledger.views().rebuild(&mut |_, _| ()).unwrap();
    assert!(kept.is_equal(), "{kept:?}");
}

#[test]
fn two_that_are_two_stay_two() {
    let mut told = two_customers();
    let apart = json!({
        "customer": "acme", "other": "apex", "criterion": "separate_buyers", "note": "asked both",
    });
    told.accepted("KeepCustomersApart", apart);
    let row = told.row(View::Conflicts, "other_customer", "apex");
    assert_eq!((&row["state"], &row["resolution"]), (&json!("resolved"), &json!("kept_apart")));
    assert_eq!(row["criterion"], "separate_buyers", "{row}");
    let again = told.refused("ReportPossibleDuplicate", report("apex", "acme"));
    assert_eq!(again["code"], "customer.kept_apart", "{again}");
}
