//! The books for other people's accounting tools: every posting as a transaction of hledger,
//! Beancount or CSV, with balances that those tools check by themselves.
//!
//! A transaction is an event: dated by the day the books count it under (`posted_on`), named by its
//! position in the log and its command. Amounts have the currency's own scale, debits are positive.
//! Entries are held in memory, some 200 bytes a posting line, since books are in the order of their
//! dates and the log is not.

mod beancount;
mod chart;
mod entry;
mod hledger;
mod journal;
mod table;

pub use journal::{Period, Tool, Written, write_books};
