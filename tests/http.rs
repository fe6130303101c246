//! Callers over HTTP: who they are, what they may ask and send, and what each of them sees.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cli;

use cli::{
    Desk, contested,
    watched::{Reply, Watched, customer, names, problem, refused},
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Every read model that has rows, and scorecards of a period.
const VIEWS: [&str; 16] = [
    "balances",
    "postings",
    "deals",
    "conflicts",
    "claims",
    "requests",
    "lots",
    "partners",
    "tiers",
    "certifications",
    "measures",
    "programmes",
    "days",
    "customers",
    "scorecard_figures",
    "scorecards",
];

#[test]
fn nobody_gets_in_without_a_token_of_the_list() {
    let desk = Desk::with_history();
    let door = Watched::for_callers(&desk);
    let unknown = door.get_as("ana", "/v1/nothing").json()["detail"].to_string();
    let listed = unknown.trim_end_matches('"').rsplit("there are ").next().unwrap();
    let listed: BTreeSet<&str> = listed.split(", ").collect();
    assert_eq!(listed, BTreeSet::from(VIEWS), "the tests below know all of them");
    let page = include_str!("../docs/http.md");
    assert!(VIEWS.iter().all(|view| page.contains(&format!("`{view}`"))), "and so does the page");
    for path in ["/v1/balances", "/v1/events", "/v1/changes", "/v1/nothing"] {
        let reply = door.call("GET", path, &[], "");
        assert_eq!(problem(&reply), refused(401, "not_permitted.token"), "{path}");
        assert!(reply.headers["www-authenticate"].starts_with("Bearer"), "{path}");
        let strange = [("Authorization", "Bearer token-nobody")];
        let reply = door.call("GET", path, &strange, "");
        assert_eq!(problem(&reply), refused(401, "not_permitted.token"), "{path}");
    }
    let reply = door.call("POST", "/v1/commands", &[], &customer("c", "C"));
    assert_eq!(problem(&reply), refused(401, "not_permitted.token"));
    // The list has digests: who has read it has no token yet.
    let list = std::fs::read_to_string(desk.path("actors.toml")).unwrap();
    let digest = list.split("sha256:").nth(1).unwrap().split('"').next().unwrap();
    for shown in [format!("Bearer {digest}"), format!("Bearer sha256:{digest}")] {
        let reply = door.call("GET", "/v1/balances", &[("Authorization", &shown)], "");
        assert_eq!(reply.status, 401);
    }
    assert_eq!((door.get("/health/live").0, door.get("/metrics").0), (200, 200));
    assert_eq!(problem(&door.get_as("ana", "/v1/nothing")), refused(404, "query.unknown_view"));
    assert_eq!(problem(&door.get_as("ana", "/nothing")), refused(404, "http.unknown_path"));
    let reply = door.call("DELETE", "/v1/balances", &[], "");
    assert_eq!(problem(&reply), refused(405, "http.method"));
    assert_eq!(problem(&door.get_as("ana", "/v1/%FF")), refused(404, "query.unknown_view"));
    assert_eq!(door.call("GET", "/v1/%FF", &[], "").status, 401);
    let elsewhere = door.get_as("ana", "/v1/balances?ledger=other");
    assert_eq!(problem(&elsewhere), refused(404, "ledger.unknown"));
    assert_eq!(door.get_as("ana", "/v1/balances?ledger=main").status, 200);
    assert_eq!(door.stop(), 0);
}

#[test]
fn a_list_of_actors_needs_a_door() {
    let desk = Desk::new();
    std::fs::write(desk.path("actors.toml"), "[a]\nrole = \"analyst\"\n").unwrap();
    let run = desk.run(&["serve", "--actors", "actors.toml"]);
    assert_eq!((run.code, run.err.contains("--http")), (2, true), "{}", run.err);
    let run = desk.run(&["serve", "--http", "127.0.0.1:0", "--actors", "nothing.toml"]);
    assert_eq!((run.code, run.err.contains("nothing.toml")), (2, true), "{}", run.err);
}

#[test]
fn a_token_is_made_with_its_digest() {
    let made = Desk::new().run(&["token", "--output", "json"]);
    let made: Value = serde_json::from_str(&made.out).unwrap();
    let token = made[0]["token"].as_str().unwrap();
    assert!(token.len() == 47 && token.starts_with("chl_"), "{token}");
    let digest = chl_bus::TokenDigest::of(token).to_string();
    assert_eq!(made[0]["digest"], json!(digest));
}

#[test]
fn the_first_call_of_the_page_runs_as_it_stands() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/http.md")).unwrap();
    let script = page.split("<!-- run: begin -->").nth(1).unwrap();
    let script = script.split("<!-- run: end -->").next().unwrap();
    let lines = script.lines().filter(|line| !line.starts_with("```"));
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let script: String = lines.map(|line| format!("{line}\n")).collect();
    let script = format!("set -e\n{}wait $!", script.replace("127.0.0.1:8480", &free.to_string()));
    let folder = tempfile::tempdir().unwrap();
    let chl = std::path::Path::new(cli::CHL).parent().unwrap();
    let path = format!("{}:{}", chl.display(), std::env::var("PATH").unwrap());
    let mut bash = std::process::Command::new("bash");
    let out = bash.args(["-c", &script]).current_dir(&folder).env("PATH", path).output().unwrap();
    let (told, talk) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "{told}\n{talk}");
    for shown in ["\"accepted\"", "\"partner\":\"p-1\"", "query.malformed", "colour"] {
        assert!(told.contains(shown), "no {shown} in {told}\n{talk}");
    }
}

