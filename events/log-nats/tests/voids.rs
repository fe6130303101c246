//! Messages that continue nothing: passed over where an overtaken writer sent them, or none did;
//! an error else.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod beds;

use async_nats::jetstream::message::PublishMessage;
use beds::{Beds, blocks, holds};
use chl_events::Block;
use chl_log::{EventLog, ReadError};
use chl_log_nats::{NatsLog, OpenError, Options};
use chl_nats_servers::{Servers, Shape};
use std::{path::Path, time::Duration};

impl Beds {
    /// Options for a new stream: for who keeps no copy of it, and for who keeps one that is often
    /// sealed.
    fn without_and_with_copy(&self, dir: &Path) -> (Options, Options) {
        let plain = self.options();
        let copy = Some(dir.join("node"));
        (plain.clone(), Options { copy, seal_bytes: 4000, ..plain })
    }

    /// Stores a message behind whatever is there, as a writer that does not know better.
    fn store(&self, options: &Options, bytes: &[u8]) {
        let (client, subject) = (self.connection.client(), options.subject.clone());
        let bytes = bytes.to_vec();
        let stored = self.connection.wait(async move {
            let jetstream = async_nats::jetstream::new(client);
            jetstream.publish(subject, bytes.into()).await.unwrap().await.unwrap();
        });
        stored.unwrap();
    }

    /// Stores a message that says behind which it belongs, as every writer does.
    fn store_fenced(&self, options: &Options, bytes: &[u8], after: u64) {
        let (client, subject) = (self.connection.client(), options.subject.clone());
        let message =
            PublishMessage::build().payload(bytes.to_vec().into()).expected_last_sequence(after);
        let stored = self.connection.wait(async move {
            let jetstream = async_nats::jetstream::new(client);
            jetstream.send_publish(subject, message).await.unwrap().await.unwrap();
        });
        stored.unwrap();
    }

