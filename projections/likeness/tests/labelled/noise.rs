//! The noise that the matcher was built against. One or two of these happen to a name, and the
//! legal form is dropped or another, as often as not:
//!
//! - accents are left out, or an umlaut is written with an e;
//! - capital letters, or small ones;
//! - commas, hyphens and points are put in or left out;
//! - "&" becomes "and", or the other way round;
//! - the first word goes to the end behind a comma;
//! - a word is abbreviated as is usual in business;
//! - one letter is left out, doubled or swapped with the next.

use super::companies::{Company, forms, one};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

const ACCENTS: &[(char, &str, &str)] = &[
    ('ü', "u", "ue"),
    ('ö', "o", "oe"),
    ('ä', "a", "ae"),
    ('Ö', "O", "Oe"),
    ('ß', "ss", "ss"),
    ('ø', "o", "oe"),
    ('å', "a", "aa"),
    ('é', "e", "e"),
    ('è', "e", "e"),
    ('á', "a", "a"),
    ('í', "i", "i"),
    ('ó', "o", "o"),
    ('ú', "u", "u"),
    ('ñ', "n", "n"),
    ('ç', "c", "c"),
    ('ã', "a", "a"),
    ('Ł', "L", "L"),
    ('ř', "r", "r"),
    ('ő', "o", "o"),
];

const SHORT: &[(&str, &str)] = &[
    ("International", "Intl."),
    ("Brothers", "Bros."),
    ("Technologies", "Tech"),
    ("Manufacturing", "Mfg."),
    ("Systems", "Sys."),
    ("Engineering", "Eng."),
    ("Services", "Svcs"),
    ("Laboratories", "Labs"),
    ("Industries", "Ind."),
    ("Group", "Grp"),
    ("Holdings", "Hldgs"),
    ("Pharmaceuticals", "Pharma"),
    ("Telecommunications", "Telecom"),
    ("National", "Natl"),
    ("Insurance", "Ins."),
    ("Construction", "Constr."),
    ("Center", "Ctr"),
    ("Solutions", "Solns"),
];

/// The same company, as another system has it.
pub(crate) fn noisy(rng: &mut ChaCha8Rng, company: &Company) -> String {
    let mut name = company.plain.clone();
    for _ in 0..rng.random_range(1..=2) {
        name = changed(rng, &name);
    }
    match rng.random_range(0..4) {
        0 | 1 => name,
        2 => format!("{name}, {}", one(rng, forms(company.country))),
        _ => format!("{name} {}", one(rng, forms(company.country)).replace('.', "")),
    }
}

fn changed(rng: &mut ChaCha8Rng, name: &str) -> String {
    match rng.random_range(0..7) {
        0 => {
            let plainly = rng.random_range(0..2) == 0;
            let letter =
                |c: char| -> String {
                    let found = ACCENTS.iter().find(|(accented, ..)| *accented == c);
                    found.map_or(c.to_string(), |(_, plain, long)| {
                        if plainly { (*plain).into() } else { (*long).into() }
                    })
                };
            name.chars().map(letter).collect()
        }
        1 => {
            if rng.random_range(0..2) == 0 {
                name.to_uppercase()
            } else {
                name.to_lowercase()
            }
        }
        2 => {
            if rng.random_range(0..2) == 0 {
                name.replace(' ', "-")
            } else {
                name.replace(' ', ". ")
            }
        }
        3 if name.contains('&') => name.replace('&', "and"),
        3 => name.replace(" and ", " & "),
        4 => match name.split_once(' ') {
            Some((first, rest)) => format!("{rest}, {first}"),
            None => name.into(),
        },
        5 => SHORT.iter().fold(name.to_owned(), |name, (long, short)| name.replace(long, short)),
        _ => slipped(rng, name),
    }
}

fn slipped(rng: &mut ChaCha8Rng, name: &str) -> String {
    let mut letters: Vec<char> = name.chars().collect();
    let at = rng.random_range(1..letters.len() - 1);
    if !letters[at].is_alphabetic() || !letters[at + 1].is_alphabetic() {
        return name.into();
    }
    match rng.random_range(0..3) {
        0 => {
            letters.remove(at);
        }
        1 => letters.insert(at, letters[at]),
        _ => letters.swap(at, at + 1),
    }
    letters.into_iter().collect()
}
