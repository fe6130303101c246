//! What a map makes of exports, and what it says of mistakes in either.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use super::plan::{self, Plan};
use super::source::{self, MapError, Source};
use super::table::Table;
use std::collections::BTreeMap;

const MAP: &str = r#"
name = "m"
start = "2026-01-01"
zone = "America/New_York"

[files]
deals = { file = "deals.csv" }
prices = { file = "prices.csv", delimiter = ";" }

[lookups.price]
file = "prices"
key = "{item | slug}"
value = "{price | number ','}"

[tables.items]
"Bx" = "Box"

[[feeds]]
file = "deals"
key = "{id}"
where.customer = { empty = false }

[[feeds.commands]]
type = "RegisterCustomer"
key = "{customer | slug}"
once = true
data = { customer = "{customer | slug}", name = "{customer}" }

[[feeds.commands]]
type = "RegisterDeal"
at = "{opened | date '%m/%d/%Y'}"

[feeds.commands.data]
deal = "d-{id}"
customer = "{customer | slug}"
partner = "p"
programme = "gold"
product_line = "{item | fix items | slug}"
expected_close = "{expected}"
value = { amount = "{item | fix items | slug | lookup price}", currency = "USD" }

[[feeds.commands]]
type = "MarkDealLost"
where.stage = "Lost"
at = "{closed}"
data = { deal = "d-{id}", customer = "{customer | slug}", closed_on = "{closed}" }

[[feeds.commands]]
type = "MarkDealWon"
where.stage = ["Won"]
at = "{closed}"

[feeds.commands.data]
deal = "d-{id}"
customer = "{customer | slug}"
closed_on = "{closed}"
value = { amount = "{value | number}", currency = "USD" }
"#;

const PRICES: &str = "item;price\nBox;1.250,50\nCan;8\n";

const DEALS: &str = "\
id,customer,item,opened,expected,stage,closed,value
1,Gekko & Co,Bx,03/01/2026,,Won,2026-03-05,\"1,300.00\"
2,Acme,Can,03/05/2026,2026-06-30,Open,,
3,,Can,03/05/2026,,Open,,
4,Acme,Tin,03/05/2026,,Open,,
5,Acme,Can,13/05/2026,,Open,,
6,Acme,Can,03/04/2026,,Lost,2026-03-05,
7,Acme,Can,03/05/2026
8,Gekko & Co,Can,03/05/2025,,Open,,
";

fn try_plan(map: &str, deals: &str) -> Result<Plan, MapError> {
    let source = Source { name: "m.toml", text: map };
    let spec = source::parse(&source)?;
    let tables = BTreeMap::from([
        ("deals".to_owned(), Table::read("deals.csv", deals.as_bytes(), b',').unwrap()),
        ("prices".to_owned(), Table::read("prices.csv", PRICES.as_bytes(), b';').unwrap()),
    ]);
    plan::plan(&spec, &source, tables)
}

fn documents(plan: &Plan) -> Vec<serde_json::Value> {
    plan.lines().flatten().map(|line| serde_json::from_str(&line.json).unwrap()).collect()
}

#[test]
fn commands_come_in_the_order_in_which_things_happened() {
    let plan = try_plan(MAP, DEALS).unwrap();
    let order: Vec<(String, String)> = documents(&plan)
        .iter()
        .map(|d| (d["id"].as_str().unwrap().to_owned(), d["time"].as_str().unwrap().to_owned()))
        .collect();
    let order: Vec<(&str, &str)> =
        order.iter().map(|(id, at)| (id.as_str(), at.as_str())).collect();
    assert_eq!(
        order,
        [
            ("RegisterCustomer-gekko-co", "2026-01-01T05:00:00Z"),
            ("RegisterCustomer-acme", "2026-01-01T05:00:00Z"),
            ("RegisterDeal-1", "2026-03-01T05:00:00Z"),
            ("RegisterDeal-6", "2026-03-04T05:00:00Z"),
            // At one instant what closes comes first, in the export's order.
            ("MarkDealWon-1", "2026-03-05T05:00:00Z"),
            ("MarkDealLost-6", "2026-03-05T05:00:00Z"),
            ("RegisterDeal-2", "2026-03-05T05:00:00Z"),
        ]
    );
    assert!(documents(&plan).iter().all(|document| document["source"] == "/import/m"));
}

#[test]
fn fields_are_what_the_catalog_reads() {
    let plan = try_plan(MAP, DEALS).unwrap();
    for document in documents(&plan) {
        let kind = document["type"].as_str().unwrap();
        chl_commands::Command::read_named(kind, &document["data"]).unwrap();
    }
    let deal = &documents(&plan)[2]["data"];
    assert_eq!(deal["product_line"], "box");
    assert_eq!(deal["value"], serde_json::json!({ "amount": "1250.5", "currency": "USD" }));
    assert!(deal.get("expected_close").is_none(), "an empty field is left out");
    let won = &documents(&plan)[4]["data"];
    assert_eq!(won["value"]["amount"], "1300");
}

