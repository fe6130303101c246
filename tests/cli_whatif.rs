//! `chl whatif`: the recorded commands decided again under other terms, against figures computed
//! here; nothing of the ledger is touched.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cli;

use cli::{Desk, Run};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, path::Path};

/// What a call said, table by table.
struct Report(Vec<Value>);

impl Report {
    fn of(run: &Run) -> Self {
        assert_eq!(run.code, 0, "{}\n{}", run.out, run.err);
        Self(run.json_lines())
    }

    fn table(&self, name: &str) -> Vec<&Value> {
        self.0.iter().filter(|row| row["table"] == name).collect()
    }

    fn summary(&self) -> &Value {
        self.table("summary")[0]
    }

    /// A figure then and now: of a partner, or of all.
    fn figure(&self, partner: Option<&str>, figure: &str) -> Option<(String, String, String)> {
        let table = if partner.is_some() { "money" } else { "totals" };
        let rows = self.table(table);
        let row = rows.iter().find(|row| {
            row["figure"] == figure && partner.is_none_or(|partner| row["partner"] == partner)
        })?;
        let text = |column: &str| row[column].as_str().unwrap().to_owned();
        Some((text("then"), text("now"), text("difference")))
    }

    /// Whether nothing at all is different.
    fn assert_same(&self) {
        assert_eq!(self.table("decisions"), Vec::<&Value>::new());
        assert_eq!(self.table("money"), Vec::<&Value>::new());
        assert_eq!(self.table("totals"), Vec::<&Value>::new());
    }
}

/// The worked example's terms with other co-op.
fn terms(coop: Value) -> Value {
    json!({
        "programme": "gold", "version": 1, "effective_from": "2026-01-01", "currency": "USD",
        "terms": {
            "deal_registration": { "approval": "auto", "protection_days": 90 }, "coop": coop,
        },
    })
}

fn coop(rate: &str) -> Value {
    json!({ "accrual": [{ "bands": [{ "from": "0", "rate": rate }] }], "match_rate": "0.50",
        "claim_days": 60 })
}

/// Writes terms beside the ledger and asks.
fn ask(desk: &Desk, terms: &Value, options: &[&str]) -> Run {
    let file = desk.path("other.json");
    fs::write(&file, terms.to_string()).unwrap();
    let file = file.display().to_string();
    let programme = terms["programme"].as_str().unwrap();
    let args = ["whatif", "--programme", programme, "--terms", &file];
    desk.run(&[&args, options].concat())
}

fn whatif(desk: &Desk, terms: &Value, options: &[&str]) -> Report {
    Report::of(&ask(desk, terms, options))
}

/// The worked example, its claim of 3,600.00 approved and paid by amounts that people set.
fn paid() -> Desk {
    let desk = Desk::with_history();
    let claim = json!({ "claim": "c-1", "partner": "p-1", "programme": "gold", "fund": "coop" });
    let step = |id: &str, kind: &str, actor: &str, amount: &str| {
        let mut data = claim.clone();
        data["amount"] = json!({ "amount": amount, "currency": "USD" });
        json!({ "id": id, "type": kind, "time": format!("2026-03-2{}T09:00:00Z", id.len()),
            "actor": actor, "role": "finance", "data": data })
    };
    let lines =
        [step("y", "ApproveClaim", "ann", "3600.00"), step("yy", "PayClaim", "bob", "3600.00")];
    let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let run = desk.run_with(&["submit", "--trust-claims"], lines.as_bytes());
    assert_eq!(run.code, 0, "{}\n{}", run.out, run.err);
    desk
}

fn triple(then: &str, now: &str, difference: &str) -> Option<(String, String, String)> {
    Some((then.into(), now.into(), difference.into()))
}

#[test]
fn the_same_terms_make_no_difference() {
    let desk = paid();
    let report = whatif(&desk, &terms(coop("0.02")), &[]);
    report.assert_same();
    assert_eq!(report.summary()["same_history"], true, "{:?}", report.summary());
    // A version that comes in on the way is a commit more, and decides the same.
    let report = whatif(&desk, &terms(coop("0.02")), &["--from", "2026-03-01"]);
    report.assert_same();
    assert_eq!(report.summary()["same_history"], false);
}

