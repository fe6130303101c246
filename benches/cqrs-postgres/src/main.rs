//! One round of the peer: JSON commands through cqrs-es into PostgreSQL, its view kept.
//!
//! `cqrs-postgres URL COMMANDS CONCURRENCY` prints `commands nanoseconds` for the timed part;
//! `cqrs-postgres URL rebuild` prints the same for rebuilding the view from all events.

use anyhow::{Context, Result};
use cqrs_es::{
    Aggregate, AggregateError, DomainEvent, EventEnvelope, View,
    event_sink::EventSink,
    persist::{GenericQuery, PersistedEventRepository, ViewContext, ViewRepository},
};
use postgres_es::{PostgresEventRepository, PostgresViewRepository, postgres_aggregate_cqrs};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc, time::Instant};

const PARTNERS: u64 = 200;

#[derive(Debug, Default, Serialize, Deserialize)]
struct Fund {
    accrued: i64,
    sales: u64,
}

#[derive(Debug, Deserialize)]
struct Accrue {
    partner: String,
    sale: String,
    net_cents: i64,
    sold_on: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum FundEvent {
    Accrued { sale: String, net_cents: i64, amount_cents: i64, sold_on: String },
}

impl DomainEvent for FundEvent {
    fn event_type(&self) -> String {
        "Accrued".into()
    }
    fn event_version(&self) -> String {
        "1".into()
    }
}

#[derive(Debug, thiserror::Error)]
#[error("refused")]
struct Refused;

impl Aggregate for Fund {
    const TYPE: &'static str = "fund";
    type Command = Accrue;
    type Event = FundEvent;
    type Error = Refused;
    type Services = ();

    async fn handle(&mut self, command: Accrue, (): &(), sink: &EventSink<Self>) -> Result<(), Refused> {
        if command.net_cents <= 0 {
            return Err(Refused);
        }
        let Accrue { sale, net_cents, sold_on, .. } = command;
        let event = FundEvent::Accrued { sale, net_cents, amount_cents: net_cents / 50, sold_on };
        sink.write(event, self).await;
        Ok(())
    }

    fn apply(&mut self, event: FundEvent) {
        let FundEvent::Accrued { amount_cents, .. } = event;
        self.accrued += amount_cents;
        self.sales += 1;
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Balance {
    accrued: i64,
    sales: u64,
}

impl View<Fund> for Balance {
    fn update(&mut self, envelope: &EventEnvelope<Fund>) {
        let FundEvent::Accrued { amount_cents, .. } = &envelope.payload;
        self.accrued += amount_cents;
        self.sales += 1;
    }
}

type Views = PostgresViewRepository<Balance, Fund>;
type Pool = sqlx::Pool<sqlx::Postgres>;

async fn tables(pool: &Pool) -> Result<()> {
    for statement in [
        "DROP TABLE IF EXISTS events, snapshots, balance",
        "CREATE TABLE events (aggregate_type text NOT NULL, aggregate_id text NOT NULL,
         sequence bigint CHECK (sequence >= 0) NOT NULL, event_type text NOT NULL,
         event_version text NOT NULL, payload json NOT NULL, metadata json NOT NULL,
         PRIMARY KEY (aggregate_type, aggregate_id, sequence))",
        "CREATE TABLE snapshots (aggregate_type text NOT NULL, aggregate_id text NOT NULL,
         last_sequence bigint NOT NULL, current_snapshot bigint NOT NULL, payload json NOT NULL,
         PRIMARY KEY (aggregate_type, aggregate_id, last_sequence))",
        "CREATE TABLE balance (view_id text NOT NULL, version bigint NOT NULL,
         payload json NOT NULL, PRIMARY KEY (view_id))",
    ] {
        sqlx::query(statement).execute(pool).await?;
    }
    Ok(())
}

/// The skewed mix: a few partners get most, as in a channel year.
fn command(index: u64) -> String {
    let mixed = index.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 11;
    let partner = (mixed % PARTNERS) * (mixed / PARTNERS % PARTNERS) / PARTNERS;
    format!(
        r#"{{"partner":"p-{partner:03}","sale":"s-{index}","net_cents":{},"sold_on":"2026-03-01"}}"#,
        1_000 + mixed % 1_000_000
    )
}

async fn submit(pool: Pool, commands: u64, concurrency: u64) -> Result<()> {
    tables(&pool).await?;
    let query = GenericQuery::<Views, Balance, Fund>::new(Arc::new(Views::new("balance", pool.clone())));
    let cqrs = Arc::new(postgres_aggregate_cqrs::<Fund>(pool, vec![Box::new(query)], ()));
    let lines: Arc<Vec<String>> = Arc::new((0..commands).map(command).collect());
    let start = Instant::now();
    let tasks = (0..concurrency).map(|task| {
        let (cqrs, lines) = (cqrs.clone(), lines.clone());
        tokio::spawn(async move {
            for index in (task..commands).step_by(concurrency as usize) {
                loop {
                    let command: Accrue = serde_json::from_str(&lines[index as usize])?;
                    let partner = command.partner.clone();
                    match cqrs.execute(&partner, command).await {
                        Ok(()) => break,
                        Err(AggregateError::AggregateConflict) => {}
                        Err(other) => return Err(anyhow::Error::from(other)),
                    }
                }
            }
            Ok(())
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await??;
    }
    println!("{commands} {}", start.elapsed().as_nanos());
    Ok(())
}

/// Rebuilds the view the way the framework offers it: all events streamed, each dispatched.
async fn rebuild(pool: Pool) -> Result<()> {
    sqlx::query("TRUNCATE balance").execute(&pool).await?;
    let views = Views::new("balance", pool.clone());
    let events = PostgresEventRepository::new(pool.clone());
    let start = Instant::now();
    let mut stream = events.stream_all_events::<Fund>().await?;
    let mut versions = BTreeMap::<String, i64>::new();
    let mut count = 0_u64;
    while let Some(event) = stream.next::<Fund>(&[]).await {
        let event = event?;
        let id = event.aggregate_id.clone();
        let (mut view, context) = match views.load_with_context(&id).await? {
            Some(found) => found,
            None => (Balance::default(), ViewContext::new(id.clone(), 0)),
        };
        view.update(&event);
        views.update_view(view, context).await?;
        *versions.entry(id).or_default() += 1;
        count += 1;
    }
    println!("{count} {}", start.elapsed().as_nanos());
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().context("the first argument is the database's URL")?;
    let what = arguments.next().context("the second is a number of commands, or rebuild")?;
    let options = sqlx::postgres::PgPoolOptions::new().max_connections(32);
    let pool = options.connect(&url).await?;
    if what == "rebuild" {
        return rebuild(pool).await;
    }
    let concurrency = arguments.next().context("the third is the concurrency")?.parse()?;
    submit(pool, what.parse()?, concurrency).await
}
