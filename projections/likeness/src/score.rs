//! How much two customers are alike, in whole numbers from 0 to 100.
//!
//! The names come first. What else is known of the two closes part of the gap that is left to 100,
//! or widens it. A word that few companies have counts more than one that many have: the corpus
//! itself says which.

use crate::name::Name;
use chl_events::customer::{Alike, Likeness};
use std::collections::BTreeMap;
use strsim::osa_distance;

/// The highest score: the same.
const SAME: u32 = 100;
/// The same words in another order.
const OTHER_ORDER: u32 = 96;
/// A word and its beginning.
const BEGINNING: u32 = 70;
/// A word and its first letter.
const FIRST_LETTER: u32 = 55;
/// The shortest word that a first letter stands for.
const LETTERED_CHARS: usize = 4;
/// A name and the same cut off within a word.
const CUT_OFF: u32 = 88;
/// The shortest name that may be cut off.
const CUT_OFF_CHARS: usize = 12;
/// What a remark takes off that only one of two names has.
const REMARK: u32 = 6;
/// What two remarks take off that differ: often they tell branches apart.
const OTHER_REMARK: u32 = 16;
/// The shortest beginning that abbreviates a word.
const BEGINNING_CHARS: usize = 3;
/// Words less alike than this are two words.
const LEAST_WORD: u32 = 70;
/// The initials of a name: many names have the same, so that something else has to speak for it.
const INITIALS: u32 = 70;
/// So many letters of a whole name may hold one slip.
const CHARS_A_SLIP: usize = 12;
/// Which part of the gap to 100 the same domain closes, in percent.
const DOMAIN_CLOSES: u32 = 60;
/// The same for a parent that both have, or that one is to the other.
const PARENT_CLOSES: u32 = 20;
/// What another domain takes off.
const OTHER_DOMAIN: u32 = 4;
/// What another country takes off.
const OTHER_COUNTRY: u32 = 8;

/// How rare words are among all names.
pub(crate) struct Rarity {
    counts: BTreeMap<String, u32>,
    names: u32,
}

impl Rarity {
    pub(crate) fn of<'a>(names: impl Iterator<Item = &'a Name>) -> Self {
        let mut rarity = Self { counts: BTreeMap::new(), names: 0 };
        for name in names {
            rarity.names = rarity.names.saturating_add(1);
            for word in &name.words {
                if let Some(count) = rarity.counts.get_mut(word) {
                    *count = count.saturating_add(1);
                } else {
                    rarity.counts.insert(word.clone(), 1);
                }
            }
        }
        rarity
    }

    /// What a word weighs: the binary logarithm of how many names there are for each that has it.
    /// A letter is no word.
    pub(crate) fn weight(&self, word: &str) -> u32 {
        if is_letter(word) {
            return 1;
        }
        let count = self.counts.get(word).copied().unwrap_or(1).max(1);
        (self.names / count).checked_ilog2().unwrap_or(0) + 1
    }

    /// What a word weighs that one name alone has: as much tells a name from all others.
    fn telling(&self) -> u32 {
        self.names.checked_ilog2().unwrap_or(0) + 1
    }
}

/// What is known of a customer beside its name, where it may speak for a likeness.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Traits<'a> {
    pub(crate) domain: Option<&'a str>,
    pub(crate) country: Option<&'a str>,
    pub(crate) parent: Option<&'a str>,
    pub(crate) id: &'a str,
}

