//! What of a company's name counts: its words, without accents, case, punctuation and legal form.

use crate::words::{
    ABBREVIATIONS, CONNECTING, DASHES, LEADING_FORMS, LEGAL_FORMS, LETTERS, READ_FOR,
};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// The shortest word whose plural is taken for its singular, and whose `ae`, `oe`, `ue` for an
/// umlaut.
const LONG_WORD: usize = 5;
/// How long a word is that may be the initials of a name.
pub(crate) const INITIALS: std::ops::RangeInclusive<usize> = 2..=6;

/// A name as it is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    /// Its words, abbreviations written out.
    pub(crate) words: Vec<String>,
    /// The same in order.
    pub(crate) sorted: Vec<String>,
    /// The same without the spaces between.
    pub(crate) joined: String,
    /// The initials of all its words, and without those that join others.
    pub(crate) initials: [String; 2],
    /// Its digits.
    pub(crate) digits: String,
    /// The words of a remark in brackets or behind a dash.
    pub(crate) remark: Vec<String>,
}

impl Name {
    pub(crate) fn new(text: &str) -> Self {
        let (text, remark) = remarked(text);
        let all = tokens(&folded(&text));
        let own = without_forms(&all);
        let initial = |words: &mut dyn Iterator<Item = &String>| -> String {
            words.filter_map(|word| word.chars().next()).collect()
        };
        let telling = |word: &&String| !CONNECTING.contains(&word.as_str());
        let initials = [initial(&mut own.iter()), initial(&mut own.iter().filter(telling))];
        let mut words: Vec<String> =
            own.iter().filter(telling).map(|word| written_out(word)).collect();
        if words.is_empty() {
            words = own.to_vec();
        }
        let mut sorted = words.clone();
        sorted.sort_unstable();
        let joined = words.concat();
        let digits = joined.chars().filter(|c| c.is_numeric()).collect();
        Self { words, sorted, joined, initials, digits, remark: tokens(&folded(&remark)) }
    }

    /// The one short word that may be the initials of another name.
    pub(crate) fn acronym(&self) -> Option<&str> {
        let [word] = self.words.as_slice() else { return None };
        INITIALS.contains(&word.chars().count()).then_some(word)
    }
}

/// A name and the remark somebody put in brackets or behind a dash: a place, a department, a
/// warning. A name that is nothing else is no remark.
fn remarked(text: &str) -> (String, String) {
    let (mut name, mut remark, mut open) = (String::new(), String::new(), 0_u32);
    for c in text.chars() {
        match c {
            '(' | '[' => open = open.saturating_add(1),
            ')' | ']' => open = open.saturating_sub(1),
            _ if open > 0 => remark.push(c),
            _ => name.push(c),
        }
    }
    let behind = DASHES.iter().filter_map(|dash| Some((name.find(dash)?, dash.len()))).min();
    if let Some((at, dash)) = behind {
        let behind = name.split_off(at);
        remark = format!("{} {remark}", behind.get(dash..).unwrap_or_default());
    }
    if name.chars().any(char::is_alphanumeric) { (name, remark) } else { (text.into(), "".into()) }
}

/// Small letters without marks.
fn folded(text: &str) -> String {
    let plain = text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase);
    let mut folded = String::with_capacity(text.len());
    for c in plain {
        match LETTERS.iter().find(|(letter, _)| *letter == c) {
            Some((_, stands_for)) => folded.push_str(stands_for),
            None => folded.push(c),
        }
    }
    folded
}

/// A word with the digits that were read for letters as the letters: those before a letter, in a word
/// that is mostly letters.
fn read_right(word: &str) -> String {
    let digits = word.chars().filter(char::is_ascii_digit).count();
    if digits == 0 || digits * 4 > word.chars().count() {
        return word.into();
    }
    let after = word.chars().skip(1).map(Some).chain([None]);
    let letters = word.chars().zip(after).map(|(c, after)| {
        let meant = READ_FOR.iter().find(|(digit, _)| *digit == c).map(|(_, letter)| *letter);
        meant.filter(|_| after.is_some_and(char::is_alphabetic)).unwrap_or(c)
    });
    letters.collect()
}

/// The words of a text: apostrophes within them are left out, initials with points are one word.
fn tokens(text: &str) -> Vec<String> {
    let joins = |c: char| matches!(c, '\'' | '’' | '`' | '´');
    let text: String = text.chars().filter(|c| !joins(*c)).collect();
    let chunks = text.split(|c: char| !c.is_alphanumeric() && c != '.');
    let mut tokens = Vec::new();
    for chunk in chunks {
        let parts: Vec<&str> = chunk.split('.').filter(|part| !part.is_empty()).collect();
        if parts.len() > 1 && parts.iter().all(|part| part.chars().count() == 1) {
            tokens.push(parts.concat());
        } else {
            tokens.extend(parts.into_iter().map(read_right));
        }
    }
    tokens
}

