//! How partners are graded.

use crate::{Code, Exact, Rate, posting::vocabulary};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

vocabulary! {
    /// A category of the scorecard.
    Category {
        /// Money.
        Financial = 1 => "financial",
        /// How deals go.
        Operational = 2 => "operational",
        /// What its people can do.
        Capability = 3 => "capability",
        /// What its customers say and do.
        Customer = 4 => "customer",
        /// How it uses the programme.
        Engagement = 5 => "engagement",
    }
}

/// How a metric becomes points: `clamp((x − lo) / (hi − lo), 0, 1)`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricTerms {
    /// The metric, by its name in the scorecard.
    pub metric: Code,
    /// The value that scores 0.
    pub lo: Exact,
    /// The value that scores 1; below `lo` where lower is better.
    pub hi: Exact,
    /// Its weight within its category.
    pub weight: Rate,
}

/// The weight of a category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CategoryWeight {
    /// The category.
    pub category: Category,
    /// Its weight in points.
    pub weight: Rate,
}

/// What a partner must reach at the least.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// The least total, in points of 100.
    pub threshold: Rate,
    /// Whether a metric at zero fails the gate.
    #[serde(default)]
    pub no_metric_at_zero: bool,
}

/// How many people should hold a credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequiredCredential {
    /// The credential.
    pub credential: Code,
    /// How many people.
    pub people: u32,
}

/// How partners are graded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ScorecardTerms {
    /// The weights of the five categories.
    #[schemars(length(max = 5))]
    pub weights: Vec<CategoryWeight>,
    /// How metrics become points; a metric not named here is shown and not scored.
    #[schemars(length(max = 64))]
    pub metrics: Vec<MetricTerms>,
    /// What a partner must reach; absent: nothing.
    pub gate: Option<Gate>,
    /// Whether the value of a won deal counts as revenue beside recorded sales.
    pub count_won_value: bool,
    /// The people a partner needs.
    #[schemars(length(max = 64))]
    pub required_credentials: Vec<RequiredCredential>,
}

impl Default for ScorecardTerms {
    fn default() -> Self {
        let weight = |category, points: u8| CategoryWeight {
            category,
            weight: Rate::new(points.into()).expect("two digits are within nine"),
        };
        let unit = |metric: &str| MetricTerms {
            metric: Code::new(metric).expect("a literal of the allowed characters"),
            lo: Exact::new(0.into()),
            hi: Exact::new(1.into()),
            weight: Rate::ONE,
        };
        Self {
            weights: vec![
                weight(Category::Financial, 30),
                weight(Category::Operational, 25),
                weight(Category::Capability, 15),
                weight(Category::Customer, 20),
                weight(Category::Engagement, 10),
            ],
            metrics: ["win_rate", "registration_conversion", "forecast_accuracy"]
                .into_iter()
                .chain(["coverage", "satisfaction", "renewal_rate", "mdf_utilisation"])
                .chain(["growth", "plan_attainment"])
                .map(unit)
                .collect(),
            gate: None,
            count_won_value: false,
            required_credentials: Vec::new(),
        }
    }
}
