//! Noise that was written when the matcher was done, and measured once. One or two of these happen
//! to a name:
//!
//! - letters that sound alike are taken for one another, and double letters for single ones;
//! - a word in the middle is left out;
//! - a city stands behind the name, with nothing between;
//! - what the company trades as stands behind its name;
//! - letters with accents were lost on the way, each a question mark;
//! - a number is written in words;
//! - all words but the last are run together;
//! - the first and the last word changed places.

use super::companies::{Company, one};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

const SOUNDS: &[(&str, &str)] = &[
    ("ph", "f"),
    ("ck", "k"),
    ("ks", "x"),
    ("x", "ks"),
    ("qu", "kw"),
    ("c", "k"),
    ("z", "s"),
    ("i", "y"),
    ("v", "f"),
    ("ll", "l"),
    ("ss", "s"),
    ("tt", "t"),
];

const CITIES: &[&str] = &["Berlin", "Austin", "Lyon", "Leeds", "Porto", "Gdansk"];

const TRADES_AS: &[&str] = &["dba", "t/a", "trading as", "aka"];

const NUMBERS: &[(&str, &str)] = &[
    ("1", "One"),
    ("2", "Two"),
    ("3", "Three"),
    ("4", "Four"),
    ("5", "Five"),
    ("6", "Six"),
    ("7", "Seven"),
    ("8", "Eight"),
    ("9", "Nine"),
];

/// The same company, as a system that nobody had thought of has it.
pub(crate) fn noisy(rng: &mut ChaCha8Rng, company: &Company) -> String {
    let mut name =
        if rng.random_range(0..2) == 0 { company.name.clone() } else { company.plain.clone() };
    for _ in 0..rng.random_range(1..=2) {
        name = changed(rng, &name);
    }
    name
}

fn changed(rng: &mut ChaCha8Rng, name: &str) -> String {
    let words: Vec<&str> = name.split(' ').collect();
    match (rng.random_range(0..8), words.as_slice()) {
        (0, _) => {
            let (right, heard) = one(rng, SOUNDS);
            name.replacen(right, heard, 1)
        }
        (1, [first, middle @ .., last]) if middle.len() > 1 => {
            let left_out = rng.random_range(0..middle.len());
            let mut kept = vec![*first];
            kept.extend(middle.iter().enumerate().filter(|(at, _)| *at != left_out).map(|w| *w.1));
            kept.push(last);
            kept.join(" ")
        }
        (2, _) => format!("{name} {}", one(rng, CITIES)),
        (3, [first, ..]) => format!("{name} {} {first} Online", one(rng, TRADES_AS)),
        (4, _) => name.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect(),
        (5, _) => NUMBERS.iter().fold(name.to_owned(), |name, (digit, word)| {
            name.replace(&format!(" {digit} "), &format!(" {word} "))
        }),
        (6, [first, middle @ .., last]) => format!("{first}{} {last}", middle.concat()),
        (_, [first, middle @ .., last]) if !middle.is_empty() => {
            format!("{last} {} {first}", middle.join(" "))
        }
        _ => name.into(),
    }
}
