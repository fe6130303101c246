//! The decision journal: who was refused what, when, and the code. No part of the log.
//!
//! JSON lines in files of bounded size, of which the newest few are kept. What a decision refused is
//! kept as it was sent, its texts sealed as in the log, so that it can be tried again under other
//! terms. What was refused before anything was decided is noted without its content; of a malformed
//! document there is only a digest.

use chl_events::{Instant, Origin};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// How large a file grows, and how many are kept.
#[derive(Debug, Clone, Copy)]
pub struct JournalLimits {
    /// The bytes after which a new file begins.
    pub file_bytes: u64,
    /// The files kept, the one being written among them.
    pub files: usize,
    /// The days after which what is noted is removed.
    pub days: u32,
}

impl Default for JournalLimits {
    fn default() -> Self {
        Self { file_bytes: 8 << 20, files: 8, days: 400 }
    }
}

impl JournalLimits {
    /// The days after which a new file begins, in microseconds: what is removed is a whole file.
    fn file_micros(self) -> i64 {
        self.micros() / i64::try_from(self.files.max(1)).unwrap_or(i64::MAX)
    }

    fn micros(self) -> i64 {
        i64::from(self.days) * DAY_MICROS
    }
}

const DAY_MICROS: i64 = 86_400_000_000;

/// A refused command as it was sent, and where in the log it was decided.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Tried {
    /// The position of the next commit.
    pub(crate) before: u64,
    /// Its document.
    pub(crate) document: Box<RawValue>,
}

/// One refused command.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Entry {
    source: String,
    id: String,
    r#type: &'static str,
    actor: String,
    role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    onbehalfof: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partner: Option<String>,
    code: &'static str,
    #[serde(flatten)]
    tried: Option<Tried>,
}

impl Entry {
    /// Notes who was refused what.
    pub(crate) fn new(origin: &Origin, command: &'static str, code: &'static str) -> Self {
        Self {
            source: origin.source.to_string(),
            id: origin.id.to_string(),
            r#type: command,
            actor: origin.actor.to_string(),
            role: origin.role.as_str(),
            onbehalfof: origin.on_behalf_of.as_ref().map(ToString::to_string),
            partner: origin.partner.as_ref().map(ToString::to_string),
            code,
            tried: None,
        }
    }

    /// The same with the command itself, to be tried again.
    pub(crate) fn with(self, tried: Option<Tried>) -> Self {
        Self { tried, ..self }
    }
}

#[derive(Serialize)]
struct Line<'a, T> {
    at: Instant,
    #[serde(flatten)]
    entry: &'a T,
}

#[derive(Serialize)]
struct Malformed {
    sha256: String,
    bytes: usize,
    code: &'static str,
}

/// Writes refusals down.
#[derive(Debug)]
pub struct Journal {
    writing: Mutex<Writing>,
}

#[derive(Debug)]
struct Writing {
    dir: PathBuf,
    limits: JournalLimits,
    number: u64,
    bytes: u64,
    file: BufWriter<File>,
    /// When the first line of the file was noted.
    began: Option<Instant>,
    /// When it was last looked which files are too old.
    looked: Option<Instant>,
}

impl Journal {
    /// Opens the journal in a folder, and makes that where it is missing.
    pub fn open(dir: &Path, limits: JournalLimits) -> io::Result<Self> {
        std::fs::create_dir_all(dir)?;
        let number = numbers(dir)?.last().copied().unwrap_or(0);
        let (file, bytes) = append_to(dir, number)?;
        let began = noted_at(&file_of(dir, number), |lines| lines.next())?;
        let dir = dir.into();
        let writing = Writing { dir, limits, number, bytes, file, began, looked: None };
        Ok(Self { writing: Mutex::new(writing) })
    }

    /// Notes refused commands.
    pub(crate) fn refused(&self, at: Instant, entries: &[Entry]) -> io::Result<()> {
        let mut writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        entries.iter().try_for_each(|entry| writing.line(at, entry))
    }

    /// Notes a malformed document: its digest, its length, the code.
    pub fn malformed(&self, at: Instant, document: &[u8], code: &'static str) -> io::Result<()> {
        let sha256 = HEXLOWER.encode(&Sha256::digest(document));
        let entry = &Malformed { sha256, bytes: document.len(), code };
        let mut writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        writing.line(at, entry)?;
        // Nothing is decided, so that nobody else might hand it on soon.
        writing.file.flush()
    }

    /// Hands what is noted to the operating system.
    pub fn flush(&self) -> io::Result<()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner).file.flush()
    }
}

