//! The books as a journal of hledger (journal format 1.x): declared accounts and commodities, and
//! a balance assertion behind every posting, so that `hledger check --strict` checks all of it.

use super::{
    chart::{Place, root},
    entry::Entry,
    journal::{Balances, Form, Head, signed},
};
use chl_events::{Currency, Date, Money, ledger::ClosingBalancesRecorded};
use std::{collections::HashMap, fmt::Write};

/// Writes hledger's journal.
#[derive(Debug, Default)]
pub(crate) struct Hledger {
    names: HashMap<usize, String>,
}

impl Hledger {
    fn name(&self, account: usize) -> &str {
        self.names.get(&account).map_or("", String::as_str)
    }

    fn posting(&self, at: (usize, Currency), minor: i128, balance: i128, to: &mut String) {
        let (account, currency) = at;
        let (amount, balance) = (shown(minor, currency), shown(balance, currency));
        line(to, format_args!("    {}  {amount} = {balance}", self.name(account)));
    }
}

impl Form for Hledger {
    fn begin(&mut self, head: &Head<'_>, to: &mut String) {
        line(to, format_args!("; ledger {}, {} commits", head.ledger, head.position));
        for currency in &head.currencies {
            line(to, format_args!("commodity {}", shown(0, *currency)));
        }
        for account in &head.roots {
            let root = root(*account);
            line(to, format_args!("account {}  ; type:{}", root.hledger, root.kind));
        }
        for (number, place) in &head.accounts {
            let name = name(place);
            line(to, format_args!("account {name}  ; type:{}", root(place.account).kind));
            self.names.insert(*number, name);
        }
        to.push('\n');
    }

    fn opening(&mut self, on: Date, balances: &Balances, to: &mut String) {
        line(to, format_args!("{on} * opening balances"));
        for (at, minor) in balances {
            self.posting(*at, *minor, *minor, to);
        }
        to.push('\n');
    }

    fn entry(&mut self, entry: &Entry, balances: &[i128], to: &mut String) {
        line(to, format_args!("{} * ({}) {}", entry.posted_on, entry.number(), entry.event));
        line(to, format_args!("    ; effective:{}", entry.effective_on));
        line(to, format_args!("    ; source:{}", tag(&entry.source)));
        line(to, format_args!("    ; command:{}", tag(&entry.command)));
        line(to, format_args!("    ; actor:{}", tag(&entry.actor)));
        for (posting, balance) in entry.lines.iter().zip(balances) {
            self.posting((posting.account, posting.currency), posting.minor, *balance, to);
        }
        to.push('\n');
    }

    fn closing(&mut self, closing: &ClosingBalancesRecorded, to: &mut String) {
        closed(closing, to);
    }

    fn end_of(&mut self, day: Date, balances: &Balances, last: bool, to: &mut String) {
        // Every posting has asserted its own; the end keeps a last entry from being taken away.
        if !last {
            return;
        }
        line(to, format_args!("{day} * closing balances"));
        for (at, minor) in balances {
            self.posting(*at, 0, *minor, to);
        }
        to.push('\n');
    }
}

fn closed(closing: &ClosingBalancesRecorded, to: &mut String) {
    line(to, format_args!("{} * period closed", closing.through));
    for balance in &closing.balances {
        let currency = balance.amount.currency();
        let (zero, held) = (shown(0, currency), shown(signed(balance), currency));
        // With a star the sub-accounts count, too.
        line(to, format_args!("    {}  {zero} =* {held}", root(balance.account).hledger));
    }
    to.push('\n');
}

fn name(place: &Place) -> String {
    let mut name = root(place.account).hledger.to_owned();
    for level in place.levels() {
        name.push(':');
        name.push_str(level);
    }
    name
}

fn shown(minor: i128, currency: Currency) -> String {
    let mut text = Money::from_minor(minor, currency).amount();
    // A commodity without decimals is declared by its mark all the same.
    if currency.places() == 0 {
        text.push('.');
    }
    text.push(' ');
    text.push_str(currency.code());
    text
}

/// A tag's value ends at a comma or a line's end: those, and the sign that says so, are written as
/// in an address.
fn tag(text: &str) -> String {
    let mut tag = String::new();
    for c in text.chars() {
        if c == ',' || c == '%' || c.is_control() {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                write!(tag, "%{byte:02X}").expect("a string takes what is written to it");
            }
        } else {
            tag.push(c);
        }
    }
    tag
}

/// Writes a line behind what a text holds.
pub(super) fn line(to: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(to, "{text}").expect("a string takes what is written to it");
}
