//! What several processes share: the lease, and the keys of persons.

use crate::stage::Stage;
use chl_bus::{Place, Vault};
use chl_bus_nats::{BucketKeys, Lease};
use chl_events::{Code, Person};
use serde_json::json;
use std::{sync::Arc, time::Duration};

fn main_ledger() -> Code {
    Code::new("main").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_holds_the_lease_and_another_takes_it_when_it_ends() {
    let Some(stage) = Stage::set().await else { return };
    let length = Duration::from_secs(1);
    let open = |node: &'static str| {
        let (nats, ledger) = (stage.nats.clone(), main_ledger());
        async move { Lease::open(&nats, &ledger, node, 1, length).await.unwrap() }
    };
    let (one, two) = (open("one").await, open("two").await);
    let mut held = one.take().await.unwrap().expect("nobody holds it");
    assert!(two.take().await.unwrap().is_none());
    assert_eq!(two.holder().await.unwrap().as_deref(), Some("one"));
    for _ in 0..4 {
        tokio::time::sleep(length / 2).await;
        assert!(held.renew().await.unwrap(), "it is renewed in time");
    }
    held.release().await.unwrap();
    let mut lost = two.take().await.unwrap().expect("it was given up");
    // Nobody renews it: it ends by itself.
    let mut taken = None;
    while taken.is_none() {
        tokio::time::sleep(length / 4).await;
        taken = one.take().await.unwrap();
    }
    assert!(!lost.renew().await.unwrap(), "who lost it is told");
    assert_eq!(two.holder().await.unwrap().as_deref(), Some("one"));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_ask_at_once_one_gets_the_lease() {
    let Some(stage) = Stage::set().await else { return };
    let length = Duration::from_secs(60);
    let mut asking = Vec::new();
    for name in ["one", "two", "three", "four"] {
        asking.push(Lease::open(&stage.nats, &main_ledger(), name, 1, length).await.unwrap());
    }
    for round in 0..50 {
        let tasks = asking.iter().cloned().map(|lease| {
            tokio::spawn(async move { lease.take().await.expect("to be late is no error") })
        });
        let mut held = Vec::new();
        for task in tasks.collect::<Vec<_>>() {
            held.extend(task.await.unwrap());
        }
        assert_eq!(held.len(), 1, "round {round}");
        held.pop().unwrap().release().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_everybodys_until_it_is_destroyed() {
    let Some(stage) = Stage::set().await else { return };
    let mut vaults = Vec::new();
    for _ in 0..2 {
        let keys = BucketKeys::open(&stage.nats, &main_ledger(), 1).await.unwrap();
        vaults.push(Vault::over(Box::new(keys)));
    }
    let work = move || {
        let anna = Person::Actor("u-anna".parse().unwrap());
        let place = Place { source: "/s", id: "1", field: "reason" };
        let sealed = vaults[0].seal(&anna, place, "hello").unwrap();
        assert_eq!(vaults[1].open_text(&sealed).unwrap(), None, "it is not durable yet");
        vaults[0].sync().unwrap();
        assert_eq!(vaults[1].open_text(&sealed).unwrap().as_deref(), Some("hello"));
        assert_eq!(vaults[1].seal(&anna, place, "hello").unwrap(), sealed);
        // Two processes make a key for one person at once: the first one's counts.
        let ben = Person::Actor("u-ben".parse().unwrap());
        let first = vaults[0].seal(&ben, place, "one").unwrap();
        let second = vaults[1].seal(&ben, place, "two").unwrap();
        vaults[0].sync().unwrap();
        let taken = vaults[1].sync().unwrap_err().to_string();
        assert!(taken.contains("u-ben"), "{taken}");
        assert_eq!(vaults[1].seal(&ben, place, "one").unwrap(), first);
        assert_eq!(vaults[1].open_text(&second).unwrap(), None);
        // Destroyed by one, it is gone for the other.
        vaults[0].forget(&[sealed.key]).unwrap();
        let began = std::time::Instant::now();
        while vaults[1].open_text(&sealed).unwrap().is_some() {
            assert!(began.elapsed() < Duration::from_secs(20), "it is still known");
            std::thread::sleep(Duration::from_millis(20));
        }
        let again = vaults[1].seal(&anna, place, "hello").unwrap();
        assert_ne!(again.key, sealed.key);
        vaults[1].sync().unwrap();
        // Who is late destroys no newer key.
        vaults[0].forget(&[sealed.key]).unwrap();
        assert_eq!(vaults[0].open_text(&again).unwrap().as_deref(), Some("hello"));
    };
    tokio::task::spawn_blocking(work).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_of_an_earlier_release_forgets_as_far_as_it_permits() {
    let Some(stage) = Stage::set().await else { return };
    let context = async_nats::jetstream::new(stage.nats.clone());
    let name = "chl-main-vault".to_owned();
    let config =
        async_nats::jetstream::kv::Config { bucket: name, history: 1, ..Default::default() };
    let bucket = context.create_key_value(config).await.unwrap();
    let keys = BucketKeys::open(&stage.nats, &main_ledger(), 1).await.unwrap();
    let vault = Arc::new(Vault::over(Box::new(keys)));
    let anna = Person::Actor("u-anna".parse().unwrap());
    let (sealing, person) = (Arc::clone(&vault), anna.clone());
    let sealed = tokio::task::spawn_blocking(move || {
        let place = Place { source: "/s", id: "1", field: "reason" };
        let sealed = sealing.seal(&person, place, "hello").unwrap();
        sealing.sync().unwrap();
        sealed
    });
    let sealed = sealed.await.unwrap();
    let revision = bucket.entry("actor.u-anna").await.unwrap().unwrap().revision;
    let forgetting = tokio::task::spawn_blocking(move || {
        // The second time there is nothing to destroy.
        for _ in 0..2 {
            vault.forget(&[sealed.key]).unwrap();
            assert_eq!(vault.open_text(&sealed).unwrap(), None);
            assert_eq!(vault.keys_of(&anna).unwrap(), []);
        }
    });
    forgetting.await.unwrap();
    assert!(bucket.stream.get_raw_message(revision).await.is_err(), "the revision is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_whose_key_is_gone_is_answered_sealed() {
    let open = async |nats: &async_nats::Client| {
        let keys = BucketKeys::open(nats, &main_ledger(), 1).await.unwrap();
        Vault::over(Box::new(keys))
    };
    let Some(stage) = Stage::set_with(open).await else { return };
    let door = stage.door().await;
    let anna =
        json!({ "partner": "anna", "name": "Anna", "types": ["referral"], "natural_person": true });
    let anna =
        json!({ "id": "1", "source": "/s", "type": "RecruitPartner", "data": anna }).to_string();
    let subject = "chl.main.as.ops.cmd.RecruitPartner";
    let first = stage.ask(subject, anna.clone()).await;
    assert_eq!(first["events"][0]["data"]["name"], json!("Anna"), "{first}");
    let vault = Arc::clone(&stage.vault);
    let person = Person::Partner("anna".parse().unwrap());
    let gone = tokio::task::spawn_blocking(move || {
        vault.forget(&vault.keys_of(&person).unwrap()).unwrap();
    });
    gone.await.unwrap();
    // The key is asked for at the server before it is given up: the answer comes all the same.
    let again = stage.ask(subject, anna).await;
    assert_eq!(again["duplicate"], json!(true), "{again}");
    assert!(again["events"][0]["data"]["name"]["sealed"].is_string(), "{again}");
    door.close().await;
}
