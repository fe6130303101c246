//! The verifier in another language, which knows the specifications and docs/WIRE.md alone.

use crate::stand::{Stand, random, rounds};
use data_encoding::BASE64;
use rand::RngExt;
use serde_json::Value;
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

/// What the verifier says when its one package is not installed.
const NOT_INSTALLED: i32 = 77;

/// What the verifier says of files, with its exit code; none where it cannot run, which is a visible
/// skip on a desk and a failure in CI.
fn judged(stand: &Stand, options: &[&str], files: &[String]) -> Option<(i32, Vec<Value>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let installed = root.join("target/nats/bin/python");
    let python = std::env::var_os("CHL_PYTHON").map_or(installed, PathBuf::from);
    let run = Command::new(python)
        .arg(root.join("tests/verifier/verify_receipt.py"))
        .arg(root.join("docs/WIRE.md"))
        .arg(&stand.key)
        .args(options)
        .args(files)
        .current_dir(stand.desk.data())
        .output();
    match run {
        Ok(run) if run.status.code() != Some(NOT_INSTALLED) => {
            let text = String::from_utf8(run.stdout).unwrap();
            let rows: Vec<Value> =
                text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            let err = String::from_utf8_lossy(&run.stderr);
            assert_eq!(rows.len(), files.len(), "it judges every file: {err}");
            Some((run.status.code().unwrap(), rows))
        }
        Ok(_) | Err(_) => {
            let what = "Python with cryptography is not installed; .ci/run installs it";
            assert!(std::env::var_os("CI").is_none(), "{what}");
            std::io::stderr().write_all(format!("SKIPPED: {what}\n").as_bytes()).unwrap();
            None
        }
    }
}

/// Receipts of every commit of a ledger from its claims on, as files.
fn receipts(stand: &Stand, count: usize) -> Vec<String> {
    let served = stand.desk.serve();
    let commits = stand.commits();
    let mut files = Vec::new();
    for number in 0..count as u64 {
        let receipt = stand.audited(&["prove", "--position", &(number % commits).to_string()]).out;
        let file = format!("{number}.tlog-proof");
        fs::write(stand.desk.path(&file), receipt).unwrap();
        files.push(file);
    }
    assert_eq!(served.stop(), 0);
    files
}

#[test]
fn it_agrees_on_what_was_proved() {
    let count = rounds("CHL_RECEIPTS", 30);
    let stand = Stand::with_sales(count.min(900));
    assert_eq!(stand.desk.submit(&crate::cli::contest_lines()).code, 0);
    let mut files = receipts(&stand, count);
    let claim = stand.audited(&["prove", "--claim", "c-5-x"]).out;
    fs::write(stand.desk.path("claim"), claim).unwrap();
    files.push("claim".to_owned());
    let named: Vec<&str> = files.iter().map(String::as_str).collect();
    let reading = stand.audit_with_key(&[&["check"], named.as_slice()].concat());
    assert_eq!(reading.code, 0, "{}", reading.err);
    fs::write(stand.desk.path("reading"), &reading.out).unwrap();
    let Some((code, rows)) = judged(&stand, &["--reading", "reading"], &files) else { return };
    let refused: Vec<&Value> = rows.iter().filter(|row| row["holds"] != true).collect();
    assert!(code == 0 && refused.is_empty(), "{refused:#?}");
    let claim = rows.last().unwrap();
    let told = ["claim", "partner", "amount", "currency"].map(|field| &claim[field]);
    assert_eq!(told, ["c-5-x", "p-1", "3.25", "USD"]);
    assert_eq!(claim["outcome"][0], "CoopClaimed");
    // A reading that says anything else than the bytes is refused.
    for (from, to) in [("3.25", "3.26"), ("c-5-x", "c-6-x"), ("\"p-1\"", "\"p-2\""), ("USD", "EUR")]
    {
        let told = reading.out.replace(from, to);
        fs::write(stand.desk.path("reading"), told).unwrap();
        let (code, rows) = judged(&stand, &["--reading", "reading"], &files[count..]).unwrap();
        assert!(code == 1 && rows[0]["holds"] == false, "{from} for {to}: {rows:?}");
    }
}

#[test]
fn it_refuses_whatever_was_tampered_with() {
    let count = rounds("CHL_RECEIPTS", 30);
    let stand = Stand::with_sales(20);
    let mut random = random("tampered receipts");
    let honest: Vec<String> = receipts(&stand, 20)
        .iter()
        .map(|file| fs::read_to_string(stand.desk.path(file)).unwrap())
        .collect();
    let mut files = Vec::new();
    for number in 0..count {
        let text = &honest[random.random_range(0..honest.len())];
        let other = &honest[random.random_range(0..honest.len())];
        let forged = match number % 5 {
            // A bit anywhere.
            0 => {
                let mut bytes = text.clone().into_bytes();
                let at = random.random_range(0..bytes.len());
                bytes[at] ^= 1 << random.random_range(0..8);
                bytes
            }
            // A bit of the entry.
            1 => {
                let line = text.lines().nth(1).unwrap().strip_prefix("extra ").unwrap();
                let mut entry = BASE64.decode(line.as_bytes()).unwrap();
                let at = random.random_range(0..entry.len());
                entry[at] ^= 1 << random.random_range(0..8);
                text.replace(line, &BASE64.encode(&entry)).into_bytes()
            }
            // Another position, another proof, a piece missing.
            2 => {
                let index = text.lines().nth(2).unwrap();
                text.replace(index, &format!("index {}", random.random_range(500..900)))
                    .into_bytes()
            }
            3 if text != other => {
                let (head, _) = text.split_once("\nindex").unwrap();
                let (_, rest) = other.split_once("\nindex").unwrap();
                format!("{head}\nindex{rest}").into_bytes()
            }
            _ => text.as_bytes()[..random.random_range(0..text.len())].to_vec(),
        };
        let file = format!("forged-{number}");
        fs::write(stand.desk.path(&file), forged).unwrap();
        files.push(file);
    }
    let named: Vec<&str> = files.iter().map(String::as_str).collect();
    let checked = stand.audit_with_key(&[&["check"], named.as_slice()].concat());
    assert_eq!(checked.code, 6, "{}", checked.err);
    let believed: Vec<Value> = checked.json_lines();
    let believed: Vec<&Value> = believed.iter().filter(|row| row["holds"] != false).collect();
    assert!(believed.is_empty(), "{believed:#?}");
    let Some((code, rows)) = judged(&stand, &[], &files) else { return };
    let believed: Vec<&Value> = rows.iter().filter(|row| row["holds"] != false).collect();
    assert!(code == 1 && believed.is_empty(), "{believed:#?}");
}
