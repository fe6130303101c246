//! A served ledger on the bus: the example client, and what a partner may read.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cli;

use chl_nats_servers::{Servers, Shape};
use cli::{Desk, contest_lines};
use serde_json::{Value, json};
use std::{
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

const ACTORS: &str = r#"
[svc-portal]
role = "service"
sources = ["/portal"]

[p-1-app]
role = "partner"
partner = "p-1"

[p-2-app]
role = "partner"
partner = "p-2"

[desk]
role = "analyst"
"#;

/// The options that put a ledger on the bus of a server.
fn on_bus(desk: &Desk, servers: &Servers) -> [String; 4] {
    let actors = desk.path("actors.toml");
    std::fs::write(&actors, ACTORS).unwrap();
    ["--bus".into(), servers.urls()[0].clone(), "--actors".into(), actors.display().to_string()]
}

/// What runs the example client of a language; none is a visible skip on a desk, a failure in CI.
fn runner(language: &str) -> Option<Command> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let examples = root.join("examples").join(language);
    let (program, first, file) = match language {
        "python" => {
            let installed = root.join("target/nats/bin/python");
            let python = std::env::var_os("CHL_PYTHON").map_or(installed, PathBuf::from);
            (python, vec!["-c", "import nats"], "portal.py")
        }
        _ => (examples.join("node_modules/.bin/tsx"), vec!["--version"], "portal.ts"),
    };
    let works = Command::new(&program).args(first).output();
    if !works.is_ok_and(|works| works.status.success()) {
        let what = format!("nothing to run the {language} example with; .ci/run installs it");
        assert!(std::env::var_os("CI").is_none(), "{what}");
        std::io::stderr().write_all(format!("SKIPPED: {what}\n").as_bytes()).unwrap();
        return None;
    }
    let mut command = Command::new(program);
    command.arg(examples.join(file));
    Some(command)
}

#[test]
fn the_example_clients_do_what_they_say() {
    for language in ["python", "typescript"] {
        let (Some(servers), Some(mut example)) =
            (Servers::start(Shape::One).unwrap(), runner(language))
        else {
            continue;
        };
        let desk = Desk::new();
        let served = desk.serve_with(&on_bus(&desk, &servers));
        let run = example.args([&servers.urls()[0], "svc-portal"]).output().unwrap();
        let err = String::from_utf8_lossy(&run.stderr);
        let expected = "recruited: accepted at position 1\n\
                        sent again: duplicate true at position 1\n\
                        refused: command.malformed - data.name: missing field `name`\n\
                        published and gone: accepted apply-p-1\n\
                        partner: p-1 applied\n";
        let out = String::from_utf8_lossy(&run.stdout).replace("True", "true");
        assert_eq!(out, expected, "{language}: {err}");
        assert_eq!(served.stop(), 0);
    }
}

/// Asks over the bus.
async fn ask(client: &async_nats::Client, subject: &str, body: Value) -> Value {
    let answer = client.request(subject.to_owned(), body.to_string().into()).await.unwrap();
    serde_json::from_slice(&answer.payload).unwrap()
}

#[tokio::test]
async fn a_partner_reads_its_own_and_of_a_conflict_its_state() {
    let Some(servers) = Servers::start(Shape::One).unwrap() else { return };
    let desk = Desk::with_history();
    assert_eq!(desk.submit(&contest_lines()).code, 0);
    let served = desk.serve_with(&on_bus(&desk, &servers));
    let client = async_nats::connect(servers.urls()).await.unwrap();
    let partner = |view: &str| format!("chl.main.as.p-1-app.query.{view}");
    for (view, others) in [("deals", "d-2"), ("balances", "p-2"), ("claims", "p-2")] {
        let own = ask(&client, &partner(view), json!({})).await;
        assert_eq!(own["rows"][0]["partner"], json!("p-1"), "{own}");
        assert!(!own.to_string().contains(others), "{own}");
        let foreign = ask(&client, &partner(view), json!({ "partner": "p-2" })).await;
        assert_eq!(foreign["code"], json!("not_permitted.partner"), "{foreign}");
    }
    let conflict = ask(&client, &partner("conflicts"), json!({})).await;
    let columns: Vec<&String> = conflict["rows"][0].as_object().unwrap().keys().collect();
    assert_eq!(columns, ["conflict", "customer", "effective_state", "product_line", "state"]);
    let probing = json!({ "where": ["challenger_partner=p-2"] });
    let probing = ask(&client, &partner("conflicts"), probing).await;
    assert_eq!(probing["code"], json!("not_permitted.query"));
    let everybody = ask(&client, &partner("partners"), json!({})).await;
    assert_eq!(everybody["code"], json!("not_permitted.query"));

    let analyst = |view: &str| format!("chl.main.as.desk.query.{view}");
    let all = ask(&client, &analyst("deals"), json!({})).await;
    assert_eq!(all["rows"].as_array().unwrap().len(), 2);
    let before = ask(&client, &analyst("deals"), json!({ "as_of": 3 })).await;
    assert_eq!(before["rows"], json!([]), "nothing was registered by position 3");
    let wrong = ask(&client, &analyst("deals"), json!({ "colour": "red" })).await;
    assert_eq!(wrong["code"], json!("query.malformed"), "{wrong}");
    let unknown = ask(&client, &analyst("nonsense"), json!({})).await;
    assert_eq!(unknown["code"], json!("query.malformed"), "{unknown}");
    assert_eq!(served.stop(), 0);
}

