//! The bytes of every event type and version, for ever.
//!
//! A line of `golden/events.txt` is `tag, version, name, bytes in hex, JSON`, parted by tabs. A
//! line is added with a new type or version and never changed: old ledgers hold these bytes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use chl_events::{
    Block, Commit, Event, Hash, Instant, LedgerId, Origin, RecordedCommand, RecordedEvent, Role,
    Stream,
};
use data_encoding::HEXLOWER;
use std::collections::BTreeSet;

struct Line {
    tag: u16,
    version: u16,
    name: String,
    bytes: Vec<u8>,
    json: serde_json::Value,
}

fn lines() -> Vec<Line> {
    include_str!("golden/events.txt")
        .lines()
        .map(|line| {
            let mut fields = line.split('\t');
            let mut next = || fields.next().unwrap();
            Line {
                tag: next().parse().unwrap(),
                version: next().parse().unwrap(),
                name: next().into(),
                bytes: HEXLOWER.decode(next().as_bytes()).unwrap(),
                json: serde_json::from_str(next()).unwrap(),
            }
        })
        .collect()
}

#[test]
fn every_line_ever_written_is_read_as_it_was_meant() {
    for line in lines() {
        let event = Event::decode(line.tag, line.version, &line.bytes).unwrap();
        assert_eq!(event.kind().name, line.name);
        let json = serde_json::to_value(&event).unwrap();
        assert_eq!(json, serde_json::json!({ "type": line.name, "data": line.json }));
    }
}

#[test]
fn the_newest_version_is_written_with_the_same_bytes() {
    for line in lines() {
        let json = serde_json::json!({ "type": line.name, "data": line.json });
        let event: Event = serde_json::from_value(json).unwrap();
        if event.kind().version == line.version {
            let name = line.name;
            assert_eq!(
                HEXLOWER.encode(&event.encode().unwrap()),
                HEXLOWER.encode(&line.bytes),
                "{name}"
            );
        }
    }
}

#[test]
fn every_type_has_a_line() {
    let written: BTreeSet<_> = lines().iter().map(|line| (line.tag, line.version)).collect();
    let known: Vec<_> = Event::kinds().map(|kind| (kind.tag, kind.version)).collect();
    let once: BTreeSet<_> = known.iter().copied().collect();
    assert_eq!(once.len(), known.len(), "a number is used twice");
    assert!(once.is_subset(&written), "without a golden line: {:?}", &once - &written);
}

#[test]
fn an_unknown_type_or_version_is_named() {
    let error = Event::decode(9999, 7, &[]).unwrap_err();
    assert_eq!(error.to_string(), "an unknown event type 9999 version 7");
}

#[test]
fn what_is_left_over_behind_an_event_is_an_error() {
    for mut line in lines() {
        line.bytes.push(0);
        assert!(Event::decode(line.tag, line.version, &line.bytes).is_err(), "{}", line.name);
        line.bytes.truncate(line.bytes.len() - 2);
        assert!(Event::decode(line.tag, line.version, &line.bytes).is_err(), "{}", line.name);
    }
}

fn commit() -> Commit {
    let event = |name: &str| {
        let line = lines().into_iter().find(|line| line.name == name).unwrap();
        Event::decode(line.tag, line.version, &line.bytes).unwrap()
    };
    let line = serde_json::json!({
        "book": "books", "account": "CR", "fund": "coop", "partner": "p-042",
        "lot": "20260101-20260331", "side": "debit",
        "amount": { "amount": "24.69", "currency": "USD" },
    });
    Commit {
        position: 1841,
        stream: Stream::Coop("gold".parse().unwrap(), "p-042".parse().unwrap()),
        version: 7,
        origin: Origin {
            source: "/erp".into(),
            id: "5f0c".into(),
            actor: "svc-erp".parse().unwrap(),
            on_behalf_of: Some("u-17".parse().unwrap()),
            role: Role::Service,
            partner: None,
            level: None,
            backfill: false,
            reason: None,
            correlation: Some("batch-9".into()),
            causation: None,
        },
        command: RecordedCommand { tag: 100, version: 1, data: vec![1, 2, 3] },
        recorded_at: "2026-03-01T09:00:00.000001Z".parse::<Instant>().unwrap(),
        believed_time: None,
        events: vec![RecordedEvent {
            effective_on: "2026-02-28".parse().unwrap(),
            posted_on: "2026-03-01".parse().unwrap(),
            event: event("CoopAccrued"),
            lines: vec![serde_json::from_value(line).unwrap()],
        }],
    }
}

#[test]
fn a_commit_has_its_bytes() {
    let bytes = commit().encode().unwrap();
    assert_eq!(HEXLOWER.encode(&bytes), include_str!("golden/commit.hex").trim());
    assert_eq!(Commit::decode(&bytes).unwrap(), commit());
}

#[test]
fn a_commit_cut_lengthened_or_of_another_format_is_refused() {
    let bytes = commit().encode().unwrap();
    for end in 0..bytes.len() {
        assert!(Commit::decode(bytes.get(..end).unwrap()).is_err(), "cut at {end}");
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert_eq!(
        Commit::decode(&longer).unwrap_err().to_string(),
        "1 bytes are left over behind a commit"
    );
    let mut other = bytes;
    if let Some(first) = other.first_mut() {
        *first = 2;
    }
    let error = Commit::decode(&other).unwrap_err();
    assert_eq!(error.to_string(), "a commit of format 2; this release reads format 1");
}

fn block() -> Block {
    let commits = [commit().encode().unwrap(), vec![7; 3]];
    Block::new(LedgerId([5; 16]), 1841, Hash([9; 32]), &commits).unwrap()
}

#[test]
fn a_block_has_its_bytes() {
    let block = block();
    assert_eq!(HEXLOWER.encode(block.bytes()), include_str!("golden/block.hex").trim());
    assert_eq!(Block::from_bytes(block.bytes()).unwrap(), block);
    assert_eq!((block.first(), block.next(), block.count()), (1841, 1843, 2));
    assert_eq!((block.ledger(), block.root_before()), (LedgerId([5; 16]), Hash([9; 32])));
    assert_eq!(block.commits().last().unwrap(), [7, 7, 7]);
}

#[test]
fn a_block_with_any_one_bit_flipped_is_refused() {
    let block = block();
    for at in 0..block.bytes().len() {
        for bit in 0..8 {
            let mut bytes = block.bytes().to_vec();
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << bit;
            }
            assert!(Block::from_bytes(bytes).is_err(), "bit {bit} of byte {at}");
        }
    }
}

#[test]
fn a_block_cut_anywhere_is_refused() {
    let block = block();
    for end in 0..block.bytes().len() {
        assert!(Block::from_bytes(block.bytes().get(..end).unwrap()).is_err(), "cut at {end}");
    }
}

#[test]
fn limits_of_commits_and_blocks_are_kept() {
    let new = |commits: &[Vec<u8>]| Block::new(LedgerId([0; 16]), 0, Hash([0; 32]), commits);
    assert!(new(&[]).is_err());
    assert!(new(&[vec![0; chl_events::MAX_COMMIT_BYTES]]).is_ok());
    assert!(new(&[vec![0; chl_events::MAX_COMMIT_BYTES + 1]]).is_err());
    assert!(new(&[vec![0; 40_000], vec![0; 40_000]]).is_err());
}
