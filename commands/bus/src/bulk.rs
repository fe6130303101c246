//! Bulk: many lines in, their answers out in the order of the lines, with a bounded window under
//! way. Reading happens on the caller's thread while the ledger decides.

use crate::{
    answer::Answer,
    authorise::Connection,
    client::{Client, Closed},
};
use chl_events::Instant;
use std::{collections::VecDeque, sync::mpsc::Receiver};

/// How much of a file is under way at once.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// The lines that travel together.
    pub batch_lines: usize,
    /// The batches sent and not yet answered.
    pub batches: usize,
}

impl Default for Window {
    fn default() -> Self {
        Self { batch_lines: 256, batches: 16 }
    }
}

/// A batch on its way: what was refused at the door stands where its line stood.
struct Batch {
    slots: Vec<Option<Answer>>,
    decided: Receiver<Vec<Answer>>,
}

/// Sends lines and gives back their answers in order.
pub struct Bulk<'a> {
    client: &'a Client,
    connection: &'a Connection,
    window: Window,
    slots: Vec<Option<Answer>>,
    commands: Vec<crate::Prepared>,
    under_way: VecDeque<Batch>,
}

impl Client {
    /// Begins to send many lines of one connection.
    pub fn bulk<'a>(&'a self, connection: &'a Connection, window: Window) -> Bulk<'a> {
        Bulk {
            client: self,
            connection,
            window,
            slots: Vec::new(),
            commands: Vec::new(),
            under_way: VecDeque::new(),
        }
    }
}

impl Bulk<'_> {
    /// Takes the next line, and gives the answers that are there: usually none, then a batch. A line
    /// that is refused at the door is noted in the journal at `at`.
    ///
    /// Waits while the window is full.
    pub fn line(&mut self, line: &[u8], at: Instant) -> Result<Vec<Answer>, Closed> {
        match self.client.prepare(line, self.connection, at) {
            Ok(command) => {
                self.commands.push(command);
                self.slots.push(None);
            }
            Err(answer) => self.slots.push(Some(*answer)),
        }
        if self.slots.len() < self.window.batch_lines.max(1) {
            return Ok(Vec::new());
        }
        self.send()?;
        if self.under_way.len() < self.window.batches.max(1) {
            return Ok(Vec::new());
        }
        self.oldest()
    }

    /// Sends what is left and waits for every answer that is still to come.
    pub fn finish(mut self) -> Result<Vec<Answer>, Closed> {
        self.send()?;
        let mut answers = Vec::new();
        while !self.under_way.is_empty() {
            answers.append(&mut self.oldest()?);
        }
        Ok(answers)
    }

    fn send(&mut self) -> Result<(), Closed> {
        let decided = self.client.send(std::mem::take(&mut self.commands))?;
        let slots = std::mem::take(&mut self.slots);
        self.under_way.push_back(Batch { slots, decided });
        Ok(())
    }

    fn oldest(&mut self) -> Result<Vec<Answer>, Closed> {
        let Some(Batch { slots, decided }) = self.under_way.pop_front() else {
            return Ok(Vec::new());
        };
        let mut decided = decided.recv().map_err(|_| Closed)?.into_iter();
        slots.into_iter().map(|slot| slot.or_else(|| decided.next()).ok_or(Closed)).collect()
    }
}