#[tokio::test]
async fn a_partner_asks_for_what_it_missed_of_its_feed() {
    let Some(servers) = Servers::start(Shape::One).unwrap() else { return };
    let desk = Desk::with_history();
    assert_eq!(desk.submit(&contest_lines()).code, 0);
    let mut options = on_bus(&desk, &servers).to_vec();
    options.push("--events-from=1".to_owned());
    let served = desk.serve_with(&options);
    let client = async_nats::connect(servers.urls()).await.unwrap();
    let feed = |partner: &str| format!("chl.main.as.{partner}-app.query.feed");
    let began = std::time::Instant::now();
    let (own, others) = loop {
        let own = ask(&client, &feed("p-1"), json!({})).await;
        let others = ask(&client, &feed("p-2"), json!({})).await;
        let opened = |fed: &Value| fed.to_string().contains("ConflictOpened");
        if opened(&own) && opened(&others) {
            break (own, others);
        }
        assert!(began.elapsed() < std::time::Duration::from_secs(60), "{own}\n{others}");
    };
    for (fed, hidden) in [(&own, ["d-2", "p-2", "60000"]), (&others, ["d-1", "p-1", "50000"])] {
        for word in hidden {
            assert!(!fed.to_string().contains(word), "{word} in {fed}");
        }
    }
    let last = &own["events"].as_array().unwrap().last().unwrap()["id"];
    let rest = ask(&client, &feed("p-1"), json!({ "after": last })).await;
    assert_eq!(rest, json!({ "events": [], "more": false }));
    let foreign = ask(&client, &feed("p-2"), json!({ "after": last })).await;
    assert_eq!(foreign["code"], json!("feed.gone"), "{foreign}");
    let nobody = ask(&client, "chl.main.as.desk.query.feed", json!({})).await;
    assert_eq!(nobody["code"], json!("not_permitted.query"), "{nobody}");
    let wrong = ask(&client, &feed("p-1"), json!({ "partner": "p-2" })).await;
    assert_eq!(wrong["code"], json!("query.malformed"), "{wrong}");
    assert_eq!(served.stop(), 0);

    // A node that begins in the middle does not know the deal from its registration.
    let late = Servers::start(Shape::One).unwrap().unwrap();
    let mut options = on_bus(&desk, &late).to_vec();
    let won = r#"{"id":"w","type":"MarkDealLost","time":"2026-04-01T09:00:00Z","data":{"deal":"d-1","customer":"acme","closed_on":"2026-04-01"}}"#;
    let commits = desk.run(&["log", "view"]).json_lines().len();
    assert_eq!(desk.submit(won).code, 0);
    options.push(format!("--events-from={commits}"));
    let served = desk.serve_with(&options);
    let client = async_nats::connect(late.urls()).await.unwrap();
    let began = std::time::Instant::now();
    let fed = loop {
        let fed = ask(&client, &feed("p-1"), json!({})).await;
        if fed.to_string().contains("DealLost") {
            break fed;
        }
        assert!(began.elapsed() < std::time::Duration::from_secs(60), "{fed}");
    };
    assert!(!fed.to_string().contains("DealRegistered"), "{fed}");
    assert_eq!(served.stop(), 0);
}

