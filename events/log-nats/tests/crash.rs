//! Servers that are killed while a writer appends: nothing acknowledged is lost, nothing doubled.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod beds;

use beds::{Beds, blocks, holds};
use chl_log::EventLog;
use chl_log_nats::{NatsLog, Options};
use chl_nats_servers::{Servers, Shape};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// Appends groups until told to stop; says how far it has come, and the longest wait.
fn append_until(
    log: &mut NatsLog,
    acknowledged: &AtomicU64,
    until: &dyn Fn(u64) -> bool,
) -> Duration {
    let mut longest = Duration::ZERO;
    for round in 0.. {
        let next = log.chain().next();
        if until(next) {
            break;
        }
        let group = blocks(&log.chain(), 1 + round * 13 % 90, 1 + (round % 6) as usize);
        let since = Instant::now();
        let head = log.append(next, &group).unwrap();
        longest = longest.max(since.elapsed());
        acknowledged.store(head.next, Ordering::Release);
    }
    longest
}

fn leader(beds: &Beds, options: &Options) -> String {
    beds.leader(options).unwrap()
}

/// Waits until so much more is acknowledged.
fn wait_for(acknowledged: &AtomicU64, more: u64) {
    let from = acknowledged.load(Ordering::Acquire);
    let since = Instant::now();
    while acknowledged.load(Ordering::Acquire) < from + more {
        assert!(since.elapsed() < Duration::from_secs(60), "nothing is acknowledged any more");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_leader_of_three_is_killed_and_nothing_acknowledged_is_lost() {
    let Some(mut servers) = Servers::start(Shape::Three).unwrap() else { return };
    let beds = Beds::new(&servers, 3);
    let mut options = beds.options();
    options.answer_timeout = Duration::from_secs(1);
    let mut log = NatsLog::open(&beds.connection, &options).unwrap();
    let (acknowledged, kills) = (AtomicU64::new(0), AtomicU64::new(0));
    let (longest, head) = std::thread::scope(|scope| {
        let appending = scope.spawn(|| {
            let done = |_| kills.load(Ordering::Acquire) == 3;
            (append_until(&mut log, &acknowledged, &done), log.head())
        });
        for _ in 0..3 {
            wait_for(&acknowledged, 1000);
            let name = leader(&beds, &options);
            servers.named(&name).unwrap().kill().unwrap();
            wait_for(&acknowledged, 1000);
            servers.start_all().unwrap();
            kills.fetch_add(1, Ordering::Release);
        }
        appending.join().unwrap()
    });
    println!("3 leaders killed: {} commits, longest append {longest:?}", head.next);
    assert_eq!(holds(&log), head.next);
    drop(log);
    let reopened = NatsLog::open(&beds.connection, &options).unwrap();
    assert_eq!(reopened.head(), head);
    assert_eq!(holds(&reopened), head.next);
}

#[test]
fn all_servers_are_killed_at_once_and_started_again() {
    for (shape, replicas) in [(Shape::One, 1), (Shape::Three, 3)] {
        let Some(mut servers) = Servers::start(shape).unwrap() else { return };
        let beds = Beds::new(&servers, replicas);
        let mut options = beds.options();
        options.answer_timeout = Duration::from_secs(1);
        let mut log = NatsLog::open(&beds.connection, &options).unwrap();
        let (acknowledged, kills) = (AtomicU64::new(0), AtomicU64::new(0));
        let head = std::thread::scope(|scope| {
            let appending = scope.spawn(|| {
                append_until(&mut log, &acknowledged, &|_| kills.load(Ordering::Acquire) == 2);
                log.head()
            });
            for _ in 0..2 {
                wait_for(&acknowledged, 500);
                servers.kill_all().unwrap();
                servers.start_all().unwrap();
                wait_for(&acknowledged, 500);
                kills.fetch_add(1, Ordering::Release);
            }
            appending.join().unwrap()
        });
        assert_eq!(holds(&log), head.next);
        drop(log);
        assert_eq!(NatsLog::open(&beds.connection, &options).unwrap().head(), head);
    }
}

#[test]
fn servers_that_are_asked_to_go_hand_over_without_a_long_wait() {
    let Some(mut servers) = Servers::start(Shape::Three).unwrap() else { return };
    let beds = Beds::new(&servers, 3);
    let options = beds.options();
    let mut log = NatsLog::open(&beds.connection, &options).unwrap();
    let (acknowledged, rounds) = (AtomicU64::new(0), AtomicU64::new(0));
    let head = std::thread::scope(|scope| {
        let appending = scope.spawn(|| {
            append_until(&mut log, &acknowledged, &|_| rounds.load(Ordering::Acquire) == 3);
            log.head()
        });
        for number in 0..3 {
            servers.each().nth(number).unwrap().terminate().unwrap();
            wait_for(&acknowledged, 300);
            servers.start_all().unwrap();
            rounds.fetch_add(1, Ordering::Release);
        }
        appending.join().unwrap()
    });
    assert_eq!(holds(&log), head.next);
}
