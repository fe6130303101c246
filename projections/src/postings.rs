//! Postings: every posting line with the commit it stands in, copied as the decision made it.

use crate::{Cell, Column, Field, FoldError, Kind, StoreError, Table, fact::Fact};
use chl_events::{
    Account, ActorId, Book, Commit, Date, Fund, Instant, PostingLine, ProgrammeId, Side,
};
use std::borrow::Cow;

/// A posting line, borrowed from its commit: kept, never read back by a fold.
#[derive(Debug, Clone, Copy)]
pub struct Posting<'a> {
    /// The commit.
    pub position: u64,
    /// Which event of the commit.
    pub event_no: u32,
    /// Which line of the event.
    pub line_no: u32,
    /// When the ledger took it.
    pub recorded_at: Instant,
    /// The event's business date.
    pub effective_on: Date,
    /// The date the books count it under.
    pub posted_on: Date,
    /// The programme whose money it is.
    pub programme: Option<&'a ProgrammeId>,
    /// The line.
    pub line: &'a PostingLine,
    /// The event's name.
    pub event: &'static str,
    /// The source of the command.
    pub source: &'a str,
    /// The command's id.
    pub command: &'a str,
    /// Who acted.
    pub actor: &'a ActorId,
}

impl Posting<'_> {
    /// The shape of the read model.
    pub const TABLE: &'static Table = &Table {
        name: "postings",
        columns: &[
            Column { name: "position", kind: Kind::Int },
            Column { name: "event_no", kind: Kind::Int },
            Column { name: "line_no", kind: Kind::Int },
            Column { name: "recorded_at", kind: Kind::Instant },
            Column { name: "effective_on", kind: Kind::Date },
            Column { name: "posted_on", kind: Kind::Date },
            Column { name: "book", kind: Kind::Word(Book::WORDS) },
            Column { name: "account", kind: Kind::Word(Account::WORDS) },
            Column { name: "fund", kind: Fund::KIND },
            Column { name: "partner", kind: Kind::Text },
            Column { name: "programme", kind: Kind::Text },
            Column { name: "lot", kind: Kind::Text },
            Column { name: "debit", kind: Kind::Minor },
            Column { name: "credit", kind: Kind::Minor },
            Column { name: "currency", kind: Kind::Currency },
            Column { name: "event", kind: Kind::Text },
            Column { name: "source", kind: Kind::Text },
            Column { name: "command", kind: Kind::Text },
            Column { name: "actor", kind: Kind::Text },
        ],
        keys: 3,
        indices: &[&["partner", "programme", "fund"]],
    };

    /// Hands out the cells, in the order of the columns.
    pub fn cells(&self, to: &mut dyn FnMut(Cell<'_>)) {
        let line = self.line;
        let minor = Cell::Minor(line.amount.minor());
        let (debit, credit) = match line.side {
            Side::Debit => (minor, Cell::Null),
            Side::Credit => (Cell::Null, minor),
        };
        to(self.position.cell());
        to(self.event_no.cell());
        to(self.line_no.cell());
        to(self.recorded_at.cell());
        to(self.effective_on.cell());
        to(self.posted_on.cell());
        to(word(line.book.as_str()));
        to(word(line.account.as_str()));
        to(line.fund.cell());
        to(line.partner.cell());
        to(self.programme.map_or(Cell::Null, Field::cell));
        to(line.lot.cell());
        to(debit);
        to(credit);
        to(word(line.amount.currency().code()));
        to(word(self.event));
        to(word(self.source));
        to(word(self.command));
        to(self.actor.cell());
    }

    /// The line's exact text.
    pub fn canonical(&self) -> String {
        let mut text = String::new();
        self.cells(&mut |cell| {
            if !text.is_empty() {
                text.push('\t');
            }
            cell.write_canonical(&mut text);
        });
        text
    }
}

fn word(text: &str) -> Cell<'_> {
    Cell::Text(Cow::Borrowed(text))
}

/// Keeps posting lines.
pub trait KeepsPostings {
    /// Keeps a posting line.
    fn post(&mut self, posting: &Posting<'_>) -> Result<(), StoreError>;
}

/// Hands an event's lines to the store.
pub(crate) fn fold<S: KeepsPostings>(fact: &Fact<'_>, store: &mut S) -> Result<(), FoldError> {
    for line_no in 0..fact.recorded.lines.len() {
        post(fact, fact.programme(), line_no, store)?;
    }
    Ok(())
}

/// Hands a reversal's lines to the store, under the programme of the entry they mirror.
pub(crate) fn fold_reversal<S: KeepsPostings>(
    fact: &Fact<'_>,
    earlier: &Commit,
    store: &mut S,
) -> Result<(), FoldError> {
    let programme = earlier.events.iter().enumerate().find_map(|(index, recorded)| {
        Fact { commit: earlier, index, recorded, mirrored: true, partial: false }.programme()
    });
    for line_no in 0..fact.recorded.lines.len() {
        post(fact, programme, line_no, store)?;
    }
    Ok(())
}

fn post<S: KeepsPostings>(
    fact: &Fact<'_>,
    programme: Option<&ProgrammeId>,
    line_no: usize,
    store: &mut S,
) -> Result<(), StoreError> {
    let Some(line) = fact.recorded.lines.get(line_no) else { return Ok(()) };
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    store.post(&Posting {
        position: fact.commit.position,
        event_no: count(fact.index),
        line_no: count(line_no),
        recorded_at: fact.commit.recorded_at,
        effective_on: fact.recorded.effective_on,
        posted_on: fact.recorded.posted_on,
        programme,
        line,
        event: fact.name(),
        source: &fact.commit.origin.source,
        command: &fact.commit.origin.id,
        actor: &fact.commit.origin.actor,
    })
}
