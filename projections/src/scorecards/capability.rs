//! Capability: what the people of a partner hold at the end of a period.

use super::{Metric, count, ratio};
use crate::CertificationRow;
use chl_events::{Code, Date, PersonId, terms::RequiredCredential};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

/// Within how many days a credential counts as expiring (scorecards of the domain).
const EXPIRING_DAYS: i32 = 90;

/// The latest record of each credential of each person, up to the end of a period.
#[derive(Debug, Default)]
pub(super) struct Credentials {
    held: BTreeMap<(PersonId, Code), (Date, u64, Date)>,
}

impl Credentials {
    pub(super) fn take(&mut self, row: &CertificationRow, end: Date) {
        if row.from_date > end {
            return;
        }
        let record = (row.from_date, row.position, row.valid_until);
        let of = self.held.entry((row.person.clone(), row.credential.clone())).or_insert(record);
        *of = record.max(*of);
    }

    /// Nothing where nothing was ever recorded: no data is not zero.
    pub(super) fn values(
        &self,
        end: Date,
        required: &[RequiredCredential],
    ) -> Vec<(Metric, Decimal)> {
        if self.held.is_empty() {
            return Vec::new();
        }
        let valid = || self.held.iter().filter(|(_, (_, _, until))| *until >= end);
        let people: BTreeSet<&PersonId> = valid().map(|((person, _), _)| person).collect();
        let soon = end.plus_days(EXPIRING_DAYS);
        let expiring = valid().filter(|(_, (_, _, until))| Some(*until) <= soon).count();
        let mut values = vec![
            (Metric::CertifiedPeople, count(people.len())),
            (Metric::ExpiringCredentials, count(expiring)),
        ];
        // A person may hold several credentials, and counts once in each.
        let holders = |credential: &Code| valid().filter(|((_, c), _)| c == credential).count();
        let needed: u64 = required.iter().map(|one| u64::from(one.people)).sum();
        let held = required.iter().map(|one| {
            let holders = u64::try_from(holders(&one.credential)).unwrap_or(u64::MAX);
            holders.min(u64::from(one.people))
        });
        let coverage = ratio(Decimal::from(held.sum::<u64>()), Decimal::from(needed));
        values.extend(coverage.map(|coverage| (Metric::Coverage, coverage)));
        values
    }
}
