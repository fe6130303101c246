//! Filters: how the text of a column becomes the text of a field.

use jiff::civil;
use std::collections::BTreeMap;
use std::sync::Arc;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// The most characters of an identifier (contract).
const MAX_ID_CHARS: usize = 64;

/// Words and what stands for them: a table of the map, or a column of an export by another.
pub(super) type Words = Arc<BTreeMap<String, String>>;

/// A step between a column and a field.
#[derive(Debug)]
pub(super) enum Filter {
    /// Makes an identifier of a display name: `Gekko & Co` becomes `gekko-co`.
    Slug,
    /// To lower case.
    Lower,
    /// To upper case.
    Upper,
    /// Replaces every occurrence.
    Replace(String, String),
    /// What an empty value becomes.
    Default(String),
    /// Looks the value up; a value that is not there is an error, or becomes the second text.
    Lookup(String, Words, Option<String>),
    /// Looks the value up; a value that is not there stays.
    Fix(Words),
    /// Reads a date of a format.
    Date(String),
    /// Reads a date and time of a format.
    DateTime(String),
    /// Reads a number as people write it, with this decimal sign.
    Number(char),
    /// Drops the sign of a number.
    Abs,
    /// Reads a whole number: no quotes around it.
    Integer,
    /// Reads yes or no: no quotes around it.
    Boolean,
}

/// Says why a filter cannot take a value.
#[derive(Debug, thiserror::Error)]
pub(super) enum FilterError {
    /// A letter has no counterpart among those of identifiers.
    #[error("{0:?} cannot stand in an identifier; give it another name with a lookup")]
    Letter(char),
    /// Nothing is left of the name.
    #[error("no letter or digit is left for an identifier")]
    NoIdentifier,
    /// The name is too long.
    #[error("the identifier would have {0} characters; at most 64 are allowed")]
    LongIdentifier(usize),
    /// The lookup does not know the value.
    #[error("the lookup {0} has no such entry")]
    NotFound(String),
    /// The date is not of the format.
    #[error("it is no date of the form {format}: {source}")]
    Date {
        /// The format.
        format: String,
        /// What the reader of dates says.
        source: jiff::Error,
    },
    /// It is no number.
    #[error("it is no number with the decimal sign {0:?}")]
    Number(char),
    /// It is no whole number.
    #[error("it is no whole number")]
    Integer,
    /// It is neither yes nor no.
    #[error("it is none of yes, no, true, false, 1, 0")]
    Boolean,
}

impl Filter {
    /// Whether its outcome stands in JSON without quotes.
    pub(super) fn is_bare(&self) -> bool {
        matches!(self, Self::Integer | Self::Boolean)
    }

    /// Takes a value through the step; an empty one stays empty, save for a default.
    pub(super) fn apply(&self, value: String) -> Result<String, FilterError> {
        if value.is_empty() {
            return Ok(match self {
                Self::Default(text) => text.clone(),
                Self::Slug
                | Self::Lower
                | Self::Upper
                | Self::Replace(..)
                | Self::Lookup(..)
                | Self::Fix(_)
                | Self::Date(_)
                | Self::DateTime(_)
                | Self::Number(_)
                | Self::Abs
                | Self::Integer
                | Self::Boolean => value,
            });
        }
        match self {
            Self::Slug => slug(&value),
            Self::Lower => Ok(value.to_lowercase()),
            Self::Upper => Ok(value.to_uppercase()),
            Self::Replace(old, new) => Ok(value.replace(old, new)),
            Self::Default(_) => Ok(value),
            Self::Lookup(name, words, fallback) => words
                .get(&value)
                .or(fallback.as_ref())
                .cloned()
                .ok_or_else(|| FilterError::NotFound(name.clone())),
            Self::Fix(words) => Ok(words.get(&value).cloned().unwrap_or(value)),
            Self::Date(format) => civil::Date::strptime(format, &value)
                .map(|date| date.to_string())
                .map_err(|source| FilterError::Date { format: format.clone(), source }),
            Self::DateTime(format) => civil::DateTime::strptime(format, &value)
                .map(|at| at.to_string())
                .map_err(|source| FilterError::Date { format: format.clone(), source }),
            Self::Number(sign) => number(&value, *sign).ok_or(FilterError::Number(*sign)),
            Self::Abs => Ok(value.strip_prefix('-').map(str::to_owned).unwrap_or(value)),
            Self::Integer => {
                value.parse().map(|n: i64| n.to_string()).map_err(|_| FilterError::Integer)
            }
            Self::Boolean => boolean(&value).map(str::to_owned).ok_or(FilterError::Boolean),
        }
    }
}

/// Letters that do not come apart into a plain one and a mark.
fn spelled(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ß' => "ss",
        'æ' | 'Æ' => "ae",
        'œ' | 'Œ' => "oe",
        'ø' | 'Ø' => "o",
        'ł' | 'Ł' => "l",
        'đ' | 'Đ' => "d",
        'þ' | 'Þ' => "th",
        _ => return None,
    })
}

