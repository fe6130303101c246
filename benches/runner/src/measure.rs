//! Measuring: sides in turn, at least five rounds, medians, spreads and ratios round by round.

use anyhow::Result;
use std::time::Duration;

/// The least number of rounds that makes a figure.
const ROUNDS: usize = 5;

/// What a comparison measures: a row of the table for each side.
pub struct Figure {
    pub line: String,
    pub unit: &'static str,
    pub digits: usize,
}

/// A figure of a line.
pub fn figure(line: impl Into<String>, unit: &'static str, digits: usize) -> Figure {
    Figure { line: line.into(), unit, digits }
}

/// One side of a comparison: it does its work anew each round, and says a value for each figure.
pub struct Side<'a> {
    pub name: String,
    pub run: Box<dyn FnMut() -> Result<Vec<f64>> + 'a>,
}

/// A side of a comparison.
pub fn side<'a>(name: impl Into<String>, run: impl FnMut() -> Result<Vec<f64>> + 'a) -> Side<'a> {
    Side { name: name.into(), run: Box::new(run) }
}

/// So many units in so much time, as a rate.
pub fn rate(units: u64, took: Duration) -> f64 {
    units as f64 / took.as_secs_f64()
}

/// A duration in microseconds.
pub fn micros(took: Duration) -> f64 {
    took.as_secs_f64() * 1e6
}

/// The value below which so many of a hundred lie.
pub fn percentile(sorted: &[Duration], hundredths: usize) -> f64 {
    let at = (sorted.len() * hundredths / 100).min(sorted.len().saturating_sub(1));
    micros(sorted[at])
}

fn spread(mut values: Vec<f64>) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    (values[0], values[values.len() / 2], values[values.len() - 1])
}

/// Whether a round is run before those that count, to warm machine and files up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Warmup {
    Yes,
    /// For what is measured cold, or takes too long.
    No,
}

/// Runs the sides in turn and prints a row for each figure and side: its value, and the first
/// side's value divided by it. Where less is better a bar is an upper one.
pub fn compare(
    figures: &[Figure],
    rounds: usize,
    warmup: Warmup,
    sides: &mut [Side<'_>],
) -> Result<()> {
    let mut values = vec![vec![Vec::new(); sides.len()]; figures.len()];
    if warmup == Warmup::Yes {
        for side in sides.iter_mut() {
            (side.run)()?;
        }
    }
    for round in 0..rounds.max(ROUNDS) {
        for turn in 0..sides.len() {
            let at = (round + turn) % sides.len();
            for (figure, value) in (sides[at].run)()?.into_iter().enumerate() {
                values[figure][at].push(value);
            }
        }
    }
    for (figure, values) in figures.iter().zip(values) {
        for (side, theirs) in sides.iter().zip(&values) {
            let ratios = values[0].iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect();
            row(figure, &side.name, theirs.clone(), Some(ratios));
        }
    }
    Ok(())
}

/// Prints the row of something that was measured once, or counted.
pub fn once(line: &str, side: &str, value: f64, unit: &'static str, digits: usize) {
    println!("| {line} | {side} | {value:.digits$} {unit} (once) | |");
}

fn row(figure: &Figure, side: &str, values: Vec<f64>, ratios: Option<Vec<f64>>) {
    let Figure { line, unit, digits } = figure;
    let (low, median, high) = spread(values);
    let ratio = ratios.map(|ratios| {
        let (least, ratio, most) = spread(ratios);
        // Of what did not happen in some round there is no ratio.
        let told = [least, ratio, most].iter().all(|one| one.is_finite());
        if told { format!("{ratio:.2} ({least:.2}–{most:.2})") } else { "–".into() }
    });
    println!(
        "| {line} | {side} | {median:.digits$} {unit} ({low:.digits$}–{high:.digits$}) | {} |",
        ratio.unwrap_or_default()
    );
}

/// The head of the table.
pub fn head() {
    println!("| line | side | median (least–most) | first side ÷ this, round by round |");
    println!("| --- | --- | --- | --- |");
}

/// Says on standard error what is being done; the table alone is on standard output.
pub fn say(text: impl AsRef<str>) {
    eprintln!("chl-bench: {}", text.as_ref());
}
