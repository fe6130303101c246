//! Scorecards as rows of an export. Their points, values and weights are exact decimals as text, since
//! each metric has places of its own.

use crate::fields::{Type, Value};
use chl_runtime::Reader;
use serde_json::Value as Json;

/// Their name.
pub(crate) const SCORECARDS: &str = "scorecards";

/// The columns, with their names.
pub(crate) fn card_fields() -> Vec<(String, Type)> {
    let columns = Reader::scorecard_columns().into_iter();
    let typed = columns.map(|name| match name.as_str() {
        "programme_version" | "peer_count" => (name, Type::Whole),
        "gate_passed" => (name, Type::Flag),
        _ => (name, Type::Text),
    });
    typed.collect()
}

/// The values of a row that is JSON.
pub(crate) fn json_values(values: Vec<Json>) -> Vec<Value> {
    let typed = values.into_iter().map(|value| match value {
        Json::Null => Value::None,
        Json::Bool(yes) => Value::Whole(i64::from(yes)),
        Json::Number(number) => number.as_i64().map_or(Value::None, Value::Whole),
        Json::String(text) => Value::Text(text),
        list @ (Json::Array(_) | Json::Object(_)) => Value::Text(list.to_string()),
    });
    typed.collect()
}
