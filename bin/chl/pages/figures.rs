//! Numbers as people read them.

use chl_events::Currency;
use chl_projections::scorecards::Unit;
use rust_decimal::Decimal;
use std::cmp::Ordering;

/// Behind which digit of a share a percentage is cut.
const SHARE_PLACES: u32 = 1;
const OTHER_PLACES: u32 = 2;
/// What keeps a number and its unit on one line.
const NARROW: char = '\u{202f}';

/// A value in its unit: `1,234.50 USD`, `45.2 %`, `33 days`.
pub(super) fn figure(value: Decimal, unit: Unit, currency: Currency) -> String {
    match unit {
        Unit::Money => {
            format!("{}{NARROW}{}", grouped(value.round_dp(OTHER_PLACES)), currency.code())
        }
        Unit::Share => {
            let share = value.checked_mul(Decimal::ONE_HUNDRED).unwrap_or(value);
            format!("{}{NARROW}%", grouped(share.round_dp(SHARE_PLACES)))
        }
        Unit::Days => {
            let days = value.round_dp(SHARE_PLACES).normalize();
            format!(
                "{}{NARROW}{}",
                grouped(days),
                if days == Decimal::ONE { "day" } else { "days" }
            )
        }
        Unit::Number => grouped(value.round_dp(OTHER_PLACES).normalize()),
    }
}

/// A number with commas between its thousands.
pub(super) fn grouped(value: Decimal) -> String {
    let text = value.abs().to_string();
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), None), |(w, r)| (w, Some(r)));
    let mut shown = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    let sign = if value.is_sign_negative() && !value.is_zero() { "\u{2212}" } else { "" };
    let rest = rest.map(|rest| format!(".{rest}")).unwrap_or_default();
    format!("{sign}{shown}{rest}")
}

/// How a value has changed, and whether that is for the better, where one can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) text: String,
    pub(super) better: Option<bool>,
}

impl Change {
    /// What lies between two values; shares change by percentage points.
    pub(super) fn between(
        (before, now): (Decimal, Decimal),
        unit: Unit,
        better: Option<Ordering>,
        currency: Currency,
    ) -> Self {
        let by = now - before;
        let text = match by.cmp(&Decimal::ZERO) {
            Ordering::Equal => "±0".to_owned(),
            Ordering::Greater => format!("+{}", Self::shown(by, unit, currency)),
            Ordering::Less => Self::shown(by, unit, currency),
        };
        let better = better.filter(|better| *better != Ordering::Equal);
        Self { text, better: better.map(|better| better == Ordering::Greater) }
    }

    fn shown(by: Decimal, unit: Unit, currency: Currency) -> String {
        let text = figure(by, unit, currency);
        if unit == Unit::Share { text.replace('%', "pp") } else { text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap_or_default()
    }

    #[test]
    fn figures_are_read_at_a_glance() {
        let Ok(usd) = Currency::new("USD") else { panic!("a currency") };
        for (value, unit, text) in [
            ("1234567.5", Unit::Money, "1,234,567.5 USD"),
            ("-0.0421", Unit::Share, "\u{2212}4.2 %"),
            ("1", Unit::Days, "1 day"),
            ("33.50", Unit::Days, "33.5 days"),
            ("999", Unit::Number, "999"),
        ] {
            assert_eq!(figure(decimal(value), unit, usd), text.replace(' ', "\u{202f}"));
        }
        let change =
            |now, better| Change::between((decimal("0.5"), decimal(now)), Unit::Share, better, usd);
        let up = Change { text: "+10.0\u{202f}pp".into(), better: Some(true) };
        assert_eq!(change("0.6", Some(Ordering::Greater)), up);
        let down = Change { text: "\u{2212}10.0\u{202f}pp".into(), better: Some(false) };
        assert_eq!(change("0.4", Some(Ordering::Less)), down);
        assert_eq!(change("0.5", None), Change { text: "±0".into(), better: None });
    }
}
