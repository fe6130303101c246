//! Read-only SQL over the read models, for analysts.

use crate::{Answer, Reader, ReaderError, effective};
use chl_events::Instant;
use rusqlite::{
    hooks::{AuthAction, AuthContext, Authorization},
    types::ValueRef,
};
use serde_json::Value;

/// Pragmas that only tell what there is.
const TELLING_PRAGMAS: [&str; 4] = ["table_info", "table_xinfo", "table_list", "index_list"];

fn authorize(context: AuthContext<'_>) -> Authorization {
    let action = context.action;
    let reads =
        matches!(action, AuthAction::Select | AuthAction::Recursive | AuthAction::Read { .. });
    let computes = matches!(action, AuthAction::Function { function_name }
        if !function_name.eq_ignore_ascii_case("load_extension"));
    let tells = matches!(action, AuthAction::Pragma { pragma_name, .. }
        if TELLING_PRAGMAS.contains(&pragma_name));
    let allowed = reads || computes || tells;
    if allowed { Authorization::Allow } else { Authorization::Deny }
}

impl Reader {
    /// Runs one statement that only reads, and answers with its rows.
    ///
    /// Deals and conflicts have their `effective_state` at `now`. A statement that speaks of
    /// `scorecards` finds them as a table, for every calendar month, quarter, half and year with
    /// facts. Everything else is refused before it runs: writing, attaching files, changing
    /// settings.
    pub fn sql(&mut self, statement: &str, now: Instant) -> Result<Answer, ReaderError> {
        let checkpoint = self.checkpoint()?;
        self.db.pragma_update(None, "query_only", false)?;
        let tabulated = self.tabulate(statement, now);
        self.db.pragma_update(None, "query_only", true)?;
        tabulated?;
        self.db.authorizer(Some(authorize))?;
        let rows = self.select(statement);
        self.db.authorizer(None::<fn(AuthContext<'_>) -> Authorization>)?;
        let (columns, rows) = rows?;
        let (position, recorded_at) = (checkpoint.position, checkpoint.recorded_at);
        Ok(Answer { position, recorded_at, columns, rows })
    }

    /// Makes what a statement may speak of and is not stored, on this connection only.
    fn tabulate(&self, statement: &str, now: Instant) -> Result<(), ReaderError> {
        if statement.to_ascii_lowercase().contains("scorecards") {
            self.snapshot(Self::tabulate_scorecards)?;
        }
        Ok(effective::tabulate(&self.db, now)?)
    }

    fn select(&self, text: &str) -> Result<(Vec<String>, Vec<Vec<Value>>), ReaderError> {
        let refused = |source: rusqlite::Error| ReaderError::Statement(source.to_string());
        let mut statement = self.db.prepare(text).map_err(refused)?;
        let columns: Vec<String> = statement.column_names().map(Into::into).collect();
        if columns.is_empty() || !statement.readonly() {
            return Err(ReaderError::Statement("the statement answers with no rows".into()));
        }
        let mut found = Vec::new();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let values = (0..columns.len()).map(|at| row.get_ref(at).map(json));
            found.push(values.collect::<rusqlite::Result<_>>()?);
        }
        Ok((columns, found))
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
