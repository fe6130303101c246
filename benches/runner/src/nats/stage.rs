//! Real servers, and what both sides do with them.

use crate::{ledger::LEDGER, measure::say};
use anyhow::{Context, Result};
use async_nats::jetstream::{
    self,
    consumer::{AckPolicy, pull},
    context::PublishAckFuture,
    message::PublishMessage,
    stream,
};
use chl_events::Block;
use chl_log_nats::{Access, Connection, NatsLog, Options};
use chl_nats_servers::{Servers, Shape};
use futures_util::StreamExt;
use std::{
    cell::Cell,
    collections::VecDeque,
    time::{Duration, Instant},
};

/// How many messages are on their way before the first answer is waited for, as the log has it.
const WINDOW: usize = 16;
/// How many messages a fetch asks for at a time.
const BATCH: usize = 1000;

/// Servers that sync every message, and a connection to them.
pub struct Stage {
    servers: Servers,
    pub connection: Connection,
    replicas: usize,
    made: Cell<u32>,
}

impl Stage {
    /// Starts them; none, with a word, where there is no program for them.
    pub fn set(shape: Shape) -> Result<Option<Self>> {
        let Some(servers) = Servers::start(shape)? else {
            say("no nats-server: CHL_NATS_SERVER names it; the line is left out");
            return Ok(None);
        };
        let connection = Connection::open(&Access::new(servers.urls(), "bench"))?;
        let replicas = if shape == Shape::Three { 3 } else { 1 };
        Ok(Some(Self { servers, connection, replicas, made: Cell::new(0) }))
    }

    /// A connection of its own, with threads of its own.
    pub fn connect(&self) -> Result<Connection> {
        Ok(Connection::open(&Access::new(self.servers.urls(), "bench"))?)
    }

    /// A name that no stream has yet.
    pub fn name(&self) -> String {
        self.made.set(self.made.get() + 1);
        format!("bench-{}", self.made.get())
    }

    /// A log in a stream of its own.
    pub fn options(&self) -> Options {
        let mut options = Options::new(&self.name(), self.replicas);
        options.create = Some(LEDGER);
        options.monitors = self.servers.monitors();
        options
    }

    /// Opens it.
    pub fn open(&self, options: &Options) -> Result<NatsLog> {
        Ok(NatsLog::open(&self.connection, options)?)
    }

    /// The same bytes with the same fence and the same window, and nothing else.
    pub fn publish(&self, name: &str, blocks: &[Block]) -> Result<Duration> {
        let config = stream::Config {
            name: name.to_owned(),
            subjects: vec![name.to_owned()],
            num_replicas: self.replicas,
            ..Default::default()
        };
        let (client, name) = (self.connection.client(), name.to_owned());
        let blocks = blocks.to_vec();
        self.connection.wait(async move {
            let jetstream = jetstream::new(client);
            jetstream.create_stream(config).await?;
            let start = Instant::now();
            let mut flight: VecDeque<PublishAckFuture> = VecDeque::new();
            for (after, block) in (0..).zip(blocks) {
                if flight.len() == WINDOW
                    && let Some(sent) = flight.pop_front()
                {
                    sent.await?;
                }
                let message = PublishMessage::build()
                    .payload(block.bytes().to_vec().into())
                    .expected_last_sequence(after);
                flight.push_back(jetstream.send_publish(name.clone(), message).await?);
            }
            for sent in flight {
                sent.await?;
            }
            Ok(start.elapsed())
        })?
    }

    /// Fetches so many messages of a stream, and does nothing with them.
    pub fn fetch(&self, name: &str, count: usize) -> Result<Duration> {
        let (client, name) = (self.connection.client(), name.to_owned());
        self.connection.wait(async move {
            let jetstream = jetstream::new(client);
            let start = Instant::now();
            let config = pull::Config { ack_policy: AckPolicy::None, ..Default::default() };
            let consumer = jetstream.create_consumer_on_stream(config, name).await?;
            let mut messages = consumer.stream().max_messages_per_batch(BATCH).messages().await?;
            for _ in 0..count {
                messages.next().await.context("the stream has ended")??;
            }
            Ok(start.elapsed())
        })?
    }

    /// Takes a stream away, so that the servers' disk does not fill.
    pub fn remove(&self, name: &str) -> Result<()> {
        let (client, name) = (self.connection.client(), name.to_owned());
        self.connection.wait(async move {
            jetstream::new(client).delete_stream(name).await?;
            anyhow::Ok(())
        })?
    }
}