#[test]
fn a_higher_rate_accrues_more_and_leaves_what_people_set() {
    let desk = paid();
    let report = whatif(&desk, &terms(coop("0.03")), &[]);
    // 3% of 250,000.00 instead of 2%; half of 7,200.00 both times.
    assert_eq!(report.figure(Some("p-1"), "accrued"), triple("5000.00", "7500.00", "2500.00"));
    assert_eq!(report.figure(None, "accrued"), triple("5000.00", "7500.00", "2500.00"));
    assert_eq!(report.figure(Some("p-1"), "available"), triple("1400.00", "3900.00", "2500.00"));
    assert_eq!(report.figure(Some("p-1"), "paid"), None, "the same");
    assert_eq!(report.table("decisions"), Vec::<&Value>::new());
}

#[test]
fn amounts_that_people_set_are_capped_to_what_is_there() {
    let desk = paid();
    let report = whatif(&desk, &terms(coop("0.01")), &[]);
    // 2,500.00 accrue, and are all that the claim of 3,600.00 can hold.
    assert_eq!(report.figure(Some("p-1"), "accrued"), triple("5000.00", "2500.00", "-2500.00"));
    assert_eq!(report.figure(Some("p-1"), "paid"), triple("3600.00", "2500.00", "-1100.00"));
    let capped: Vec<_> =
        report.table("decisions").iter().map(|row| row["command"].clone()).collect();
    assert_eq!(capped, ["ApproveClaim", "PayClaim"]);
    assert_eq!(report.summary()["capped"], 2);
    assert_eq!(report.summary()["refused"], 0);
}

#[test]
fn what_follows_from_a_refusal_hangs_under_it() {
    let desk = paid();
    let mut none = terms(Value::Null);
    none["terms"].as_object_mut().unwrap().remove("coop");
    let report = whatif(&desk, &none, &[]);
    let rows: Vec<_> = report
        .table("decisions")
        .iter()
        .map(|row| {
            let text = |column: &str| row[column].as_str().unwrap_or("").to_owned();
            (text("command"), text("code"), row["under"].clone(), row["dependants"].clone())
        })
        .collect();
    let row = |command: &str, code: &str, under: Value, follow: u64| {
        (command.to_owned(), code.to_owned(), under, json!(follow))
    };
    let expected = [
        row("AccrueCoop", "coop.not_offered", Value::Null, 3),
        row("ClaimCoop", "fund.unknown", json!(1), 2),
        row("ApproveClaim", "claim.unknown", json!(2), 0),
        row("PayClaim", "claim.unknown", json!(2), 0),
    ];
    assert_eq!(rows, expected);
    assert_eq!(report.figure(None, "paid"), triple("3600.00", "0.00", "-3600.00"));
}

#[test]
fn a_deal_that_is_refused_takes_what_follows_from_it_along() {
    let desk = cli::contested();
    let mut strict = terms(coop("0.02"));
    strict["terms"]["deal_registration"]["minimum_value"] =
        json!({ "amount": "55000.00", "currency": "USD" });
    let report = whatif(&desk, &strict, &[]);
    let rows = report.table("decisions");
    let shown: Vec<_> = rows.iter().map(|row| (&row["id"], &row["difference"])).collect();
    // The first deal is below the minimum; the second one meets nobody then, and is approved.
    assert_eq!(shown, [(&json!("d"), &json!("refused")), (&json!("2-d"), &json!("otherwise"))]);
    assert_eq!(rows[0]["code"], "deal.below_minimum");
    assert_eq!(rows[1]["events_then"], "DealRegistered ConflictOpened");
    assert_eq!(rows[1]["events_now"], "DealRegistered DealApproved");
}