#[tokio::test]
async fn what_is_no_command_is_listed_with_its_reason() {
    let Some(servers) = Servers::start(Shape::One).unwrap() else { return };
    let desk = Desk::new();
    let served = desk.serve_with(&on_bus(&desk, &servers));
    let client = async_nats::connect(servers.urls()).await.unwrap();
    let queue = async_nats::jetstream::new(client);
    let subject = "chl.main.as.svc-portal.queue.RecruitPartner";
    queue.publish(subject, "no json".into()).await.unwrap().await.unwrap();
    let began = std::time::Instant::now();
    let listed = loop {
        let run = desk.run(&["parked", "--bus", &servers.urls()[0]]);
        assert_eq!(run.code, 0, "{}", run.err);
        let listed = run.json_lines();
        if !listed.is_empty() {
            break listed;
        }
        assert!(began.elapsed() < std::time::Duration::from_secs(60), "nothing was parked");
    };
    let one = &listed[0];
    assert_eq!(
        (&one["actor"], &one["type"], &one["code"], &one["document"]),
        (
            &json!("svc-portal"),
            &json!("RecruitPartner"),
            &json!("command.malformed"),
            &json!("no json")
        )
    );
    let number = one["parked"].to_string();
    let bus = servers.urls()[0].clone();
    let parked = |call: &[&str]| desk.run(&[&["parked", "--bus", &bus], call].concat());
    let shown = parked(&["show", &number]);
    assert_eq!(shown.json_lines(), listed, "{}", shown.err);
    // As it is it would be parked again; mended it is decided, and the place is empty.
    let unmended = parked(&["send", &number]);
    assert!(unmended.code == 2 && unmended.err.contains("mend it"), "{}", unmended.err);
    let mended = desk.path("mended");
    std::fs::write(&mended, cli::PARTNER.replace(r#","time":"2026-01-02T09:00:00Z""#, "")).unwrap();
    let sent = parked(&["send", &number, &mended.display().to_string()]);
    assert_eq!(sent.code, 0, "{}", sent.err);
    let began = std::time::Instant::now();
    while desk.run(&["query", "partners"]).json_lines().is_empty() {
        assert!(began.elapsed() < std::time::Duration::from_secs(60), "nothing was decided");
    }
    assert_eq!(parked(&[]).json_lines(), [] as [Value; 0]);
    for call in [["show", &number].as_slice(), &["drop", &number, "--reason=noise"]] {
        let gone = parked(call);
        assert!(gone.code == 2 && gone.err.contains("dealt with"), "{}", gone.err);
    }
    let settled = parked(&["settled"]).json_lines();
    assert_eq!(
        (&settled[0]["done"], &settled[0]["by"], &settled[0]["sent_as"], &settled[0]["document"]),
        (&json!("sent"), &json!("tester"), &json!("svc-portal"), &json!("no json"))
    );
    assert_eq!(served.stop(), 0);
    let nowhere = desk.run(&["parked"]);
    assert_eq!(nowhere.code, 2, "{}", nowhere.err);
}

#[test]
fn lines_go_over_the_bus_under_an_actors_name() {
    let Some(servers) = Servers::start(Shape::One).unwrap() else { return };
    let desk = Desk::new();
    let served = desk.serve_with(&on_bus(&desk, &servers));
    let bus = servers.urls()[0].clone();
    let recruit = |number: usize| {
        let data = json!({ "partner": format!("r-{number}"), "name": "A", "types": ["reseller"] });
        json!({ "id": number.to_string(), "type": "RecruitPartner", "data": data }).to_string()
    };
    let mut lines: Vec<String> = (0..600).map(recruit).collect();
    lines.insert(300, "no json".to_owned());
    lines.insert(400, recruit(7).replace("\"7\"", "\"again\""));
    let submit = |lines: &[String]| {
        let call = ["submit", "--as", "svc-portal", "--bus", &bus];
        desk.run_with(&call, lines.join("\n").as_bytes())
    };
    let run = submit(&lines);
    assert_eq!(run.code, 3, "{}", run.err);
    let answers = run.json_lines();
    assert_eq!(answers.len(), lines.len());
    for (number, answer) in answers.iter().enumerate() {
        let expected = match number {
            300 => ("rejected", json!("command.malformed"), json!(301)),
            400 => ("rejected", json!("partner.known"), Value::Null),
            _ => ("accepted", Value::Null, Value::Null),
        };
        let told = (&answer["outcome"], answer["code"].clone(), answer["line"].clone());
        assert_eq!((told.0.as_str().unwrap(), told.1, told.2), expected, "{answer}");
    }
    assert_eq!(answers[599]["id"], json!("597"), "answers come in the order of the lines");
    assert!(run.err.contains("600 accepted, 2 rejected"), "{}", run.err);
    let again = submit(&lines[..300]);
    assert!(again.json_lines().iter().all(|answer| answer["duplicate"] == json!(true)));
    assert_eq!(again.code, 0, "{}", again.err);
    let stranger = desk.run_with(&["submit", "--as", "nobody", "--bus", &bus], lines[0].as_bytes());
    assert_eq!(stranger.json_lines()[0]["code"], json!("not_permitted.actor"));
    assert_eq!(stranger.code, 3);
    assert_eq!(served.stop(), 0);
    for (call, named) in [
        (["submit", "--as", "svc-portal"].as_slice(), "--bus"),
        (&["submit", "--as", "svc-portal", "--dry-run"], "--dry-run"),
    ] {
        let wrong = desk.run_with(call, b"");
        assert!(wrong.code == 2 && wrong.err.contains(named), "{}", wrong.err);
    }
}

#[test]
fn a_bus_without_a_list_or_without_a_server_is_named() {
    let desk = Desk::new();
    let nobody = desk.run(&["serve", "--bus", "nats://127.0.0.1:1"]);
    assert_eq!(nobody.code, 2, "{}", nobody.err);
    assert!(nobody.err.contains("--actors"), "{}", nobody.err);
    let nowhere = desk.run(&["serve", "--bus", "nats://127.0.0.1:1", "--trust-bus"]);
    assert_eq!(nowhere.code, 5, "{}", nowhere.err);
    assert!(nowhere.err.contains("127.0.0.1:1"), "{}", nowhere.err);
    let missing = ["serve", "--bus", "nats://127.0.0.1:1", "--actors", "/nowhere"];
    let missing = desk.run(&missing);
    assert_eq!(missing.code, 2, "{}", missing.err);
    assert!(missing.err.contains("/nowhere"), "{}", missing.err);
}