impl Writing {
    fn line(&mut self, at: Instant, entry: &impl Serialize) -> io::Result<()> {
        let mut text = serde_json::to_vec(&Line { at, entry })?;
        text.push(b'\n');
        let full = self.bytes.saturating_add(text.len() as u64) > self.limits.file_bytes;
        if self.bytes > 0 && (full || since(self.began, at) >= self.limits.file_micros()) {
            self.rotate()?;
        }
        if self.looked.is_none() || since(self.looked, at) >= DAY_MICROS {
            self.looked = Some(at);
            self.remove_old(at)?;
        }
        self.file.write_all(&text)?;
        self.bytes = self.bytes.saturating_add(text.len() as u64);
        self.began.get_or_insert(at);
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        self.file.flush()?;
        self.number = self.number.saturating_add(1);
        (self.file, self.bytes) = append_to(&self.dir, self.number)?;
        (self.began, self.looked) = (None, None);
        Ok(())
    }

    /// Removes the files that are too many, and those that hold nothing young enough.
    fn remove_old(&self, now: Instant) -> io::Result<()> {
        let numbers = numbers(&self.dir)?;
        let too_many = numbers.len().saturating_sub(self.limits.files.max(1));
        for (place, number) in numbers.into_iter().enumerate() {
            let path = file_of(&self.dir, number);
            let last = || noted_at(&path, |lines| lines.next_back());
            let is_old = |last| since(last, now) >= self.limits.micros();
            if place < too_many || (number != self.number && is_old(last()?)) {
                std::fs::remove_file(&path)?;
            }
        }
        Ok(())
    }
}

/// The microseconds from one moment to another; none passed since what never was.
fn since(then: Option<Instant>, now: Instant) -> i64 {
    then.map_or(0, |then| now.micros().saturating_sub(then.micros()))
}

/// When a line of a file was noted, the first or the last of those that can be read.
fn noted_at(
    path: &Path,
    choose: impl FnOnce(&mut dyn DoubleEndedIterator<Item = Instant>) -> Option<Instant>,
) -> io::Result<Option<Instant>> {
    #[derive(Deserialize)]
    struct At {
        at: Instant,
    }
    let bytes = std::fs::read(path)?;
    let lines = bytes.split(|byte| *byte == b'\n');
    let read = |line: &[u8]| serde_json::from_slice::<At>(line).ok().map(|line| line.at);
    Ok(choose(&mut lines.filter_map(read)))
}

/// The files of a journal, oldest first.
pub(crate) fn files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    Ok(numbers(dir)?.into_iter().map(|number| file_of(dir, number)).collect())
}

fn file_of(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("decisions-{number:08}.jsonl"))
}

fn append_to(dir: &Path, number: u64) -> io::Result<(BufWriter<File>, u64)> {
    let file = OpenOptions::new().create(true).append(true).open(file_of(dir, number))?;
    let bytes = file.metadata()?.len();
    Ok((BufWriter::new(file), bytes))
}

/// The numbers of the files there are, in order.
fn numbers(dir: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for file in std::fs::read_dir(dir)? {
        let name = file?.file_name();
        let number: Option<u64> = name
            .to_str()
            .and_then(|name| name.strip_prefix("decisions-")?.strip_suffix(".jsonl")?.parse().ok());
        numbers.extend(number);
    }
    numbers.sort_unstable();
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn files_stay_bounded_and_the_newest_lines_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let limits = JournalLimits { file_bytes: 1000, files: 3, days: 1 };
        let at = Instant::from_micros(0);
        for round in 0..2 {
            let journal = Journal::open(dir.path(), limits).unwrap();
            for number in 0..50 {
                let document = format!("secret {round} {number}");
                journal.malformed(at, document.as_bytes(), "command.malformed").unwrap();
            }
            journal.flush().unwrap();
        }
        let numbers = numbers(dir.path()).unwrap();
        assert_eq!(numbers.len(), 3);
        let last = std::fs::read_to_string(file_of(dir.path(), *numbers.last().unwrap())).unwrap();
        let line = last.lines().last().unwrap();
        let digest = HEXLOWER.encode(&Sha256::digest(b"secret 1 49"));
        assert!(line.contains(&digest) && !line.contains("secret"), "{line}");
    }
    #[test]
    fn what_is_too_old_is_removed_whoever_opens_it() {
        let dir = tempfile::tempdir().unwrap();
        let limits = JournalLimits { file_bytes: 1 << 20, files: 3, days: 15 };
        let on_day = |day: i64| Instant::from_micros(day * DAY_MICROS);
        let noted = |days: &[i64]| {
            let journal = Journal::open(dir.path(), limits).unwrap();
            for day in days {
                journal.malformed(on_day(*day), b"{", "command.malformed").unwrap();
            }
            let files = files(dir.path()).unwrap();
            let text = files.iter().map(|file| std::fs::read_to_string(file).unwrap());
            text.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).count()
        };
        assert_eq!(noted(&[0, 1, 4]), 3);
        assert_eq!(noted(&[6, 7]), 5);
        assert_eq!(noted(&[20]), 3, "the first file went whole, the second is young enough");
        assert_eq!(noted(&[100]), 1);
    }
}
