//! Comparisons of a column with a value, as `--where` takes them.

use chl_runtime::Filter;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// A comparison of a column with a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Condition {
    column: String,
    test: Test,
    value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Test {
    Is,
    From,
    To,
}

impl Condition {
    /// Whether a cell meets it, where its value stands for all from a first to a last, as a day does
    /// for its moments.
    pub(super) fn holds<T: Ord>(&self, cell: &T, (first, last): (&T, &T)) -> bool {
        match self.test {
            Test::Is => first <= cell && cell <= last,
            Test::From => first <= cell,
            Test::To => cell <= last,
        }
    }

    /// The same for a read model.
    pub(super) fn filter(self) -> Filter {
        let Self { column, test, value } = self;
        match test {
            Test::Is => Filter::Is(column, value),
            Test::From => Filter::From(column, value),
            Test::To => Filter::To(column, value),
        }
    }

    /// The column it compares.
    pub(super) fn column(&self) -> &str {
        &self.column
    }

    /// What it is compared with.
    pub(super) fn value(&self) -> &str {
        &self.value
    }
}

impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let tests = [(">=", Test::From), ("<=", Test::To), ("=", Test::Is)];
        for (sign, test) in tests {
            if let Some((column, value)) = text.split_once(sign) {
                return Ok(Self { column: column.trim().into(), test, value: value.trim().into() });
            }
        }
        Err(format!(
            "{text:?} compares nothing; write COLUMN=VALUE, COLUMN>=VALUE or COLUMN<=VALUE"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::{Condition, Test};

    #[test]
    fn conditions_compare_columns() {
        let condition = |column: &str, test, value: &str| {
            Ok(Condition { column: column.into(), test, value: value.into() })
        };
        assert_eq!("state=won".parse(), condition("state", Test::Is, "won"));
        assert_eq!(
            "closed_on>=2026-01-01".parse(),
            condition("closed_on", Test::From, "2026-01-01")
        );
        assert_eq!("position <= 7".parse(), condition("position", Test::To, "7"));
        assert!("state".parse::<Condition>().is_err());
    }
}
