//! HTTP at nodes of a ledger on servers: one that follows answers questions and tells events, another
//! one that takes over goes on, and several ledgers are told apart.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cli;

use chl_nats_servers::{Servers, Shape};
use cli::{
    Desk,
    watched::{Reply, Watched, wait_until},
};
use serde_json::{Value, json};

fn node(desk: &Desk, servers: &Servers, more: &[&str]) -> Watched {
    let options = [
        format!("--nats={}", servers.urls().join(",")),
        format!("--nats-monitor={}", servers.monitors().join(",")),
    ];
    let more: Vec<String> = more.iter().map(ToString::to_string).collect();
    Watched::for_callers_with(desk, &[&options[..], &more].concat())
}

fn leads(node: &Watched, ledger: &str) -> Option<()> {
    let health: Value = serde_json::from_str(&node.get("/health/ready").1).unwrap();
    let all = health["ledgers"].as_array().unwrap();
    all.iter().any(|one| one["ledger"] == ledger && one["part"] == "leads").then_some(())
}

fn partner(id: &str, name: &str) -> String {
    let data = json!({ "partner": id, "name": name, "types": ["reseller"] });
    json!({ "id": id, "type": "RecruitPartner", "data": data }).to_string()
}

fn code(reply: &Reply) -> (u16, Value) {
    (reply.status, reply.json()["code"].clone())
}

#[test]
fn a_node_that_follows_answers_and_goes_on_when_the_leader_dies() {
    let Some(servers) = Servers::start(Shape::One).unwrap() else { return };
    let (here, there) = (Desk::new(), Desk::new());
    let first = node(&here, &servers, &[]);
    wait_until(|| leads(&first, "main"));
    let second = node(&there, &servers, &[]);
    let recruit = partner("p-1", "A");
    let elsewhere = second.send_as("svc", &recruit);
    assert_eq!(code(&elsewhere), (503, json!("ledger.follows")));
    assert_eq!(elsewhere.headers["retry-after"], "1");
    assert_eq!(first.send_as("svc", &recruit).status, 200);
    let rows = wait_until(|| {
        let rows = second.get_as("p-1-app", "/v1/deals");
        let known = second.get_as("ana", "/v1/partners").json();
        (known["rows"].as_array().unwrap().len() == 1).then_some(rows)
    });
    assert_eq!((rows.status, &rows.json()["rows"]), (200, &json!([])));
    // A place in one node's stream is a place in the other's, for everybody.
    let all = first.follow("ana", "/v1/events?from=start", None, 2);
    assert_eq!(second.follow("ana", "/v1/events", Some(&all[0].id), 1), all[1..]);
    let own = first.follow("p-1-app", "/v1/events?from=start", None, 1);
    first.kill();
    wait_until(|| leads(&second, "main"));
    let again = second.send_as("svc", &recruit);
    assert_eq!((again.status, &again.json()["duplicate"]), (200, &json!(true)));
    let apply = json!({ "id": "a", "type": "ApplyForProgramme", "data": { "partner": "p-1" } });
    assert_eq!(second.send_as("p-1-app", &apply.to_string()).status, 200);
    let next = second.follow("p-1-app", "/v1/events", Some(&own[0].id), 1);
    assert_eq!(
        (own[0].kind.as_str(), next[0].kind.as_str()),
        ("PartnerRecruited", "PartnerApplied")
    );
    assert_eq!(second.stop(), 0);
}

#[test]
fn several_ledgers_are_told_apart_by_their_names() {
    let Some(servers) = Servers::start(Shape::One).unwrap() else { return };
    let desk = Desk::new();
    let door = node(&desk, &servers, &["--ledger=main", "--ledger=apac"]);
    for ledger in ["main", "apac"] {
        wait_until(|| leads(&door, ledger));
    }
    let bearer = [("Authorization", "Bearer token-svc")];
    let send = |path: &str| door.call("POST", path, &bearer, &partner("p-1", path));
    assert_eq!(code(&send("/v1/commands")), (400, json!("ledger.which")));
    assert_eq!(code(&send("/v1/commands?ledger=emea")), (404, json!("ledger.unknown")));
    assert_eq!(send("/v1/commands?ledger=apac").status, 200);
    let rows = |ledger: &str| door.get_as("ana", &format!("/v1/partners?ledger={ledger}")).json();
    assert_eq!(rows("apac")["rows"][0]["name"], json!("/v1/commands?ledger=apac"));
    assert_eq!(rows("main")["rows"], json!([]));
    let events = door.follow("ana", "/v1/events?from=start&ledger=apac", None, 2);
    assert_eq!(events[1].data["source"], json!("/chl/apac"));
    // Whoever signs in to the console says which.
    let page = door.get("/sign-in").1;
    assert!(page.contains("<option>apac</option>") && page.contains("<option>main</option>"));
    let signed_in = door.call("POST", "/sign-in", &[], "token=token-ana&ledger=apac");
    let cookie = signed_in.headers["set-cookie"].split(';').next().unwrap().to_owned();
    let history = "/history?stream=partner%2Fp-1";
    let shown = door.call("GET", history, &[("Cookie", &cookie)], "");
    assert!(shown.status == 200 && shown.body.contains("PartnerRecruited"), "{}", shown.body);
    assert_eq!(door.stop(), 0);
}
