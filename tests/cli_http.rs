//! What a served ledger tells those who watch over it: health, metrics, the log's lines.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![expect(clippy::float_arithmetic, reason = "metrics are floating-point numbers")]

mod cli;

use async_nats::HeaderMap;
use chl_nats_servers::{Servers, Shape};
use cli::{
    Desk, PARTNER, partner_lines, programme_lines,
    watched::{Watched, wait_until},
};
use futures_util::StreamExt;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    time::Duration,
};

const ACTORS: &str = r#"
[svc]
role = "service"
sources = ["/svc"]

[slow]
role = "service"
per_second = 1
"#;

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const OTHER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

impl Watched {
    fn health(&self) -> Value {
        serde_json::from_str(&self.get("/health/ready").1).unwrap()
    }

    /// The metrics, by name and labels.
    fn metrics(&self) -> BTreeMap<String, f64> {
        let (status, text) = self.get("/metrics");
        assert_eq!(status, 200);
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let parsed = lines.map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        });
        parsed.collect()
    }
}

/// The sum of a metric's series whose labels hold all of these.
fn sum(metrics: &BTreeMap<String, f64>, name: &str, labels: &[&str]) -> f64 {
    let of = |key: &str| {
        let (metric, given) = key.split_once('{').unwrap_or((key, ""));
        metric == name && labels.iter().all(|label| given.contains(label))
    };
    metrics.iter().filter(|(key, _)| of(key)).map(|(_, value)| value).sum()
}

/// What came of commands, as a count for each outcome.
fn outcomes(answers: &[Value]) -> BTreeMap<String, f64> {
    let mut counted = BTreeMap::new();
    for answer in answers {
        let again = answer["duplicate"] == json!(true);
        let outcome = if again { "duplicate" } else { answer["outcome"].as_str().unwrap() };
        *counted.entry(outcome.to_owned()).or_default() += 1.0;
    }
    counted
}

#[test]
fn metrics_agree_with_the_answers_while_commands_run() {
    let desk = Desk::new();
    let watched = Watched::start(&desk, &[], &[]).ready();
    let mut lines = partner_lines() + &programme_lines();
    for number in 0..400 {
        let data = json!({ "customer": format!("c-{}", number % 300), "name": "C" });
        let line = json!({ "id": format!("c-{number}"), "type": "RegisterCustomer", "data": data });
        lines.push_str(&format!("{line}\n{PARTNER}\n"));
    }
    lines.push_str("no json\n{\"id\":\"x\",\"type\":\"Whatever\",\"data\":{}}\n");
    let answers = std::thread::scope(|scope| {
        let sending = scope.spawn(|| desk.submit(&lines).json_lines());
        let mut before = 0.0;
        while !sending.is_finished() {
            let now = sum(&watched.metrics(), "chl_commands_total", &[]);
            assert!(now >= before, "a count went back from {before} to {now}");
            before = now;
        }
        sending.join().unwrap()
    });
    let metrics = watched.metrics();
    let told = outcomes(&answers);
    assert!(told["duplicate"] >= 400.0 && told["rejected"] >= 102.0, "{told:?}");
    for (outcome, count) in &told {
        let label = format!("outcome=\"{outcome}\"");
        assert_eq!(sum(&metrics, "chl_commands_total", &[&label]), *count, "{outcome}");
    }
    let known = ["type=\"RegisterCustomer\"", "code=\"customer.known\""];
    assert_eq!(sum(&metrics, "chl_commands_total", &known), 100.0);
    let none = sum(&metrics, "chl_commands_total", &["type=\"none\""]);
    assert_eq!(none, 2.0, "what is no command has no type");
    let timed = sum(&metrics, "chl_command_seconds_count", &[]);
    assert_eq!(timed, answers.len() as f64 - none);
    assert_eq!(sum(&metrics, "chl_group_commands_sum", &[]), timed);
    assert!(sum(&metrics, "chl_append_seconds_count", &[]) >= 1.0);
    let accepted = answers.iter().filter_map(|answer| answer["position"].as_u64());
    let head = accepted.max().unwrap() + 1;
    let health = watched.health();
    let ledger = &health["ledgers"][0];
    assert_eq!((&health["ready"], &ledger["part"]), (&json!(true), &json!("embedded")));
    assert!(ledger["position"].as_u64().unwrap() >= head, "{health}");
    assert_eq!(sum(&metrics, "chl_head_position", &["ledger=\"main\""]), ledger["position"]);
    // Asking brings the read models up to the log.
    assert_eq!(desk.run(&["query", "balances"]).code, 0);
    let view = &watched.health()["ledgers"][0]["views"][0];
    assert_eq!((&view["view"], &view["lag_positions"]), (&json!("balances"), &json!(0)));
    assert_eq!(view["position"], ledger["position"]);
    assert_eq!(watched.get("/health/live").0, 200);
    assert_eq!(watched.get("/nothing").0, 404);
    let metrics = watched.metrics();
    let requests = |labels: &[&str]| sum(&metrics, "chl_http_requests_total", labels);
    assert_eq!(requests(&["path=\"none\"", "status=\"404\""]), 1.0);
    assert_eq!(requests(&["path=\"/health/live\"", "status=\"200\""]), 1.0);
    assert_eq!(requests(&["nothing"]), 0.0, "a path that a caller made up is no label");
    assert_eq!(watched.stop(), 0);
}

