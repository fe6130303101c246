//! `chl scorecard`: the numbers of a review, and the page that is taken into it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cli;

use cli::Desk;
use serde_json::{Value, json};

/// Six partners of one kind, each with deals in two quarters; the first one wins most.
fn lines() -> String {
    let scorecard = json!({
        "weights": [{"category": "operational", "weight": "70"}, {"category": "customer", "weight": "30"}],
        "metrics": [{"metric": "win_rate", "weight": "1", "lo": "0", "hi": "1"}],
        "gate": {"threshold": "50"}
    });
    let terms = json!({
        "deal_registration": {"approval": "auto", "protection_days": 90}, "scorecard": scorecard
    });
    let mut serial = 0;
    let mut line = |kind: &str, time: &str, data: Value| {
        serial += 1;
        json!({"id": serial.to_string(), "type": kind, "time": time, "data": data}).to_string()
    };
    let published = json!({
        "programme": "gold", "version": 1, "effective_from": "2026-01-01", "currency": "USD",
        "terms": terms
    });
    let mut lines = vec![line("PublishProgramme", "2026-01-01T00:00:00Z", published)];
    for number in 1..=6 {
        let partner = format!("p-{number}");
        let steps = ["RecruitPartner", "ApplyForProgramme", "ApprovePartner", "ActivatePartner"];
        for step in steps {
            let mut data = json!({"partner": partner});
            if step == "RecruitPartner" {
                data["name"] = json!(format!("Partner <{number}> & Sons"));
                data["types"] = json!(["reseller"]);
            }
            lines.push(line(step, "2026-01-02T09:00:00Z", data));
        }
        let enrolled = json!({"partner": partner, "programme": "gold"});
        lines.push(line("EnrolPartner", "2026-01-02T09:00:00Z", enrolled));
    }
    for (month, won) in [("02", [1, 1, 2, 2, 3, 4]), ("05", [4, 0, 1, 2, 3, 4])] {
        for (number, won) in (1..).zip(won) {
            for deal in 0..4 {
                let (id, at) =
                    (format!("d-{month}-{number}-{deal}"), format!("2026-{month}-03T09:00:00Z"));
                let customer = format!("c-{id}");
                let named = json!({"customer": customer, "name": "A customer"});
                lines.push(line("RegisterCustomer", &at, named));
                let registered = json!({
                    "deal": id, "customer": customer, "partner": format!("p-{number}"),
                    "programme": "gold", "product_line": "gtx",
                    "value": {"amount": "100.00", "currency": "USD"}
                });
                lines.push(line("RegisterDeal", &at, registered));
                let (end, closed) =
                    (format!("2026-{month}-20T09:00:00Z"), format!("2026-{month}-20"));
                let kind = if deal < won { "MarkDealWon" } else { "MarkDealLost" };
                let mut data = json!({"deal": id, "customer": customer, "closed_on": closed});
                if deal >= won {
                    data["loss_reason"] = json!("price");
                }
                lines.push(line(kind, &end, data));
            }
        }
    }
    lines.join("\n")
}

fn desk() -> Desk {
    let desk = Desk::new();
    let run = desk.submit(&lines());
    assert_eq!(run.code, 0, "{}", run.out);
    desk
}

#[test]
fn a_partner_stands_beside_its_peers_and_the_period_before() {
    let desk = desk();
    let rows = desk.run(&["scorecard", "p-1", "--period", "2026-Q2"]).json_lines();
    let row = |metric: &str| rows.iter().find(|row| row["metric"] == json!(metric)).unwrap();
    let total = row("total");
    assert_eq!((&total["value"], &total["before"]), (&json!("100"), &json!("25")));
    let rate = row("win_rate");
    assert_eq!((&rate["value"], &rate["before"]), (&json!("1"), &json!("0.25")));
    // 0, ¼, ½, ¾, 1, 1: between the third and the fourth.
    assert_eq!(rate["peers_median"], json!("0.625"));
    assert_eq!(row("satisfaction")["value"], Value::Null, "what has no data is not nothing");
    // The quarter in which the newest commit was recorded, where none is named.
    let newest = desk.run(&["scorecard", "p-1"]).json_lines();
    let period = newest[0]["period"].as_str().unwrap();
    assert!(period.contains("-Q") && period > "2026-Q2", "{period}");
}