#[test]
fn nothing_is_dropped_in_silence() {
    let plan = try_plan(MAP, DEALS).unwrap();
    let early = plan.rejects();
    let late = plan.lines().filter_map(Result::err);
    let mut rejects: Vec<(u32, Option<&str>, String)> =
        early.chain(late).map(|reject| (reject.line, reject.command, reject.reason)).collect();
    rejects.sort();
    let reasons: Vec<(u32, Option<&str>, &str)> =
        rejects.iter().map(|(line, command, reason)| (*line, *command, reason.as_str())).collect();
    assert_eq!(reasons[0], (4, None, "customer is empty"));
    let lookup = "data.value.amount: column item \"tin\": the lookup price has no such entry";
    assert_eq!(reasons[1], (5, Some("RegisterDeal"), lookup));
    assert_eq!((reasons[2].0, reasons[2].1), (6, Some("RegisterDeal")));
    assert!(reasons[2].2.starts_with("at: column opened \"13/05/2026\": it is no date"));
    assert_eq!(reasons[3], (8, None, "it has 4 fields, the header 8"));
    let early = "at: 2025-03-05 lies before the start";
    assert_eq!(reasons[4], (9, Some("RegisterDeal"), early));
    assert_eq!(reasons.len(), 5);
    let report = plan.report();
    assert_eq!(report.files[0].rows, 8);
    assert_eq!(report.files[0].outside["customer is empty"], 1);
    assert_eq!(report.repeated, 4);
}

#[test]
fn the_same_input_makes_the_same_lines() {
    let lines = |plan: &Plan| plan.lines().collect::<Vec<_>>();
    let (first, second) = (try_plan(MAP, DEALS).unwrap(), try_plan(MAP, DEALS).unwrap());
    assert_eq!(lines(&first), lines(&second));
    assert_eq!(first.len(), lines(&first).len());
}

#[test]
fn a_mistake_in_a_map_is_named_with_its_line() {
    let cases = [
        ("zone = \"America/New_York\"", "zone = \"Mars\"", "m.toml, line 4, zone: "),
        ("start = \"2026-01-01\"", "start = \"soon\"", "line 3, start: it is no date or instant"),
        (
            "{item | slug}",
            "{items | slug}",
            "prices.csv has no column \"items\"; it has item, price",
        ),
        ("| number ','", "| nummer", "line 13, lookups.price.value: no filter \"nummer\""),
        ("lookup price}", "lookup prize}", "the map has no lookup or table \"prize\""),
        ("{customer}", "{customer", "a brace is not closed"),
        ("'%m/%d/%Y'", "'%m/%d/%Y", "a quote ' is not closed"),
        ("type = \"RegisterDeal\"", "type = \"RegisterDael\"", "no command type \"RegisterDael\""),
        ("partner = \"p\"", "partnr = \"p\"", "data.partnr: RegisterDeal has no such field"),
        ("deal = \"d-{id}\"\ncustomer", "customer", "RegisterDeal needs the field \"deal\""),
        ("where.stage = \"Lost\"", "where.stage = 1", "where.stage: write \"TEXT\""),
        ("file = \"deals\"", "file = \"sales\"", "feeds[0].file: the map has no such file"),
        ("key = \"{id}\"", "", "neither the command nor its feed has a key"),
        ("once = true", "onse = true", "unknown field `onse`"),
        ("expected_close = \"{expected}\"", "expected_close = 2026-01-01", "in quotes"),
        ("expected_close = \"{expected}\"", "expected_close = 1.5", "is not exact"),
        ("\"{expected}\"", "\"x{expected | integer}\"", "end a template that holds nothing else"),
    ];
    for (right, wrong, said) in cases {
        assert!(MAP.contains(right), "{right}");
        let error = try_plan(&MAP.replacen(right, wrong, 1), DEALS).err();
        let error = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(said), "{wrong}: {error}");
    }
}

#[test]
fn a_lookup_with_two_answers_is_refused() {
    let twice = PRICES.to_owned() + "Can;9\n";
    let source = Source { name: "m.toml", text: MAP };
    let spec = source::parse(&source).unwrap();
    let tables = BTreeMap::from([
        ("deals".to_owned(), Table::read("deals.csv", DEALS.as_bytes(), b',').unwrap()),
        ("prices".to_owned(), Table::read("prices.csv", twice.as_bytes(), b';').unwrap()),
    ]);
    let error = plan::plan(&spec, &source, tables).err().unwrap().to_string();
    assert!(error.contains("prices.csv line 4: \"can\" is \"9\" here and \"8\" before"), "{error}");
}

#[test]
fn what_comes_from_the_map_alone_is_read_whole_at_once() {
    let programme = r#"
name = "m"
start = "2026-01-01"
[[feeds]]
key = "gold"
[[feeds.commands]]
type = "PublishProgramme"
data = { programme = "gold", version = 1, effective_from = "2026-01-01", currency = "USD", terms = { TERMS } }
"#;
    let plan = |terms: &str| {
        let text = programme.replace("TERMS", terms);
        let source = Source { name: "m.toml", text: &text };
        plan::plan(&source::parse(&source)?, &source, BTreeMap::new())
    };
    assert_eq!(documents(&plan("tail_days = 30").unwrap()).len(), 1);
    let error = plan("tail_dys = 30").err().unwrap().to_string();
    assert!(error.contains("line 8") && error.contains("unknown field `tail_dys`"), "{error}");
}