#[test]
fn monitors_are_told_of_a_read_model_that_stands_still() {
    let desk = Desk::with_history();
    assert_eq!(desk.run(&["query", "deals"]).code, 0);
    let file = rusqlite::Connection::open(desk.path("main/views.sqlite")).unwrap();
    let trigger = "CREATE TRIGGER refuse BEFORE INSERT ON partners \
                   BEGIN SELECT RAISE(ABORT, 'no more'); END";
    file.execute_batch(trigger).unwrap();
    let watched = Watched::start(&desk, &[], &[]).ready();
    assert_eq!(desk.submit(&PARTNER.replace("p-1", "p-9").replace("\"1\"", "\"9\"")).code, 0);
    assert_eq!(desk.run(&["query", "partners"]).code, 0);
    let metrics = watched.metrics();
    let frozen = |view: &str| {
        sum(&metrics, "chl_view_frozen", &["ledger=\"main\"", &format!("view=\"{view}\"")])
    };
    assert_eq!((frozen("partners"), frozen("deals")), (1.0, 0.0));
    assert!(sum(&metrics, "chl_view_lag_positions", &["view=\"partners\""]) > 0.0);
    assert!(sum(&metrics, "chl_view_lag_seconds", &["view=\"partners\""]) > 0.0);
    assert_eq!(sum(&metrics, "chl_view_lag_positions", &["view=\"deals\""]), 0.0);
    let health = watched.health();
    let views = health["ledgers"][0]["views"].as_array().unwrap();
    let partners = views.iter().find(|view| view["view"] == "partners").unwrap();
    assert_eq!(partners["frozen"]["event"], "PartnerRecruited", "{partners}");
    assert!(partners["frozen"]["reason"].as_str().unwrap().contains("no more"));
    assert_eq!(health["ready"], true, "commands are answered");
    assert_eq!(desk.run(&["rebuild"]).code, 0);
    assert_eq!(sum(&watched.metrics(), "chl_view_frozen", &[]), 0.0);
    assert_eq!(watched.stop(), 0);
}

#[test]
fn an_address_that_cannot_be_had_is_named() {
    let desk = Desk::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let run = desk.run(&["serve", "--http", &address]);
    assert_eq!(run.code, 5, "{}", run.err);
    assert!(run.err.contains(&address) && run.err.contains("in use"), "{}", run.err);
    for none in ["nonsense", "127.0.0.1:99999", "127.0.0.1"] {
        let run = desk.run(&["serve", "--http", none]);
        assert_eq!(run.code, 2, "{none}: {}", run.err);
        assert!(run.err.contains(none), "{}", run.err);
    }
}

