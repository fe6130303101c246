//! Large ledgers: many events over a tenth as many streams, written by the program itself.
//!
//! A tenth of the events are customers, each a stream of its own with a deal that is registered,
//! approved by the terms and won; the rest are sales of a few hundred partners. Deals come long after
//! their customers and are won long after that, so that their rows have left the caches.

use crate::{
    Setup,
    measure::say,
    sales::{beginning, line, partner, sale, today},
    session::Session,
};
use anyhow::{Context, Result};
use std::{fs, path::PathBuf, time::Instant};

/// How many partners a large ledger has.
pub const PARTNERS: u64 = 500;
/// How many commands are under way.
const WINDOW: usize = 1024;
/// For each customer: its registration, a deal with its approval, the end of both, and sales.
const EVENTS_PER_CUSTOMER: u64 = 10;
const SALES_PER_CUSTOMER: u64 = 5;

/// A large ledger.
pub struct Large {
    /// The folder of ledgers.
    pub data: PathBuf,
    /// The ledger's own folder.
    pub dir: PathBuf,
    /// The most memory the program had while it was written, in MB.
    pub peak_mb: f64,
    /// Commands in a second, read models included.
    pub rate: f64,
}

/// The commands of a large ledger, behind its beginning.
fn commands(customers: u64, today: &str) -> impl Iterator<Item = String> {
    let later = customers / 4;
    (0..customers + 2 * later).flat_map(move |step| {
        let customer = |at: u64| (at < customers).then_some(at);
        let registered = customer(step);
        let dealt = step.checked_sub(later).and_then(customer);
        let won = step.checked_sub(2 * later).and_then(customer);
        let mut lines = Vec::new();
        if let Some(at) = registered {
            let data = format!(r#"{{"customer":"c-{at}","name":"Customer {at}"}}"#);
            lines.push(line(&format!("c-{at}"), "RegisterCustomer", &data));
            let sales = at * SALES_PER_CUSTOMER..(at + 1) * SALES_PER_CUSTOMER;
            lines.extend(sales.map(|index| sale("s", index, PARTNERS, today)));
        }
        if let Some(at) = dealt {
            let partner = partner(at, PARTNERS);
            let data = format!(
                r#"{{"deal":"d-{at}","customer":"c-{at}","partner":"{partner}","programme":"gold","product_line":"gtx","value":{{"amount":"50000.00","currency":"USD"}}}}"#
            );
            lines.push(line(&format!("d-{at}"), "RegisterDeal", &data));
        }
        if let Some(at) = won {
            let data =
                format!(r#"{{"deal":"d-{at}","customer":"c-{at}","closed_on":"{today}"}}"#);
            lines.push(line(&format!("w-{at}"), "MarkDealWon", &data));
        }
        lines
    })
}

/// The ledger of so many events: written now, or kept from an earlier line or run.
pub fn ledger(setup: &Setup, events: u64) -> Result<Large> {
    let data = setup.keep.join(format!("large-{events}"));
    let (dir, mark) = (data.join("main"), data.join("written"));
    if !mark.exists() {
        write(setup, &data, events)?;
    }
    let text = fs::read_to_string(&mark)?;
    let (peak, rate) = text.trim().split_once(' ').context("the mark has two figures")?;
    Ok(Large { data, dir, peak_mb: peak.parse()?, rate: rate.parse()? })
}

fn write(setup: &Setup, data: &PathBuf, events: u64) -> Result<()> {
    say(format!("writing a ledger of {events} events into {}", data.display()));
    if data.exists() {
        fs::remove_dir_all(data)?;
    }
    fs::create_dir_all(data)?;
    let (_, today) = today()?;
    let mut session = Session::start(&setup.args.chl, data)?;
    let start = Instant::now();
    let mut sent = session.exchange(beginning(PARTNERS)?, WINDOW)?;
    sent += session.exchange(commands(events / EVENTS_PER_CUSTOMER, &today), WINDOW)?;
    let peak = session.finish()?;
    let rate = crate::measure::rate(sent, start.elapsed());
    fs::write(data.join("written"), format!("{peak} {rate}\n"))?;
    say(format!("{rate:.0} commands/s, read models written down"));
    Ok(())
}