    /// Asks JetStream something, to be answered to the log's own subject; waits until the stream
    /// has the answer, which is its message `number`.
    fn answer_into(&self, options: &Options, number: u64) {
        let (client, subject) = (self.connection.client(), options.subject.clone());
        let stream = options.stream.clone();
        let stored = self.connection.wait(async move {
            let question = format!("$JS.API.STREAM.INFO.{stream}");
            client.publish_with_reply(question, subject, "".into()).await.unwrap();
            let jetstream = async_nats::jetstream::new(client);
            let stream = jetstream.get_stream(stream).await.unwrap();
            while stream.get_info().await.unwrap().state.last_sequence < number {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        stored.unwrap();
    }
}

/// What a writer sends that has not learnt of the last block: it continues an older history.
fn overtaken(log: &NatsLog, count: u64) -> Vec<Block> {
    let mut chain = log.chain();
    let other: Vec<Vec<u8>> = (0..count).map(|number| vec![number as u8; 50]).collect();
    let blocks: Vec<Block> = other.iter().flat_map(|one| chain.pack(&[one]).unwrap()).collect();
    blocks.into_iter().skip(1).collect()
}

#[test]
fn what_an_overtaken_writer_stored_is_passed_over_by_everybody() {
    let Some(servers) = Servers::start(Shape::One).unwrap() else { return };
    let beds = Beds::new(&servers, 1);
    let dir = tempfile::tempdir().unwrap();
    let (plain, options) = beds.without_and_with_copy(dir.path());
    let mut log = NatsLog::open(&beds.connection, &options).unwrap();
    for round in 0..20 {
        let stale = overtaken(&log, 1 + round % 15);
        let next = log.chain().next();
        let head = log.append(next, &blocks(&log.chain(), 20, 3)).unwrap();
        for block in stale {
            beds.store(&options, block.bytes());
        }
        // The writer's next block meets them, and goes behind them.
        let more = log.append(head.next, &blocks(&log.chain(), 7, 2)).unwrap();
        assert_eq!(more.next, head.next + 7);
        assert_eq!(holds(&log), more.next);
        let reader = log.reader();
        for position in next..more.next {
            let commit = reader.commit_at(position).unwrap().unwrap();
            assert_eq!(commit, beds::commits(position, 1).remove(0));
        }
        let fresh = NatsLog::open(&beds.connection, &plain).unwrap();
        assert_eq!((holds(&fresh), fresh.head()), (more.next, more));
        for position in next..more.next {
            let commit = fresh.reader().commit_at(position).unwrap().unwrap();
            assert_eq!(commit, beds::commits(position, 1).remove(0));
        }
        drop(log);
        log = NatsLog::open(&beds.connection, &options).unwrap();
        assert_eq!(log.head(), more);
    }
}

#[test]
fn an_answer_that_jetstream_was_made_to_put_into_the_log_is_passed_over() {
    let Some(servers) = Servers::start(Shape::One).unwrap() else { return };
    let beds = Beds::new(&servers, 1);
    let dir = tempfile::tempdir().unwrap();
    let (plain, options) = beds.without_and_with_copy(dir.path());
    let mut log = NatsLog::open(&beds.connection, &options).unwrap();
    let mut follower = NatsLog::open(&beds.connection, &plain).unwrap();
    let mut messages = 0;
    for _ in 0..20 {
        let next = log.chain().next();
        let first = blocks(&log.chain(), 20, 3);
        log.append(next, &first).unwrap();
        messages += first.len() as u64 + 1;
        beds.answer_into(&options, messages);
        // The writer's next block meets it, and goes behind it.
        let second = blocks(&log.chain(), 7, 2);
        let more = log.append(next + 20, &second).unwrap();
        messages += second.len() as u64;
        assert_eq!((more.next, holds(&log)), (next + 27, next + 27));
        while follower.head() != more {
            follower.follow(Duration::from_secs(5)).unwrap();
        }
        let fresh = NatsLog::open(&beds.connection, &plain).unwrap();
        assert_eq!((holds(&fresh), holds(&follower), fresh.head()), (more.next, more.next, more));
        drop(log);
        log = NatsLog::open(&beds.connection, &options).unwrap();
        assert_eq!(log.head(), more);
    }
}

#[test]
fn a_log_that_does_not_go_on_is_an_error() {
    let Some(servers) = Servers::start(Shape::One).unwrap() else { return };
    let beds = Beds::new(&servers, 1);
    let options = beds.options();
    let mut log = NatsLog::open(&beds.connection, &options).unwrap();
    let stale = overtaken(&log, 66);
    log.append(0, &blocks(&log.chain(), 5, 1)).unwrap();
    for block in &stale {
        beds.store(&options, block.bytes());
    }
    drop(log);
    let refused = NatsLog::open(&beds.connection, &options).map(|log| log.head()).unwrap_err();
    let broken = matches!(&refused, OpenError::Read { source: ReadError::Broken(_), .. });
    assert!(broken && refused.is_damage(), "{refused}");
}

#[test]
fn a_writers_message_that_is_no_block_is_an_error() {
    let Some(servers) = Servers::start(Shape::One).unwrap() else { return };
    let beds = Beds::new(&servers, 1);
    for damage in 0..3 {
        let options = beds.options();
        let mut log = NatsLog::open(&beds.connection, &options).unwrap();
        let first = blocks(&log.chain(), 5, 1);
        log.append(0, &first).unwrap();
        let mut bytes = blocks(&log.chain(), 1, 1).remove(0).bytes().to_vec();
        match damage {
            0 => bytes = b"hello".to_vec(),
            1 => *bytes.get_mut(70).unwrap() ^= 1,
            _ => bytes.truncate(80),
        }
        beds.store_fenced(&options, &bytes, first.len() as u64);
        drop(log);
        let refused = NatsLog::open(&beds.connection, &options).map(|log| log.head()).unwrap_err();
        let damaged = matches!(&refused, OpenError::Read { source: ReadError::Damaged { .. }, .. });
        assert!(damaged && refused.is_damage(), "{refused}");
    }
}