/// The options that put a ledger on the bus of a server.
fn on_bus(desk: &Desk, servers: &Servers) -> [String; 4] {
    let actors = desk.path("actors.toml");
    fs::write(&actors, ACTORS).unwrap();
    ["--bus".into(), servers.urls()[0].clone(), "--actors".into(), actors.display().to_string()]
}

/// A partner to recruit, on a trace or none.
fn recruit(partner: &str, trace: Option<&str>) -> String {
    let data = json!({ "partner": partner, "name": "A", "types": ["reseller"] });
    let mut line = json!({ "id": partner, "type": "RecruitPartner", "data": data });
    if let Some(trace) = trace {
        line["traceparent"] = json!(trace);
    }
    line.to_string()
}

async fn ask(client: &async_nats::Client, subject: &str, body: String) -> Value {
    let answer = client.request(subject.to_owned(), body.into()).await.unwrap();
    serde_json::from_slice(&answer.payload).unwrap()
}

#[tokio::test]
async fn the_bus_counts_what_it_lets_in_and_what_leaves() {
    let Some(servers) = Servers::start(Shape::One).unwrap() else { return };
    let desk = Desk::new();
    let watched = Watched::start(&desk, &on_bus(&desk, &servers), &[]).ready();
    let client = async_nats::connect(servers.urls()).await.unwrap();
    let command = "chl.main.as.svc.cmd.RecruitPartner";
    assert_eq!(ask(&client, command, recruit("p-1", None)).await["outcome"], json!("accepted"));
    let nobody = "chl.main.as.nobody.cmd.RecruitPartner";
    ask(&client, nobody, recruit("p-2", None)).await;
    for number in 0..3 {
        let slow = "chl.main.as.slow.cmd.RecruitPartner";
        ask(&client, slow, recruit(&format!("s-{number}"), None)).await;
    }
    ask(&client, "chl.main.as.svc.query.partners", "{}".into()).await;
    ask(&client, "chl.main.as.svc.query.nonsense", "{}".into()).await;
    let queue = async_nats::jetstream::new(client.clone());
    for body in [recruit("q-1", None), "no json".to_owned()] {
        let subject = "chl.main.as.svc.queue.RecruitPartner";
        queue.publish(subject, body.into()).await.unwrap().await.unwrap();
    }
    let metrics = wait_until(|| {
        let metrics = watched.metrics();
        let results = sum(&metrics, "chl_queue_results_total", &[]);
        let out = sum(&metrics, "chl_events_out_total", &[]);
        let head = sum(&metrics, "chl_head_position", &[]);
        let newest = sum(&metrics, "chl_events_out_position", &[]) + 1.0;
        // How long the queue is is looked at now and then.
        let waiting = sum(&metrics, "chl_queue_pending", &[]);
        let done = results == 2.0 && waiting == 0.0;
        (done && out > 0.0 && newest == head).then_some(metrics)
    });
    let refused = |code: &str| sum(&metrics, "chl_bus_refusals_total", &[code]);
    assert_eq!(refused("code=\"not_permitted.actor\""), 1.0);
    assert!(refused("code=\"bus.quota_exceeded\"") >= 1.0, "{metrics:?}");
    let asked = |label: &str| sum(&metrics, "chl_questions_total", &[label]);
    assert_eq!((asked("view=\"partners\""), asked("code=\"query.malformed\"")), (1.0, 1.0));
    assert_eq!(asked("nonsense"), 0.0, "a name that a sender made up is no label");
    assert_eq!(sum(&metrics, "chl_queue_parked_total", &["code=\"command.malformed\""]), 1.0);
    let text = watched.get("/metrics").1;
    let shown = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    let shown: BTreeSet<&str> = shown.collect();
    let page = fs::read_to_string(page("docs/operations.md")).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let named = rows.filter(|name| name.starts_with("chl_") || name.starts_with("process_"));
    let mut named: BTreeSet<&str> = named.collect();
    // What only a ledger on servers has.
    assert!(named.remove("chl_lease_changes_total"));
    // A connection that was never lost is not counted as lost.
    assert!(named.remove("chl_nats_disconnects_total"));
    assert_eq!(shown, named, "docs/operations.md has all metrics, and no others");
    assert_eq!(watched.stop(), 0);
}

