//! The whole path: a ledger in memory that takes lines of JSON and keeps its views in a folder.

use super::{naive, sent::Sent};
use chl_bus::{
    Answer, Bus, Connection, ManualClock, MemoryKeys, Opening, Options, Parts, Vault, prepare,
};
use chl_commands::{Command, conflict::Conflict};
use chl_events::{
    Commit, ConflictId, Event, Hash, LedgerId, conflict::ConflictEvent, customer::CustomerEvent,
    deal::DealEvent,
};
use chl_log::{EventLog, MemoryLog};
use chl_runtime::{Query, Reader, View, Views};
use serde_json::Value;
use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};
use tempfile::TempDir;

/// An open ledger.
pub(crate) struct Ledger {
    bus: Bus,
    log: MemoryLog,
    connection: Connection,
    folder: TempDir,
    /// The ledger's names of conflicts by the model's.
    names: BTreeMap<ConflictId, ConflictId>,
}

impl Ledger {
    /// Opens an empty ledger that makes so many commands durable together.
    pub(crate) fn open(group_commands: usize) -> Self {
        Self::with(group_commands, Arc::new(Vault::in_memory().unwrap()))
    }

    /// Opens an empty ledger on somebody's keys, so that sealed texts are the same bytes.
    pub(crate) fn with(group_commands: usize, vault: Arc<Vault>) -> Self {
        let begins = super::world::BEGINS.parse().unwrap();
        let log = MemoryLog::new(LedgerId([7; 16]));
        let opened = log.clone();
        let parts = Parts {
            log: Box::new(move || Ok(Box::new(opened.clone()) as Box<dyn EventLog>)),
            keys: Arc::new(MemoryKeys::default()),
            states: None,
            vault,
            clock: Box::new(ManualClock::new(begins)),
            journal: None,
        };
        let opening = Opening {
            name: "main".into(),
            origin: "test".into(),
            actor: "op-1".parse().unwrap(),
            recorded_at: Some(begins),
        };
        // Recorded times come with the lines; a line without one stands beside any other.
        let clock_tolerance = Duration::from_secs(100 * 365 * 86_400);
        let options = Options { group_commands, clock_tolerance, ..Options::new(opening) };
        let bus = Bus::open(parts, &options).unwrap();
        let connection = chl_bus::replaying("op-1".parse().unwrap());
        let folder = tempfile::tempdir().unwrap();
        Self { bus, log, connection, folder, names: BTreeMap::new() }
    }

    /// Opens an empty ledger as a command line does that believes what lines claim.
    pub(crate) fn trusting() -> Self {
        let mut ledger = Self::open(1024);
        let operator = Connection::operator("op-1".parse().unwrap());
        ledger.connection = Connection { trust_claims: true, ..operator };
        ledger
    }

    /// Sends lines that are decided one after the other, as one group where it fits.
    pub(crate) fn answers<L: AsRef<[u8]>>(&self, lines: &[L]) -> Vec<Answer> {
        let client = self.bus.client();
        let mut answers: Vec<Option<Answer>> = Vec::new();
        let mut commands = Vec::new();
        for line in lines {
            match prepare(line.as_ref(), &self.connection) {
                Ok(prepared) => {
                    commands.push(prepared);
                    answers.push(None);
                }
                Err(answer) => answers.push(Some(*answer)),
            }
        }
        let mut decided = client.submit_all(commands).unwrap().into_iter();
        answers.into_iter().map(|one| one.or_else(|| decided.next()).unwrap()).collect()
    }

    /// Sends a line.
    pub(crate) fn answer(&self, line: &str) -> Answer {
        self.answers(&[line]).pop().unwrap()
    }

    /// The line of a command of the model, with the ledger's own names of conflicts.
    pub(crate) fn line(&self, sent: &Sent) -> String {
        let mut sent = sent.clone();
        if let Command::Conflict(command) = &mut sent.command {
            let conflict = match command {
                Conflict::OpenConflict(c) => &mut c.conflict,
                Conflict::EscalateConflict(c) => &mut c.conflict,
                Conflict::ResolveConflict(c) => &mut c.conflict,
            };
            if let Some(name) = self.names.get(conflict) {
                *conflict = name.clone();
            }
        }
        sent.line()
    }

    /// Learns from an answer what the ledger calls a conflict.
    pub(crate) fn learn(&mut self, answer: &Answer) {
        let Answer::Accepted(accepted) = answer else { return };
        let mut absorbed = None;
        for recorded in &accepted.commit.events {
            let named = if let Event::Deal(DealEvent::DealRegistered(e)) = &recorded.event {
                e.contested.as_ref().map(|one| (naive::conflict_name(&e.deal), one))
            } else if let Event::Conflict(ConflictEvent::ConflictOpened(e)) = &recorded.event {
                let name = |customer| naive::merge_conflict_name(&e.challenger, customer);
                absorbed.map(|customer| (name(customer), &e.conflict))
            } else {
                None
            };
            if let Some((name, conflict)) = named {
                self.names.insert(name, conflict.clone());
            }
            if let Event::Customer(CustomerEvent::CustomersMerged(e)) = &recorded.event {
                absorbed = Some(&e.absorbed);
            }
        }
    }

    /// The ledger's name of a conflict of the model.
    pub(crate) fn name(&self, conflict: &ConflictId) -> Option<&ConflictId> {
        self.names.get(conflict)
    }

    /// The root of the tree over everything.
    pub(crate) fn root(&self) -> Hash {
        self.log.head().root
    }

    /// Every commit, in order.
    pub(crate) fn commits(&self) -> Vec<Commit> {
        let blocks = self.log.read(0).unwrap();
        let mut commits = Vec::new();
        for block in blocks {
            let block = block.unwrap();
            commits.extend(block.commits().map(|bytes| Commit::decode(bytes).unwrap()));
        }
        commits
    }

    /// The commands from outside, as an export has them.
    pub(crate) fn exported(&self) -> Vec<String> {
        let commits = self.commits();
        let commands = commits.iter().skip(1).filter_map(|commit| chl_bus::export(commit).unwrap());
        commands.collect()
    }

    fn link(&self) -> PathBuf {
        self.folder.path().join("views.sqlite")
    }

    /// The views, brought up to the log's end.
    pub(crate) fn views(&self) -> Views {
        let mut views = Views::open(&self.link(), self.log.reader()).unwrap();
        views.catch_up(&mut |_, _| ()).unwrap();
        views
    }

    /// A view's rows as objects, where a column has a value.
    pub(crate) fn rows(&self, view: View, filters: &[(&str, &str)]) -> Vec<Value> {
        drop(self.views());
        let mut query = Query::all(view, super::world::BEGINS.parse().unwrap());
        for (column, value) in filters {
            query = query.with(column, value);
        }
        let answer = Reader::open(&self.link()).unwrap().query(&query).unwrap();
        let row = |row: Vec<Value>| answer.columns.iter().cloned().zip(row).collect();
        answer.rows.into_iter().map(row).map(Value::Object).collect()
    }
}
