//! What a published scorecard says: exact figures, as they stood when it was computed.

use crate::{Code, Exact, Rate, posting::vocabulary, terms::Category};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

vocabulary! {
    /// How a dispute about a figure ended.
    Ruling {
        /// The published value stands.
        Stands = 1 => "stands",
        /// Another value is the right one.
        Corrected = 2 => "corrected",
    }
}

/// A category's points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CategoryFigure {
    /// The category.
    pub category: Category,
    /// From 0 to 100.
    pub points: Exact,
}

/// A metric's value, and what it scored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricFigure {
    /// The metric.
    pub metric: Code,
    /// Its value.
    pub value: Exact,
    /// From 0 to 1, where the terms score it.
    #[serde(default)]
    pub score: Option<Exact>,
    /// Its weight within its category, where the terms score it.
    #[serde(default)]
    pub weight: Option<Rate>,
}

/// The figures of a scorecard; what has no data is not among them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    /// From 0 to 100.
    #[serde(default)]
    pub total: Option<Exact>,
    /// Which share of all weights has data.
    #[serde(default)]
    pub coverage: Option<Exact>,
    /// Whether it passes the terms' gate, where there is one.
    #[serde(default)]
    pub gate_passed: Option<bool>,
    /// The categories with data.
    #[schemars(length(max = 5))]
    pub categories: Vec<CategoryFigure>,
    /// The metrics with data.
    #[schemars(length(max = 64))]
    pub metrics: Vec<MetricFigure>,
    /// How many partners it was compared with, itself included.
    #[serde(default)]
    pub peer_count: u32,
    /// Its place among them; none among fewer than five.
    #[serde(default)]
    pub percentile: Option<Exact>,
}
