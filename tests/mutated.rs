//! Mutated lines: whatever arrives is answered, names what is wrong with it, and stops nothing.
//!
//! `CHL_MUTATIONS` says how many lines are sent.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "JSON objects are read by their keys")]

#[expect(dead_code, reason = "other tests use the rest")]
mod model;

use chl_aggregates::Class;
use chl_bus::{Answer, BusRejection};
use model::{generate::Maker, naive::Model, path::Ledger, world};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

/// How many lines are sent where nobody says.
const MUTATIONS: usize = 50_000;

/// Pieces that break texts, numbers and structure.
const PIECES: &[&str] = &[
    "\"",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\\",
    "\\u0000",
    "\\ud800",
    "\u{0}",
    "\u{7f}",
    "é",
    "日本語",
    "🦀",
    "\u{202e}",
    "null",
    "true",
    "-1",
    "0",
    "1e999",
    "99999999999999999999999999",
    "0.1",
    "NaN",
    "{\"a\":1}",
    "[[[[[[[[[[[[[[[[[[[[",
    "  ",
    "\n",
    "\t",
    "\u{feff}",
    "//",
];

/// Lines of commands that make sense one after the other.
fn seeds() -> Vec<String> {
    let mut rng = ChaCha8Rng::seed_from_u64(42);
    let mut model = Model::default();
    let mut lines = Vec::new();
    for sent in world::opened("open") {
        model.step(&sent);
        lines.push(sent.line());
    }
    let mut now = world::BEGINS.parse().unwrap();
    for next in lines.len()..400 {
        now = Maker::tick(&mut rng, now);
        let sent = Maker { model: &model, rng: &mut rng, now, next }.make();
        model.step(&sent);
        lines.push(sent.line());
    }
    lines
}

/// A line with one to three things wrong with it, or nothing by chance.
fn mutated(line: &str, rng: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bytes = line.as_bytes().to_vec();
    for _ in 0..rng.random_range(1..=3) {
        bytes = match rng.random_range(0..10) {
            0 => flipped(bytes, rng),
            1 => cut(bytes, rng),
            2 => truncated(bytes, rng),
            3 | 4 => pierced(bytes, rng),
            5 => doubled(bytes, rng),
            6 => nested(bytes, rng),
            7 => fattened(bytes, rng),
            _ => retyped(bytes, rng),
        };
    }
    bytes
}

fn place(bytes: &[u8], rng: &mut ChaCha8Rng) -> usize {
    rng.random_range(0..=bytes.len().max(1) - 1)
}

fn flipped(mut bytes: Vec<u8>, rng: &mut ChaCha8Rng) -> Vec<u8> {
    let at = place(&bytes, rng);
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << rng.random_range(0..8);
    }
    bytes
}

fn cut(mut bytes: Vec<u8>, rng: &mut ChaCha8Rng) -> Vec<u8> {
    let at = place(&bytes, rng).min(bytes.len());
    let to = (at + rng.random_range(1..12)).min(bytes.len());
    bytes.drain(at..to);
    bytes
}

fn truncated(mut bytes: Vec<u8>, rng: &mut ChaCha8Rng) -> Vec<u8> {
    bytes.truncate(place(&bytes, rng));
    bytes
}

fn pierced(mut bytes: Vec<u8>, rng: &mut ChaCha8Rng) -> Vec<u8> {
    let piece = PIECES[rng.random_range(0..PIECES.len())];
    let at = place(&bytes, rng).min(bytes.len());
    let to = (at + rng.random_range(0..4)).min(bytes.len());
    bytes.splice(at..to, piece.bytes());
    bytes
}

/// A key stands twice, in the envelope or in the data.
fn doubled(bytes: Vec<u8>, rng: &mut ChaCha8Rng) -> Vec<u8> {
    let Ok(Value::Object(document)) = serde_json::from_slice(&bytes) else { return bytes };
    let keys: Vec<&String> = document.keys().collect();
    if keys.is_empty() {
        return bytes;
    }
    let key = keys[rng.random_range(0..keys.len())];
    let again = format!("{{{}:{},", json!(key), document[key]);
    [again.as_bytes(), bytes.get(1..).unwrap_or_default()].concat()
}

fn nested(bytes: Vec<u8>, rng: &mut ChaCha8Rng) -> Vec<u8> {
    let depth = [10, 60, 200, 5_000][rng.random_range(0..4)];
    let deep = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    set(bytes, rng, || serde_json::from_str(&deep).unwrap_or_else(|_| json!(deep)))
}

