//! Chains: what policies do about a command, what the clock does before it, and what is owed when a
//! crash cuts them.

use crate::ledger::{
    Given, LEDGER, commits, deal, json, line, march, market, options, recorded, send,
};
use chl_bus::{Bus, prepare, read_opening, replaying};
use chl_log::{Chain, EventLog, MemoryLog};
use serde_json::json;
use std::time::Duration;

/// What each commit holds: its source, and its events.
fn story(log: &MemoryLog) -> Vec<(String, Vec<&'static str>)> {
    let names = |commit: &chl_events::Commit| {
        commit.events.iter().map(|event| event.event.kind().name).collect()
    };
    commits(log).iter().map(|commit| (commit.origin.source.to_string(), names(commit))).collect()
}

fn contested() -> Given {
    let given = Given::new();
    let bus = given.open();
    send(&bus, &market());
    let answers = send(&bus, &[deal("d1", "p", "acme"), deal("d2", "q", "acme")]);
    let second = json(&answers[1]);
    assert_eq!(second["outcome"], json!("accepted"), "{second}");
    assert_eq!(second["version"], json!(4), "after the policy's commit on the same stream");
    let again = json(&send(&bus, &[deal("d2", "q", "acme")])[0]);
    assert_eq!(again["version"], json!(4));
    given
}

#[test]
fn policies_follow_their_cause_at_once() {
    let given = contested();
    let story = story(&given.log);
    let (last, before) = (&story[story.len() - 1], &story[story.len() - 2]);
    assert_eq!(last, &("/policy/conflicts".to_string(), vec!["ConflictOpened"]));
    assert_eq!(before, &("/test".to_string(), vec!["DealRegistered"]));
    let all = commits(&given.log);
    let (last, before) = (&all[all.len() - 1], &all[all.len() - 2]);
    assert_eq!(last.recorded_at, before.recorded_at);
    assert_eq!(last.origin.causation, Some(before.origin.id.clone()));
    assert!(last.command.data.is_empty());
}

#[test]
fn the_clock_goes_before_what_it_makes_possible_and_only_then() {
    let given = Given::new();
    let bus = given.open();
    send(&bus, &market());
    send(&bus, &[deal("d1", "p", "acme")]);
    given.clock.advance(Duration::from_secs(11 * 86_400));
    let before = bus.reader().head();
    let unknown = line("ExtendDeal", "x", r#"{"deal":"nope","customer":"acme"}"#);
    assert_eq!(json(&send(&bus, &[unknown])[0])["code"], json!("deal.unknown"));
    assert_eq!(bus.reader().head(), before, "what was due is kept only with the command");
    let answer = json(&send(&bus, &[deal("d2", "q", "acme")])[0]);
    assert_eq!(answer["version"], json!(4), "{answer}");
    let story = story(&given.log);
    let clock = &story[story.len() - 2];
    assert_eq!(clock, &("/clock".to_string(), vec!["DealExpired", "ProtectionEnded"]));
    let last = &commits(&given.log)[story.len() - 2];
    assert_eq!(last.believed_time.unwrap(), march(10 * 86_400));
    assert!(last.recorded_at > last.time());
}

#[test]
fn a_time_in_the_future_is_refused_and_moves_no_clock() {
    let given = Given::new();
    let bus = given.open();
    send(&bus, &market());
    send(&bus, &[deal("d1", "p", "acme")]);
    let before = bus.reader().head();
    let later = deal("d2", "q", "acme").replacen('{', r#"{"time":"2036-01-01T00:00:00Z","#, 1);
    let answer = json(&send(&bus, &[later])[0]);
    assert_eq!(answer["code"], json!("time.in_future"), "{answer}");
    assert_eq!(bus.reader().head(), before);
}

#[test]
fn what_a_crash_cut_off_is_owed_and_done_first() {
    let whole = contested();
    let log = &whole.log;
    let mut cut = Given { log: MemoryLog::new(LEDGER), ..whole.clone() };
    let bytes: Vec<Vec<u8>> = commits(log).iter().map(|commit| commit.encode().unwrap()).collect();
    let kept = &bytes[..bytes.len() - 1];
    let blocks = Chain::new(LEDGER).pack(kept).unwrap();
    cut.log.append(0, &blocks).unwrap();
    let bus = cut.open();
    let answer = json(&send(&bus, &[deal("d2", "q", "acme")])[0]);
    assert_eq!(answer["duplicate"], json!(true));
    assert_eq!(answer["version"], json!(4));
    assert_eq!(cut.log.head(), log.head(), "the same commit, byte for byte");
    drop(bus);
    drop(cut.open());
    assert_eq!(cut.log.head(), log.head(), "and only once");
}

/// Replays an export into an empty ledger.
fn replay(lines: &[String], given: &Given) -> Bus {
    let (ledger, opening) = read_opening(lines[0].as_bytes()).unwrap().unwrap();
    assert_eq!(ledger, LEDGER);
    let options = chl_bus::Options { opening, ..options() };
    let bus = Bus::open(given.parts(None), &options).unwrap();
    let connection = replaying("anybody".parse().unwrap());
    let commands =
        lines[1..].iter().map(|line| prepare(line.as_bytes(), &connection).unwrap()).collect();
    let answers = bus.client().submit_all(commands).unwrap();
    assert!(answers.iter().all(chl_bus::Answer::is_accepted), "{answers:?}");
    bus
}

#[test]
fn the_commands_of_a_ledger_make_the_same_root_anywhere() {
    let given = contested();
    let bus = given.open();
    let note = r#"{"deal":"d1","customer":"acme","closed_on":"2026-03-01"}"#;
    let won = line("MarkDealWon", "won", note).replacen('{', r#"{"reason":"signed","#, 1);
    assert!(send(&bus, &[won])[0].is_accepted());
    given.clock.advance(Duration::from_secs(12 * 86_400));
    send(&bus, &[deal("d3", "p", "acme")]);
    let lines: Vec<String> =
        commits(&given.log).iter().filter_map(|commit| chl_bus::export(commit).unwrap()).collect();
    assert!(lines.len() < commits(&given.log).len());
    let empty = Given { log: MemoryLog::new(LEDGER), ..Given::new() };
    let replayed = replay(&lines, &empty);
    assert_eq!(replayed.reader().head(), bus.reader().head());
}

#[test]
fn sealed_texts_and_recorded_times_come_only_with_a_replay() {
    let given = Given::new();
    let sealed = format!(r#""reason":{{"sealed":"{}","ciphertext":"aGVsbG8="}}"#, "0".repeat(32));
    let text = crate::ledger::customer("acme").replacen('{', &format!("{{{sealed},"), 1);
    let refused = prepare(text.as_bytes(), &crate::ledger::operator()).unwrap_err();
    assert_eq!(json(&refused)["details"]["field"], json!("reason"));
    let bus = given.open();
    let early = recorded(&crate::ledger::customer("acme"), 500);
    send(&bus, &[early]);
    assert_eq!(commits(&given.log)[1].recorded_at, march(0));
}
