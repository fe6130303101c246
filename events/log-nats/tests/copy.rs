//! This node's own copy: what it is good for, and a stream that disagrees with it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod beds;

use beds::{Beds, LEDGER, blocks, holds};
use chl_events::LedgerId;
use chl_log::{AppendError, EventLog, ReadLog};
use chl_log_files::{SealedFolder, SealedHistory, Witness};
use chl_log_nats::{NatsLog, OpenError, Options};
use chl_nats_servers::{Servers, Shape};
use std::{path::Path, time::Duration};
use tempfile::TempDir;

fn on_a_node(beds: &Beds) -> (TempDir, Options) {
    let dir = tempfile::tempdir().unwrap();
    let mut options = beds.options();
    options.copy = Some(dir.path().join("node"));
    options.seal_bytes = 5000;
    (dir, options)
}

fn refused(beds: &Beds, options: &Options) -> OpenError {
    NatsLog::open(&beds.connection, options).map(|log| log.head()).unwrap_err()
}

fn append(log: &mut NatsLog, count: u64) {
    let next = log.chain().next();
    log.append(next, &blocks(&log.chain(), count, 4)).unwrap();
}

fn sealed(options: &Options) -> SealedFolder {
    SealedFolder::new(&options.copy.as_deref().unwrap().join("sealed"))
}

#[test]
fn a_node_reads_its_own_files_and_the_stream_behind_them() {
    let Some(servers) = Servers::start(Shape::One).unwrap() else { return };
    let beds = Beds::new(&servers, 1);
    let (_dir, options) = on_a_node(&beds);
    let mut log = NatsLog::open(&beds.connection, &options).unwrap();
    for _ in 0..20 {
        append(&mut log, 30);
        assert_eq!(holds(&log), log.head().next);
    }
    let head = log.head();
    drop(log);
    let (files, chain) = sealed(&options).open(LEDGER).unwrap();
    assert!(files.len() > 5 && chain.next() <= head.next, "{} files", files.len());
    let witness = Witness::open(&options.copy.as_deref().unwrap().join("witness")).unwrap();
    assert_eq!(witness.last().head, head);
    // Another node begins without a copy, and comes to the same one.
    let (_other_dir, mut other) = on_a_node(&beds);
    (other.stream, other.subject) = (options.stream.clone(), options.subject.clone());
    let log = NatsLog::open(&beds.connection, &other).unwrap();
    assert_eq!((log.head(), holds(&log)), (head, head.next));
    drop(log);
    let same = |one: &Path| std::fs::read(one).unwrap();
    let theirs = sealed(&other).files().unwrap();
    assert_eq!(theirs.len(), files.len());
    for (own, their) in files.iter().zip(&theirs) {
        assert_eq!(same(own.path()), same(their));
    }
    let owner = NatsLog::open(&beds.connection, &options).unwrap();
    assert!(matches!(refused(&beds, &options), OpenError::Owned(_)));
    drop(owner);
}

#[test]
fn a_node_that_ends_leaves_all_that_it_has_seen() {
    let Some(servers) = Servers::start(Shape::One).unwrap() else { return };
    let beds = Beds::new(&servers, 1);
    let (_dir, options) = on_a_node(&beds);
    let left = || SealedHistory::open(&sealed(&options)).unwrap().head();
    let mut head = None;
    for count in [3, 40, 5] {
        let mut log = NatsLog::open(&beds.connection, &options).unwrap();
        append(&mut log, count);
        head = Some(log.head());
        drop(log);
        assert_eq!(Some(left()), head);
    }
    // A stream that is refused takes nothing of it away.
    beds.cut(&options, 2);
    assert!(refused(&beds, &options).is_damage());
    assert_eq!(Some(left()), head);
}

#[test]
fn a_stream_that_has_lost_its_end_stops_the_node() {
    let Some(servers) = Servers::start(Shape::One).unwrap() else { return };
    let beds = Beds::new(&servers, 1);
    // Lost behind the sealed files, into them, and altogether.
    for kept in [38, 8, 0] {
        let (_dir, options) = on_a_node(&beds);
        let mut log = NatsLog::open(&beds.connection, &options).unwrap();
        append(&mut log, 160);
        drop(log);
        let (_, chain) = sealed(&options).open(LEDGER).unwrap();
        assert!(chain.next() > 4 * 8 && chain.next() < 4 * 38, "{}", chain.next());
        beds.cut(&options, kept);
        let refused = refused(&beds, &options);
        let found = 4 * kept;
        assert!(
            matches!(&refused, OpenError::Below { found: ended, .. } if *ended == found),
            "{refused}"
        );
        assert!(refused.is_damage());
    }
    // A stream that is gone is not made anew by a node that has seen it.
    let (_dir, options) = on_a_node(&beds);
    append(&mut NatsLog::open(&beds.connection, &options).unwrap(), 10);
    beds.delete(&options);
    let refused = refused(&beds, &options);
    assert!(matches!(refused, OpenError::Below { found: 0, seen: 10, .. }), "{refused}");
}

