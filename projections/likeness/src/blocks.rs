//! Which customers are compared at all: those that have a key in common.
//!
//! A name's keys are what its duplicates would have kept: its rarest words, each with any one letter
//! left out (two words with one slip between them have such a rest in common), the beginning of the
//! rarest, the whole name without spaces in the same way, its initials, its domain. What many have in
//! common tells nothing: a key of more than [`MAX_BLOCK`] customers is passed over.

use crate::{
    name::{INITIALS, Name},
    score::Rarity,
};
use std::hash::{DefaultHasher, Hash, Hasher};

/// The most customers that are compared for having a key in common.
pub const MAX_BLOCK: usize = 64;
/// How many of a name's words have keys: the rarest.
const WORDS: usize = 2;
/// The shortest word that may have a slip.
const SLIP_CHARS: usize = 4;
/// The longest whole name whose rests are keys.
const WHOLE_CHARS: usize = 24;
/// How many letters a beginning has.
const BEGINNING_CHARS: usize = 5;

/// A key's digest and who has it.
type Entry = (u64, u32);

/// Pairs of places in a list that have a key in common, each once.
pub(crate) fn pairs<'a>(
    names: impl Iterator<Item = (&'a Name, Option<&'a str>)>,
    rarity: &Rarity,
) -> Vec<(u32, u32)> {
    let mut entries: Vec<Entry> = Vec::new();
    for (at, (name, domain)) in (0_u32..).zip(names) {
        keys(name, domain, rarity, &mut |kind, text| entries.push((digest(kind, text), at)));
    }
    entries.sort_unstable();
    entries.dedup();
    let mut pairs = Vec::new();
    for block in entries.chunk_by(|one, other| one.0 == other.0) {
        if block.len() > MAX_BLOCK {
            continue;
        }
        for (before, (_, other)) in block.iter().enumerate() {
            pairs.extend(block.iter().take(before).map(|(_, one)| (*one, *other)));
        }
    }
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

/// The same for the same key, whatever the order of customers. Two keys of one digest cost a
/// comparison, and nothing else.
fn digest(kind: u8, text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (kind, text).hash(&mut hasher);
    hasher.finish()
}

fn keys(name: &Name, domain: Option<&str>, rarity: &Rarity, to: &mut dyn FnMut(u8, &str)) {
    let mut words: Vec<&String> = name.words.iter().collect();
    words.sort_by_key(|word| std::cmp::Reverse(rarity.weight(word)));
    for word in words.iter().take(WORDS) {
        rests(b'w', word, to);
    }
    if let Some(rarest) = words.first() {
        let beginning: String = rarest.chars().take(BEGINNING_CHARS).collect();
        to(b'b', &beginning);
    }
    if name.joined.chars().count() <= WHOLE_CHARS {
        rests(b'n', &name.joined, to);
    } else {
        to(b'n', &name.joined);
    }
    to(b's', &name.sorted.concat());
    let initials = name.initials.iter().map(String::as_str).filter(|_| name.words.len() > 1);
    for initials in initials.chain(name.acronym()) {
        if INITIALS.contains(&initials.chars().count()) {
            to(b'i', initials);
        }
    }
    if let Some(domain) = domain {
        to(b'd', domain);
    }
}

/// A text, and what is left of it without any one letter.
fn rests(kind: u8, text: &str, to: &mut dyn FnMut(u8, &str)) {
    to(kind, text);
    if text.chars().count() < SLIP_CHARS {
        return;
    }
    for (left_out, _) in text.char_indices() {
        let rest: String =
            text.char_indices().filter(|(at, _)| *at != left_out).map(|(_, c)| c).collect();
        to(kind, &rest);
    }
}
