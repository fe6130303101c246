//! The books as Beancount's (syntax 2 and 3): opened accounts, exact balances at the end of each
//! month and of the books, for `bean-check`.

use super::{
    chart::{Place, Slugs, root},
    entry::Entry,
    hledger::line,
    journal::{Balances, Form, Head, signed},
};
use chl_events::{Currency, Date, Money, ledger::ClosingBalancesRecorded};
use std::collections::HashMap;

/// Writes Beancount's books.
#[derive(Debug, Default)]
pub(crate) struct Beancount {
    names: HashMap<usize, String>,
}

impl Beancount {
    fn name(&self, account: usize) -> &str {
        self.names.get(&account).map_or("", String::as_str)
    }

    fn posting(&self, (account, currency): (usize, Currency), minor: i128, to: &mut String) {
        line(to, format_args!("  {}  {}", self.name(account), shown(minor, currency)));
    }
}

impl Form for Beancount {
    fn begin(&mut self, head: &Head<'_>, to: &mut String) {
        line(to, format_args!("option \"title\" {}", quoted(&format!("ledger {}", head.ledger))));
        line(to, format_args!("; {} commits", head.position));
        let day = head.first_day;
        for currency in &head.currencies {
            line(to, format_args!("{day} commodity {}", currency.code()));
        }
        for account in &head.roots {
            line(to, format_args!("{day} open {}", root(*account).beancount));
        }
        let mut slugs: [Slugs; 4] = Default::default();
        for (number, place) in &head.accounts {
            let name = name(place, &mut slugs);
            line(to, format_args!("{day} open {name}"));
            for (what, level) in ["fund", "programme", "partner", "lot"].iter().zip(place.levels())
            {
                line(to, format_args!("  {what}: {}", quoted(level)));
            }
            self.names.insert(*number, name);
        }
        to.push('\n');
    }

    fn opening(&mut self, on: Date, balances: &Balances, to: &mut String) {
        line(to, format_args!("{on} * \"opening balances\""));
        for (at, minor) in balances {
            self.posting(*at, *minor, to);
        }
        to.push('\n');
    }

    fn entry(&mut self, entry: &Entry, _: &[i128], to: &mut String) {
        line(to, format_args!("{} * {}", entry.posted_on, quoted(&entry.event)));
        line(to, format_args!("  event: {}", quoted(&entry.number())));
        line(to, format_args!("  effective: {}", entry.effective_on));
        line(to, format_args!("  source: {}", quoted(&entry.source)));
        line(to, format_args!("  command: {}", quoted(&entry.command)));
        line(to, format_args!("  actor: {}", quoted(&entry.actor)));
        for posting in &entry.lines {
            self.posting((posting.account, posting.currency), posting.minor, to);
        }
        to.push('\n');
    }

    fn end_of(&mut self, day: Date, balances: &Balances, _: bool, to: &mut String) {
        // A balance is that of a day's beginning.
        let on = day.plus_days(1).unwrap_or(day);
        for ((account, currency), minor) in balances {
            balance(on, self.name(*account), (*minor, *currency), to);
        }
        to.push('\n');
    }

    fn closing(&mut self, closing: &ClosingBalancesRecorded, to: &mut String) {
        let on = closing.through.plus_days(1).unwrap_or(closing.through);
        for held in &closing.balances {
            let name = root(held.account).beancount;
            balance(on, name, (signed(held), held.amount.currency()), to);
        }
        to.push('\n');
    }
}

/// Asserts what an account and those below it hold when a day begins.
fn balance(on: Date, name: &str, (minor, currency): (i128, Currency), to: &mut String) {
    let (amount, code) = (Money::from_minor(minor, currency).amount(), currency.code());
    // Without a tolerance of its own a cent too much would be near enough.
    line(to, format_args!("{on} balance {name}  {amount} ~ 0 {code}"));
}

/// The account's name; fund, programme, partner and lot stand beside it exactly.
fn name(place: &Place, slugs: &mut [Slugs; 4]) -> String {
    let mut name = root(place.account).beancount.to_owned();
    for (level, slugs) in place.levels().iter().zip(slugs) {
        name.push(':');
        name.push_str(&slugs.of(level, component));
    }
    name
}

/// A component begins with a capital or a digit and has letters, digits and hyphens.
fn component(id: &str) -> String {
    let mut letters = id.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    let rest = letters.map(|c| if c == '_' { '-' } else { c });
    first.into_iter().chain(rest).collect()
}

fn shown(minor: i128, currency: Currency) -> String {
    let amount = Money::from_minor(minor, currency).amount();
    format!("{amount} {}", currency.code())
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
