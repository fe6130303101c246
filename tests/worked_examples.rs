//! The worked examples of published programmes, through the public path: lines of JSON in, figures
//! from the views and answers out.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "JSON objects are read by their keys")]

#[expect(dead_code, reason = "other tests use the rest")]
mod model;

use chl_bus::Answer;
use chl_runtime::View;
use model::path::Ledger;
use serde_json::{Value, json};

/// A programme, one partner in it, and the lines that follow.
struct Story {
    ledger: Ledger,
    lines: usize,
}

fn usd(amount: &str) -> Value {
    json!({"amount": amount, "currency": "USD"})
}

impl Story {
    fn new(terms: Value) -> Self {
        let mut story = Self { ledger: Ledger::trusting(), lines: 0 };
        let programme = json!({
            "programme": "year", "version": 1, "effective_from": "2025-01-01", "currency": "USD",
            "terms": terms,
        });
        story.accepted("2025-01-02T09:00:00Z", "PublishProgramme", programme);
        let recruit = json!({"partner": "p-1", "name": "Partner", "types": ["reseller"]});
        story.accepted("2025-01-02T09:00:00Z", "RecruitPartner", recruit);
        for name in ["ApplyForProgramme", "ApprovePartner", "ActivatePartner"] {
            story.accepted("2025-01-02T09:00:00Z", name, json!({"partner": "p-1"}));
        }
        let enrol = json!({"partner": "p-1", "programme": "year"});
        story.accepted("2025-01-02T09:00:00Z", "EnrolPartner", enrol);
        story
    }

    fn say(&mut self, time: &str, name: &str, data: Value) -> Answer {
        self.lines += 1;
        let line = json!({
            "id": self.lines.to_string(), "source": "/worked", "type": name, "time": time,
            "role": "operator", "data": data,
        });
        self.ledger.answer(&line.to_string())
    }

    fn accepted(&mut self, time: &str, name: &str, data: Value) {
        let answer = self.say(time, name, data);
        assert!(answer.is_accepted(), "{name}: {}", serde_json::to_string(&answer).unwrap());
    }

    fn refused(&mut self, time: &str, name: &str, data: Value, code: &str) {
        let answer = self.say(time, name, data);
        assert_eq!(answer.code(), Some(code), "{}", serde_json::to_string(&answer).unwrap());
    }

    fn sale(&mut self, sale: &str, net: &str, sold_on: &str) {
        let data = json!({
            "partner": "p-1", "programme": "year", "sale": sale, "net_amount": usd(net),
            "sold_on": sold_on,
        });
        self.accepted(&format!("{sold_on}T18:00:00Z"), "AccrueCoop", data);
    }

    fn ad(claim: &str, cost: &str, on: &str) -> Value {
        json!({
            "claim": claim, "partner": "p-1", "programme": "year", "activity": "ad",
            "cost": usd(cost), "activity_date": on, "proof": [],
        })
    }

    /// Has the partner's lot closed, as a sweep does.
    fn close(&mut self, time: &str, lot: &str) {
        let data = json!({"partner": "p-1", "programme": "year", "lot": lot});
        self.accepted(time, "CloseCoopPeriod", data);
    }

    /// A figure of a fund as a whole.
    fn figure(&self, fund: &str, column: &str) -> String {
        let rows = self.ledger.rows(View::Balances, &[("fund", fund), ("lot", "total")]);
        rows.first().map_or_else(|| "none".into(), |row| row[column].as_str().unwrap().to_owned())
    }
}

fn flat(rate: &str) -> Value {
    json!([{"bands": [{"from": "0", "rate": rate}]}])
}

#[test]
fn example_1_two_percent_half_matched_within_sixty_days() {
    let terms = json!({"coop": {"accrual": flat("0.02"), "match_rate": "0.5", "claim_days": 60}});
    let mut story = Story::new(terms);
    story.sale("s-1", "250000.00", "2025-01-10");
    assert_eq!(story.figure("coop", "accrued"), "5000.00");
    story.accepted("2025-01-20T09:00:00Z", "ClaimCoop", Story::ad("c-1", "7200.00", "2025-01-15"));
    assert_eq!(story.figure("coop", "held"), "3600.00");
    assert_eq!(story.figure("coop", "available"), "1400.00");
    // Day 60 counts; day 61 does not.
    let late = Story::ad("c-2", "100.00", "2025-01-15");
    story.refused("2025-03-17T00:00:00Z", "ClaimCoop", late, "claim.too_late");
    let capped = Story::ad("c-3", "4000.00", "2025-01-15");
    story.accepted("2025-03-16T23:59:59Z", "ClaimCoop", capped);
    assert_eq!(story.figure("coop", "available"), "0.00");
    let claims = story.ledger.rows(View::Claims, &[("claim", "c-3")]);
    assert_eq!(claims[0]["requested"]["amount"], "2000.00", "{claims:?}");
    assert_eq!(claims[0]["held"]["amount"], "1400.00", "{claims:?}");
}

