//! Measuring: sides in turn, at least five rounds, medians, spreads and ratios round by round.

use anyhow::Result;
use std::time::Duration;

/// One side of a comparison: it does its work anew each round and says what it did.
pub struct Side<'a> {
    pub name: &'a str,
    pub run: Box<dyn FnMut() -> Result<Work> + 'a>,
}

/// So many units in so much time.
#[derive(Debug, Clone, Copy)]
pub struct Work {
    pub units: u64,
    pub took: Duration,
}

impl Work {
    fn rate(self) -> f64 {
        self.units as f64 / self.took.as_secs_f64()
    }
}

pub fn side<'a>(name: &'a str, run: impl FnMut() -> Result<Work> + 'a) -> Side<'a> {
    Side { name, run: Box::new(run) }
}

fn spread(mut values: Vec<f64>) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    (values[0], values[values.len() / 2], values[values.len() - 1])
}

/// Runs the sides in turn and prints a line for each: its rate, and the first side's ratio to it.
pub fn compare(line: &str, unit: &str, rounds: usize, sides: &mut [Side<'_>]) -> Result<()> {
    let mut rates = vec![Vec::new(); sides.len()];
    for side in sides.iter_mut() {
        (side.run)()?;
    }
    for round in 0..rounds.max(5) {
        for turn in 0..sides.len() {
            let at = (round + turn) % sides.len();
            rates[at].push((sides[at].run)()?.rate());
        }
    }
    for (at, side) in sides.iter().enumerate() {
        let (low, median, high) = spread(rates[at].clone());
        let ratios = rates[0].iter().zip(&rates[at]).map(|(ours, theirs)| ours / theirs).collect();
        let (least, ratio, most) = spread(ratios);
        println!(
            "| {line} | {} | {median:.0} {unit} ({low:.0}–{high:.0}) | {ratio:.2} ({least:.2}–{most:.2}) |",
            side.name
        );
    }
    Ok(())
}

pub fn head() {
    println!("| line | side | median (least–most) | first side ÷ this, round by round |");
    println!("| --- | --- | --- | --- |");
}
