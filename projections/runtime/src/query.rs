//! What can be asked of the read models: a view, filters on its columns, a moment.

use crate::{
    ReaderError, View,
    effective::{self, state_at},
    layout::key_names,
    show::EFFECTIVE_STATE,
};
use chl_events::{Currency, Date, Exact, Instant};
use chl_projections::Kind;
use rusqlite::types::Value;

impl View {
    /// The columns of the primary key, in whose order rows come.
    pub fn keys(self) -> impl ExactSizeIterator<Item = &'static str> {
        let table = self.table();
        table.columns.iter().take(table.keys).map(|column| column.name)
    }

    /// The columns a filter may name.
    pub fn filters(self) -> impl Iterator<Item = &'static str> {
        let alias = (self == Self::Conflicts).then_some("partner");
        let effective = self.has_effective_state().then_some(EFFECTIVE_STATE);
        let columns = self.table().columns.iter().filter(|column| comparable(column.kind));
        columns.map(|column| column.name).chain(alias).chain(effective)
    }
}

fn comparable(kind: Kind) -> bool {
    match kind {
        Kind::Int
        | Kind::Flag
        | Kind::Text
        | Kind::Word(_)
        | Kind::Currency
        | Kind::Decimal
        | Kind::Date
        | Kind::Instant => true,
        Kind::List | Kind::Minor | Kind::Money | Kind::Bytes | Kind::Link => false,
    }
}

/// A condition on a column, which a row must meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// The column has this value; of a conflict, `partner` is either side.
    Is(String, String),
    /// The column has one of these values.
    In(String, Vec<String>),
    /// The column has this value or a later one.
    From(String, String),
    /// The column has this value or an earlier one.
    To(String, String),
}

/// A question to one read model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The read model.
    pub view: View,
    /// All of these must hold.
    pub filters: Vec<Filter>,
    /// Only rows behind the one of this primary key, whether or not it is there.
    pub after: Option<Vec<String>>,
    /// At most so many rows, in the order of the primary key.
    pub limit: Option<u64>,
    /// As of when ages, days left and effective states are computed.
    pub now: Instant,
}

impl Query {
    /// Asks for every row of a view.
    pub fn all(view: View, now: Instant) -> Self {
        Self { view, filters: Vec::new(), after: None, limit: None, now }
    }

    /// Adds the condition that a column has a value.
    #[must_use]
    pub fn with(mut self, column: &str, value: &str) -> Self {
        self.filters.push(Filter::Is(column.into(), value.into()));
        self
    }

    /// The condition as SQL, and what is bound to it.
    pub(crate) fn condition(&self) -> Result<(String, Vec<Value>), ReaderError> {
        let mut clauses = Vec::new();
        let mut values = Vec::new();
        for filter in &self.filters {
            let (column, test, given): (_, _, &[String]) = match filter {
                Filter::Is(column, value) => (column, "=", std::slice::from_ref(value)),
                Filter::In(column, values) => (column, "=", values),
                Filter::From(column, value) => (column, ">=", std::slice::from_ref(value)),
                Filter::To(column, value) => (column, "<=", std::slice::from_ref(value)),
            };
            let columns = self.columns(column)?;
            let mut either = Vec::new();
            for value in given {
                for Operand { name, sql, kind } in &columns {
                    either.push(format!("{sql}{test}?"));
                    values.push(bound(name, *kind, value)?);
                }
            }
            let none = either.is_empty();
            clauses.push(if none { "0".into() } else { format!("({})", either.join(" OR ")) });
        }
        if let Some(after) = &self.after {
            clauses.push(self.behind(after, &mut values)?);
        }
        let condition = if clauses.is_empty() { String::new() } else { clauses.join(" AND ") };
        Ok((condition, values))
    }

    fn behind(&self, key: &[String], values: &mut Vec<Value>) -> Result<String, ReaderError> {
        let table = self.view.table();
        let columns = table.columns.iter().take(table.keys);
        if columns.len() != key.len() {
            return Err(ReaderError::Key(self.view.name()));
        }
        for (column, value) in columns.zip(key) {
            values.push(bound(column.name, column.kind, value)?);
        }
        let marks = vec!["?"; key.len()].join(",");
        Ok(format!("({})>({marks})", key_names(table)))
    }

    fn columns(&self, name: &str) -> Result<Vec<Operand>, ReaderError> {
        if self.view == View::Conflicts && name == "partner" {
            let sides = ["incumbent_partner", "challenger_partner"];
            return Ok(sides.map(|side| Operand::stored(side, Kind::Text)).into());
        }
        let all = self.view.table().columns;
        if let (EFFECTIVE_STATE, Some(sql)) = (name, state_at(self.view, self.now)) {
            let kind = all.iter().find(|column| column.name == "state").map(|column| column.kind);
            return Ok(vec![Operand {
                name: EFFECTIVE_STATE,
                sql,
                kind: kind.unwrap_or(Kind::Text),
            }]);
        }
        let mut known = all.iter().filter(|column| comparable(column.kind));
        let column = known.find(|column| column.name == name);
        let column = column.ok_or_else(|| ReaderError::Column {
            view: self.view.name(),
            column: name.chars().take(64).collect(),
            known: self.view.filters().collect::<Vec<_>>().join(", "),
        })?;
        Ok(vec![Operand::stored(column.name, column.kind)])
    }
}

/// What a filter compares: a column that is stored, or one that is computed.
struct Operand {
    name: &'static str,
    sql: String,
    kind: Kind,
}

impl Operand {
    fn stored(name: &'static str, kind: Kind) -> Self {
        let sql = if kind == Kind::Instant { effective::micros(name) } else { name.into() };
        Self { name, sql, kind }
    }
}

/// A filter's value as SQLite compares it; one that no row can have is refused.
fn bound(column: &'static str, kind: Kind, value: &str) -> Result<Value, ReaderError> {
    let wrong = |allowed: String| {
        let value = value.chars().take(64).collect();
        ReaderError::Value { column, value, allowed }
    };
    let such_as = |word: &str| wrong(format!("write {word}"));
    Ok(match kind {
        Kind::Int => {
            Value::Integer(value.parse().map_err(|_| such_as("a whole number such as 12"))?)
        }
        Kind::Flag => {
            let yes: bool = value.parse().map_err(|_| such_as("true or false"))?;
            Value::Integer(i64::from(yes))
        }
        Kind::Date => {
            let date: Result<Date, _> = value.parse();
            Value::Text(date.map_err(|_| such_as("a date such as 2026-03-01"))?.to_string())
        }
        Kind::Instant => {
            let instant: Result<Instant, _> = value.parse();
            let instant =
                instant.map_err(|_| such_as("an instant such as 2026-03-01T09:00:00Z"))?;
            Value::Integer(instant.micros())
        }
        Kind::Word(words) if !words.contains(&value) => {
            return Err(wrong(format!("it is one of {}", words.join(", "))));
        }
        Kind::Currency => {
            Currency::new(value).map_err(|_| such_as("a code of ISO 4217 such as USD"))?;
            Value::Text(value.into())
        }
        Kind::Decimal => {
            let exact: Result<Exact, _> = value.parse();
            Value::Text(exact.map_err(|_| such_as("a decimal such as 12.50"))?.to_string())
        }
        Kind::Text
        | Kind::Word(_)
        | Kind::List
        | Kind::Minor
        | Kind::Money
        | Kind::Bytes
        | Kind::Link => Value::Text(value.into()),
    })
}
