//! The books as a table: a posting line a row, for spreadsheets.

use super::{
    chart::Place,
    entry::Entry,
    journal::{Balances, Form, Head},
};
use chl_events::{Currency, Date, Money, ledger::ClosingBalancesRecorded};
use std::collections::HashMap;

const COLUMNS: [&str; 15] = [
    "posted_on",
    "effective_on",
    "event_id",
    "event",
    "source",
    "command",
    "actor",
    "account",
    "fund",
    "programme",
    "partner",
    "lot",
    "amount",
    "balance",
    "currency",
];

/// Writes rows of comma-separated values.
#[derive(Debug, Default)]
pub(crate) struct Table {
    places: HashMap<usize, Place>,
}

impl Table {
    fn row(&self, entry: [String; 7], line: Sum, to: &mut String) {
        let Some(place) = self.places.get(&line.account) else { return };
        let shown = |minor| Money::from_minor(minor, line.currency).amount();
        let code = place.account.as_str().to_owned();
        let levels = [&place.fund, &place.programme, &place.partner, &place.lot];
        let mut cells = entry.to_vec();
        cells.push(code);
        cells.extend(levels.map(|level| level.as_deref().unwrap_or_default().to_owned()));
        cells.extend([shown(line.minor), shown(line.balance), line.currency.code().to_owned()]);
        record(cells.iter().map(String::as_str), to);
    }
}

/// What a row says of an account.
struct Sum {
    account: usize,
    currency: Currency,
    minor: i128,
    balance: i128,
}

impl Form for Table {
    fn begin(&mut self, head: &Head<'_>, to: &mut String) {
        let places = head.accounts.iter().map(|(number, place)| (*number, (*place).clone()));
        self.places = places.collect();
        record(COLUMNS.into_iter(), to);
    }

    fn opening(&mut self, on: Date, balances: &Balances, to: &mut String) {
        for ((account, currency), minor) in balances {
            let [on, event] = [on.to_string(), "opening balance".to_owned()];
            let [id, source, command, actor] = [const { String::new() }; 4];
            let entry = [on.clone(), on, id, event, source, command, actor];
            let (account, currency, minor) = (*account, *currency, *minor);
            self.row(entry, Sum { account, currency, minor, balance: minor }, to);
        }
    }

    fn entry(&mut self, entry: &Entry, balances: &[i128], to: &mut String) {
        for (line, balance) in entry.lines.iter().zip(balances) {
            let said = [
                entry.posted_on.to_string(),
                entry.effective_on.to_string(),
                entry.number(),
                entry.event.to_string(),
                entry.source.to_string(),
                entry.command.to_string(),
                entry.actor.to_string(),
            ];
            let (account, currency, minor) = (line.account, line.currency, line.minor);
            self.row(said, Sum { account, currency, minor, balance: *balance }, to);
        }
    }

    fn end_of(&mut self, _: Date, _: &Balances, _: bool, _: &mut String) {
        // Every row has its account's balance.
    }

    fn closing(&mut self, _: &ClosingBalancesRecorded, _: &mut String) {
        // A row is a posting.
    }
}

/// Writes a record behind what a text holds.
fn record<'a>(cells: impl Iterator<Item = &'a str>, to: &mut String) {
    let mut writer = csv::WriterBuilder::new().buffer_capacity(512).from_writer(Vec::new());
    writer.write_record(cells).expect("memory takes what is written to it");
    let bytes = writer.into_inner().expect("memory takes what is written to it");
    to.push_str(&String::from_utf8(bytes).expect("texts stay texts"));
}