#[test]
fn a_page_is_one_file_and_says_what_the_rows_say() {
    let desk = desk();
    let page = desk.run(&["scorecard", "p-1", "--period", "2026-Q2", "--html"]).out;
    assert!(page.starts_with("<!doctype html>"), "{page}");
    assert!(page.contains("Partner &#60;1&#62; &#38; Sons"), "names are escaped: {page}");
    assert!(page.contains(r#"<span class="total">100</span>"#), "{page}");
    assert!(page.contains("2026-Q1: 25, 2026-Q2: 100"), "{page}");
    assert!(page.contains("passes the gate"), "{page}");
    for other in ["<script", "http://", "https://", "src=", "@import", "p-2"] {
        assert!(!page.contains(other), "a page of its own has no {other}");
    }
    let alone = desk.run(&["scorecard", "p-1", "--period", "2019", "--html"]).out;
    assert!(alone.contains("enrolled in no programme"), "{alone}");
}

#[test]
fn who_is_not_known_is_named() {
    let desk = desk();
    for (call, why) in [
        (["scorecard", "p-9", "--period", "2026-Q2"], "no partner p-9"),
        (["scorecard", "p-1", "--effective", "2026-03-01"], "--effective does not apply"),
        (["scorecard", "p-1", "--period", "2026-13"], "is no period"),
    ] {
        let run = desk.run(&call);
        assert_eq!((run.code, run.err.contains(why)), (2, true), "{}", run.err);
    }
}

#[test]
fn a_published_figure_is_disputed_and_corrected_and_computed_again() {
    let desk = Desk::new();
    assert_eq!(desk.submit(&lines()).code, 0);
    let asked = |args: &[&str]| {
        let run = desk.run(
            &[&["--output", "jsonl", "scorecard", "p-1", "--period", "2026-Q2"], args].concat(),
        );
        assert_eq!(run.code, 0, "{}\n{}", run.out, run.err);
        run.json_lines()
    };
    let row = |rows: &[Value], metric: &str| {
        rows.iter().find(|row| row["metric"] == metric).unwrap().clone()
    };
    let page = || desk.run(&["scorecard", "p-1", "--period", "2026-Q2", "--html"]).out;
    assert!(!page().contains("On record"), "nothing is published yet");
    let told = asked(&["--publish"]);
    assert_eq!(told[0]["outcome"], "accepted", "{told:?}");
    let event = &told[0]["events"][0]["data"];
    let position = event["position"].as_u64().unwrap().to_string();
    let again = desk.run(&["scorecard", "p-1", "--period", "2026-Q2", "--publish"]);
    assert_eq!(again.code, 3, "{}", again.out);
    assert!(again.out.contains("partner.scorecard_published"), "{}", again.out);

    let listed = |name: &str| event["figures"][name].as_array().unwrap().len();
    let all = listed("metrics") + listed("categories") + ["total", "percentile"].len();
    let same = "published figures are what the facts come to now";
    let written = page();
    assert!(
        written.contains("On record") && written.contains(&format!("All {all} {same}")),
        "{written}"
    );
    assert!(written.contains(&format!("terms version 1, as of position {position}")), "{written}");

    let shown = row(&asked(&[]), "win_rate");
    assert_eq!((&shown["published"], &shown["dispute"]), (&shown["value"], &Value::Null));
    let then = row(&asked(&["--as-of", &position]), "win_rate");
    assert_eq!(then["value"], shown["published"], "anybody computes it again");

    let of =
        json!({"partner": "p-1", "programme": "gold", "period": "2026-Q2", "metric": "win_rate"});
    let command = |name: &str, more: Value| {
        let mut data = of.clone();
        let fields = data.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        json!({"id": name, "type": name, "data": data}).to_string() + "\n"
    };
    let disputed = command("DisputeScorecard", json!({"note": "a deal is missing"}));
    assert_eq!(desk.submit(&disputed).code, 0);
    assert_eq!(row(&asked(&[]), "win_rate")["dispute"], "open");
    assert!(page().contains(">open since "), "{}", page());
    let ruling = json!({"ruling": "corrected", "value": "0.8", "note": "it is"});
    assert_eq!(desk.submit(&command("SettleScorecardDispute", ruling)).code, 0);
    let settled = row(&asked(&[]), "win_rate");
    assert_eq!((&settled["published"], &settled["dispute"]), (&json!("0.8"), &json!("corrected")));
    let line = |page: &str, label: &str, value: &str| {
        let cell = format!(r#"<td data-label="{label}">{}</td>"#, value.replace(' ', "\u{202f}"));
        assert!(page.contains(&cell), "{cell}: {page}");
    };
    let corrected = page();
    assert!(corrected.contains(": corrected to 80.0\u{202f}%</td>"), "{corrected}");
    line(&corrected, "Published", "100 %");

    // A deal that was forgotten comes late: what was published stays, and what holds now is beside.
    let lost = lines().lines().filter(|line| line.contains("d-05-2-0")).fold(
        String::new(),
        |late, line| {
            late + &line
                .replace("d-05-2-0", "d-late")
                .replace("p-2", "p-1")
                .replace(r#""id":""#, r#""id":"late-"#)
                + "\n"
        },
    );
    let run = desk.submit(&lost);
    assert_eq!(run.code, 0, "{}", run.out);
    let late = page();
    line(&late, "Now", "80.0 %");
    line(&late, "Published", "100");
    line(&late, "Now", "80");
    let lines = late.matches(r#"data-label="Published""#).count();
    assert!(lines > 3 && late.contains(&format!("The other {} {same}", all - lines)), "{late}");
    let then = ["scorecard", "p-1", "--period", "2026-Q2", "--html", "--as-of", &position];
    assert!(!desk.run(&then).out.contains("On record"), "nothing was published then");
}