fn fattened(bytes: Vec<u8>, rng: &mut ChaCha8Rng) -> Vec<u8> {
    let length = [300, 5_000, 40_000][rng.random_range(0..3)];
    set(bytes, rng, || json!("x".repeat(length)))
}

fn retyped(bytes: Vec<u8>, rng: &mut ChaCha8Rng) -> Vec<u8> {
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!(""),
        json!("x"),
        json!([]),
        json!({}),
        json!("2026-02-30"),
        json!("9999999999999999999.99"),
        json!({"amount": 12, "currency": "USD"}),
        json!({"amount": "1.005", "currency": "USD"}),
        json!({"amount": "-5.00", "currency": "USD"}),
        json!({"amount": "5", "currency": "XXX"}),
    ];
    let value = values[rng.random_range(0..values.len())].clone();
    set(bytes, rng, || value)
}

/// Puts a value in the place of another, or under a name that nobody knows.
fn set(bytes: Vec<u8>, rng: &mut ChaCha8Rng, value: impl FnOnce() -> Value) -> Vec<u8> {
    let Ok(mut document) = serde_json::from_slice::<Value>(&bytes) else { return bytes };
    let inside = rng.random_range(0..3) > 0 && document["data"].is_object();
    let object = if inside { &mut document["data"] } else { &mut document };
    let Some(object) = object.as_object_mut() else { return bytes };
    let keys: Vec<String> = object.keys().cloned().collect();
    let chosen = rng.random_range(0..=keys.len());
    let key = keys.get(chosen).cloned().unwrap_or_else(|| "unheardof".into());
    object.insert(key, value());
    document.to_string().into_bytes()
}

/// An answer to something malformed names the field, or the line and column.
fn names_the_place(answer: &Answer, line: &[u8]) {
    let shown = serde_json::to_value(answer).unwrap();
    let said = || format!("{shown} to {}", String::from_utf8_lossy(line));
    match answer {
        Answer::Accepted(_) => {}
        Answer::Failed { .. } => panic!("failed: {}", said()),
        Answer::Rejected { refused, .. } => {
            let class = refused.class();
            let code = refused.code();
            assert_eq!(shown["code"], code);
            assert!(!shown["message"].as_str().unwrap().is_empty(), "{}", said());
            if class == Class::Malformed {
                let details = &shown["details"];
                let field = details["field"].as_str().is_some_and(|field| !field.is_empty());
                let place = details["line"].is_u64() && details["column"].is_u64();
                let whole = matches!(code, "command.too_large" | "command.unknown_type");
                assert!(field || place || whole, "no place is named: {}", said());
            }
        }
    }
}

#[test]
fn mutated_lines_are_answered_and_stop_nothing() {
    let asked = std::env::var("CHL_MUTATIONS").ok();
    let count = asked.map_or(MUTATIONS, |text| text.parse().expect("a number of lines"));
    let seeds = seeds();
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let ledger = Ledger::trusting();
    let mut seen = std::collections::BTreeMap::<String, usize>::new();
    let mut sent = 0;
    while sent < count {
        let mut lines: Vec<Vec<u8>> = Vec::new();
        for _ in 0..200 {
            let line = &seeds[rng.random_range(0..seeds.len())];
            lines.push(mutated(line, &mut rng));
        }
        // A good line behind bad ones is taken.
        let good = json!({
            "id": format!("good-{sent}"), "source": "/good", "type": "RegisterCustomer",
            "recordedtime": "2026-01-05T09:00:00Z",
            "data": {"customer": format!("good-{sent}"), "name": "Good"},
        });
        lines.push(good.to_string().into_bytes());
        let answers = ledger.answers(&lines);
        assert_eq!(answers.len(), lines.len());
        for (line, answer) in lines.iter().zip(&answers) {
            names_the_place(answer, line);
            let code = answer.code().unwrap_or("accepted");
            *seen.entry(code.to_owned()).or_default() += 1;
        }
        assert!(answers.last().unwrap().is_accepted(), "{:?}", answers.last());
        sent += lines.len();
    }
    for (code, count) in &seen {
        println!("{count:>8} {code}");
    }
    // Class 1 occurs here, all of it.
    let malformed = BusRejection::all_codes().into_iter();
    for doc in malformed.filter(|doc| doc.class == Class::Malformed) {
        assert!(seen.contains_key(doc.code), "{} did not occur", doc.code);
    }
}
