//! Prints precision and recall at several scores, and how long many customers take:
//! `cargo run --release -p chl-likeness --example figures`.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a tool of developers")]

#[path = "../tests/labelled/mod.rs"]
mod labelled;

use labelled::{Labelled, holdout, labelled, measured, noise, unseen};
use std::time::Instant;

/// How many customers the time is told of.
const CUSTOMERS: usize = 100_000;

fn figures(kind: &str, of: &Labelled) {
    for score in [70, 75, 80, 85, 90, 95] {
        let figures = measured(of, score);
        let (precision, recall) = (figures.precision(), figures.recall());
        println!("{kind}, from {score}: precision {precision} ‰, recall {recall} ‰");
    }
}

fn main() {
    figures("known noise", &labelled(20_000, 11, noise::noisy));
    figures("other hand's noise", &labelled(20_000, 12, holdout::noisy));
    figures("unseen noise", &labelled(20_000, 14, unseen::noisy));
    let many = labelled(CUSTOMERS * 3 / 4, 13, noise::noisy);
    let customers = &many.customers[..many.customers.len().min(CUSTOMERS)];
    let begun = Instant::now();
    let found = chl_likeness::find(customers, 80);
    let seconds = begun.elapsed().as_secs_f32();
    println!("{} customers: {} pairs in {seconds:.1} s", customers.len(), found.len());
}