#[test]
fn a_command_is_answered_with_a_status_that_says_the_same() {
    let desk = Desk::with_history();
    let door = Watched::for_callers(&desk);
    let first = door.send_as("svc", &customer("c-1", "C"));
    let answer = first.json();
    assert_eq!((first.status, &answer["outcome"]), (200, &json!("accepted")), "{answer}");
    assert_eq!(first.headers["content-type"], "application/json");
    // Who asks after an answer finds what it wrote.
    let seen = door.get_as("ana", "/v1/customers?where=customer%3Dc-1").json();
    assert_eq!((&seen["position"], &seen["rows"][0]["name"]), (&answer["position"], &json!("C")));
    let again = door.send_as("svc", &customer("c-1", "C"));
    assert_eq!((again.status, &again.json()["duplicate"]), (200, &json!(true)));
    assert_eq!(again.json()["position"], answer["position"]);
    let stale = customer("c-1", "D").replacen('{', "{\"expectedversion\":7,", 1);
    let claim = customer("c-2", "C").replacen('{', "{\"role\":\"operator\",", 1);
    let source = customer("c-2", "C").replacen('{', "{\"source\":\"/other\",", 1);
    let long = customer("c-2", &"x".repeat(40_000));
    let endless = customer("c-2", &"x".repeat(100_000));
    let known = json!({ "id": "new", "type": "RegisterCustomer",
        "data": { "customer": "c-1", "name": "C" } });
    let fresh = stale.replace("\"id\":\"c-1\"", "\"id\":\"fresh\"");
    let approve = json!({ "id": "x", "type": "ActivatePartner", "data": { "partner": "p-1" } });
    for (name, document, status, code) in [
        ("svc", customer("c-1", "D").as_str(), 409, "command.id_reused"),
        ("svc", &fresh, 409, "stream.changed"),
        ("svc", &known.to_string(), 422, "customer.known"),
        ("svc", "{\n  no json", 400, "command.malformed"),
        ("svc", "", 400, "command.malformed"),
        ("svc", "{\"id\":\"x\",\"type\":\"Nonsense\",\"data\":{}}", 400, "command.unknown_type"),
        ("svc", &claim, 403, "not_permitted.claim"),
        ("svc", &source, 403, "not_permitted.source"),
        ("svc", &approve.to_string(), 403, "not_permitted.role"),
        ("ana", &customer("c-2", "C"), 403, "not_permitted.role"),
        ("svc", &long, 413, "command.too_large"),
    ] {
        let reply = door.send_as(name, document);
        let answer = reply.json();
        assert_eq!((reply.status, &answer["code"]), (status, &json!(code)), "{document}: {answer}");
        assert_eq!(answer["outcome"], json!("rejected"));
        assert!(!answer["message"].as_str().unwrap().is_empty());
    }
    assert_eq!(problem(&door.send_as("svc", &endless)), refused(413, "command.too_large"));
    assert_eq!(door.get_as("svc", "/v1/commands").status, 405);
    let over = (0..4).map(|number| door.send_as("slow", &customer(&format!("s-{number}"), "S")));
    let over: Vec<Reply> = over.collect();
    let over = over.iter().find(|reply| reply.status != 200).expect("more than one a second");
    assert_eq!(problem(over), refused(429, "bus.quota_exceeded"));
    assert_eq!(over.headers["retry-after"], "1");
    assert_eq!(door.stop(), 0);
}

