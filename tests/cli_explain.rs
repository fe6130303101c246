//! A balance explained: every event behind it, with the rule that computed it and who wanted it.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cli;

use cli::{Desk, partner_lines};
use serde_json::{Value, json};

/// A fund whose money moves by rules and by people's words.
fn fund() -> Desk {
    let desk = Desk::new();
    let lines = r#"{"id":"g","type":"PublishProgramme","time":"2026-01-01T00:00:00Z","data":{"programme":"grow","version":1,"effective_from":"2026-01-01","currency":"USD","terms":{"tiers":["silver","gold"],"coop":{"accrual":[{"tier":"gold","bands":[{"from":"0","rate":"0.1"}]},{"bands":[{"from":"0","rate":"0.033"}]}],"match_rate":"0.5","caps":[{"activity":"fair","amount":{"amount":"9.00","currency":"USD"}},{"amount":{"amount":"100.00","currency":"USD"}}],"rebate_share":"0.25","usable":"after_period","usage_months":1,"claim_days":90,"expiry_days":120},"mdf":{"match_rate":"0.4","claim_days":30}}}}
{"id":"e","type":"EnrolPartner","time":"2026-01-03T09:00:00Z","data":{"partner":"p-1","programme":"grow"}}
{"id":"a","type":"AccrueCoop","time":"2026-01-10T09:00:00Z","data":{"partner":"p-1","programme":"grow","sale":"s-1","net_amount":{"amount":"10123.45","currency":"USD"},"sold_on":"2026-01-10"}}
{"id":"r","type":"ReverseAccrual","time":"2026-01-15T09:00:00Z","reason":"sent back unopened","data":{"partner":"p-1","programme":"grow","sale":"s-1","net_amount":{"amount":"123.45","currency":"USD"},"returned_on":"2026-01-15"}}
{"id":"z","type":"CloseCoopPeriod","time":"2026-04-02T09:00:00Z","data":{"partner":"p-1","programme":"grow","lot":"20260101-20260331"}}
{"id":"k","type":"ClaimCoop","time":"2026-04-20T09:00:00Z","data":{"claim":"c-1","partner":"p-1","programme":"grow","activity":"ad","cost":{"amount":"500.00","currency":"USD"},"activity_date":"2026-04-10","proof":[]}}
{"id":"y","type":"ApproveClaim","time":"2026-04-21T09:00:00Z","onbehalfof":"finance-2","data":{"claim":"c-1","partner":"p-1","programme":"grow","fund":"coop","amount":{"amount":"90.00","currency":"USD"},"note":"half a page"}}
{"id":"b","type":"CreateMdfBudget","time":"2026-05-01T09:00:00Z","data":{"budget":"b-1","programme":"grow","amount":{"amount":"1000.00","currency":"USD"},"period":"2026"}}
{"id":"l","type":"AllocateMdf","time":"2026-05-01T09:00:00Z","data":{"budget":"b-1","partner":"p-1","amount":{"amount":"600.00","currency":"USD"}}}
{"id":"q","type":"RequestMdf","time":"2026-05-02T09:00:00Z","data":{"request":"r-1","partner":"p-1","programme":"grow","activity":"fair","start":"2026-06-01","end":"2026-06-03","estimated_cost":{"amount":"1250.00","currency":"USD"}}}
{"id":"w","type":"ApproveMdfRequest","time":"2026-05-03T09:00:00Z","onbehalfof":"cm-1","data":{"request":"r-1","partner":"p-1","programme":"grow","amount":{"amount":"500.00","currency":"USD"}}}
{"id":"h","type":"ClaimMdf","time":"2026-06-10T09:00:00Z","data":{"claim":"c-2","request":"r-1","partner":"p-1","programme":"grow","cost":{"amount":"700.01","currency":"USD"},"activity_date":"2026-06-02","proof":[],"final":false}}
{"id":"v","type":"LapseMdfRequest","time":"2026-08-01T09:00:00Z","data":{"request":"r-1","partner":"p-1","programme":"grow"}}
{"id":"x","type":"ExpireCoopLot","time":"2026-09-01T09:00:00Z","data":{"partner":"p-1","programme":"grow","lot":"20260101-20260331"}}
"#;
    let run = desk.submit(&(partner_lines() + lines));
    assert_eq!(run.code, 0, "{}", run.out);
    desk
}

/// The events that an explanation shows.
fn events(desk: &Desk, fund: &str) -> Vec<Value> {
    let run = desk.run(&["explain", "balance", "p-1", "grow", fund]);
    assert_eq!(run.code, 0, "{}", run.err);
    run.json_lines().into_iter().filter(|row| row["table"] == "events").collect()
}