#[test]
fn example_2_what_is_left_after_an_ad() {
    let terms = json!({"coop": {"accrual": flat("0.02"), "match_rate": "0.5"}});
    let mut story = Story::new(terms);
    story.sale("s-1", "100000.00", "2025-01-10");
    assert_eq!(story.figure("coop", "accrued"), "2000.00");
    story.accepted("2025-01-20T09:00:00Z", "ClaimCoop", Story::ad("c-1", "1800.00", "2025-01-15"));
    assert_eq!(story.figure("coop", "held"), "900.00");
    assert_eq!(story.figure("coop", "available"), "1100.00");
}

#[test]
fn example_3_bands_on_the_whole_amount_and_marginal() {
    let bands = json!([
        {"from": "0", "rate": "0.03"}, {"from": "7500", "rate": "0.04"},
        {"from": "25000", "rate": "0.05"},
    ]);
    for (mode, accrued) in [("whole_amount", "1500.00"), ("marginal", "1175.00")] {
        let terms = json!({"coop": {"accrual": [{"mode": mode, "bands": bands}]}});
        let mut story = Story::new(terms.clone());
        story.sale("s-1", "30000.00", "2025-01-10");
        assert_eq!(story.figure("coop", "accrued"), accrued, "{mode} in one sale");
        // However the volume comes about, it ends at the same cent.
        let mut story = Story::new(terms);
        story.sale("s-1", "20000.01", "2025-01-10");
        story.sale("s-2", "4999.99", "2025-01-09");
        story.sale("s-3", "5000.00", "2025-01-11");
        assert_eq!(story.figure("coop", "accrued"), accrued, "{mode} in three sales");
    }
}

#[test]
fn example_4_a_half_year_split_between_rebate_and_coop() {
    let terms = json!({"coop": {
        "accrual": flat("1"), "earning_period": "half", "usable": "after_period",
        "rebate_share": "0.6", "conversion_threshold": usd("10000.00"),
        "caps": [{"activity": "ad", "share_of_lot": "0.25"}],
    }});
    let lot = "20250101-20250630";
    let mut story = Story::new(terms.clone());
    story.sale("s-1", "30000.00", "2025-02-10");
    story.close("2025-07-01T09:00:00Z", lot);
    assert_eq!(story.figure("rebate", "accrued"), "18000.00");
    assert_eq!(story.figure("coop", "converted"), "18000.00");
    assert_eq!(story.figure("coop", "available"), "12000.00");
    story.accepted("2025-07-09T09:00:00Z", "ClaimCoop", Story::ad("c-1", "9000.00", "2025-07-02"));
    assert_eq!(story.figure("coop", "held"), "3000.00");
    let another = Story::ad("c-2", "10.00", "2025-07-02");
    story.refused("2025-07-09T09:00:00Z", "ClaimCoop", another, "claim.cap_reached");

    let mut small = Story::new(terms);
    small.sale("s-1", "20000.00", "2025-02-10");
    small.close("2025-07-01T09:00:00Z", lot);
    assert_eq!(small.figure("rebate", "accrued"), "20000.00");
    assert_eq!(small.figure("coop", "available"), "0.00");
}

#[test]
fn example_6_a_floor_on_annual_value_and_sixty_days_from_signature() {
    let terms = json!({"deal_registration": {
        "minimum_value": usd("25000.00"), "minimum_basis": "acv", "approval": "auto",
        "register_within_days_of_signature": 60,
    }});
    let mut story = Story::new(terms);
    let at = "2025-04-02T09:00:00Z";
    story.accepted(at, "RegisterCustomer", json!({"customer": "acme", "name": "Acme"}));
    let deal = |deal: &str, tcv: &str, signed_on: &str| {
        json!({
            "deal": deal, "customer": "acme", "partner": "p-1", "programme": "year",
            "product_line": "gtx", "value": usd(tcv),
            "contract": {"tcv": usd(tcv), "perpetual": true, "signed_on": signed_on},
        })
    };
    story.accepted(at, "RegisterDeal", deal("d-1", "300000.00", "2025-04-01"));
    let small = deal("d-2", "140000.00", "2025-04-01");
    let answer = story.say(at, "RegisterDeal", small);
    let shown = serde_json::to_value(&answer).unwrap();
    assert_eq!(shown["code"], "deal.below_minimum", "{shown}");
    assert_eq!(shown["details"]["value"], usd("23333.33"), "{shown}");
    // Signed 60 days ago, then 61.
    story.accepted(at, "RegisterDeal", deal("d-3", "300000.00", "2025-02-01"));
    let late = deal("d-4", "300000.00", "2025-01-31");
    story.refused(at, "RegisterDeal", late, "deal.too_late_after_signature");
    let rows = story.ledger.rows(View::Deals, &[("deal", "d-1")]);
    assert_eq!(rows[0]["state"], "approved", "{rows:?}");
}