/// The score of two customers, and the evidence.
pub(crate) fn alike(
    (one, of_one): (&Name, &Traits<'_>),
    (other, of_other): (&Name, &Traits<'_>),
    rarity: &Rarity,
) -> (u8, Vec<Alike>) {
    let (likeness, of_names) = names(one, other, rarity);
    let mut evidence = Vec::new();
    let mut found = |likeness, score: u32| {
        evidence.push(Alike { likeness, score: byte(score) });
    };
    if of_names > 0 {
        found(likeness, of_names);
    }
    let mut score = of_names;
    match of_one.domain.zip(of_other.domain) {
        Some((one, other)) if one == other => {
            found(Likeness::SameDomain, SAME);
            score = closer(score, DOMAIN_CLOSES);
        }
        Some(_) => score = score.saturating_sub(OTHER_DOMAIN),
        None => {}
    }
    if of_one.parent == Some(of_other.id) || of_other.parent == Some(of_one.id) {
        found(Likeness::ParentAndChild, SAME);
        score = closer(score, PARENT_CLOSES);
    } else if of_one.parent.is_some() && of_one.parent == of_other.parent {
        found(Likeness::SameParent, SAME);
        score = closer(score, PARENT_CLOSES);
    }
    match of_one.country.zip(of_other.country) {
        Some((one, other)) if one == other => found(Likeness::SameCountry, SAME),
        Some(_) => score = score.saturating_sub(OTHER_COUNTRY),
        None => {}
    }
    (byte(score), evidence)
}

fn byte(score: u32) -> u8 {
    u8::try_from(score.min(SAME)).unwrap_or(u8::MAX)
}

fn closer(score: u32, percent: u32) -> u32 {
    score + SAME.saturating_sub(score) * percent / 100
}

/// How much two names are alike, and in what; what was remarked about them tells little.
fn names(one: &Name, other: &Name, rarity: &Rarity) -> (Likeness, u32) {
    let (likeness, score) = own_names(one, other, rarity);
    let off = match (one.remark.is_empty(), other.remark.is_empty()) {
        (false, false) if one.remark != other.remark => OTHER_REMARK,
        (true, true) | (false, false) => 0,
        (true, false) | (false, true) => REMARK,
    };
    (likeness, score.saturating_sub(off))
}

fn own_names(one: &Name, other: &Name, rarity: &Rarity) -> (Likeness, u32) {
    if one.joined.is_empty() || other.joined.is_empty() {
        return (Likeness::SimilarName, 0);
    }
    if one.joined == other.joined {
        return (Likeness::SameName, SAME);
    }
    if one.sorted == other.sorted {
        return (Likeness::SameWords, OTHER_ORDER);
    }
    if stands_for(one, other) || stands_for(other, one) {
        return (Likeness::AbbreviatedName, INITIALS);
    }
    // A branch and its number: another number is another branch.
    if one.digits != other.digits {
        return (Likeness::SimilarName, 0);
    }
    if cut_off(one, other) || cut_off(other, one) {
        return (Likeness::AbbreviatedName, CUT_OFF);
    }
    let (by_words, abbreviated) = aligned(one, other, rarity);
    // Where the words are as many, spaces are no question, and each word answers for itself; a letter
    // of its own is no slip.
    let lettered = |name: &Name| name.words.iter().any(|word| is_letter(word));
    let word_by_word = one.words.len() == other.words.len() || lettered(one) || lettered(other);
    let as_whole = if word_by_word { 0 } else { whole(&one.joined, &other.joined) };
    if abbreviated && by_words >= as_whole {
        (Likeness::AbbreviatedName, by_words)
    } else {
        (Likeness::SimilarName, by_words.max(as_whole))
    }
}

fn is_letter(word: &str) -> bool {
    word.chars().nth(1).is_none()
}

/// Whether a name is the initials of another.
fn stands_for(short: &Name, long: &Name) -> bool {
    let initials = |acronym: &str| long.initials.iter().any(|initials| initials == acronym);
    long.words.len() > 1 && short.acronym().is_some_and(initials)
}

/// Whether a name is the beginning of another and ends within a word, as a field does that is full.
fn cut_off(short: &Name, long: &Name) -> bool {
    let Some((last, before)) = short.words.split_last() else { return false };
    let Some((same, rest)) = long.words.split_at_checked(before.len()) else { return false };
    let goes_on = rest.first().is_some_and(|word| word != last && word.starts_with(last));
    goes_on && same == before && short.joined.chars().count() >= CUT_OFF_CHARS
}

/// The names as a whole, where they differ in a few letters: what spaces part is no matter.
fn whole(one: &str, other: &str) -> u32 {
    let length = one.chars().count().max(other.chars().count());
    let slips = osa_distance(one, other);
    if slips > length / CHARS_A_SLIP { 0 } else { part(length - slips, length) }
}

fn part(of: usize, whole: usize) -> u32 {
    u32::try_from(of * 100 / whole.max(1)).unwrap_or(SAME)
}

/// The names word by word, each with the one most like it, and whether one abbreviates another.
fn aligned(one: &Name, other: &Name, rarity: &Rarity) -> (u32, bool) {
    let (short, long) =
        if one.words.len() <= other.words.len() { (one, other) } else { (other, one) };
    let mut left: Vec<&String> = long.words.iter().collect();
    let weights = |words: &[String]| words.iter().map(|word| rarity.weight(word)).sum::<u32>();
    let all = weights(&one.words) + weights(&other.words);
    let (mut met, mut told, mut found, mut abbreviated) = (0, 0, 0, false);
    for word in &short.words {
        let scored = left.iter().enumerate().map(|(at, theirs)| (word_alike(word, theirs), at));
        let best = scored.max_by_key(|((score, _), at)| (*score, std::cmp::Reverse(*at)));
        let Some(((score, short_form), at)) = best.filter(|((score, _), _)| *score > 0) else {
            continue;
        };
        let theirs = left.remove(at);
        let (mine, of_theirs) = (rarity.weight(word), rarity.weight(theirs));
        met += (mine + of_theirs) * score / SAME;
        found += 1;
        // A misspelt word is rare by its slip: the one that is more common tells.
        told += mine.min(of_theirs) * score / SAME;
        abbreviated |= short_form;
    }
    let score = (met * 100).checked_div(all).unwrap_or(0);
    // What is cut short or left out fits many names, unless what is there tells it from all others.
    let enough = rarity.telling();
    let in_part = abbreviated || found < long.words.len();
    let score = if in_part && told < enough { score * told / enough } else { score };
    (score, abbreviated)
}

/// How much two words are alike, and whether one begins the other.
fn word_alike(one: &str, other: &str) -> (u32, bool) {
    if one == other {
        return (SAME, false);
    }
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    let chars = long.chars().count();
    if is_letter(short) && chars >= LETTERED_CHARS && long.starts_with(short) {
        return (FIRST_LETTER, true);
    }
    if short.chars().count() >= BEGINNING_CHARS && long.starts_with(short) {
        return (BEGINNING, true);
    }
    let score = part(chars.saturating_sub(osa_distance(one, other)), chars);
    (if score >= LEAST_WORD { score } else { 0 }, false)
}
