//! The plain workload: partners of one programme, and sales that accrue, skewed as a year is.

use anyhow::{Context, Result};
use chl_events::Instant;
use std::time::{SystemTime, UNIX_EPOCH};

/// How many partners the peer has too.
pub const PARTNERS: u64 = 200;

/// Today, and the first day of its year: what is recorded now happened then.
pub fn today() -> Result<(String, String)> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let today = Instant::from_micros(i64::try_from(since.as_micros())?).date_utc().to_string();
    let year = today.split('-').next().context("a date has a year")?;
    Ok((format!("{year}-01-01"), today))
}

/// A document.
pub fn line(id: &str, kind: &str, data: &str) -> String {
    format!(r#"{{"id":"{id}","source":"/bench","type":"{kind}","data":{data}}}"#)
}

/// The lines that a ledger begins with: a programme, and partners in it.
pub fn beginning(partners: u64) -> Result<Vec<String>> {
    let (from, _) = today()?;
    let terms = r#"{"coop":{"accrual":[{"bands":[{"from":"0","rate":"0.02"}]}]},"deal_registration":{"protection_days":90,"approval":"auto","conflict_rule":"first_registered"}}"#;
    let programme = format!(
        r#"{{"programme":"gold","version":1,"effective_from":"{from}","currency":"USD","terms":{terms}}}"#
    );
    let mut lines = vec![line("programme", "PublishProgramme", &programme)];
    for number in 0..partners {
        let partner = format!("p-{number:03}");
        for (kind, more) in [
            ("RecruitPartner", r#","name":"A Partner","types":["reseller"]"#),
            ("ApplyForProgramme", ""),
            ("ApprovePartner", ""),
            ("ActivatePartner", ""),
            ("EnrolPartner", r#","programme":"gold""#),
        ] {
            let data = format!(r#"{{"partner":"{partner}"{more}}}"#);
            lines.push(line(&format!("{kind}-{partner}"), kind, &data));
        }
    }
    Ok(lines)
}

/// A partner: a few of them get most.
pub fn partner(index: u64, partners: u64) -> String {
    let mixed = index.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 11;
    let partner = (mixed % partners) * (mixed / partners % partners) / partners;
    format!("p-{partner:03}")
}

/// The sale of an index; `run` tells the sales of one run from those of another.
pub fn sale(run: &str, index: u64, partners: u64, today: &str) -> String {
    let partner = partner(index, partners);
    let cents = 1_000 + (index.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 11) % 1_000_000;
    let data = format!(
        r#"{{"partner":"{partner}","programme":"gold","sale":"{run}-{index}","net_amount":{{"amount":"{}.{:02}","currency":"USD"}},"sold_on":"{today}"}}"#,
        cents / 100,
        cents % 100
    );
    line(&format!("{run}-{index}"), "AccrueCoop", &data)
}
