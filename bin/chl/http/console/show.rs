//! How pages leave: as HTML that loads nothing from elsewhere and runs nothing, and rows as tables.

use super::super::{behind::Behind, problem::Problem};
use super::visitor::Visitor;
use crate::{
    output::cell_text,
    pages::console::{self, Cell, Frame, STYLE, Table},
};
use askama::Template;
use axum::{
    Router,
    http::{
        HeaderName, HeaderValue, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
            X_CONTENT_TYPE_OPTIONS,
        },
    },
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::Value;

/// Nothing from elsewhere, no script, no frame; forms go nowhere but here.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; \
    base-uri 'none'; frame-ancestors 'none'";
/// The same for a page that brings its style along.
const POLICY_OF_WHOLE: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
    form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// The route of the style.
pub(super) fn routes() -> Router<Behind> {
    Router::new().route("/console.css", get(style))
}

async fn style() -> impl IntoResponse {
    let kept = (CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    ([(CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8")), kept], STYLE)
}

/// A page on its way.
pub(super) struct Html {
    status: StatusCode,
    text: String,
    policy: &'static str,
}

impl Html {
    /// A page of a template.
    pub(super) fn of(status: StatusCode, page: &impl Template) -> Result<Self, Trouble> {
        let text = page
            .render()
            .map_err(|error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", error))?;
        Ok(Self { status, text, policy: POLICY })
    }

    /// A whole document that brings its style along.
    pub(super) fn whole(text: String) -> Self {
        Self { status: StatusCode::OK, text, policy: POLICY_OF_WHOLE }
    }
}

impl IntoResponse for Html {
    fn into_response(self) -> Response {
        let header =
            |name: HeaderName, value: &'static str| (name, HeaderValue::from_static(value));
        let headers = [
            header(CONTENT_TYPE, "text/html; charset=utf-8"),
            header(CONTENT_SECURITY_POLICY, self.policy),
            header(X_CONTENT_TYPE_OPTIONS, "nosniff"),
            header(REFERRER_POLICY, "same-origin"),
            header(CACHE_CONTROL, "no-store"),
        ];
        (self.status, headers, self.text).into_response()
    }
}

/// What cannot be shown, as a page.
pub(super) struct Trouble(Problem);

impl<T: Into<Problem>> From<T> for Trouble {
    fn from(problem: T) -> Self {
        Self(problem.into())
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let status = self.0.status();
        let title = status.canonical_reason().unwrap_or("Trouble").to_owned();
        let frame = Frame { title, at: "", who: None };
        let page = console::Trouble { frame, detail: self.0.detail().to_owned() };
        match page.render() {
            Ok(text) => Html { status, text, policy: POLICY }.into_response(),
            Err(_) => self.0.into_response(),
        }
    }
}

/// What stands around a visitor's page.
pub(super) fn frame(visitor: &Visitor, at: &'static str, title: impl Into<String>) -> Frame {
    Frame { title: title.into(), at, who: Some(visitor.who()) }
}

/// A table of some columns of rows, under names for people; a cell may lead somewhere.
pub(super) fn table(
    (caption, nothing): (&str, &'static str),
    columns: &[(&str, &str)],
    rows: &[Value],
    leads: impl Fn(&Value, &str) -> Option<String>,
) -> Table {
    let cell = |row: &Value, (column, label): &(&str, &str)| Cell {
        label: (*label).to_owned(),
        text: row.get(*column).map(cell_text).unwrap_or_default(),
        to: leads(row, column),
    };
    let shown = |row| columns.iter().map(|column| cell(row, column)).collect();
    Table {
        caption: caption.to_owned(),
        columns: columns.iter().map(|(_, label)| (*label).to_owned()).collect(),
        rows: rows.iter().map(shown).collect(),
        nothing,
        more: None,
    }
}

/// The text of a row's column.
pub(super) fn text<'a>(row: &'a Value, column: &str) -> &'a str {
    row.get(column).and_then(Value::as_str).unwrap_or_default()
}

/// An address with parameters.
pub(super) fn address(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    format!("{path}?{}", query.extend_pairs(parameters).finish())
}

/// Leads nowhere.
pub(super) fn nowhere(_: &Value, _: &str) -> Option<String> {
    None
}