fn page(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

#[test]
fn the_units_settings_are_settings() {
    let run = Desk::new().run(&["serve", "--help"]);
    let known = |name: &str| {
        let elsewhere = ["CHL_NATS_PASSWORD", "CHL_LOG"].contains(&name);
        elsewhere || run.out.contains(&format!("[env: {name}="))
    };
    let settings = fs::read_to_string(page("examples/systemd/main.env")).unwrap();
    let names = settings.lines().filter_map(|line| Some(line.split_once('=')?.0));
    let names: Vec<&str> = names.filter(|name| !name.starts_with('#')).collect();
    assert!(names.len() > 5, "{names:?}");
    let unknown: Vec<_> = names.iter().filter(|name| !known(name)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

/// The lines of a log in JSON that are about commands.
fn told(watched: &Watched, id: &str) -> Option<Value> {
    let parse = |line: &str| -> Value {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
    };
    let said = watched.said();
    // The last line may be on its way.
    let whole = said.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let lines = whole.lines().map(parse);
    lines.into_iter().find(|line| line["span"]["id"] == json!(id) && line["message"] == "answered")
}

#[tokio::test]
async fn a_trace_goes_from_the_sender_to_the_answer_the_log_and_the_events() {
    let Some(servers) = Servers::start(Shape::One).unwrap() else { return };
    let desk = Desk::new();
    let mut options = on_bus(&desk, &servers).to_vec();
    options.push("--log-format=json".into());
    let environment = [("CHL_LOG", "warn,chl::command=debug")];
    let watched = Watched::start(&desk, &options, &environment).ready();
    let client = async_nats::connect(servers.urls()).await.unwrap();
    let mut events = client.subscribe("chl.main.event.>").await.unwrap();
    // The header's, the document's before the header's, and none where neither is one.
    let cases = [
        ("p-1", Some(TRACE), None, Some(TRACE)),
        ("p-2", Some(TRACE), Some(OTHER), Some(OTHER)),
        ("p-3", Some("00-what"), Some("nonsense"), None),
    ];
    for (partner, header, own, expected) in cases {
        let mut headers = HeaderMap::new();
        header.iter().for_each(|trace| headers.insert(chl_bus_nats::TRACE, *trace));
        let subject = "chl.main.as.svc.cmd.RecruitPartner";
        let body = recruit(partner, own);
        let answer = client.request_with_headers(subject, headers, body.into()).await.unwrap();
        let back = answer.headers.as_ref().and_then(|headers| headers.get(chl_bus_nats::TRACE));
        assert_eq!(back.map(|trace| trace.as_str()), expected, "{partner}");
        let document: Value = serde_json::from_slice(&answer.payload).unwrap();
        assert_eq!(document["outcome"], json!("accepted"), "{document}");
        let event = tokio::time::timeout(Duration::from_secs(60), events.next()).await;
        let event: Value = serde_json::from_slice(&event.unwrap().unwrap().payload).unwrap();
        assert_eq!(event["traceparent"].as_str(), expected, "{event}");
        let line = wait_until(|| told(&watched, partner));
        let span = &line["span"];
        let id = expected.map(|trace| trace.split('-').nth(1).unwrap());
        assert_eq!(span["trace_id"].as_str(), id, "{line}");
        assert_eq!((&span["type"], &span["actor"]), (&json!("RecruitPartner"), &json!("svc")));
        assert_eq!((&span["source"], &span["outcome"]), (&json!("/svc"), &json!("accepted")));
        assert_eq!(span["position"], document["position"]);
    }
    let refused = recruit("p-1", Some(OTHER)).replace("\"A\"", "\"B\"");
    ask(&client, "chl.main.as.svc.cmd.RecruitPartner", refused).await;
    watched.wait(|said| said.contains("command.id_reused").then_some(()));
    // What is said to people is JSON, too, and so is every other line.
    watched.said().lines().for_each(|line| {
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    });
    assert_eq!(watched.stop(), 0);
}