/// The words without the legal forms at either end; a name that is nothing else keeps them.
fn without_forms(words: &[String]) -> &[String] {
    let mut own = words;
    if let [first, rest @ ..] = own
        && LEADING_FORMS.contains(&first.as_str())
        && !rest.is_empty()
    {
        own = rest;
    }
    while let Some(rest) = LEGAL_FORMS.iter().find_map(|form| without_form(own, form)) {
        own = rest;
    }
    own
}

/// The words before a form they end with, and before the word that joins it to them.
fn without_form<'a>(words: &'a [String], form: &[&str]) -> Option<&'a [String]> {
    let at = words.len().checked_sub(form.len()).filter(|at| *at > 0)?;
    let (before, end) = words.split_at_checked(at)?;
    if !end.iter().zip(form).all(|(word, part)| word == part) {
        return None;
    }
    match before {
        [own @ .., last] if !own.is_empty() && CONNECTING.contains(&last.as_str()) => Some(own),
        _ => Some(before),
    }
}

/// A word as it is meant: not abbreviated, in the singular, an umlaut as its vowel.
fn written_out(word: &str) -> String {
    let meant = ABBREVIATIONS.iter().find(|(short, _)| *short == word);
    if let Some((_, meant)) = meant {
        return (*meant).into();
    }
    let mut word = word.to_owned();
    if word.chars().count() >= LONG_WORD {
        word = word.replace("ae", "a").replace("oe", "o").replace("ue", "u");
        if let Some(stem) = word.strip_suffix("ies") {
            word = format!("{stem}y");
        } else if let Some(stem) = word.strip_suffix('s')
            && !stem.ends_with('s')
        {
            word = stem.into();
        }
    }
    let meant = ABBREVIATIONS.iter().find(|(short, _)| *short == word);
    meant.map_or(word, |(_, meant)| (*meant).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn same(names: &[&str]) {
        for pair in names.windows(2) {
            let [one, other] = pair else { continue };
            assert_eq!(Name::new(one).joined, Name::new(other).joined, "{one} and {other}");
        }
    }

    #[test]
    fn the_legal_form_is_left_out_in_many_countries() {
        same(&["Acme", "Acme, Inc.", "ACME Corporation", "acme co. ltd", "Acme Pty Ltd"]);
        same(&["Müller & Söhne GmbH & Co. KG", "Mueller und Soehne", "MÜLLER+SÖHNE"]);
        same(&[
            "Grupo Norte",
            "Grupo Norte S.A. de C.V.",
            "Grupo Norte, S. A.",
            "GRUPO NORTE S.L.",
        ]);
        same(&["Wisła", "Wisla Sp. z o.o.", "Wisła sp.zoo"]);
        same(&["Fratelli Rossi", "Fratelli Rossi S.p.A.", "Fratelli Rossi S.r.l."]);
        same(&["Sumber Jaya", "PT Sumber Jaya Tbk", "PT. Sumber Jaya"]);
        same(&["Ромашка", "ООО «Ромашка»"]);
        same(&["Ørsted", "Orsted A/S", "Ørsted AS"]);
    }

    #[test]
    fn a_name_that_is_a_form_and_nothing_else_stays() {
        assert_eq!(Name::new("Limited").words, ["limited"]);
        assert_eq!(Name::new("The And").words, ["the", "and"]);
        assert!(Name::new("—").words.is_empty());
    }

    #[test]
    fn a_remark_is_no_part_of_the_name() {
        same(&["Acme", "Acme (HQ)", "Acme GmbH - do not use", "Acme [old] – Berlin"]);
        assert_eq!(Name::new("Acme - Berlin (old)").remark, ["berlin", "old"]);
        for own in ["(Acme)", "- Acme", "Rolls-Royce"] {
            assert!(Name::new(own).remark.is_empty(), "{own}");
        }
    }

    #[test]
    fn a_digit_before_a_letter_may_be_a_letter() {
        same(&["Solution", "5olution", "So1ution", "S0lution"]);
        for own in ["3m", "b2b", "store1", "7eleven2"] {
            assert_eq!(Name::new(own).words, [own]);
        }
    }

    #[test]
    fn what_is_abbreviated_is_written_out() {
        same(&[
            "International Business Machines",
            "Intl. Business Mach.",
            "Int'l Business Machine",
        ]);
        same(&["Smith Brothers Manufacturing", "Smith Bros. Mfg"]);
        same(&["O'Neil Technologies", "ONeil Tech"]);
        assert_eq!(Name::new("I.B.M.").acronym(), Some("ibm"));
        assert_eq!(Name::new("Bank of America").initials, ["boa", "ba"]);
    }
}
