//! The first reading: which rows count, and the order in which things happened.

use super::map::{self, Clock, CommandMap, Condition, Feed};
use super::table::Table;
use super::template::Row;
use chl_events::Instant;
use std::collections::{BTreeMap, BTreeSet};

/// A command's place in the sequence; the order of its fields is the order of the sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slot {
    /// Whether it has an instant of its own.
    timed: bool,
    /// When.
    at: Instant,
    /// At one instant: closings, then registrations, then the rest.
    rank: u8,
    /// Without an instant the place in the map, else that of the export.
    group: u16,
    row: u32,
    feed: u16,
    command: u16,
}

impl Slot {
    /// When it happens.
    pub(super) fn at(&self) -> Instant {
        self.at
    }

    /// What it is made of.
    pub(super) fn origin(&self) -> Origin {
        Origin { feed: self.feed, command: self.command, row: self.row }
    }
}

/// The row and command of the map that a line was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(super) feed: u16,
    pub(super) command: u16,
    pub(super) row: u32,
}

/// What the first reading finds.
pub(super) struct Sequence {
    /// The commands, in the order of the ledger.
    pub(super) slots: Vec<Slot>,
    /// Rows that no feed takes: the export's place, the row, and why.
    pub(super) outside: Vec<(usize, u32, String)>,
    /// Commands that a row fails to make, and why.
    pub(super) without: Vec<(Origin, String)>,
    /// How many rows repeat the key of a command that is sent once.
    pub(super) repeated: usize,
}

/// Reads the exports once; the first table is the map itself, with no rows to be outside.
pub(super) fn read(clock: &Clock, tables: &[Table], feeds: &[Feed]) -> Sequence {
    let mut reading = Reading::new(clock, tables);
    for (number, feed) in (0_u16..).zip(feeds) {
        reading.read(feed, number);
    }
    let Reading { mut slots, fates, reasons, without, repeated, .. } = reading;
    slots.sort_unstable();
    let reasons: BTreeMap<usize, String> =
        reasons.into_iter().map(|(text, number)| (number, text)).collect();
    let rows = fates.iter().enumerate().skip(1);
    let outside = rows.flat_map(|(table, fates)| {
        let reasons = &reasons;
        (0_u32..).zip(fates).filter_map(move |(row, fate)| match fate {
            Fate::Taken => None,
            Fate::Outside(reason) => {
                Some((table, row, reasons.get(reason).cloned().unwrap_or_default()))
            }
        })
    });
    Sequence { slots, outside: outside.collect(), without, repeated }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Taken,
    /// Outside, for a reason by its number.
    Outside(usize),
}

/// The first reading as it goes.
struct Reading<'a> {
    clock: &'a Clock,
    tables: &'a [Table],
    slots: Vec<Slot>,
    /// Per export and row.
    fates: Vec<Vec<Fate>>,
    reasons: BTreeMap<String, usize>,
    without: Vec<(Origin, String)>,
    seen: BTreeSet<(u16, u16, String)>,
    repeated: usize,
}

impl<'a> Reading<'a> {
    fn new(clock: &'a Clock, tables: &'a [Table]) -> Self {
        let fates = tables.iter().map(|table| vec![Fate::Outside(0); table.rows() as usize]);
        Self {
            clock,
            tables,
            slots: Vec::new(),
            fates: fates.collect(),
            reasons: BTreeMap::from([("no feed of the map reads it".into(), 0)]),
            without: Vec::new(),
            seen: BTreeSet::new(),
            repeated: 0,
        }
    }

    fn read(&mut self, feed: &Feed, number: u16) {
        let Some(table) = self.tables.get(feed.table) else { return };
        for row in 0..table.rows() {
            let fate = match unmet(&feed.conditions, table.row(row)) {
                Some(reason) => self.outside(reason),
                None => self.read_row(feed, number, row),
            };
            let known =
                self.fates.get_mut(feed.table).and_then(|fates| fates.get_mut(row as usize));
            if let Some(known) = known.filter(|known| **known != Fate::Taken) {
                *known = fate;
            }
        }
    }

    fn outside(&mut self, reason: String) -> Fate {
        let next = self.reasons.len();
        Fate::Outside(*self.reasons.entry(reason).or_insert(next))
    }

    fn read_row(&mut self, feed: &Feed, number: u16, row: u32) -> Fate {
        let Some(fields) = self.tables.get(feed.table).map(|table| table.row(row)) else {
            return Fate::Taken;
        };
        let mut taken = false;
        for (place, command) in (0_u16..).zip(&feed.commands) {
            if unmet(&command.conditions, fields).is_some() {
                continue;
            }
            taken = true;
            let origin = Origin { feed: number, command: place, row };
            match self.slot(command, origin, feed.table, fields) {
                Ok(Some(slot)) => self.slots.push(slot),
                Ok(None) => self.repeated += 1,
                Err(reason) => self.without.push((origin, reason)),
            }
        }
        if taken { Fate::Taken } else { self.outside("no command of the map is for it".into()) }
    }

    /// Where the command goes; none when it is sent once and has been.
    fn slot(
        &mut self,
        command: &CommandMap,
        origin: Origin,
        table: usize,
        row: Row<'_>,
    ) -> Result<Option<Slot>, String> {
        let Origin { feed, command: place, row: number } = origin;
        if command.once {
            let key = command.key.render(row).map_err(|error| format!("key: {error}"))?;
            if !self.seen.insert((feed, place, key)) {
                return Ok(None);
            }
        }
        let timed = command.at.is_some();
        let at = match &command.at {
            None => self.clock.start,
            Some(at) => self.instant(&at.render(row).map_err(|error| format!("at: {error}"))?)?,
        };
        // There are fewer than 65,536 exports, which was checked before.
        let group = if timed { u16::try_from(table).unwrap_or(u16::MAX) } else { feed };
        let rank = if timed { rank(command.kind.name) } else { 0 };
        Ok(Some(Slot { timed, at, rank, group, row: number, feed, command: place }))
    }

    fn instant(&self, text: &str) -> Result<Instant, String> {
        let zone = &self.clock.zone;
        match map::instant(text, zone) {
            None if text.is_empty() => Err("at: it has no date".into()),
            None => Err(format!("at: {text:?} is no date or instant")),
            Some(at) if at < self.clock.start => Err(format!("at: {text} lies before the start")),
            Some(at) => Ok(at),
        }
    }
}

/// The first condition that does not hold, as a reason.
fn unmet(conditions: &[Condition], row: Row<'_>) -> Option<String> {
    conditions.iter().find_map(|condition| match condition.against(row) {
        Ok(unmet) => unmet,
        Err(error) => Some(error.to_string()),
    })
}

/// At one instant a slot is freed before it is asked for.
fn rank(kind: &str) -> u8 {
    match kind {
        "MarkDealWon" | "MarkDealLost" | "WithdrawDeal" | "RejectDeal" | "ExpireDeal" => 0,
        "RegisterDeal" => 1,
        _ => 2,
    }
}
