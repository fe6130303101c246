//! JSON Schemas in one list: the parts that each type brings along stand there once, by name.

use schemars::Schema;
use serde_json::{Map, Value, json};

/// Where a schema's own parts are, and where they go.
const WITHIN: &str = "#/$defs/";
const LISTED: &str = "#/components/schemas/";

/// The schemas of a document, by name.
#[derive(Default)]
pub(super) struct Schemas {
    listed: Map<String, Value>,
}

impl Schemas {
    /// Lists a schema under a name, and its parts under theirs; a name means one thing everywhere.
    pub(super) fn list(&mut self, name: &str, schema: Schema) -> Value {
        let mut schema = Value::from(schema);
        if let Value::Object(fields) = &mut schema {
            fields.remove("$schema");
            if let Some(Value::Object(parts)) = fields.remove("$defs") {
                for (part, schema) in parts {
                    self.put(&part, schema);
                }
            }
        }
        self.put(name, schema)
    }

    /// Lists a schema that has no parts of its own.
    pub(super) fn put(&mut self, name: &str, mut schema: Value) -> Value {
        point_to_the_list(&mut schema);
        self.listed.insert(name.to_owned(), schema);
        json!({ "$ref": format!("{LISTED}{name}") })
    }

    /// The list.
    pub(super) fn into_list(self) -> Map<String, Value> {
        self.listed
    }
}

/// Makes a schema name its parts where the list has them.
pub(super) fn point_to_the_list(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if let Some(Value::String(target)) = fields.get_mut("$ref")
                && let Some(part) = target.strip_prefix(WITHIN)
            {
                *target = format!("{LISTED}{part}");
            }
            fields.values_mut().for_each(point_to_the_list);
        }
        Value::Array(values) => values.iter_mut().for_each(point_to_the_list),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chl_commands::Command;
    use chl_events::Event;
    use std::collections::BTreeMap;

    #[test]
    fn a_name_means_one_thing_everywhere() {
        let mut seen: BTreeMap<String, Value> = BTreeMap::new();
        let commands = Command::kinds().map(|kind| (kind.name, (kind.schema)()));
        let events = Event::schemas().map(|(kind, schema)| (kind.name, schema));
        for (name, schema) in commands.chain(events) {
            let whole = Value::from(schema);
            let parts = whole.get("$defs").and_then(Value::as_object).cloned().unwrap_or_default();
            for (part, schema) in parts {
                let first = seen.entry(part.clone()).or_insert_with(|| schema.clone());
                assert_eq!(*first, schema, "{part} of {name} is another one's elsewhere");
            }
            assert!(!seen.contains_key(name), "{name} is a part of something, too");
        }
        assert!(seen.len() > 20, "{seen:?}");
    }
}
