//! Publishes whose answers are lost: what became of them is learnt, and nothing is doubled.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod beds;

use beds::{Beds, blocks, holds};
use chl_log::{AppendError, EventLog};
use chl_log_nats::NatsLog;
use chl_nats_servers::{Proxy, Servers, Shape};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

/// The first server of those that run.
fn proxy(servers: &mut Servers) -> Proxy {
    Proxy::to(servers.each().next().unwrap()).unwrap()
}

#[test]
fn acknowledgements_that_are_lost_are_learnt_from_the_leader() {
    let Some(mut servers) = Servers::start(Shape::One).unwrap() else { return };
    let proxy = proxy(&mut servers);
    let beds = Beds::new(&servers, 1);
    let mut options = beds.options();
    options.answer_timeout = Duration::from_millis(300);
    let connection = beds.through(proxy.url());
    let mut log = NatsLog::open(&connection, &options).unwrap();
    for (round, size) in [1, 3, 40, 2, 100].into_iter().enumerate() {
        let group = blocks(&log.chain(), 100, size);
        proxy.swallow_answers(true);
        let next = log.chain().next();
        let head = std::thread::scope(|scope| {
            let appending = scope.spawn(|| log.append(next, &group));
            // The group reaches the server; its acknowledgements reach nobody.
            std::thread::sleep(Duration::from_millis(200));
            proxy.cut();
            proxy.swallow_answers(false);
            appending.join().unwrap()
        });
        assert_eq!(head.unwrap().next, 100 * (1 + round as u64));
    }
    assert_eq!(holds(&log), 500);
    drop(log);
    assert_eq!(holds(&NatsLog::open(&beds.connection, &options).unwrap()), 500);
}

#[test]
fn connections_that_break_all_the_time_lose_and_double_nothing() {
    let Some(mut servers) = Servers::start(Shape::One).unwrap() else { return };
    let proxy = proxy(&mut servers);
    let beds = Beds::new(&servers, 1);
    let mut options = beds.options();
    options.answer_timeout = Duration::from_millis(200);
    let connection = beds.through(proxy.url());
    let done = AtomicBool::new(false);
    let mut log = NatsLog::open(&connection, &options).unwrap();
    std::thread::scope(|scope| {
        let breaking = scope.spawn(|| {
            for round in 0_u64.. {
                if done.load(Ordering::Acquire) {
                    return round;
                }
                proxy.swallow_answers(round % 3 != 0);
                std::thread::sleep(Duration::from_millis(3 + round * 7 % 40));
                proxy.cut();
                proxy.swallow_answers(false);
                std::thread::sleep(Duration::from_millis(20 + round * 11 % 60));
            }
            0
        });
        for round in 0..60 {
            let next = log.chain().next();
            let group = blocks(&log.chain(), 1 + round * 7 % 120, 1 + (round % 5) as usize);
            assert_eq!(log.append(next, &group).unwrap().next, group.last().unwrap().next());
        }
        done.store(true, Ordering::Release);
        assert!(breaking.join().unwrap() > 5, "nothing broke");
    });
    let next = log.chain().next();
    assert_eq!(holds(&log), next);
    drop(log);
    assert_eq!(holds(&NatsLog::open(&beds.connection, &options).unwrap()), next);
}

#[test]
fn a_server_that_is_gone_leaves_the_log_unavailable_and_then_usable() {
    let Some(mut servers) = Servers::start(Shape::One).unwrap() else { return };
    let beds = Beds::new(&servers, 1);
    let mut options = beds.options();
    options.answer_timeout = Duration::from_millis(200);
    options.patience = Duration::from_millis(800);
    let mut log = NatsLog::open(&beds.connection, &options).unwrap();
    log.append(0, &blocks(&log.chain(), 10, 2)).unwrap();
    servers.kill_all().unwrap();
    let group = blocks(&log.chain(), 10, 2);
    let refused = log.append(10, &group).unwrap_err();
    // It was sent, and nobody says what became of it.
    assert!(matches!(refused, AppendError::Poisoned(_)), "{refused:?}");
    let again = log.append(10, &group).unwrap_err();
    assert!(matches!(again, AppendError::Poisoned(_)), "{again:?}");
    assert_eq!(log.head().next, 10);
    drop(log);
    servers.start_all().unwrap();
    options.patience = Duration::from_secs(10);
    let mut log = NatsLog::open(&beds.connection, &options).unwrap();
    let next = holds(&log);
    assert!(next == 10 || next == 20, "{next}");
    log.append(next, &blocks(&log.chain(), 10, 2)).unwrap();
    assert_eq!(holds(&log), next + 10);
}
