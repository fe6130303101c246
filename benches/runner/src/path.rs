//! The whole path: JSON in, decided, durable, answered, folds live, so many commands in flight —
//! against cqrs-es on PostgreSQL with its view kept, at the same concurrency.
//!
//! Ours is the program itself, fed and answering through pipes. `CHL` names its binary, `PEER` the
//! peer's, `PEER_URL` the database; without a peer only ours is measured.

use crate::measure::{Work, compare, side};
use anyhow::{Context, Result, bail};
use std::{
    io::{BufRead, BufReader, BufWriter, Write},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const PARTNERS: usize = 200;

fn beginning() -> Vec<String> {
    let line = |id: &str, kind: &str, data: &str| {
        format!(r#"{{"id":"{id}","source":"/bench","type":"{kind}","data":{data}}}"#)
    };
    let terms = r#"{"coop":{"accrual":[{"bands":[{"from":"0","rate":"0.02"}]}]}}"#;
    let mut lines = vec![line(
        "programme",
        "PublishProgramme",
        &format!(
            r#"{{"programme":"gold","version":1,"effective_from":"2026-01-01","currency":"USD","terms":{terms}}}"#
        ),
    )];
    for number in 0..PARTNERS {
        let partner = format!("p-{number:03}");
        for (kind, more) in [
            ("RecruitPartner", r#","name":"A Partner","types":["reseller"]"#),
            ("ApplyForProgramme", ""),
            ("ApprovePartner", ""),
            ("ActivatePartner", ""),
            ("EnrolPartner", r#","programme":"gold""#),
        ] {
            let data = format!(r#"{{"partner":"{partner}"{more}}}"#);
            lines.push(line(&format!("{kind}-{partner}"), kind, &data));
        }
    }
    lines
}

/// The skewed mix of the peer: a few partners get most.
fn sale(index: usize) -> String {
    let mixed = (index as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 11;
    let count = PARTNERS as u64;
    let partner = (mixed % count) * (mixed / count % count) / count;
    let cents = 1_000 + mixed % 1_000_000;
    format!(
        r#"{{"id":"s-{index}","source":"/bench","type":"AccrueCoop","data":{{"partner":"p-{partner:03}","programme":"gold","sale":"s-{index}","net_amount":{{"amount":"{}.{:02}","currency":"USD"}},"sold_on":"2026-03-01"}}}}"#,
        cents / 100,
        cents % 100
    )
}

/// Sends lines with at most `window` unanswered, and counts what was accepted.
fn exchange(
    input: &mut impl Write,
    output: &mut impl BufRead,
    lines: &[String],
    window: usize,
) -> Result<()> {
    let (mut sent, mut answered) = (0, 0);
    let mut answer = String::new();
    while answered < lines.len() {
        while sent < lines.len() && sent - answered < window {
            writeln!(input, "{}", lines[sent])?;
            sent += 1;
        }
        input.flush()?;
        answer.clear();
        output.read_line(&mut answer)?;
        if !answer.contains(r#""outcome":"accepted""#) {
            bail!("not accepted: {answer}");
        }
        answered += 1;
    }
    Ok(())
}

/// One durable command after the other, or many in flight, through a fresh ledger; the time ends
/// when the program has written its read models down and gone.
fn ours(dir: &Path, count: usize, window: usize, drained: bool) -> Result<Work> {
    let dir = tempfile::tempdir_in(dir)?;
    let program = std::env::var("CHL").unwrap_or_else(|_| "../../target/release/chl".into());
    let mut child = Command::new(program)
        .arg("--data")
        .arg(dir.path())
        .args(["submit", "-", "--output", "jsonl"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut input = BufWriter::new(child.stdin.take().context("its input is a pipe")?);
    let mut output = BufReader::new(child.stdout.take().context("its output is a pipe")?);
    exchange(&mut input, &mut output, &beginning(), 256)?;
    let lines: Vec<String> = (0..count).map(sale).collect();
    let start = Instant::now();
    exchange(&mut input, &mut output, &lines, window)?;
    let answered = start.elapsed();
    drop(input);
    child.wait()?;
    let took = if drained { start.elapsed() } else { answered };
    Ok(Work { units: count as u64, took })
}

fn peer(count: usize, concurrency: usize) -> Result<Work> {
    let program = std::env::var("PEER").context("PEER names the peer's binary")?;
    let url = std::env::var("PEER_URL").context("PEER_URL names its database")?;
    let out = Command::new(program)
        .args([url, count.to_string(), concurrency.to_string()])
        .stderr(Stdio::inherit())
        .output()?;
    let text = String::from_utf8(out.stdout)?;
    let (units, nanos) = text.trim().split_once(' ').context("the peer printed no figures")?;
    Ok(Work { units: units.parse()?, took: Duration::from_nanos(nanos.parse()?) })
}

pub fn run(dir: &Path, rounds: usize) -> Result<()> {
    let with_peer = std::env::var_os("PEER").is_some();
    for (window, count, theirs) in [(1, 2_000, 400), (32, 20_000, 1_500), (256, 100_000, 1_500)] {
        let mut sides = vec![side("chl, until its read models are written down", || {
            ours(dir, count, window, true)
        })];
        if with_peer {
            sides.push(side("cqrs-es on PostgreSQL, its view kept", || peer(theirs, window)));
        }
        sides.push(side("chl, until its last answer", || ours(dir, count, window, false)));
        compare(&format!("whole path, {window} in flight"), "commands/s", rounds, &mut sides)?;
    }
    Ok(())
}