fn slug(name: &str) -> Result<String, FilterError> {
    let mut id = String::with_capacity(name.len());
    let mut gap = false;
    for letter in name.nfkd() {
        if is_combining_mark(letter) || letter == '\'' || letter == '’' {
            continue;
        }
        let mut plain = [0; 4];
        let text = match spelled(letter) {
            Some(text) => text,
            None if letter.is_ascii_alphanumeric() => {
                letter.to_ascii_lowercase().encode_utf8(&mut plain)
            }
            None if letter.is_alphanumeric() => return Err(FilterError::Letter(letter)),
            None => {
                gap = true;
                continue;
            }
        };
        if gap && !id.is_empty() {
            id.push('-');
        }
        gap = false;
        id.push_str(text);
    }
    match id.len() {
        0 => Err(FilterError::NoIdentifier),
        long if long > MAX_ID_CHARS => Err(FilterError::LongIdentifier(long)),
        _ => Ok(id),
    }
}

/// Reads `1,234.50`, `1.234,50`, `1 234,50`, `(12.00)`, `$ 7` and `-3`, exactly.
fn number(text: &str, sign: char) -> Option<String> {
    let (negative, text) = match text.strip_prefix('(').and_then(|t| t.strip_suffix(')')) {
        Some(inner) => (true, inner),
        None => text.strip_prefix('-').map_or((false, text), |rest| (true, rest)),
    };
    let text = text.trim_matches(|c: char| c.is_whitespace() || "$€£¥".contains(c));
    let (whole, fraction) = text.split_once(sign).unwrap_or((text, ""));
    let mut groups = whole.split(|c: char| c != sign && (",.'’ ".contains(c) || c.is_whitespace()));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let first = groups.next()?;
    let mut plain = first.to_owned();
    let mut grouped = false;
    for group in groups {
        grouped = true;
        if group.len() != 3 {
            return None;
        }
        plain.push_str(group);
    }
    let headed = !first.is_empty() && (!grouped || first.len() <= 3);
    if !headed || !digits(&plain) || !digits(fraction) {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    let minus = if negative { "-" } else { "" };
    Some(format!("{minus}{plain}{point}{fraction}"))
}

fn boolean(text: &str) -> Option<&'static str> {
    match text.to_lowercase().as_str() {
        "yes" | "true" | "1" | "y" | "t" => Some("true"),
        "no" | "false" | "0" | "n" | "f" => Some("false"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_identifiers() {
        let slugged = |name: &str| {
            Filter::Slug.apply(name.to_owned()).unwrap_or_else(|error| format!("error: {error}"))
        };
        assert_eq!(slugged("Gekko & Co"), "gekko-co");
        assert_eq!(slugged("  Mei-Mei Johns "), "mei-mei-johns");
        assert_eq!(slugged("Müller’s Straße, Łódź"), "mullers-strasse-lodz");
        assert!(slugged("株式").starts_with("error: '株' cannot stand"));
        assert!(slugged("&").starts_with("error: no letter or digit is left"));
        assert!(slugged(&"a".repeat(65)).starts_with("error: the identifier would have 65"));
    }

    #[test]
    fn numbers_are_read_exactly_or_refused() {
        let read = |text: &str, sign| number(text, sign);
        assert_eq!(read("1,234.50", '.').as_deref(), Some("1234.5"));
        assert_eq!(read("1.234,50 €", ',').as_deref(), Some("1234.5"));
        assert_eq!(read("1\u{202f}234\u{202f}567", ',').as_deref(), Some("1234567"));
        assert_eq!(read("(12.00)", '.').as_deref(), Some("-12"));
        assert_eq!(read("$ 7", '.').as_deref(), Some("7"));
        for wrong in ["1,23", "12,34,567", ",123", "1.2.3", "", "1e3", "0x1"] {
            assert_eq!(read(wrong, '.'), None, "{wrong:?}");
        }
    }

    #[test]
    fn dates_follow_the_format() {
        let read = |format: &str, text: &str| Filter::Date(format.into()).apply(text.into());
        assert_eq!(read("%d.%m.%Y", "01.03.2026").ok().as_deref(), Some("2026-03-01"));
        assert_eq!(read("%b %d, %Y", "Mar 1, 2026").ok().as_deref(), Some("2026-03-01"));
        assert!(read("%d.%m.%Y", "31.02.2026").is_err());
        let at = Filter::DateTime("%m/%d/%Y %I:%M %p".into()).apply("3/1/2026 09:30 PM".into());
        assert_eq!(at.ok().as_deref(), Some("2026-03-01T21:30:00"));
    }

    #[test]
    fn an_empty_value_stays_empty() {
        let apply = |filter: Filter| filter.apply(String::new()).ok();
        assert_eq!(apply(Filter::Integer).as_deref(), Some(""));
        assert_eq!(apply(Filter::Default("x".into())).as_deref(), Some("x"));
    }
}
