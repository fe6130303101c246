//! Forgetting persons: on record first, then for good, whatever comes between.

use crate::ledger::{Given, LEDGER, commits, json, line, operator, options, ready, recruit, send};
use chl_bus::{
    Bus, Connection, KeepKeys, PersonKey, Standby, Vault, VaultError, export, read_opening,
    replaying,
};
use chl_events::{KeyId, Person, Sealed};
use chl_log::{EventLog, MemoryLog};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// One who writes a note, and is asked after.
fn anna() -> Person {
    Person::Actor("u-anna".parse().unwrap())
}

/// A command with a note, of the one to be forgotten.
fn noted(id: &str, kind: &str) -> String {
    let data = format!(r#"{{"partner":"p","note":"met Zaphod {id}"}}"#);
    line(kind, id, &data).replacen('{', r#"{"onbehalfof":"u-anna","#, 1)
}

fn forget(id: &str, person: &str) -> String {
    line("ForgetPerson", id, &format!(r#"{{"person":"{person}","note":"by request 7"}}"#))
}

/// The note of a command that was accepted, as it is kept.
fn note(answer: &Value) -> Sealed {
    serde_json::from_value(answer["events"][0]["data"]["note"].clone()).unwrap()
}

fn sent(bus: &Bus, lines: &[String]) -> Vec<Value> {
    send(bus, lines).iter().map(json).collect()
}

fn one(bus: &Bus, line: String) -> Value {
    sent(bus, &[line]).remove(0)
}

#[test]
fn a_persons_texts_are_closed_for_ever_and_the_log_does_not_say_whose() {
    let given = Given::new();
    let bus = given.open();
    let name = r#"{"partner":"q","name":"Zaphod","types":["referral"],"natural_person":true}"#;
    let lines = [
        recruit("p"),
        line("RecruitPartner", "q", name),
        noted("a", "ApplyForProgramme"),
        forget("f", "actor/u-anna"),
        noted("b", "ApprovePartner"),
        forget("g", "partner/q"),
    ];
    let answers = sent(&bus, &lines);
    assert!(answers.iter().all(|answer| answer["outcome"] == "accepted"), "{answers:?}");
    let positions: Vec<_> = answers.iter().map(|answer| answer["position"].as_u64()).collect();
    assert_eq!(positions, (1..7).map(Some).collect::<Vec<_>>(), "each has its own answer");
    let (before, after) = (note(&answers[2]), note(&answers[4]));
    assert_eq!(answers[3]["events"][0]["data"]["keys"], json!([before.key]));
    assert_eq!(given.vault.open_text(&before).unwrap(), None);
    assert_eq!(given.vault.open_text(&after).unwrap().as_deref(), Some("met Zaphod b"));
    let name = serde_json::from_value(answers[1]["events"][0]["data"]["name"].clone()).unwrap();
    assert_eq!(given.vault.open_text(&name).unwrap(), None);
    for commit in
        commits(&given.log).into_iter().filter(|commit| commit.stream.to_string() == "ledger")
    {
        let bytes = commit.encode().unwrap();
        assert!(!bytes.windows(6).any(|part| part == b"u-anna"), "{commit:?}");
        assert!(!bytes.windows(9).any(|part| part == b"partner/q"), "{commit:?}");
    }
}

#[test]
fn forgetting_is_answered_once_and_of_nobody_nothing_is_forgotten() {
    let given = Given::new();
    let bus = given.open();
    let unknown = one(&bus, forget("f", "actor/u-anna"));
    assert_eq!(unknown["code"], json!("ledger.person_unknown"));
    sent(&bus, &[recruit("p"), noted("a", "ApplyForProgramme")]);
    let first = one(&bus, forget("f", "actor/u-anna"));
    let mut again = one(&bus, forget("f", "actor/u-anna"));
    assert_eq!(again["duplicate"], json!(true));
    again["duplicate"] = json!(false);
    assert_eq!(again, first);
    assert_eq!(one(&bus, forget("g", "actor/u-anna"))["code"], json!("ledger.person_unknown"));
    // A text whose key is gone is compared no more.
    assert_eq!(one(&bus, noted("a", "ApplyForProgramme"))["duplicate"], json!(true));
    // Who acted again is not forgotten, and the old answer does not say so.
    sent(&bus, &[noted("b", "ApprovePartner")]);
    assert_eq!(one(&bus, forget("f", "actor/u-anna"))["code"], json!("command.id_reused"));
    assert_eq!(given.vault.keys_of(&anna()).unwrap().len(), 1);
}

#[test]
fn only_a_replay_brings_keys_and_only_an_operator_forgets() {
    let given = Given::new();
    let bus = given.open();
    let keys = r#"{"person":{"keys":["000102030405060708090a0b0c0d0e0f"]}}"#;
    let refused = |text: &str, connection: &Connection| {
        chl_bus::prepare(text.as_bytes(), connection).map_or_else(
            |answer| answer.code(),
            |ready| bus.client().submit_all(vec![ready]).unwrap()[0].code(),
        )
    };
    let by_keys = line("ForgetPerson", "f", keys);
    assert_eq!(refused(&by_keys, &operator()), Some("command.malformed"));
    let nobody = line("ForgetPerson", "f", r#"{"person":"u-anna"}"#);
    assert_eq!(refused(&nobody, &operator()), Some("command.malformed"));
    let finance = Connection { role: chl_events::Role::Finance, ..operator() };
    assert_eq!(refused(&forget("f", "actor/u-anna"), &finance), Some("not_permitted.role"));
}

#[test]
fn a_dry_run_forgets_nobody() {
    let given = Given::new();
    let bus = given.open();
    let noted = note(&sent(&bus, &[recruit("p"), noted("a", "ApplyForProgramme")])[1]);
    let tried = vec![ready(&forget("f", "actor/u-anna"), &operator())];
    assert!(bus.client().dry_run(tried).unwrap()[0].is_accepted());
    assert!(given.vault.open_text(&noted).unwrap().is_some());
}

/// Keys in memory that are not destroyed while the disk is away.
#[derive(Clone, Default)]
struct Stubborn {
    keys: HashMap<Person, PersonKey>,
    away: Arc<AtomicBool>,
}

impl KeepKeys for Stubborn {
    fn of_person(&mut self, person: &Person) -> Result<Option<PersonKey>, VaultError> {
        Ok(self.keys.get(person).cloned())
    }

    fn of_id(&mut self, id: KeyId) -> Result<Option<PersonKey>, VaultError> {
        Ok(self.keys.values().find(|key| key.id == id).cloned())
    }

    fn keep(&mut self, keys: &HashMap<Person, PersonKey>) -> Result<(), VaultError> {
        self.keys.extend(keys.clone());
        Ok(())
    }

    fn forget(&mut self, ids: &[KeyId]) -> Result<(), VaultError> {
        if self.away.load(Ordering::SeqCst) {
            return Err(VaultError::Kept("the disk is away".into()));
        }
        self.keys.retain(|_, key| !ids.contains(&key.id));
        Ok(())
    }

    fn all(&mut self) -> Result<HashMap<Person, PersonKey>, VaultError> {
        Ok(self.keys.clone())
    }
}

#[test]
fn nothing_is_answered_or_decided_before_the_key_is_gone() {
    let keys = Stubborn::default();
    let away = Arc::clone(&keys.away);
    let given = Given { vault: Arc::new(Vault::over(Box::new(keys))), ..Given::new() };
    let bus = given.open();
    let noted_text = note(&sent(&bus, &[recruit("p"), noted("a", "ApplyForProgramme")])[1]);
    away.store(true, Ordering::SeqCst);
    let stuck = sent(&bus, &[forget("f", "actor/u-anna"), noted("b", "ApprovePartner")]);
    assert_eq!(stuck[0]["code"], json!("log.unavailable"), "{stuck:?}");
    assert_eq!(stuck[1]["code"], json!("log.unavailable"), "{stuck:?}");
    assert_eq!(one(&bus, recruit("q"))["code"], json!("log.unavailable"));
    let recorded = commits(&given.log);
    let last = recorded.last().unwrap().events[0].event.kind().name;
    assert_eq!((recorded.len(), last), (4, "PersonForgotten"), "it is on record all the same");
    assert!(given.vault.open_text(&noted_text).unwrap().is_some());
    away.store(false, Ordering::SeqCst);
    let again = sent(&bus, &[forget("f", "actor/u-anna"), noted("b", "ApprovePartner")]);
    assert_eq!(again[0]["duplicate"], json!(true), "{again:?}");
    assert_eq!(given.vault.open_text(&noted_text).unwrap(), None);
    assert_ne!(note(&again[1]).key, noted_text.key);
}

#[test]
fn a_ledger_whose_keys_cannot_be_destroyed_does_not_open() {
    let keys = Stubborn::default();
    let away = Arc::clone(&keys.away);
    let given = Given { vault: Arc::new(Vault::over(Box::new(keys))), ..Given::new() };
    let bus = given.open();
    sent(&bus, &[recruit("p"), noted("a", "ApplyForProgramme"), forget("f", "actor/u-anna")]);
    bus.close();
    away.store(true, Ordering::SeqCst);
    let failed = Bus::open(given.parts(None), &options()).err().unwrap().to_string();
    assert!(failed.contains("the disk is away"), "{failed}");
}

/// A ledger that forgot somebody and ended right then, with the key still in its vault.
fn interrupted(given: &Given, states: Option<&std::path::Path>) -> (Given, Sealed) {
    let bus = Bus::open(given.parts(states), &options()).unwrap();
    let text = note(&sent(&bus, &[recruit("p"), noted("a", "ApplyForProgramme")])[1]);
    let older = Vault::in_memory().unwrap();
    given.vault.copy_into(&older).unwrap();
    assert_eq!(one(&bus, forget("f", "actor/u-anna"))["outcome"], json!("accepted"));
    bus.close();
    assert!(older.open_text(&text).unwrap().is_some());
    (Given { vault: Arc::new(older), ..given.clone() }, text)
}

#[test]
fn opening_destroys_what_the_log_says_is_destroyed() {
    let dir = tempfile::tempdir().unwrap();
    let states = dir.path().join("states");
    // From the log, and from states that stand behind it.
    for states in [None, Some(states.as_path())] {
        let (given, text) = interrupted(&Given::new(), states);
        let bus = Bus::open(given.parts(states), &options()).unwrap();
        assert_eq!(given.vault.open_text(&text).unwrap(), None);
        assert_eq!(one(&bus, forget("f", "actor/u-anna"))["duplicate"], json!(true));
    }
}

#[test]
fn taking_over_destroys_what_the_writer_did_not() {
    let given = Given::new();
    let (left, text) = interrupted(&given, None);
    let other = Given { keys: Arc::default(), ..left.clone() };
    let mut standby = Standby::open(other.parts(None), given.log.reader(), &options()).unwrap();
    standby.follow().unwrap();
    let bus = Bus::take_over(standby).unwrap();
    assert_eq!(left.vault.open_text(&text).unwrap(), None);
    assert!(
        left.vault.open_text(&note(&one(&bus, noted("b", "ApprovePartner")))).unwrap().is_some()
    );
}

#[test]
fn a_history_with_forgotten_persons_is_decided_again_to_the_same_root() {
    let given = Given::new();
    let bus = given.open();
    let lines = [
        recruit("p"),
        noted("a", "ApplyForProgramme"),
        forget("f", "actor/u-anna"),
        noted("b", "ApprovePartner"),
    ];
    sent(&bus, &lines);
    bus.close();
    let lines: Vec<String> =
        commits(&given.log).iter().filter_map(|commit| export(commit).unwrap()).collect();
    let (_, opening) = read_opening(lines[0].as_bytes()).unwrap().unwrap();
    // With the vault as it is now, and with none at all: what is sealed comes in sealed.
    for vault in [Arc::clone(&given.vault), Arc::new(Vault::in_memory().unwrap())] {
        let log = MemoryLog::new(LEDGER);
        let anew = Given { log, keys: Arc::default(), vault, ..given.clone() };
        let opening = opening.clone();
        let bus = Bus::open(anew.parts(None), &chl_bus::Options { opening, ..options() }).unwrap();
        let connection = replaying("anybody".parse().unwrap());
        let commands = lines[1..].iter().map(|line| ready(line, &connection)).collect();
        let answers = bus.client().submit_all(commands).unwrap();
        assert!(answers.iter().all(chl_bus::Answer::is_accepted), "{answers:?}");
        assert_eq!(bus.reader().head(), given.log.head());
    }
}
