//! A JSON value as the text of one cell.

use serde_json::{Map, Value};

/// The text of a value in a table or CSV cell: money as `1234.50 USD`, a list with commas, an event
/// by its type; what has no short form stays JSON.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => short(fields).unwrap_or_else(|| value.to_string()),
    }
}

/// The short form of the objects that have one.
fn short(fields: &Map<String, Value>) -> Option<String> {
    let field = |name| fields.get(name).and_then(Value::as_str);
    if let (2, Some(amount), Some(currency)) = (fields.len(), field("amount"), field("currency")) {
        return Some(format!("{amount} {currency}"));
    }
    if field("sealed").is_some() {
        return Some("(sealed)".into());
    }
    field("type").map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::text;
    use serde_json::json;

    #[test]
    fn values_have_the_form_people_read() {
        assert_eq!(text(&json!(null)), "");
        assert_eq!(text(&json!({"amount": "1.50", "currency": "USD"})), "1.50 USD");
        assert_eq!(text(&json!([{"type": "DealWon", "data": {}}, "x"])), "DealWon, x");
        assert_eq!(text(&json!({"sealed": "00ff", "ciphertext": "…"})), "(sealed)");
        assert_eq!(text(&json!({"a": 1})), "{\"a\":1}");
    }
}
