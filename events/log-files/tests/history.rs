//! A history from files alone: sealed files, and the tail behind them where it fits.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use chl_events::{Block, LedgerId};
use chl_log::{Chain, ReadError, ReadLog};
use chl_log_files::{HistoryError, SealedFolder, SealedHistory, SealedWriter};
use std::{fs, path::Path, time::Duration};

const LEDGER: LedgerId = LedgerId(*b"history of ledge");

/// Writes `count` blocks that continue a chain into a file.
fn write(path: &Path, chain: &mut Chain, count: u8) -> Vec<Block> {
    let mut writer = SealedWriter::create(path, chain.clone()).unwrap();
    let mut written = Vec::new();
    for number in 0..count {
        for block in chain.pack(&[[number; 3], [number; 3]]).unwrap() {
            writer.push(&block).unwrap();
            written.push(block);
        }
    }
    writer.finish(None).unwrap();
    written
}

fn read(history: &SealedHistory, from: u64) -> Vec<Block> {
    history.read(from).unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn the_tail_goes_on_where_the_sealed_files_end() {
    let dir = tempfile::tempdir().unwrap();
    let folder = SealedFolder::new(&dir.path().join("sealed"));
    fs::create_dir(folder.dir()).unwrap();
    assert!(matches!(SealedHistory::open(&folder), Err(HistoryError::Nothing { .. })));
    let mut chain = Chain::new(LEDGER);
    // The tail alone, before anything was sealed.
    let mut all = write(&folder.tail(), &mut chain.clone(), 3);
    assert_eq!(read(&SealedHistory::open(&folder).unwrap(), 0), all);
    // Now it is in a sealed file, and stands for nothing any more.
    all = write(&folder.path(0), &mut chain, 5);
    let history = SealedHistory::open(&folder).unwrap();
    assert_eq!((history.head(), read(&history, 0)), (chain.head(), all.clone()));
    all.extend(write(&folder.path(10), &mut chain, 4));
    all.extend(write(&folder.tail(), &mut chain, 2));
    let history = SealedHistory::open(&folder).unwrap();
    assert_eq!((history.head(), read(&history, 0)), (chain.head(), all.clone()));
    for from in 0..22 {
        let wanted: Vec<_> = all.iter().filter(|block| block.next() > from).cloned().collect();
        assert_eq!(read(&history, from), wanted, "from {from}");
    }
    let mut walked = Chain::new(LEDGER);
    for block in &all {
        assert_eq!(history.chain_at(walked.next()).unwrap(), walked);
        walked.accept(block).unwrap();
    }
    assert_eq!(
        history.chain_before(17).next(),
        10,
        "what the first file holds is not hashed again"
    );
    assert!(matches!(history.read(23).err(), Some(ReadError::Beyond { from: 23, next: 22 })));
    let head = history.wait_beyond(22, Duration::from_millis(1)).unwrap();
    assert_eq!((head, history.sealed_to()), (chain.head(), 22));
}

#[test]
fn a_tail_of_another_history_stands_for_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let folder = SealedFolder::new(&dir.path().join("sealed"));
    fs::create_dir(folder.dir()).unwrap();
    let mut chain = Chain::new(LEDGER);
    write(&folder.path(0), &mut chain, 5);
    let mut other = Chain::new(LEDGER);
    other.pack(&[b"other"; 10]).unwrap();
    write(&folder.tail(), &mut other, 5);
    assert_eq!(SealedHistory::open(&folder).unwrap().head(), chain.head());
    // And a gap between sealed files is no history.
    fs::rename(folder.path(0), folder.path(1)).unwrap();
    fs::copy(folder.path(1), folder.path(7)).unwrap();
    assert!(matches!(SealedHistory::open(&folder), Err(HistoryError::Folder(_))));
    fs::write(folder.path(1), b"damaged").unwrap();
    assert!(matches!(SealedHistory::open(&folder), Err(HistoryError::Sealed(_))));
}
