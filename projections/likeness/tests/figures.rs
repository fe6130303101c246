//! Precision and recall on labelled customers; `docs/customers.md` states both.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod labelled;

use labelled::{Noise, holdout, labelled, measured, noise, unseen};

/// How many companies are told of.
const COMPANIES: usize = 3000;
/// The score from which on `chl duplicates` shows a pair.
const SHOWN: u8 = 80;

fn at_least(kind: &str, noise: Noise, seed: u64, (precision, recall): (usize, usize)) {
    let figures = measured(&labelled(COMPANIES, seed, noise), SHOWN);
    let (p, r) = (figures.precision(), figures.recall());
    println!("{kind}: {} pairs labelled, precision {p} ‰, recall {r} ‰", figures.labelled);
    assert!(figures.labelled > COMPANIES / 4, "too few to measure by");
    assert!(p >= precision && r >= recall, "{kind}: precision {p} ‰, recall {r} ‰");
}

#[test]
fn pairs_are_found_under_the_noise_the_matcher_was_built_against() {
    at_least("known noise", noise::noisy, 1, (975, 980));
}

#[test]
fn pairs_are_found_under_noise_of_another_hand() {
    at_least("another hand's noise", holdout::noisy, 2, (920, 840));
}

#[test]
fn pairs_are_found_under_noise_that_nothing_was_built_against() {
    at_least("unseen noise", unseen::noisy, 3, (940, 620));
}
