//! Noise of another hand, which the matcher was mended by once. One or two of these happen to a name:
//!
//! - a place or a remark stands behind it, in brackets or after a dash;
//! - letters are taken for ones that look alike, as a scanner does;
//! - a key beside the right one was hit, and now and then a second time;
//! - the field was cut off after 24 letters;
//! - a space is missing between two words, or one is too many within one;
//! - "The" stands before it;
//! - the legal form is written in full, in the language of the country or in English;
//! - all but the first two words are initials.

use super::companies::{Company, one};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

const REMARKS: &[&str] =
    &["(HQ)", "- Head Office", "(old)", "- DO NOT USE", "(Region West)", "- Berlin", "(Zürich)"];

const LOOKS: &[(&str, &str)] = &[
    ("l", "1"),
    ("o", "0"),
    ("rn", "m"),
    ("m", "rn"),
    ("i", "l"),
    ("e", "c"),
    ("u", "v"),
    ("S", "5"),
];

const BESIDE: &[(char, char)] = &[
    ('a', 's'),
    ('e', 'r'),
    ('i', 'o'),
    ('o', 'p'),
    ('n', 'm'),
    ('t', 'y'),
    ('r', 't'),
    ('c', 'v'),
    ('d', 'f'),
    ('l', 'k'),
    ('g', 'h'),
    ('u', 'i'),
];

const IN_FULL: &[(&str, &str)] = &[
    ("DE", "Gesellschaft mit beschränkter Haftung"),
    ("US", "Incorporated"),
    ("GB", "Limited"),
    ("FR", "Société Anonyme"),
    ("ES", "Sociedad Limitada"),
    ("IT", "Società per Azioni"),
    ("SE", "Aktiebolag"),
    ("NL", "Besloten Vennootschap"),
    ("PL", "Spółka Akcyjna"),
    ("BR", "Limitada"),
    ("IN", "Private Limited Company"),
    ("AU", "Proprietary Limited"),
    ("MX", "Sociedad Anónima de Capital Variable"),
    ("JP", "Kabushiki Kaisha"),
];

/// The same company, as yet another system has it.
pub(crate) fn noisy(rng: &mut ChaCha8Rng, company: &Company) -> String {
    let mut name =
        if rng.random_range(0..2) == 0 { company.name.clone() } else { company.plain.clone() };
    for _ in 0..rng.random_range(1..=2) {
        name = changed(rng, &name, company);
    }
    name
}

fn changed(rng: &mut ChaCha8Rng, name: &str, company: &Company) -> String {
    match rng.random_range(0..8) {
        0 => format!("{name} {}", one(rng, REMARKS)),
        1 => {
            let (right, read) = one(rng, LOOKS);
            name.replacen(right, read, 1)
        }
        2 => {
            let mut letters: Vec<char> = name.chars().collect();
            for _ in 0..rng.random_range(1..=2) {
                let at = rng.random_range(0..letters.len());
                let hit = BESIDE.iter().find(|(key, _)| *key == letters[at]);
                letters[at] = hit.map_or(letters[at], |(_, beside)| *beside);
            }
            letters.into_iter().collect()
        }
        3 => name.chars().take(24).collect::<String>().trim_end().into(),
        4 if rng.random_range(0..2) == 0 => name.replacen(' ', "", 1),
        4 => {
            let mut letters: Vec<char> = name.chars().collect();
            letters.insert(rng.random_range(2..letters.len() - 1), ' ');
            letters.into_iter().collect()
        }
        5 => format!("The {name}"),
        6 => {
            let form = IN_FULL.iter().find(|(country, _)| *country == company.country);
            format!("{} {}", company.plain, form.map_or("", |(_, form)| form))
        }
        _ => {
            let short = |(at, word): (usize, &str)| match word.chars().next() {
                Some(first) if at > 1 && word.len() > 3 => format!("{first}."),
                _ => word.to_owned(),
            };
            name.split(' ').enumerate().map(short).collect::<Vec<_>>().join(" ")
        }
    }
}