#[test]
fn a_stream_of_another_history_stops_the_node() {
    let Some(servers) = Servers::start(Shape::One).unwrap() else { return };
    let beds = Beds::new(&servers, 1);
    for others in [20, 160] {
        let (_dir, options) = on_a_node(&beds);
        let mut log = NatsLog::open(&beds.connection, &options).unwrap();
        append(&mut log, others);
        drop(log);
        // The same ledger, the same length, other commits.
        beds.cut(&options, 0);
        let mut elsewhere = options.clone();
        elsewhere.copy = None;
        let mut log = NatsLog::open(&beds.connection, &elsewhere).unwrap();
        for _ in 0..others / 4 {
            let group = log.chain().pack(&[b"x", b"y", b"z", b"!"]).unwrap();
            let next = log.chain().next();
            log.append(next, &group).unwrap();
        }
        drop(log);
        let refused = refused(&beds, &options);
        assert!(matches!(refused, OpenError::Forked { .. }), "{refused}");
        assert!(refused.is_damage());
    }
    // Another ledger altogether.
    let (_dir, options) = on_a_node(&beds);
    append(&mut NatsLog::open(&beds.connection, &options).unwrap(), 10);
    beds.delete(&options);
    let mut elsewhere = options.clone();
    (elsewhere.copy, elsewhere.create) = (None, Some(LedgerId([9; 16])));
    append(&mut NatsLog::open(&beds.connection, &elsewhere).unwrap(), 10);
    let refused = refused(&beds, &options);
    assert!(matches!(refused, OpenError::Ledger { .. }), "{refused}");
}

#[test]
fn a_node_that_follows_takes_over_and_the_other_cannot_append() {
    let Some(servers) = Servers::start(Shape::One).unwrap() else { return };
    let beds = Beds::new(&servers, 1);
    let (_dir, options) = on_a_node(&beds);
    let (_other_dir, mut other) = on_a_node(&beds);
    (other.stream, other.subject) = (options.stream.clone(), options.subject.clone());
    let mut writer = NatsLog::open(&beds.connection, &options).unwrap();
    let mut standby = NatsLog::open(&beds.connection, &other).unwrap();
    let reader = standby.reader();
    for round in 1..=10 {
        append(&mut writer, 30);
        while standby.head() != writer.head() {
            standby.follow(Duration::from_secs(5)).unwrap();
        }
        assert_eq!(reader.head().next, 30 * round);
        assert_eq!(holds(&standby), 30 * round);
    }
    assert_eq!(standby.follow(Duration::from_millis(20)).unwrap(), writer.head());
    append(&mut standby, 5);
    let group = blocks(&writer.chain(), 9, 2);
    let conflict = writer.append(300, &group).unwrap_err();
    assert!(
        matches!(&conflict, AppendError::Conflict { expected: 300, head } if head.next == 305),
        "{conflict}"
    );
    assert_eq!(writer.follow(Duration::ZERO).unwrap(), standby.head());
    append(&mut writer, 5);
    assert_eq!(holds(&writer), 310);
}

/// What disasters and administrators do.
impl Beds {
    fn delete(&self, options: &Options) {
        let (client, name) = (self.connection.client(), options.stream.clone());
        let deleted = self.connection.wait(async move {
            async_nats::jetstream::new(client).delete_stream(name).await.unwrap();
        });
        deleted.unwrap();
    }

    /// Leaves the stream with its first messages only.
    fn cut(&self, options: &Options, kept: u64) {
        let (client, name) = (self.connection.client(), options.stream.clone());
        let subject = options.subject.clone();
        let cut = self.connection.wait(async move {
            let jetstream = async_nats::jetstream::new(client);
            let old = jetstream.get_stream(&name).await.unwrap();
            let mut messages = Vec::new();
            for sequence in 1..=kept {
                messages.push(old.get_raw_message(sequence).await.unwrap().payload);
            }
            let config = old.get_info().await.unwrap().config;
            jetstream.delete_stream(name).await.unwrap();
            jetstream.create_stream(config).await.unwrap();
            for message in messages {
                jetstream.publish(subject.clone(), message).await.unwrap().await.unwrap();
            }
        });
        cut.unwrap();
    }
}
