//! Labelled customers: companies that were made up, and the same companies as somebody else wrote
//! them down.
//!
//! Three kinds of noise. `noise` is what the matcher was first built against. `holdout` was written
//! apart from it, of slips that other systems and people make, and what it showed was mended.
//! `unseen` was written after that, and nothing was changed in the matcher since.

pub(crate) mod companies;
pub(crate) mod holdout;
pub(crate) mod noise;
pub(crate) mod unseen;

use chl_likeness::{Known, LookAlike, find};
use companies::Company;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeSet;

/// How somebody else writes a company's name down.
pub(crate) type Noise = fn(&mut ChaCha8Rng, &Company) -> String;

/// Customers, and which of them are one company.
pub(crate) struct Labelled {
    pub(crate) customers: Vec<Known>,
    pub(crate) pairs: BTreeSet<(String, String)>,
}

/// So many companies, a third of which are known twice.
pub(crate) fn labelled(companies: usize, seed: u64, noise: Noise) -> Labelled {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut made = Labelled { customers: Vec::new(), pairs: BTreeSet::new() };
    for company in companies::made_up(&mut rng, companies) {
        let first = made.add(&company.name, company.domain.clone(), &company);
        if rng.random_range(0..3) == 0 {
            let name = noise(&mut rng, &company);
            // The other record knows the domain, knows none, or has one of another country.
            let domain = company.domain.as_ref().and_then(|domain| match rng.random_range(0..5) {
                0 | 1 => Some(domain.clone()),
                2 => Some(format!("{}.example", domain.trim_end_matches(".test"))),
                _ => None,
            });
            let second = made.add(&name, domain, &company);
            made.pairs.insert((first, second));
        }
    }
    made
}

impl Labelled {
    fn add(&mut self, name: &str, domain: Option<String>, company: &Company) -> String {
        let customer = format!("c-{:06}", self.customers.len());
        self.customers.push(Known {
            customer: customer.parse().unwrap(),
            name: name.into(),
            domain,
            country: Some(company.country.parse().unwrap()),
            parent: None,
        });
        customer
    }
}

/// How many of the pairs found are right, and how many of the right ones are found, in per mille.
pub(crate) struct Figures {
    pub(crate) found: usize,
    pub(crate) right: usize,
    pub(crate) labelled: usize,
}

impl Figures {
    pub(crate) fn precision(&self) -> usize {
        1000 * self.right / self.found.max(1)
    }

    pub(crate) fn recall(&self) -> usize {
        1000 * self.right / self.labelled.max(1)
    }
}

fn names(pair: &LookAlike) -> (String, String) {
    (pair.customer.to_string(), pair.other.to_string())
}

/// The figures of a score and of higher ones.
pub(crate) fn measured(labelled: &Labelled, min_score: u8) -> Figures {
    let found = find(&labelled.customers, min_score);
    let right = found.iter().filter(|pair| labelled.pairs.contains(&names(pair))).count();
    Figures { found: found.len(), right, labelled: labelled.pairs.len() }
}
