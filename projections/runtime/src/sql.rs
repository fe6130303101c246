//! Read-only SQL over the read models, for analysts.

use crate::{
    Answer, Reader, ReaderError, StatementError, View, effective,
    reader::LENDER,
    scorecard::{SCORECARDS, SCORED},
};
use chl_events::Instant;
use rusqlite::{
    hooks::{AuthAction, AuthContext, Authorization},
    limits::Limit,
    types::ValueRef,
};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// After so many steps of SQLite's machine the time is looked at.
const STEPS: i32 = 10_000;

/// No text or blob of a statement may have more bytes.
const MOST_BYTES_OF_VALUE: i32 = 16 << 20;
/// An answer may have so many bytes: it is held in memory until all of it is there.
const MOST_BYTES_OF_ANSWER: usize = 256 << 20;

/// Pragmas that only tell what there is.
const TELLING_PRAGMAS: [&str; 4] = ["table_info", "table_xinfo", "table_list", "index_list"];

/// Functions that reach beyond the tables.
const DENIED_FUNCTIONS: [&str; 2] = ["load_extension", "fts3_tokenizer"];

/// The tables a statement reads, as SQLite tells them while it looks at the statement.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<BTreeSet<String>>>);

impl Told {
    /// Allows what only reads, and remembers what of.
    fn authorize(&self, context: &AuthContext<'_>) -> Authorization {
        let action = context.action;
        if let AuthAction::Read { table_name, .. } = action {
            let mut tables = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            tables.insert(table_name.to_ascii_lowercase());
        }
        let reads =
            matches!(action, AuthAction::Select | AuthAction::Recursive | AuthAction::Read { .. });
        let computes = matches!(action, AuthAction::Function { function_name }
            if !DENIED_FUNCTIONS.iter().any(|denied| function_name.eq_ignore_ascii_case(denied)));
        let tells = matches!(action, AuthAction::Pragma { pragma_name, .. }
            if TELLING_PRAGMAS.contains(&pragma_name));
        // Of another file only what a view of ours shows.
        let lent = context.database_name == Some(LENDER) && context.accessor.is_none();
        let allowed = (reads && !lent) || computes || tells;
        if allowed { Authorization::Allow } else { Authorization::Deny }
    }

    /// The read models among them, and those others are made from.
    fn views(&self) -> Vec<View> {
        let tables = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_cards = tables.contains(SCORECARDS).then_some(SCORED).into_iter().flatten();
        let named = tables.iter().filter_map(|table| View::named(table));
        named.chain(of_cards.copied()).collect()
    }
}

impl Reader {
    /// Runs one statement that only reads, and answers with its rows.
    ///
    /// Deals, conflicts and claims have what depends on the moment as columns: `effective_state`,
    /// `days_left`, `age_days`, `overdue`. A statement that speaks of `scorecards` finds them as a
    /// table, for every calendar month, quarter, half and year with facts. Everything else is
    /// refused before it runs: writing, attaching files, changing settings. One that runs longer
    /// than `limit`, or answers with more than 256 MiB, is stopped.
    pub fn sql(
        &mut self,
        statement: &str,
        now: Instant,
        limit: Option<Duration>,
    ) -> Result<Answer, ReaderError> {
        let checkpoint = self.checkpoint()?;
        self.db.pragma_update(None, "query_only", false)?;
        let tabulated = self.tabulate(statement, now);
        self.db.pragma_update(None, "query_only", true)?;
        tabulated?;
        let began = std::time::Instant::now();
        self.db.set_limit(Limit::SQLITE_LIMIT_LENGTH, MOST_BYTES_OF_VALUE)?;
        let told = Told::default();
        let telling = told.clone();
        self.db.authorizer(Some(move |context: AuthContext<'_>| telling.authorize(&context)))?;
        let late = move || limit.is_some_and(|limit| began.elapsed() > limit);
        self.db.progress_handler(STEPS, Some(late))?;
        let rows = self.select(statement);
        self.db.progress_handler(0, None::<fn() -> bool>)?;
        self.db.authorizer(None::<fn(AuthContext<'_>) -> Authorization>)?;
        let rows = rows.map_err(|error| StatementError::of(&error, limit.unwrap_or_default()))?;
        let (columns, rows) = rows?;
        let (position, recorded_at) = (checkpoint.position, checkpoint.recorded_at);
        let frozen = self.frozen(&told.views())?;
        Ok(Answer { position, recorded_at, columns, rows, frozen })
    }

    /// Makes what a statement may speak of and is not stored, on this connection only.
    fn tabulate(&self, statement: &str, now: Instant) -> Result<(), ReaderError> {
        if statement.to_ascii_lowercase().contains(SCORECARDS) {
            self.snapshot(Self::tabulate_scorecards)?;
        }
        Ok(effective::tabulate(&self.db, now, &self.kept()?)?)
    }

    /// The columns and rows of a statement, unless it has no columns, would write, or answers with
    /// more than anybody reads.
    fn select(&self, text: &str) -> rusqlite::Result<Result<Rows, StatementError>> {
        let mut statement = self.db.prepare(text)?;
        let columns: Vec<String> = statement.column_names().map(Into::into).collect();
        if columns.is_empty() || !statement.readonly() {
            return Ok(Err(StatementError::NoRows));
        }
        let (mut found, mut bytes) = (Vec::new(), 0);
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let mut values = Vec::with_capacity(columns.len());
            for at in 0..columns.len() {
                let value = row.get_ref(at)?;
                bytes += size_of::<Value>() + length(value);
                values.push(json(value));
            }
            found.push(values);
            if bytes > MOST_BYTES_OF_ANSWER {
                return Ok(Err(StatementError::TooLarge { rows: found.len() }));
            }
        }
        Ok(Ok((columns, found)))
    }
}

/// The columns and the rows of an answer.
type Rows = (Vec<String>, Vec<Vec<Value>>);

fn length(value: ValueRef<'_>) -> usize {
    match value {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.len(),
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => 0,
    }
}

fn json(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(whole) => whole.into(),
        ValueRef::Real(real) => real.into(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
        ValueRef::Blob(bytes) => {
            bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
        }
    }
}