#[test]
fn a_refusal_of_the_journal_is_tried_again() {
    let desk = Desk::with_history();
    let late = json!({ "id": "late", "type": "ClaimCoop", "time": "2026-05-20T09:00:00Z",
        "data": { "claim": "c-2", "partner": "p-1", "programme": "gold", "activity": "ad",
            "cost": { "amount": "100.00", "currency": "USD" }, "activity_date": "2026-03-10",
            "proof": [] } });
    let run = desk.submit(&format!("{late}\n"));
    assert_eq!((run.code, run.json_lines()[0]["code"].clone()), (3, json!("claim.too_late")));
    let same = whatif(&desk, &terms(coop("0.02")), &[]);
    same.assert_same();
    assert_eq!(same.summary()["tried"], 1);
    let mut generous = coop("0.02");
    generous["claim_days"] = json!(90);
    let run = ask(&desk, &terms(generous), &[]);
    assert!(run.err.contains("1 refused commands were tried again"), "{}", run.err);
    let report = Report::of(&run);
    let rows = report.table("decisions");
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(
        (&rows[0]["difference"], &rows[0]["code"]),
        (&json!("accepted"), &json!("claim.too_late"))
    );
    assert_eq!(report.figure(Some("p-1"), "held"), triple("3600.00", "3650.00", "50.00"));
    // Without the journal nothing is known of it.
    fs::remove_dir_all(desk.path("main/journal")).unwrap();
    let run = ask(&desk, &terms(coop("0.02")), &[]);
    assert!(run.err.contains("the decision journal has none"), "{}", run.err);
}

#[test]
fn from_a_date_or_a_position_on() {
    let desk = Desk::with_history();
    let sale = r#"{"id":"s2","type":"AccrueCoop","time":"2026-04-02T09:00:00Z","data":{"partner":"p-1","programme":"gold","sale":"s-2","net_amount":{"amount":"1000.00","currency":"USD"},"sold_on":"2026-04-02"}}"#;
    assert_eq!(desk.submit(&format!("{sale}\n")).code, 0);
    let accrued = |from: &str| {
        let report = whatif(&desk, &terms(coop("0.03")), &["--from", from]);
        report.figure(Some("p-1"), "accrued")
    };
    // Only the second sale is of April.
    assert_eq!(accrued("2026-04-01"), triple("5020.00", "5030.00", "10.00"));
    assert_eq!(accrued("2026-03-01"), triple("5020.00", "7530.00", "2510.00"));
    assert_eq!(accrued("2025-01-01"), triple("5020.00", "7530.00", "2510.00"));
    let view = desk.run(&["log", "view", "--type", "AccrueCoop"]).json_lines();
    let positions: Vec<_> = view.iter().map(|row| row["position"].to_string()).collect();
    assert_eq!(accrued(&positions[1]), triple("5020.00", "5030.00", "10.00"));
    assert_eq!(accrued(&positions[0]), triple("5020.00", "7530.00", "2510.00"));
}

#[test]
fn a_position_begins_a_day_in_the_programmes_zone() {
    let desk = Desk::new();
    let mut west = terms(coop("0.02"));
    west["time_zone"] = json!("America/Los_Angeles");
    let published = json!({ "id": "g", "type": "PublishProgramme", "time": "2026-01-01T12:00:00Z",
        "data": west });
    let others = cli::programme_lines();
    let others: String = others.lines().skip(1).map(|line| format!("{line}\n")).collect();
    // At 02:00 UTC on 1 March it is still February there.
    let others = others.replace("2026-03-01T09:00:00Z", "2026-03-01T02:00:00Z");
    let lines = format!("{}{published}\n{others}", cli::partner_lines());
    let run = desk.submit(&lines);
    assert_eq!(run.code, 0, "{}", run.out);
    let deal = desk.run(&["log", "view", "--type", "RegisterDeal"]).json_lines();
    let position = deal[0]["position"].to_string();
    let mut strict = west.clone();
    strict["terms"]["deal_registration"]["minimum_value"] =
        json!({ "amount": "55000.00", "currency": "USD" });
    let report = whatif(&desk, &strict, &["--from", &position, "--only", "decisions"]);
    assert_eq!(report.0.len(), 1, "{:?}", report.0);
    assert_eq!(report.0[0]["code"], "deal.below_minimum");
}

#[test]
fn what_was_refused_first_and_accepted_later_may_be_accepted_at_once() {
    let desk = Desk::with_history();
    let claim = |cost: &str| {
        json!({ "id": "c-2", "type": "ClaimCoop", "time": "2026-05-20T09:00:00Z",
            "data": { "claim": "c-2", "partner": "p-1", "programme": "gold", "activity": "ad",
                "cost": { "amount": cost, "currency": "USD" }, "activity_date": "2026-03-10",
                "proof": [] } })
    };
    assert_eq!(desk.submit(&format!("{}\n", claim("100.00"))).code, 3);
    // Under the same id, a claim in time.
    let mut later = claim("200.00");
    later["data"]["activity_date"] = json!("2026-04-10");
    assert_eq!(desk.submit(&format!("{later}\n")).code, 0);
    whatif(&desk, &terms(coop("0.02")), &[]).assert_same();
    let mut generous = coop("0.02");
    generous["claim_days"] = json!(90);
    let report = whatif(&desk, &terms(generous), &["--only", "decisions"]);
    let shown: Vec<_> = report.0.iter().map(|row| (&row["difference"], &row["code"])).collect();
    let (accepted, refused) = (json!("accepted"), json!("refused"));
    let (late, reused) = (json!("claim.too_late"), json!("command.id_reused"));
    assert_eq!(shown, [(&accepted, &late), (&refused, &reused)]);
}

