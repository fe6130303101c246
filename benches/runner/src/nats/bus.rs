//! Commands over the bus, so many in flight, against an echo service at the same concurrency.

use super::stage::Stage;
use crate::{
    Setup,
    ledger::{Ledger, opening},
    measure::{Warmup, compare, figure, rate, side},
    sales::{PARTNERS, beginning, sale, today},
};
use anyhow::{Context, Result, ensure};
use async_nats::service::ServiceExt;
use chl_bus::{Actors, Asker, Unanswered};
use chl_bus_nats::{Behind, Door, Limits, Questions};
use chl_events::Code;
use chl_log::EventLog;
use chl_log_nats::Connection;
use chl_nats_servers::Shape;
use futures_util::{StreamExt, TryStreamExt, stream};
use std::{sync::Arc, time::Instant};

/// How many requests a round has, and how many wait for an answer at once.
const REQUESTS: u64 = 40_000;
const IN_FLIGHT: usize = 256;
/// Who sends.
const ACTORS: &str = "[bench]\nrole = \"operator\"\nsources = \"any\"\n";

/// Nobody asks anything here.
struct Unasked;

impl Questions for Unasked {
    fn ask(&self, name: &str, _: &[u8], _: &Asker) -> Result<Vec<u8>, Unanswered> {
        Err(Unanswered::refused("query.unknown", format_args!("{name} is not asked")))
    }
}

/// Sends a round of requests to a subject; each answer must hold a word.
fn requests(caller: &Connection, subject: &'static str, word: &'static str) -> Result<Vec<f64>> {
    let (_, today) = today()?;
    let lines: Vec<String> =
        (0..REQUESTS).map(|index| sale("s", index, PARTNERS, &today)).collect();
    let client = caller.client();
    let start = Instant::now();
    caller.wait(async move {
        let ask = |line: String| {
            let client = client.clone();
            async move {
                let answer = client.request(subject, line.into()).await?;
                let text = String::from_utf8_lossy(&answer.payload);
                ensure!(text.contains(word), "answered {text}");
                anyhow::Ok(())
            }
        };
        let asked = stream::iter(lines).map(ask).buffer_unordered(IN_FLIGHT);
        asked.try_collect::<Vec<()>>().await
    })??;
    Ok(vec![rate(REQUESTS, start.elapsed())])
}

/// Commands to a ledger on the same servers, decided, on disk, answered.
fn commands(stage: &Stage) -> Result<Vec<f64>> {
    let (options, keeper) = (stage.options(), stage.connect()?);
    let log = Box::new(move || {
        Ok(Box::new(chl_log_nats::NatsLog::open(&keeper, &options)?) as Box<dyn EventLog>)
    });
    let ledger = Ledger::over(log, &opening()?)?;
    ledger.accept(&beginning(PARTNERS)?)?;
    let behind = Behind {
        ledger: Code::new("main")?,
        client: ledger.client()?,
        vault: Some(Arc::clone(&ledger.vault)),
        actors: Arc::new(Actors::parse(ACTORS)?),
        questions: Arc::new(Unasked),
        trust_bus: false,
    };
    let (service, caller) = (stage.connect()?, stage.connect()?);
    let client = service.client();
    let door =
        service.wait(async move { Door::open(&client, behind, Limits::default()).await })??;
    let rates = requests(&caller, "chl.main.as.bench.cmd.AccrueCoop", r#""outcome":"accepted""#);
    service.wait(door.close())?;
    ledger.close()?;
    rates
}

/// The same requests to a service that sends them back.
fn echoes(stage: &Stage) -> Result<Vec<f64>> {
    let (service, caller) = (stage.connect()?, stage.connect()?);
    let client = service.client();
    let echoing = service.wait(async move {
        let running = client.service_builder().start("echo", "1.0.0").await;
        let running = running.map_err(|error| anyhow::anyhow!(error))?;
        let endpoint = running.endpoint("echo").await;
        let mut requests = endpoint.map_err(|error| anyhow::anyhow!(error))?;
        let echoing = tokio::spawn(async move {
            while let Some(request) = requests.next().await {
                let body = request.message.payload.clone();
                // Whoever asked is gone at the end of a round.
                let _sent = request.respond(Ok(body)).await;
            }
        });
        anyhow::Ok((running, echoing))
    })?;
    let (running, echoing) = echoing?;
    let rates = requests(&caller, "echo", "AccrueCoop");
    service.wait(async move { running.stop().await })?.map_err(|error| anyhow::anyhow!(error))?;
    echoing.abort();
    rates
}

/// The line.
pub fn run(setup: &Setup) -> Result<()> {
    let Some(stage) = Stage::set(Shape::One)? else { return Ok(()) };
    let figures = [figure(
        format!("commands over the bus, {IN_FLIGHT} in flight (bar: ≥ 0.5 of an echo)"),
        "commands/s",
        0,
    )];
    let mut sides = [
        side("chl: decided, in the log on JetStream, answered", || commands(&stage)),
        side("an echo service, nothing kept", || echoes(&stage)),
    ];
    compare(&figures, setup.args.rounds, Warmup::Yes, &mut sides).context("over the bus")
}
