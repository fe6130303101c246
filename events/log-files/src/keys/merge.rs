//! Merges key files, so that there are never many.

use super::{
    KeyError, Record,
    run::{Records, Run, Stretch},
    write::RunWriter,
};
use std::{path::Path, sync::Arc};

/// So many files of one size become one of the next, so that there is one of each size at most: a
/// key that is new is asked for in all of them, and costs more than the merging does.
const FAN: usize = 2;
/// Files of fewer entries are of one size.
const SMALLEST: u64 = 4096;

/// How large a file is, in powers of [`FAN`].
fn size_class(entries: u64) -> u32 {
    (entries / SMALLEST).max(1).ilog(FAN as u64)
}

/// How many of the newest files are to become one; none when there are few enough.
///
/// They are the newest ones that are no larger than the last.
pub(super) fn due(entries: &[u64]) -> Option<usize> {
    let newest = size_class(*entries.last()?);
    let suffix = entries.iter().rev().take_while(|entries| size_class(**entries) <= newest);
    let count = suffix.count();
    (count >= FAN).then_some(count)
}

/// Writes the entries of neighbouring files, oldest first, as one file; the newest of a key stays.
pub(super) fn merge(dir: &Path, runs: &[Arc<Run>], stretch: Stretch) -> Result<Run, KeyError> {
    let path = stretch.path(dir);
    let mut writer = RunWriter::create(path.clone(), stretch)?;
    let mut sources = runs.iter().map(Source::begin).collect::<Result<Vec<_>, _>>()?;
    loop {
        let lowest = sources.iter().filter_map(|source| source.next.as_ref());
        let Some(hash) = lowest.map(|record| record.hash).min() else {
            break;
        };
        let mut newest = None;
        for source in &mut sources {
            if source.next.as_ref().is_some_and(|record| record.hash == hash) {
                newest = source.advance()?;
            }
        }
        // With nothing older below it, a release says no more than no entry.
        let record = newest.filter(|record: &Record| record.value.is_some() || stretch.from > 0);
        if let Some(record) = record {
            writer.push(&record)?;
        }
    }
    writer.finish()?;
    Run::open(&path, stretch)
}

struct Source {
    records: Records,
    next: Option<Record>,
}

impl Source {
    fn begin(run: &Arc<Run>) -> Result<Self, KeyError> {
        let mut records = run.records();
        let next = records.next()?;
        Ok(Self { records, next })
    }

    fn advance(&mut self) -> Result<Option<Record>, KeyError> {
        let next = self.records.next()?;
        Ok(std::mem::replace(&mut self.next, next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_never_many_files() {
        let mut runs: Vec<u64> = Vec::new();
        let mut moved = 0;
        for _ in 0..5_000 {
            runs.push(20_000);
            while let Some(count) = due(&runs) {
                let merged: u64 = runs.drain(runs.len() - count..).sum();
                moved += merged;
                runs.push(merged);
            }
            assert!(runs.len() <= 15, "{runs:?}");
        }
        // 100 million entries, each moved once for each size it went through.
        assert!(moved / 100_000_000 <= 13, "{moved}");
    }
}
