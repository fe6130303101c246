//! Prints how fast blocks go into a stream and come out of it, beside the same bytes sent and
//! fetched without a log: `cargo run --release -p chl-log-nats --example rates [BLOCKS]`.
#![expect(clippy::unwrap_used, reason = "an example shows the path, not its failures")]

use async_nats::jetstream::{
    Context,
    consumer::{AckPolicy, pull},
    message::PublishMessage,
};
use chl_events::{Block, LedgerId};
use chl_log::{Chain, EventLog};
use chl_log_nats::{Access, Connection, NatsLog, Options};
use chl_nats_servers::{Servers, Shape};
use futures_util::StreamExt;
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Blocks of about 16 KiB: 93 commits of 171 bytes.
const COMMITS: usize = 93;
const COMMIT_BYTES: usize = 171;
/// Blocks of one append.
const GROUP: usize = 64;
/// Messages that are sent before the first answer is waited for.
const WINDOW: usize = 16;
const ROUNDS: usize = 5;

fn main() {
    let blocks = std::env::args().nth(1).map_or(2000, |count| count.parse().unwrap());
    for (name, shape, replicas) in [("one server", Shape::One, 1), ("three", Shape::Three, 3)] {
        let Some(servers) = Servers::start(shape).unwrap() else { return };
        let connection = Connection::open(&Access::new(servers.urls(), "rates")).unwrap();
        for round in 0..ROUNDS {
            let mut options = Options::new(&format!("rates-{round}"), replicas);
            options.create = Some(LedgerId([7; 16]));
            options.monitors = servers.monitors();
            let raw = raw(&connection, &options, blocks);
            let log = log(&connection, &options, blocks);
            let per_second = |time: Duration| blocks as u128 * 1_000_000 / time.as_micros();
            println!(
                "{name}: append raw {}/s, log {}/s = {}%; read raw {}/s, log {}/s = {}%",
                per_second(raw.0),
                per_second(log.0),
                raw.0.as_micros() * 100 / log.0.as_micros(),
                per_second(raw.1),
                per_second(log.1),
                raw.1.as_micros() * 100 / log.1.as_micros(),
            );
        }
    }
}

/// So many blocks of one history, in groups as a writer hands them over.
fn groups(blocks: usize) -> Vec<Vec<Block>> {
    let mut chain = Chain::new(LedgerId([7; 16]));
    let mut all = Vec::new();
    for number in 0..blocks {
        let commits: Vec<Vec<u8>> =
            (0..COMMITS).map(|commit| vec![(number + commit) as u8; COMMIT_BYTES]).collect();
        all.extend(chain.pack(&commits).unwrap());
    }
    all.chunks(GROUP).map(<[Block]>::to_vec).collect()
}

fn log(connection: &Connection, options: &Options, blocks: usize) -> (Duration, Duration) {
    let groups = groups(blocks);
    let mut log = NatsLog::open(connection, options).unwrap();
    let since = Instant::now();
    for group in &groups {
        let next = log.head().next;
        log.append(next, group).unwrap();
    }
    let appended = since.elapsed();
    let since = Instant::now();
    assert_eq!(log.read(0).unwrap().map(Result::unwrap).count(), blocks);
    (appended, since.elapsed())
}

/// The same bytes with the same fence and the same window, and nothing else.
fn raw(connection: &Connection, options: &Options, blocks: usize) -> (Duration, Duration) {
    let name = format!("raw-{}", options.stream);
    let (client, replicas) = (connection.client(), options.replicas);
    let groups = groups(blocks);
    connection
        .wait(async move {
            let jetstream = async_nats::jetstream::new(client);
            let config = async_nats::jetstream::stream::Config {
                name: name.clone(),
                subjects: vec![name.clone()],
                num_replicas: replicas,
                ..Default::default()
            };
            jetstream.create_stream(config).await.unwrap();
            (send(&jetstream, &name, groups).await, fetch(&jetstream, &name, blocks).await)
        })
        .unwrap()
}

async fn send(jetstream: &Context, name: &str, groups: Vec<Vec<Block>>) -> Duration {
    let since = Instant::now();
    let mut flight = VecDeque::new();
    for (after, block) in (0..).zip(groups.into_iter().flatten()) {
        if flight.len() == WINDOW {
            let sent: async_nats::jetstream::context::PublishAckFuture =
                flight.pop_front().unwrap();
            sent.await.unwrap();
        }
        let message = PublishMessage::build()
            .payload(block.bytes().to_vec().into())
            .expected_last_sequence(after);
        flight.push_back(jetstream.send_publish(name.to_owned(), message).await.unwrap());
    }
    for sent in flight {
        sent.await.unwrap();
    }
    since.elapsed()
}

async fn fetch(jetstream: &Context, name: &str, blocks: usize) -> Duration {
    let since = Instant::now();
    let config = pull::Config { ack_policy: AckPolicy::None, ..Default::default() };
    let consumer = jetstream.create_consumer_on_stream(config, name).await.unwrap();
    let mut messages = consumer.stream().max_messages_per_batch(1000).messages().await.unwrap();
    for _ in 0..blocks {
        messages.next().await.unwrap().unwrap();
    }
    since.elapsed()
}
