//! A ledger with a key, and what its auditor keeps elsewhere.

use crate::cli::{Desk, Run};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// How many rounds to run: the gate's number, or what the variable asks for.
pub(crate) fn rounds(variable: &str, gate: usize) -> usize {
    std::env::var(variable).map_or(gate, |text| text.parse().unwrap())
}

/// Random numbers, whose seed is printed so that a failing run can be repeated.
pub(crate) fn random(test: &str) -> ChaCha8Rng {
    let seed = std::env::var("CHL_SEED").map_or(20_260_301, |text| text.parse().unwrap());
    println!("{test}: CHL_SEED={seed}");
    ChaCha8Rng::seed_from_u64(seed)
}

/// A folder and all below it, copied.
pub(crate) fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_dir(&path, &target);
        } else if path.is_file() {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// When they are sent: within the days a claim may take.
const TIME: &str = "2026-03-21T09:00:00Z";

/// Accruals of one partner's sales, and a claim on every fifth.
pub(crate) fn sales(from: usize, to: usize) -> String {
    let mut lines = String::new();
    for number in from..to {
        let net = format!("{}.{:02}", 1_000 + number, number % 100);
        let accrual = json!({
            "partner": "p-1", "programme": "gold", "sale": format!("s-{number}-x"),
            "net_amount": {"amount": net, "currency": "USD"}, "sold_on": "2026-03-05",
        });
        let line = json!({"id": format!("a-{number}"), "type": "AccrueCoop", "time": TIME, "data": accrual});
        lines.push_str(&format!("{line}\n"));
        if number.is_multiple_of(5) {
            let claim = json!({
                "claim": format!("c-{number}-x"), "partner": "p-1", "programme": "gold",
                "activity": "ad", "cost": {"amount": format!("{}.50", 1 + number % 7), "currency": "USD"},
                "activity_date": "2026-03-10", "proof": [],
            });
            let line = json!({"id": format!("k-{number}"), "type": "ClaimCoop", "time": TIME, "data": claim});
            lines.push_str(&format!("{line}\n"));
        }
    }
    lines
}

/// A desk whose ledger has a key.
pub(crate) struct Stand {
    pub(crate) desk: Desk,
    /// The public key.
    pub(crate) key: String,
}

impl Stand {
    /// A small ledger with a key.
    pub(crate) fn new() -> Self {
        let desk = Desk::with_history();
        let made = desk.run(&["audit", "keygen"]);
        assert_eq!(made.code, 0, "{}", made.err);
        let key = made.json_lines()[0]["key"].as_str().unwrap().to_owned();
        Self { desk, key }
    }

    /// One with so many sales, too.
    pub(crate) fn with_sales(count: usize) -> Self {
        let stand = Self::new();
        stand.sell(0, count);
        stand
    }

    /// Adds sales.
    pub(crate) fn sell(&self, from: usize, to: usize) {
        let run = self.desk.submit(&sales(from, to));
        assert_eq!(run.code, 0, "{}", run.err);
    }

    /// Calls `chl audit`.
    pub(crate) fn audit(&self, args: &[&str]) -> Run {
        self.desk.run(&[&["audit"], args].concat())
    }

    /// Calls it with the public key.
    pub(crate) fn audit_with_key(&self, args: &[&str]) -> Run {
        self.audit(&[args, &["--key", &self.key]].concat())
    }

    /// Calls it, which works, and gives what it wrote.
    pub(crate) fn audited(&self, args: &[&str]) -> Run {
        let run = self.audit(args);
        assert_eq!(run.code, 0, "{args:?}: {}", run.err);
        run
    }

    /// Keeps a signed checkpoint in a file.
    pub(crate) fn checkpoint(&self, file: &str) -> PathBuf {
        let path = self.desk.path(file);
        fs::write(&path, self.audited(&["checkpoint"]).out).unwrap();
        path
    }

    /// The only row that a call wrote.
    pub(crate) fn row(run: &Run) -> Value {
        let mut rows = run.json_lines();
        assert_eq!(rows.len(), 1, "{}", run.out);
        rows.remove(0)
    }

    /// How many commits the ledger has.
    pub(crate) fn commits(&self) -> u64 {
        Self::row(&self.desk.run(&["log", "tail", "-n", "1"]))["position"].as_u64().unwrap() + 1
    }
}