#[test]
fn what_a_lost_history_refused_is_not_tried() {
    let desk = Desk::new();
    let customer = |id: &str, customer: &str| {
        let data = json!({ "customer": customer, "name": "C" });
        format!("{}\n", json!({ "id": id, "type": "RegisterCustomer", "data": data }))
    };
    let lost = cli::programme_lines() + &customer("first", "lost");
    cli::damage::lose_tail(&desk, &cli::partner_lines(), &lost, |desk| {
        assert_eq!(desk.submit(&customer("again", "lost")).code, 3, "it is there already");
    });
    let repair = ["log", "repair", "--accept-loss-after", "5", "--reason", "no power"];
    assert_eq!(desk.run(&repair).code, 0);
    let again = cli::programme_lines() + &customer("more", "other") + &customer("last", "another");
    assert_eq!(desk.submit(&again).code, 0);
    let report = whatif(&desk, &terms(coop("0.02")), &[]);
    report.assert_same();
    assert_eq!(report.summary()["tried"], 0);
}

#[test]
fn a_later_version_has_the_other_terms_too_or_alone() {
    let desk = Desk::with_history();
    let mut second = terms(coop("0.04"));
    second["version"] = json!(2);
    second["effective_from"] = json!("2026-03-02");
    let lines = format!(
        "{}\n{}\n",
        json!({ "id": "g2", "type": "PublishProgramme", "time": "2026-03-01T12:00:00Z", "data": second }),
        r#"{"id":"s2","type":"AccrueCoop","time":"2026-04-02T09:00:00Z","data":{"partner":"p-1","programme":"gold","sale":"s-2","net_amount":{"amount":"1000.00","currency":"USD"},"sold_on":"2026-04-02"}}"#
    );
    assert_eq!(desk.submit(&lines).code, 0);
    let same = whatif(&desk, &terms(coop("0.04")), &["--from", "2026-03-02"]);
    same.assert_same();
    assert_eq!(same.summary()["same_history"], true, "no version comes in between");
    let report = whatif(&desk, &terms(coop("0.03")), &[]);
    assert_eq!(report.figure(None, "accrued"), triple("5040.00", "7530.00", "2490.00"));
    let report = whatif(&desk, &terms(coop("0.03")), &["--from", "2026-02-01"]);
    assert_eq!(report.figure(None, "accrued"), triple("5040.00", "7530.00", "2490.00"));
}

#[test]
fn the_entry_that_a_reversal_names_is_found_where_it_stands_now() {
    let desk = Desk::with_history();
    let sale = r#"{"id":"s2","type":"AccrueCoop","time":"2026-04-02T09:00:00Z","data":{"partner":"p-1","programme":"gold","sale":"s-2","net_amount":{"amount":"1000.00","currency":"USD"},"sold_on":"2026-04-02"}}"#;
    let answer = desk.submit(&format!("{sale}\n")).json_lines();
    let position = &answer[0]["position"];
    let reverse = json!({ "id": "r", "type": "ReverseEntry", "time": "2026-04-03T09:00:00Z",
        "data": { "position": position, "reason": "never sold" } });
    let run = desk.submit(&format!("{reverse}\n"));
    assert_eq!(run.code, 0, "{}", run.out);
    // A version more comes in before it: everything stands one further on.
    whatif(&desk, &terms(coop("0.02")), &["--from", "2026-03-01"]).assert_same();
    let mut none = terms(Value::Null);
    none["terms"].as_object_mut().unwrap().remove("coop");
    let report = whatif(&desk, &none, &["--from", "2026-04-01"]);
    let rows = report.table("decisions");
    let shown: Vec<_> = rows.iter().map(|row| (&row["id"], &row["under"])).collect();
    assert_eq!(shown, [(&json!("s2"), &Value::Null), (&json!("r"), &json!(1))]);
    assert_eq!(rows[1]["code"], "ledger.entry_unknown");
    assert_eq!(rows[1]["message"], format!("the entry at position {position} is refused itself"));
}

