//! Charts as SVG: where marks stand, in units of the drawing, as text.

use rust_decimal::Decimal;

/// The width of every drawing; a point of 100 is one tenth of it.
const WIDTH: Decimal = Decimal::from_parts(1000, 0, 0, false, 0);
/// How high a trend is, and how much stays free above and below for its labels.
const HEIGHT: u32 = 240;
const MARGIN: u32 = 40;

/// Where points from 0 to 100 stand on a line.
pub(super) fn place(points: Decimal) -> String {
    let points = points.clamp(Decimal::ZERO, Decimal::ONE_HUNDRED);
    let place = points.checked_mul(WIDTH).and_then(|at| at.checked_div(Decimal::ONE_HUNDRED));
    place.unwrap_or_default().round_dp(1).normalize().to_string()
}

/// A value at a moment of a trend.
pub(super) struct Mark {
    pub(super) x: String,
    pub(super) y: String,
    pub(super) label_y: String,
    pub(super) value: String,
    pub(super) when: String,
}

/// Points from 0 to 100 over time, oldest first.
pub(super) struct Trend {
    pub(super) marks: Vec<Mark>,
    /// The line through the marks.
    pub(super) line: String,
    /// What a reader who does not see it hears.
    pub(super) told: String,
}

impl Trend {
    /// Draws a trend; none of fewer than two values.
    pub(super) fn of(values: &[(String, Decimal)]) -> Option<Self> {
        if values.len() < 2 {
            return None;
        }
        let columns = Decimal::from(u64::try_from(values.len()).ok()?);
        let mut marks = Vec::new();
        for (column, (when, points)) in (0_u64..).zip(values) {
            // In the middle of its column.
            let middle = Decimal::from(2 * column + 1).checked_mul(WIDTH)?;
            let x = middle.checked_div(columns.checked_mul(Decimal::TWO)?)?;
            let room = Decimal::from(HEIGHT - 2 * MARGIN);
            let missing =
                Decimal::ONE_HUNDRED - (*points).clamp(Decimal::ZERO, Decimal::ONE_HUNDRED);
            let down = missing.checked_mul(room)?.checked_div(Decimal::ONE_HUNDRED)?;
            let y = Decimal::from(MARGIN) + down;
            let shown = |at: Decimal| at.round_dp(1).normalize().to_string();
            marks.push(Mark {
                x: shown(x),
                y: shown(y),
                label_y: shown(y - Decimal::from(20)),
                value: points.to_string(),
                when: when.clone(),
            });
        }
        let corners: Vec<String> =
            marks.iter().map(|mark| format!("{},{}", mark.x, mark.y)).collect();
        let told: Vec<String> =
            marks.iter().map(|mark| format!("{}: {}", mark.when, mark.value)).collect();
        Some(Self { line: corners.join(" "), told: told.join(", "), marks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_stand_between_the_ends() {
        for (points, at) in [("0", "0"), ("33.33", "333.3"), ("100", "1000"), ("120", "1000")] {
            assert_eq!(points.parse().map(place), Ok(at.to_owned()));
        }
    }

    #[test]
    fn a_trend_goes_from_left_to_right_and_up_with_more_points() {
        let values = [("2026-Q1", 40), ("2026-Q2", 90)]
            .map(|(when, points)| (when.to_owned(), Decimal::from(points)));
        let trend = Trend::of(&values).map(|trend| (trend.line, trend.told));
        let told = "2026-Q1: 40, 2026-Q2: 90".to_owned();
        assert_eq!(trend, Some(("250,136 750,56".to_owned(), told)));
        assert!(Trend::of(values.get(..1).unwrap_or_default()).is_none());
    }
}
