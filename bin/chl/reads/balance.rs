//! `chl explain balance`: why a number is what it is.

use super::{
    grounds::show_events,
    moment::Moment,
    query::unasked,
    rows::{cell, show, show_last},
};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome},
    ledger::Reading,
    output::{Sheet, Sink},
};
use chl_events::{Account, Currency, Fund, Money, PartnerId, ProgrammeId};
use chl_runtime::{Answer, Query as Question, View};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

/// Shows every posting that makes a fund's balance and that the sums are equal; and why: each event
/// with its command, actor and reason, the rules of the terms that computed it, and the amount
/// before it was rounded.
///
/// Rules are named by their place in the terms, as `/coop/accrual/0` (RFC 6901); what a person
/// decided names none.
///
/// Ends with 6 when a sum of postings is not what `chl query balances` shows.
#[derive(Debug, Clone, clap::Args, Serialize, Deserialize)]
pub(crate) struct Balance {
    /// The partner.
    partner: PartnerId,
    /// The programme.
    programme: ProgrammeId,
    /// The fund: coop, mdf or rebate.
    fund: Fund,
    /// Only one lot of the fund.
    #[arg(long, value_name = "LOT", default_value = chl_projections::TOTAL)]
    lot: String,
    #[command(flatten)]
    moment: Moment,
}

const SUMS: &[&str] = &["number", "currency", "made_of", "postings", "balance", "equal"];

/// A number of a balance: its name, how it reads, and the accounts it is the sum of. An account
/// that grows by debits counts as debits less credits, another one the other way round.
struct Number {
    name: &'static str,
    made_of: &'static str,
    accounts: &'static [(Account, i128)],
}

/// What co-op and rebate hold, by account.
const ACCRUED: &[Number] = &[
    Number { name: "available", made_of: "AL", accounts: &[(Account::Accrued, -1)] },
    Number { name: "held", made_of: "HL", accounts: &[(Account::Held, -1)] },
    Number { name: "payable", made_of: "PL", accounts: &[(Account::Payable, -1)] },
];

/// What MDF holds: planned in the memo book, owed in the books.
const ALLOCATED: &[Number] = &[
    Number { name: "available", made_of: "BUD.partner", accounts: &[(Account::BudgetPartner, 1)] },
    Number {
        name: "reserved",
        made_of: "BUD.reserved - HL",
        accounts: &[(Account::BudgetReserved, 1), (Account::Held, 1)],
    },
    Number { name: "held", made_of: "HL", accounts: &[(Account::Held, -1)] },
    Number { name: "payable", made_of: "PL", accounts: &[(Account::Payable, -1)] },
];

impl Balance {
    /// Shows the postings, the sums and the balance.
    pub(crate) fn answer(&self, ledger: &Reading, sink: &mut dyn Sink) -> Outcome<Exit> {
        let mut past = self.moment.open(ledger)?;
        let now = past.now();
        let asked = |view| {
            Question::all(view, now)
                .with("partner", self.partner.as_str())
                .with("programme", self.programme.as_str())
                .with("fund", self.fund.as_str())
        };
        let balances = asked(View::Balances).with("lot", &self.lot);
        let balances = past.reader().query(&balances).map_err(unasked)?;
        let mut postings = asked(View::Postings);
        if self.lot != chl_projections::TOTAL {
            postings = postings.with("lot", &self.lot);
        }
        let postings = past.reader().query(&postings).map_err(unasked)?;
        if balances.rows.is_empty() {
            return Err(Failure::usage(format_args!(
                "{} has no {} in programme {}, lot {}; `chl query balances` lists what there is",
                self.partner, self.fund, self.programme, self.lot
            )));
        }
        let sums = summed(&postings);
        let moves_on = postings.frozen.is_empty() && balances.frozen.is_empty();
        show_events(ledger, &mut past, (&self.partner, &self.programme), &postings, sink)?;
        show("postings", Some("postings"), postings, sink)?;
        let equal = self.compare(&balances, &sums, sink)?;
        show_last("balance", None, balances, sink)?;
        // What stands still is told of; it need not agree with what moves on.
        Ok(if equal || !moves_on { Exit::Success } else { Exit::Verification })
    }

    /// Shows number by number that the postings make it.
    fn compare(&self, balances: &Answer, sums: &Sums, sink: &mut dyn Sink) -> Outcome<bool> {
        let numbers = match self.fund {
            Fund::Coop | Fund::Rebate => ACCRUED,
            Fund::Mdf => ALLOCATED,
        };
        let sheet = Sheet::new("sums", SUMS);
        sink.begin(&sheet)?;
        let mut all_equal = true;
        for row in &balances.rows {
            let cell = |name| cell(balances, row, name);
            let currency = cell("currency").as_str().and_then(|code| Currency::new(code).ok());
            let Some(currency) = currency else { continue };
            for number in numbers {
                let parts = number.accounts.iter().map(|(account, sign)| {
                    let sum = sums.get(&(account.as_str().to_owned(), currency)).copied();
                    sign * sum.unwrap_or_default()
                });
                let made = json!(Money::from_minor(parts.sum(), currency).amount());
                let shown = cell(number.name);
                let equal = made == shown;
                all_equal &= equal;
                sink.row(sheet.values(json!({
                    "number": number.name, "currency": currency, "made_of": number.made_of,
                    "postings": made, "balance": shown, "equal": equal,
                })))?;
            }
        }
        Ok(all_equal)
    }
}

/// Debits less credits, in minor units, by account and currency.
type Sums = BTreeMap<(String, Currency), i128>;

fn summed(postings: &Answer) -> Sums {
    let mut sums = Sums::new();
    for row in &postings.rows {
        let word = |name| cell(postings, row, name).as_str().map(str::to_owned);
        let currency = word("currency").and_then(|code| Currency::new(&code).ok());
        let (Some(account), Some(currency)) = (word("account"), currency) else { continue };
        let minor = |name| {
            let amount = word(name).and_then(|amount| Money::parse(&amount, currency).ok());
            amount.map_or(0, Money::minor)
        };
        *sums.entry((account, currency)).or_default() += minor("debit") - minor("credit");
    }
    sums
}