#[test]
fn what_was_answered_with_200_is_on_disk() {
    let desk = Desk::new();
    let door = Watched::for_callers(&desk);
    let sent: Vec<String> = (0..20).map(|number| customer(&format!("c-{number}"), "C")).collect();
    for document in &sent {
        assert_eq!(door.send_as("svc", document).status, 200);
    }
    door.kill();
    let door = Watched::for_callers(&desk);
    for document in &sent {
        let reply = door.send_as("svc", document);
        assert_eq!((reply.status, &reply.json()["duplicate"]), (200, &json!(true)));
    }
    assert_eq!(door.stop(), 0);
}

#[test]
fn an_answer_waits_until_the_file_of_the_read_models_holds_it() {
    let desk = Desk::new();
    let door = Watched::for_callers(&desk);
    let send = |name: &str, path: &str, id: &str| {
        let bearer = cli::watched::bearer(name);
        door.call("POST", path, &[("Authorization", &bearer)], &customer(id, "C"))
    };
    for number in 0..20 {
        let id = format!("c-{number}");
        let reply = send("svc", "/v1/commands?wait=customers&wait=balances", &id);
        assert_eq!((reply.status, reply.json().get("behind")), (200, None));
        let file = rusqlite::Connection::open(desk.path("main/views.sqlite")).unwrap();
        let known = "SELECT count(*) FROM customers WHERE customer = ?";
        assert_eq!(file.query_row(known, [&id], |row| row.get(0)), Ok(1), "{id}");
    }
    let wrong = send("svc", "/v1/commands?wait=nonsense", "n");
    assert_eq!(problem(&wrong), refused(400, "query.malformed"));
    let partner = send("p-1-app", "/v1/commands?wait=balances", "n");
    assert_eq!(problem(&partner), refused(403, "not_permitted.query"));
    assert_eq!(door.stop(), 0);
}