#[test]
fn mistakes_are_named() {
    let desk = Desk::with_history();
    let says = |terms: &Value, options: &[&str], code: i32, text: &str| {
        let run = ask(&desk, terms, options);
        assert_eq!(run.code, code, "{}\n{}", run.out, run.err);
        assert!(run.err.contains(text), "{}", run.err);
    };
    let same = terms(coop("0.02"));
    says(&same, &["--from", "999"], 2, "the last position is 10");
    says(&same, &["--from", "soon"], 2, "neither a date");
    let mut silver = same.clone();
    silver["programme"] = json!("silver");
    says(&silver, &[], 2, "it has: gold");
    let mut euro = same.clone();
    euro["currency"] = json!("EUR");
    says(&euro, &[], 2, "are in USD; the other terms are in EUR");
    let mut wrong = same.clone();
    wrong["terms"]["coop"]["match_rate"] = json!("0");
    says(&wrong, &[], 3, "terms.coop.match_rate");
    ask(&desk, &same, &[]);
    let file = desk.path("other.json").display().to_string();
    let run = desk.run(&["whatif", "--programme", "silver", "--terms", &file]);
    assert!(run.code == 2 && run.err.contains("the terms of gold, not of silver"), "{}", run.err);
    let run = desk.run(&["whatif", "--programme", "gold", "--terms", "nowhere.json"]);
    assert!(run.code == 2 && run.err.contains("nowhere.json"), "{}", run.err);
    fs::write(desk.path("other.json"), "{").unwrap();
    let run = desk.run(&["whatif", "--programme", "gold", "--terms", &file]);
    assert!(run.code == 2 && run.err.contains("line 1"), "{}", run.err);
}

/// The bytes of every file below a folder.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.is_file() {
            found.insert(path.display().to_string(), fs::read(&path).unwrap());
        }
    }
    found
}

#[test]
fn nothing_of_the_ledger_is_touched() {
    let desk = paid();
    let served = desk.serve();
    let asked = desk.run(&["query", "balances"]);
    assert_eq!(asked.code, 0, "{}", asked.err);
    let before = files(&desk.path("main"));
    let through_owner = whatif(&desk, &terms(coop("0.03")), &[]);
    assert!(before == files(&desk.path("main")), "a file of the served ledger has changed");
    assert_eq!(served.stop(), 0);
    // Without an owner the lock names who reads, and SQLite's own files come and go.
    let own = |name: &String| ["/lock", "-wal", "-shm"].iter().any(|end| name.ends_with(end));
    let kept = || -> BTreeMap<_, _> {
        files(&desk.path("main")).into_iter().filter(|(name, _)| !own(name)).collect()
    };
    let before = kept();
    let alone = whatif(&desk, &terms(coop("0.03")), &[]);
    assert!(before == kept(), "a file of the ledger has changed");
    assert_eq!(alone.0, through_owner.0);
}

#[test]
fn it_is_shown_like_other_answers() {
    let desk = Desk::with_history();
    let other = terms(coop("0.03"));
    let csv = ask(&desk, &other, &["--output", "csv", "--only", "totals"]);
    let expected = "programme,fund,currency,figure,then,now,difference\n\
                    gold,coop,USD,accrued,5000.00,7500.00,2500.00\n\
                    gold,coop,USD,available,1400.00,3900.00,2500.00\n";
    assert_eq!(csv.out.replace("\r\n", "\n"), expected, "{}", csv.err);
    let table = ask(&desk, &other, &["--output", "table"]);
    assert!(table.out.contains("accrued") && table.out.contains("2500.00"), "{}", table.out);
    let json: Value = serde_json::from_str(&ask(&desk, &other, &["--output", "json"]).out).unwrap();
    assert_eq!(json.as_array().unwrap()[0]["table"], "summary");
    let whole = ask(&desk, &other, &["--output", "csv"]);
    assert!(whole.err.contains("left out: totals, money, decisions"), "{}", whole.err);
}
