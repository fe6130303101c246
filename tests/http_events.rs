//! What is recorded, as callers over HTTP hear of it: in order, from where they ended, each as far as
//! it may see it.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cli;

use cli::{
    Desk, contested, partner_lines,
    watched::{Watched, customer, names, problem, refused},
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[test]
fn a_trace_goes_through() {
    let desk = Desk::new();
    let door = Watched::for_callers(&desk);
    let bearer = cli::watched::bearer("svc");
    for (header, back) in [(TRACE, Some(TRACE)), ("00-what", None)] {
        let headers = [("Authorization", bearer.as_str()), ("traceparent", header)];
        let reply = door.call("POST", "/v1/commands", &headers, &customer(header, "C"));
        let own = reply.headers.get("traceparent").map(String::as_str);
        assert_eq!(own, back, "{reply:?}");
    }
    let events = door.follow("ana", "/v1/events?from=start", None, 2);
    assert_eq!(events[1].data["traceparent"], json!(TRACE), "{events:?}");
    assert_eq!(door.stop(), 0);
}

#[test]
fn events_come_in_order_and_go_on_where_they_ended() {
    let desk = contested();
    let door = Watched::for_callers(&desk);
    let last = door.get_as("ana", "/v1/deals").json()["position"].as_u64().unwrap();
    let view = desk.run(&["log", "view", "--output", "json"]);
    let view: Value = serde_json::from_str(&view.out).unwrap();
    let recorded: Vec<(String, String)> = view
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|commit| {
            let events = commit["events"].as_array().unwrap().iter().enumerate();
            events.map(|(index, event)| {
                let id = format!("{}.{index}", commit["position"]);
                (id, event["type"].as_str().unwrap().to_owned())
            })
        })
        .collect();
    let all = door.follow("ana", "/v1/events?from=start", None, recorded.len());
    let told: Vec<_> = all.iter().map(|sent| (sent.id.clone(), sent.kind.clone())).collect();
    assert_eq!(told, recorded);
    for sent in &all {
        assert_eq!((&sent.data["id"], &sent.data["type"]), (&json!(sent.id), &json!(sent.kind)));
        assert_eq!(sent.data["specversion"], json!("1.0"));
    }
    let half = all.len() / 2;
    let rest = door.follow("ana", "/v1/events", Some(&all[half].id), all.len() - half - 1);
    assert_eq!(rest, all[half + 1..]);
    let from = format!("/v1/events?from={last}");
    assert_eq!(door.follow("ana", &from, None, 1)[0].data["position"], json!(last));
    // What comes while somebody follows comes to them.
    let newest = &all[all.len() - 2].id;
    let mut following = door.stream("ana", "/v1/events", Some(newest));
    assert_eq!(following.next().as_ref(), all.last());
    assert_eq!(door.send_as("svc", &customer("news", "N")).status, 200);
    assert_eq!(following.next().unwrap().kind, "CustomerRegistered");
    // Who follows is told to come again when the ledger is closed.
    assert_eq!(door.stop(), 0);
    assert_eq!(following.next(), None);
}

#[test]
fn a_partner_hears_what_its_feed_has_and_learns_no_position() {
    let desk = contested();
    let door = Watched::for_callers(&desk);
    let everything = door.follow("ana", "/v1/events?from=start", None, 20);
    let of = |partner: &str| {
        let own = |data: &Value| names(data, &[partner]);
        everything.iter().filter(|sent| own(&sent.data["data"])).count()
    };
    let mut own = Vec::new();
    for sent in door.stream("p-1-app", "/v1/events?from=start", None) {
        own.push(sent);
        if own.last().is_some_and(|last| last.kind == "ConflictOpened") {
            break;
        }
    }
    assert!(own.len() > 6 && of("p-1") >= 6, "{everything:?}");
    for sent in &own {
        assert!(!names(&sent.data, &["p-2", "d-2", "2-d"]), "{sent:?}");
        assert_eq!((sent.data.get("position"), sent.data.get("streamversion")), (None, None));
        assert!(!sent.id.contains('.'), "{}", sent.id);
    }
    let ids: BTreeSet<&str> = own.iter().map(|sent| sent.id.as_str()).collect();
    assert_eq!(ids.len(), own.len());
    let rest = door.follow("p-1-app", "/v1/events", Some(&own[3].id), own.len() - 4);
    assert_eq!(rest, own[4..]);
    let conflict = own.last().unwrap();
    let fields: Vec<&String> = conflict.data["data"].as_object().unwrap().keys().collect();
    assert_eq!(fields, ["conflict", "state"]);
    let bearer = cli::watched::bearer("p-2-app");
    let strange = [("Authorization", bearer.as_str()), ("Last-Event-ID", own[3].id.as_str())];
    let reply = door.call("GET", "/v1/events", &strange, "");
    assert_eq!(problem(&reply), refused(400, "events.unknown_place"), "another's place");
    for (name, from) in [("p-1-app", "7"), ("ana", "soon"), ("ana", "99999")] {
        let reply = door.get_as(name, &format!("/v1/events?from={from}"));
        assert_eq!(problem(&reply), refused(400, "events.unknown_place"), "{name} {from}");
    }
    assert_eq!(door.stop(), 0);
}

#[test]
fn a_change_is_told_at_once_and_whenever_something_is_recorded() {
    let desk = Desk::new();
    assert_eq!(desk.submit(&partner_lines()).code, 0);
    let door = Watched::for_callers(&desk);
    let mut following = door.stream("ana", "/v1/changes", None);
    let at = following.next().unwrap().data["position"].as_u64().unwrap();
    assert_eq!(door.get_as("ana", "/v1/partners").json()["position"], json!(at));
    let position = door.send_as("svc", &customer("c", "C")).json()["position"].clone();
    assert_eq!(position, json!(at + 1));
    let moved = following.next().unwrap();
    assert_eq!((moved.kind.as_str(), &moved.data["position"]), ("moved", &position));
    assert_eq!(door.stop(), 0);
}
