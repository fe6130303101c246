//! The list of actors while the process runs: it is read anew when its file changes, and counts at
//! once for whoever is in it, or no more.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cli;

use chl_bus::TokenDigest;
use cli::{
    Desk,
    watched::{Watched, customer, problem, refused, wait_until},
};
use std::fs;

/// Writes a list of analysts, each with a token behind `token-` for each word.
fn list(desk: &Desk, analysts: &[(&str, &[&str])]) {
    let entry = |(name, words): &(&str, &[&str])| {
        let digests =
            words.iter().map(|word| TokenDigest::of(&format!("token-{word}")).to_string());
        format!("[{name}]\nrole = \"analyst\"\ntokens = {:?}\n\n", digests.collect::<Vec<_>>())
    };
    let text: String = analysts.iter().map(entry).collect();
    fs::write(desk.path("actors.toml"), text).unwrap();
}

/// Signs in to the console; returns the cookie.
fn sign_in(door: &Watched, name: &str) -> String {
    let reply = door.call("POST", "/sign-in", &[], &format!("token=token-{name}"));
    assert_eq!(reply.status, 303, "{reply:?}");
    reply.headers["set-cookie"].split(';').next().unwrap().to_owned()
}

#[test]
fn who_is_taken_out_of_the_list_is_out_and_who_comes_in_is_in() {
    let desk = Desk::with_history();
    let door = Watched::for_callers(&desk);
    let is_in = |name: &str| door.get_as(name, "/v1/deals").status == 200;
    assert!(is_in("ana") && !is_in("eve"));
    let cookie = sign_in(&door, "ana");
    let console = || door.call("GET", "/", &[("Cookie", &cookie)], "").status;
    assert_eq!(console(), 200);
    let mut heard = door.stream("ana", "/v1/events", None);
    assert_eq!(door.send_as("svc", &customer("c-1", "C")).status, 200);
    assert_eq!(heard.next().unwrap().kind, "CustomerRegistered");

    // One token more: the old one and what it began count on, but who follows comes again.
    list(&desk, &[("ana", &["ana", "new"]), ("eve", &["eve"])]);
    wait_until(|| is_in("eve").then_some(()));
    assert!(is_in("ana") && is_in("new") && console() == 200);
    assert!(door.said().contains("actors.toml was read anew: 2 actors"), "{}", door.said());
    assert_eq!(door.send_as("svc", &customer("c-2", "C")).status, 401, "svc is out");
    assert_eq!(heard.next(), None);

    list(&desk, &[("ana", &["new"]), ("eve", &["eve"])]);
    wait_until(|| (!is_in("ana")).then_some(()));
    assert_eq!(problem(&door.get_as("ana", "/v1/deals")), refused(401, "not_permitted.token"));
    assert!(is_in("new") && is_in("eve"));
    assert_eq!(console(), 303, "what the token began has ended with it");
    assert_eq!(door.stop(), 0);
}

#[test]
fn a_list_that_cannot_be_used_changes_nothing() {
    let desk = Desk::with_history();
    let door = Watched::for_callers(&desk);
    for (broken, said) in [("[ana]\nrole = \"king\"\n", "king"), ("[ana", "the list of actors")] {
        fs::write(desk.path("actors.toml"), broken).unwrap();
        door.wait(|all| {
            let told = all.lines().any(|line| line.contains(said));
            (told && all.contains("the list before it counts")).then_some(())
        });
        assert_eq!(door.get_as("ana", "/v1/deals").status, 200);
    }
    fs::remove_file(desk.path("actors.toml")).unwrap();
    door.wait(|all| all.contains("cannot be read").then_some(()));
    assert_eq!(door.get_as("ana", "/v1/deals").status, 200);
    list(&desk, &[("eve", &["eve"])]);
    wait_until(|| (door.get_as("eve", "/v1/deals").status == 200).then_some(()));
    assert_eq!(door.get_as("ana", "/v1/deals").status, 401);
    assert_eq!(door.stop(), 0);
}
