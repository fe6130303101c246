//! The log alone, against other event stores that run in the process: guarded appends of the same
//! bytes, each group durable before the next.

use crate::{
    Setup,
    append::{GROUPS, commits, ours},
    measure::{Warmup, compare, figure, rate, side},
};
use anyhow::{Context, Result};
use std::{path::Path, time::Instant};
use umadb_dcb::{DcbAppendCondition, DcbEvent, DcbEventStoreSync, DcbQuery, DcbQueryItem};

/// Each group is guarded: its first event must be the first of its tag.
fn tephra(dir: &Path, commits: &[Vec<u8>], size: usize) -> Result<Vec<f64>> {
    use tephra::{
        AppendCondition, Event, EventType, Query, QueryItem, SegmentConfig, SegmentSet, Tag, Tags,
        WriteCoordinator, WriterConfig,
    };
    let dir = tempfile::tempdir_in(dir)?;
    let set = SegmentSet::open(dir.path(), SegmentConfig::new(1 << 28))?;
    let (coordinator, handle) = WriteCoordinator::start(set, WriterConfig::default())?;
    let kind = EventType::new("Commit")?;
    let start = Instant::now();
    for (at, group) in commits.chunks(size).enumerate() {
        let tag = |index: usize| {
            Ok::<_, anyhow::Error>(Tags::new([Tag::new(format!("c:{at}-{index}"))?])?)
        };
        let mut events = Vec::with_capacity(size);
        for (index, commit) in group.iter().enumerate() {
            events.push(Event::new(&kind, &tag(index)?, commit)?);
        }
        let guard = QueryItem::with_tags(tag(0)?);
        handle.append(events, Some(AppendCondition::new(Query::item(guard))))?;
    }
    let took = start.elapsed();
    coordinator.shutdown();
    Ok(vec![rate(commits.len() as u64, took)])
}

/// The same guard, through the store's own embedded door.
fn umadb(dir: &Path, commits: &[Vec<u8>], size: usize) -> Result<Vec<f64>> {
    let dir = tempfile::tempdir_in(dir)?;
    let store = umadb_core::db::UmaDb::new(dir.path())?;
    let start = Instant::now();
    for (at, group) in commits.chunks(size).enumerate() {
        let tag = |index: usize| format!("c:{at}-{index}");
        let events = group.iter().enumerate().map(|(index, commit)| DcbEvent {
            event_type: "Commit".into(),
            tags: vec![tag(index)],
            data: commit.clone(),
            uuid: None,
            metadata: Vec::new(),
        });
        let guard = DcbQueryItem { types: Vec::new(), tags: vec![tag(0)] };
        let guard = DcbAppendCondition::new(DcbQuery { items: vec![guard] });
        store.append(events.collect(), Some(guard), None)?;
    }
    let took = start.elapsed();
    store.head()?.context("the store has a head")?;
    Ok(vec![rate(commits.len() as u64, took)])
}

/// The line.
pub fn run(setup: &Setup) -> Result<()> {
    let dir = setup.dir.as_path();
    for (size, count) in GROUPS {
        let commits = commits(count);
        let figures = [figure(format!("peers, groups of {size}"), "commits/s", 0)];
        let mut sides = [
            side("chl log on sled", || ours(dir, &commits, size)),
            side("tephra, guarded", || tephra(dir, &commits, size)),
            side("UmaDB, guarded", || umadb(dir, &commits, size)),
        ];
        compare(&figures, setup.args.rounds, Warmup::Yes, &mut sides)?;
    }
    Ok(())
}
