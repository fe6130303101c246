//! A sender that keeps book of what it was told, and the check of that book against the log.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// Heads this small are sealed every few hundred commands.
pub(crate) const SMALL_HEAD: &str = "196608";

pub(crate) fn chl(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chl"));
    command.arg("--data").arg(data).env("CHL_SEAL_BYTES", SMALL_HEAD);
    command
}

fn line(id: &str, kind: &str, data: Value) -> String {
    json!({ "id": id, "source": "/load", "type": kind, "data": data }).to_string()
}

/// The lines that every ledger here begins with.
pub(crate) fn beginning() -> Vec<String> {
    let mut lines = vec![line(
        "programme",
        "PublishProgramme",
        json!({
            "programme": "gold", "version": 1, "effective_from": "2026-01-01", "currency": "USD",
            "terms": {
                "coop": { "accrual": [{ "bands": [{ "from": "0", "rate": "0.02" }] }] },
                "deal_registration": { "approval": "auto" }
            }
        }),
    )];
    for partner in ["p-1", "p-2", "p-3"] {
        let steps = [
            (
                "RecruitPartner",
                json!({ "partner": partner, "name": partner, "types": ["reseller"] }),
            ),
            ("ApplyForProgramme", json!({ "partner": partner, "note": "sealed words" })),
            ("ApprovePartner", json!({ "partner": partner })),
            ("ActivatePartner", json!({ "partner": partner })),
            ("EnrolPartner", json!({ "partner": partner, "programme": "gold" })),
        ];
        lines.extend(steps.map(|(kind, data)| line(&format!("{kind}-{partner}"), kind, data)));
    }
    lines.push(line("c-1", "RegisterCustomer", json!({ "customer": "acme", "name": "Acme" })));
    lines
}

/// The lines after them: sales, and deals of three partners that meet at few slots, so that
/// policies add commits of their own.
pub(crate) fn load(number: usize) -> String {
    let partner = format!("p-{}", number % 3 + 1);
    if number.is_multiple_of(4) {
        let data = json!({
            "deal": format!("d-{number}"), "customer": "acme", "partner": partner,
            "programme": "gold", "product_line": format!("line-{}", number % 40),
            "value": { "amount": "1000.00", "currency": "USD" }
        });
        return line(&format!("n-{number}"), "RegisterDeal", data);
    }
    let data = json!({
        "partner": partner, "programme": "gold", "sale": format!("s-{number}"),
        "net_amount": { "amount": format!("{}.37", number % 5000 + 1), "currency": "USD" },
        "sold_on": "2026-03-01"
    });
    line(&format!("n-{number}"), "AccrueCoop", data)
}

/// What was sent and what was answered.
#[derive(Default)]
pub(crate) struct Book {
    /// Position by id of every command acknowledged as accepted.
    pub(crate) accepted: BTreeMap<String, u64>,
    /// How many lines were sent so far.
    pub(crate) sent: usize,
}

impl Book {
    /// Takes an answer down. The same id must always be told the same position.
    pub(crate) fn note(&mut self, answer: &str) {
        let Ok(answer) = serde_json::from_str::<Value>(answer) else {
            return; // The last line of a killed process may be cut.
        };
        let id = answer["id"].as_str().unwrap().to_owned();
        match answer["outcome"].as_str().unwrap() {
            "accepted" => {
                let position = answer["position"].as_u64().unwrap();
                let before = self.accepted.insert(id.clone(), position);
                assert!(before.is_none_or(|before| before == position), "{id} moved");
            }
            "failed" => assert!(!self.accepted.contains_key(&id), "{id} was accepted before"),
            other => panic!("{other}: {answer}"),
        }
    }

    /// The lines of a round: some that were sent before, then new ones.
    pub(crate) fn lines(&self, again: usize, new: usize) -> Vec<String> {
        let all = beginning();
        let line = |at: usize| all.get(at).cloned().unwrap_or_else(|| load(at - all.len()));
        (self.sent.saturating_sub(again)..self.sent + new).map(line).collect()
    }
}

/// A running `chl submit` whose answers arrive on a channel.
pub(crate) struct Session {
    pub(crate) child: Child,
    pub(crate) answers: mpsc::Receiver<String>,
}

impl Session {
    pub(crate) fn start(mut command: Command) -> Self {
        command.args(["submit", "-", "--output", "jsonl"]);
        let stdio = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = stdio.spawn().unwrap();
        let (to, answers) = mpsc::channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for answer in stdout.lines().map_while(Result::ok) {
                if to.send(answer).is_err() {
                    break;
                }
            }
        });
        Self { child, answers }
    }

    /// Feeds lines from a thread of its own, so that the process may die at any moment.
    pub(crate) fn feed(&mut self, lines: Vec<String>) {
        let mut stdin = self.child.stdin.take().unwrap();
        std::thread::spawn(move || {
            for line in lines {
                if writeln!(stdin, "{line}").is_err() {
                    break;
                }
            }
        });
    }

    /// Kills the process the hard way and takes down what it still answered.
    pub(crate) fn kill(mut self, book: &mut Book) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.answers.iter().for_each(|answer| book.note(&answer));
    }

    /// Waits until the process ends by itself and takes its answers down.
    pub(crate) fn finish(mut self, book: &mut Book) -> std::process::ExitStatus {
        loop {
            match self.answers.recv_timeout(Duration::from_secs(60)) {
                Ok(answer) => book.note(&answer),
                Err(mpsc::RecvTimeoutError::Disconnected) => break self.child.wait().unwrap(),
                Err(mpsc::RecvTimeoutError::Timeout) => panic!("no answer within a minute"),
            }
        }
    }
}

/// Holds the book against the log: every acknowledged command once, where it was said to be,
/// positions dense, versions of every stream counted up by one.
pub(crate) fn audit(data: &Path, book: &Book) {
    let out = chl(data).args(["log", "view", "--output", "jsonl"]).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let mut found = BTreeMap::new();
    let mut versions = BTreeMap::<String, u64>::new();
    for (at, line) in out.stdout.lines().enumerate() {
        let commit: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let position = commit["position"].as_u64().unwrap();
        assert_eq!(position, at as u64, "positions are dense");
        let stream = commit["stream"].as_str().unwrap().to_owned();
        let version = versions.entry(stream).or_default();
        *version += 1;
        assert_eq!(commit["version"].as_u64().unwrap(), *version, "versions count up");
        if commit["source"] == "/load" {
            let id = commit["id"].as_str().unwrap().to_owned();
            assert!(found.insert(id.clone(), position).is_none(), "{id} is there twice");
        }
    }
    for (id, position) in &book.accepted {
        assert_eq!(found.get(id), Some(position), "{id} was acknowledged at {position}");
    }
    let out = chl(data).arg("check").output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}
