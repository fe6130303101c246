//! Measures the way from lines of JSON to answers on a log in memory: how long reading, deciding
//! and showing take. `cargo run --release -p chl-bus --example throughput [COMMANDS]`

#![expect(clippy::unwrap_used, reason = "a measurement fails by panicking")]

use chl_bus::{
    Answer, Bus, Connection, LogError, MemoryKeys, Opening, Options, Parts, Prepared, StatesFile,
    SystemClock, Vault, Viewer, prepare, show,
};
use chl_events::LedgerId;
use chl_log::{EventLog, MemoryLog};
use std::{collections::VecDeque, sync::Arc, sync::mpsc::Receiver, time::Instant};

const BATCH: usize = 256;
const BATCHES: usize = 16;
const SETUP: &str = r#"
{"type":"PublishProgramme","id":"g","data":{"programme":"gold","version":1,"effective_from":"2026-01-01","currency":"USD","terms":{"deal_registration":{"protection_days":90,"approval":"auto","conflict_rule":"first_registered"}}}}
{"type":"RecruitPartner","id":"r","data":{"partner":"p","name":"P Ltd","types":["reseller"]}}
{"type":"ApplyForProgramme","id":"a","data":{"partner":"p"}}
{"type":"ApprovePartner","id":"b","data":{"partner":"p"}}
{"type":"ActivatePartner","id":"c","data":{"partner":"p"}}
{"type":"EnrolPartner","id":"e","data":{"partner":"p","programme":"gold"}}
"#;

/// A customer, and a deal on it, in turn.
fn line(number: usize) -> String {
    let customer = number / 2;
    if number.is_multiple_of(2) {
        return format!(
            r#"{{"type":"RegisterCustomer","id":"{number}","data":{{"customer":"c{customer}","name":"Customer {customer}"}}}}"#
        );
    }
    format!(
        r#"{{"type":"RegisterDeal","id":"{number}","data":{{"deal":"d{number}","customer":"c{customer}","partner":"p","programme":"gold","product_line":"gtx","value":{{"amount":"50000.00","currency":"USD"}}}}}}"#
    )
}

fn main() {
    let count = std::env::args().nth(1).map_or(200_000, |count| count.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let log = MemoryLog::new(LedgerId([1; 16]));
    let parts = Parts {
        log: Box::new(move || Ok::<Box<dyn EventLog>, LogError>(Box::new(log.clone()))),
        keys: Arc::new(MemoryKeys::default()),
        states: Some(StatesFile::open(&dir.path().join("states")).unwrap()),
        vault: Arc::new(Vault::in_memory().unwrap()),
        clock: Box::new(SystemClock::new()),
        journal: None,
    };
    let actor: chl_events::ActorId = "bench".parse().unwrap();
    let opening = Opening {
        name: "main".into(),
        origin: "main".into(),
        actor: actor.clone(),
        recorded_at: None,
    };
    let bus = Bus::open(parts, &Options::new(opening)).unwrap();
    let connection =
        Connection { default_source: Some("/bench".into()), ..Connection::operator(actor) };
    let ready = |text: &str| prepare(text.as_bytes(), &connection).unwrap();
    let setup = SETUP.lines().filter(|line| !line.is_empty()).map(ready).collect();
    assert!(bus.client().submit_all(setup).unwrap().iter().all(Answer::is_accepted));

    let lines: Vec<String> = (0..count).map(line).collect();
    let begin = Instant::now();
    let read: Vec<Prepared> = lines.iter().map(|line| ready(line)).collect();
    report("read alone", count, begin);
    drop(read);
    let begin = Instant::now();
    let viewer = Viewer { role: connection.role, partner: None, vault: None };
    let mut window: VecDeque<Receiver<Vec<Answer>>> = VecDeque::new();
    let mut bytes = 0;
    for batch in lines.chunks(BATCH) {
        let commands = batch.iter().map(|line| ready(line)).collect();
        window.push_back(bus.client().send(commands).unwrap());
        if window.len() >= BATCHES {
            bytes += take(window.pop_front().unwrap(), &viewer);
        }
    }
    bytes += window.into_iter().map(|batch| take(batch, &viewer)).sum::<usize>();
    report("whole path", count, begin);
    eprintln!("{bytes} bytes of answers");
}

fn take(batch: Receiver<Vec<Answer>>, viewer: &Viewer<'_>) -> usize {
    let answers = batch.recv().unwrap();
    assert!(answers.iter().all(Answer::is_accepted));
    answers.iter().map(|answer| show(answer, viewer).unwrap().len()).sum()
}

fn report(what: &str, count: usize, begin: Instant) {
    let micros = begin.elapsed().as_micros().max(1);
    let rate = count as u128 * 1_000_000 / micros;
    eprintln!("{what}: {count} in {} ms, {rate}/s", micros / 1000);
}