#[test]
fn many_at_once_are_answered_each_once() {
    let desk = Desk::new();
    let door = Watched::for_callers(&desk);
    let answers: Vec<Value> = std::thread::scope(|scope| {
        let sender = |from: usize| {
            let door = &door;
            move || -> Vec<Value> {
                // Neighbours send the same ones, too.
                let ids = (from * 10..from * 10 + 20).map(|number| format!("c-{number}"));
                ids.map(|id| door.send_as("svc", &customer(&id, "C")).json()).collect()
            }
        };
        let sending: Vec<_> = (0..8).map(|from| scope.spawn(sender(from))).collect();
        sending.into_iter().flat_map(|sender| sender.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|answer| answer["outcome"] == "accepted"), "{answers:?}");
    let first = answers.iter().filter(|answer| answer["duplicate"] == json!(false));
    let positions: BTreeSet<u64> = first.map(|one| one["position"].as_u64().unwrap()).collect();
    assert_eq!(positions, (1..=90).collect(), "each is recorded once");
    assert_eq!(door.stop(), 0);
}

#[test]
fn rows_are_those_of_the_command_line() {
    let desk = contested();
    let door = Watched::for_callers(&desk);
    let now = door.get_as("ana", "/v1/deals").json()["position"].as_u64().unwrap();
    // As of a position ages do not depend on when somebody asks.
    for at in [now, now - 3] {
        for view in VIEWS {
            let scored = view == "scorecards";
            let period = if scored { "&period=2026-Q1" } else { "" };
            let reply = door.get_as("ana", &format!("/v1/{view}?as_of={at}{period}"));
            assert_eq!(reply.status, 200, "{view}: {}", reply.body);
            let position = at.to_string();
            let mut call = vec!["query", view, "--as-of", &position, "--output", "json"];
            call.extend(["--period", "2026-Q1"].iter().filter(|_| scored));
            let told: Value = serde_json::from_str(&desk.run(&call).out).unwrap();
            assert_eq!(reply.json()["rows"], told, "{view} as of {at}");
        }
    }
    let filtered = "/v1/postings?where=position%3E%3D10&where=account=CR&partner=p-1&limit=5";
    let reply = door.get_as("ana", filtered).json();
    let call = ["query", "postings", "--where", "position>=10", "--where", "account=CR"];
    let call = [&call[..], &["--partner", "p-1", "--limit", "5", "--output", "json"]].concat();
    let told: Value = serde_json::from_str(&desk.run(&call).out).unwrap();
    assert_eq!(reply["rows"], told);
    assert_eq!(door.stop(), 0);
}

#[test]
fn pages_follow_each_other_without_a_gap_while_others_write() {
    let desk = contested();
    let door = Watched::for_callers(&desk);
    let whole = |view: &str, more: &str| -> Vec<Value> {
        let all = door.get_as("ana", &format!("/v1/{view}?limit=10000{more}")).json();
        assert_eq!(all.get("next"), None, "{view}");
        all["rows"].as_array().unwrap().clone()
    };
    for view in VIEWS {
        let more = if view == "scorecards" { "&period=2026-Q1" } else { "" };
        let all = whole(view, more);
        let (mut walked, mut cursor) = (Vec::new(), String::new());
        loop {
            let reply = door.get_as("ana", &format!("/v1/{view}?limit=1{more}{cursor}")).json();
            walked.extend(reply["rows"].as_array().unwrap().clone());
            // What is recorded between two pages moves nothing that is there already.
            let number = walked.len();
            let sent = door.send_as("svc", &customer(&format!("{view}-{number}"), "C"));
            assert_eq!(sent.status, 200);
            let Some(next) = reply["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        // Of customers there are new ones, too.
        walked.retain(|row| all.contains(row));
        assert_eq!(walked, all, "{view}");
    }
    let next = door.get_as("ana", "/v1/postings?limit=1").json()["next"].clone();
    let next = next.as_str().unwrap();
    for (query, named) in [
        (format!("deals?cursor={next}"), "cursor"),
        ("deals?cursor=nonsense".into(), "cursor"),
        ("deals?limit=0".into(), "limit"),
        ("deals?limit=10001".into(), "limit"),
        ("deals?limit=many".into(), "limit"),
        ("deals?colour=red".into(), "colour"),
        ("deals?where=colour%3Dred".into(), "colour"),
        ("deals?state=happy".into(), "state"),
        ("deals?as_of=yesterday".into(), "yesterday"),
        ("deals?as_of=99999".into(), "99999"),
        ("deals?effective=2026-13-01".into(), "effective"),
        ("deals?state=won&state=lost".into(), "state"),
        ("scorecards".into(), "period"),
    ] {
        let reply = door.get_as("ana", &format!("/v1/{query}"));
        assert_eq!(problem(&reply), refused(400, "query.malformed"), "{query}");
        assert!(reply.body.contains(named), "{query}: {}", reply.body);
    }
    assert_eq!(door.stop(), 0);
}

#[test]
fn an_answer_that_has_not_changed_is_not_sent_again() {
    let desk = Desk::with_history();
    let door = Watched::for_callers(&desk);
    let first = door.get_as("ana", "/v1/postings");
    let tag = first.headers["etag"].clone();
    let at = first.json()["position"].to_string();
    assert!(tag.starts_with(&format!("\"{at}-")), "{tag}");
    assert_eq!(first.headers["cache-control"], "private, no-cache");
    let bearer = cli::watched::bearer("ana");
    let headers = [("Authorization", bearer.as_str()), ("If-None-Match", tag.as_str())];
    let again = door.call("GET", "/v1/postings", &headers, "");
    assert_eq!((again.status, again.body.as_str(), &again.headers["etag"]), (304, "", &tag));

    // Now it is known that nothing has changed, and the rows are not looked at.
    let file = rusqlite::Connection::open(desk.path("main/views.sqlite")).unwrap();
    file.execute_batch("ALTER TABLE postings RENAME TO away").unwrap();
    assert_eq!(door.get_as("ana", "/v1/postings").status, 503);
    let known = door.call("GET", "/v1/postings", &headers, "");
    assert_eq!((known.status, &known.headers["etag"]), (304, &tag));
    let others = [headers[0], ("If-None-Match", "\"other\"")];
    assert_eq!(door.call("GET", "/v1/postings", &others, "").status, 503);
    assert_eq!(door.call("GET", "/v1/postings?limit=9", &headers, "").status, 503);
    file.execute_batch("ALTER TABLE away RENAME TO postings").unwrap();
    assert_eq!(door.send_as("svc", &customer("c-9", "C")).status, 200);
    let moved = door.call("GET", "/v1/postings", &headers, "");
    assert_eq!(moved.status, 200);
    assert_ne!(moved.headers["etag"], tag);
    assert_eq!(door.stop(), 0);
}

#[test]
fn a_partner_sees_its_own_and_of_conflicts_the_slot() {
    let desk = contested();
    let door = Watched::for_callers(&desk);
    let others = ["p-2", "d-2", "2-d", "B", "60000.00"];
    for view in ["balances", "postings", "deals", "conflicts", "claims"] {
        let reply = door.get_as("p-1-app", &format!("/v1/{view}")).json();
        assert!(!reply["rows"].as_array().unwrap().is_empty(), "{view}");
        assert!(!names(&reply, &others), "{view}: {reply}");
        assert_eq!((reply.get("position"), reply.get("recorded_at")), (None, None), "{view}");
        assert_eq!(reply["notes"], json!([]), "{view}");
    }
    let conflicts = door.get_as("p-1-app", "/v1/conflicts").json();
    let shown: BTreeSet<&String> = conflicts["rows"][0].as_object().unwrap().keys().collect();
    let seen = ["conflict", "customer", "effective_state", "product_line", "state"];
    assert_eq!(shown.into_iter().collect::<Vec<_>>(), seen);
    let before = door.get_as("p-1-app", "/v1/deals?as_of=2026-01-01T00:00:00Z");
    assert_eq!((before.status, &before.json()["rows"]), (200, &json!([])));
    // Whether others know a customer is theirs.
    let unknown = door.get_as("p-1-app", "/v1/deals?customer=nobody").json();
    assert_eq!((&unknown["rows"], &unknown["notes"]), (&json!([]), &json!([])));
    for (query, code) in [
        ("partners", "not_permitted.query"),
        ("programmes", "not_permitted.query"),
        ("deals?partner=p-2", "not_permitted.partner"),
        ("conflicts?where=incumbent_partner%3Dp-2", "not_permitted.query"),
        ("deals?as_of=3", "not_permitted.query"),
        ("deals?as_of=99999", "not_permitted.query"),
        ("changes", "not_permitted.query"),
    ] {
        let reply = door.get_as("p-1-app", &format!("/v1/{query}"));
        assert_eq!(problem(&reply), refused(403, code), "{query}");
    }
    let deal = json!({ "id": "d-9", "type": "RegisterDeal", "data": { "deal": "d-9",
        "customer": "acme", "partner": "p-1", "programme": "gold", "product_line": "other",
        "value": { "amount": "1.00", "currency": "USD" } } });
    let answer = door.send_as("p-1-app", &deal.to_string()).json();
    assert_eq!(answer["outcome"], json!("accepted"), "{answer}");
    assert_eq!((answer.get("position"), answer.get("version")), (None, None));
    assert_eq!(door.stop(), 0);
}