/// What computed an amount, and from what.
fn why(event: &Value) -> Value {
    json!({
        "version": event["programme_version"], "terms": event["terms"], "base": event["base"],
        "rate": event["rate"], "unrounded": event["unrounded"], "amount": event["amount"],
    })
}

#[test]
fn every_event_names_its_rule_and_the_amount_before_rounding() {
    let events = events(&fund(), "coop");
    let of = |name: &str| {
        let found = events.iter().find(|event| event["event"] == name);
        found.unwrap_or_else(|| panic!("{name}: {events:#?}"))
    };
    let flat = json!({
        "tier": null, "product_line": null, "bands": [{"from": "0", "rate": "0.033"}], "mode": null,
    });
    assert_eq!(
        why(of("CoopAccrued")),
        json!({
            "version": 1, "terms": {"/coop/accrual/1": flat, "/rounding": "half_even"}, "base": "10123.45",
            "rate": "0.033", "unrounded": "334.07385", "amount": "334.07",
        })
    );
    let returned = of("CoopAccrualReversed");
    assert_eq!(returned["reason"], "sent back unopened");
    assert_eq!(
        why(returned),
        json!({
            "version": 1, "terms": {"/coop/accrual/1": flat, "/rounding": "half_even"}, "base": "123.45",
            "rate": "0.033", "unrounded": "4.07385", "amount": "4.07",
        })
    );
    let claimed = of("CoopClaimed");
    let rules = json!(["/coop/match_rate", "/rounding", "/coop/caps/1", "/coop/over_available"]);
    assert_eq!(claimed["rules"], rules, "the fair's cap took no part");
    assert_eq!(claimed["terms"]["/coop/match_rate"], "0.5");
    assert_eq!((&claimed["unrounded"], &claimed["amount"]), (&json!("250"), &json!("100.00")));
    let approved = of("ClaimApproved");
    assert_eq!((&approved["rules"], &approved["onbehalfof"]), (&Value::Null, &json!("finance-2")));
    assert_eq!(approved["what"]["note"], "half a page", "opened for the operator");
    assert_eq!(
        why(of("CoopPeriodClosed")),
        json!({
            "version": 1, "terms": {"/coop/rebate_share": "0.25"}, "base": "330.00",
            "rate": "0.25", "unrounded": null, "amount": "82.50",
        })
    );
    assert_eq!(of("CoopLotExpired")["terms"], json!({"/coop/expiry_days": 120}));
    assert_eq!(of("CoopLotExpired")["amount"], "157.50");
}

#[test]
fn a_persons_amount_has_a_version_of_the_terms_and_no_rule() {
    let events = events(&fund(), "mdf");
    let told: Vec<Value> = events
        .iter()
        .map(|event| json!([event["event"], event["rules"], event["unrounded"], event["amount"]]))
        .collect();
    assert_eq!(
        told,
        [
            json!(["MdfAllocated", null, null, null]),
            json!(["MdfRequestApproved", [], null, "500.00"]),
            json!(["MdfClaimed", ["/mdf/match_rate", "/rounding"], "280.004", "280.00"]),
            json!(["MdfRequestLapsed", ["/mdf/claim_days"], null, "220.00"]),
        ]
    );
    assert!(events.iter().skip(1).all(|event| event["programme_version"] == 1), "{events:#?}");
}

#[test]
fn a_fund_that_another_feeds_names_the_rule_of_the_other() {
    let events = events(&fund(), "rebate");
    assert_eq!(events.len(), 1, "{events:#?}");
    assert_eq!(events[0]["event"], "CoopPeriodClosed");
    assert_eq!(events[0]["terms"], json!({"/coop/rebate_share": "0.25"}));
}

#[test]
fn an_explanation_holds_as_of_any_time() {
    let desk = fund();
    let ask = ["explain", "balance", "p-1", "grow", "coop", "--as-of", "2026-02-01T00:00:00Z"];
    let empty = desk.run(&ask);
    assert_eq!(empty.code, 2, "nothing was recorded by then: {}", empty.out);
    let ask = ["explain", "balance", "p-1", "grow", "coop", "--effective", "2026-02-01"];
    let run = desk.run(&ask);
    assert_eq!(run.code, 0, "{}", run.err);
    let rows = run.json_lines();
    let names: Vec<&Value> =
        rows.iter().filter(|row| row["table"] == "events").map(|row| &row["event"]).collect();
    assert_eq!(names, ["CoopAccrued", "CoopAccrualReversed"]);
}
