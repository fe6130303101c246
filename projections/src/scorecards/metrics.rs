//! The metrics of the scorecard, by category.

use chl_events::terms::Category;

/// What the values of a metric are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// The programme's currency.
    Money,
    /// Parts of one whole.
    Share,
    /// Days.
    Days,
    /// Things, or points as they were measured.
    Number,
}

macro_rules! metrics {
    ($($(#[doc = $doc:literal])* $variant:ident => $name:literal, $category:ident, $unit:ident);+
     $(;)?) => {
        /// A metric.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Metric {
            $($(#[doc = $doc])* $variant),+
        }

        impl Metric {
            /// Every metric, category by category.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name, as terms and tables have it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The category it belongs to.
            pub fn category(self) -> Category {
                match self { $(Self::$variant => Category::$category),+ }
            }

            /// What its values are counted in.
            pub fn unit(self) -> Unit {
                match self { $(Self::$variant => Unit::$unit),+ }
            }

            /// How it is computed, in a sentence.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),*)),+ }
            }
        }
    };
}

metrics! {
    /// Net sales, once per sale; with shares of won deals where the terms count their value.
    SourcedRevenue => "sourced_revenue", Financial, Money;
    /// Shares in deals another partner registered, where the terms count won values.
    InfluencedRevenue => "influenced_revenue", Financial, Money;
    /// Sourced revenue against that of the same period a year before, minus 1.
    Growth => "growth", Financial, Share;
    /// (Accrued − reversed − breakage) / net sales.
    IncentiveCostRatio => "incentive_cost_ratio", Financial, Share;
    /// Annual contract value of the deals won.
    AcvBooked => "acv_booked", Financial, Money;
    /// Won / (won + lost), by the closing date.
    WinRate => "win_rate", Operational, Share;
    /// Won / approved, both in the period.
    RegistrationConversion => "registration_conversion", Operational, Share;
    /// Median of the days from registration to winning.
    CycleDays => "cycle_days", Operational, Days;
    /// Mean of the same.
    CycleDaysMean => "cycle_days_mean", Operational, Days;
    /// Open deals × win rate × mean won value / cycle: money a day.
    Velocity => "velocity", Operational, Money;
    /// Registrations that were contested / registrations.
    ConflictRate => "conflict_rate", Operational, Share;
    /// Deals whose protection ran out / deals approved.
    ExpiryRate => "expiry_rate", Operational, Share;
    /// max(0, 1 − Σ|F − A| / ΣA): F the value of a deal expected to close, A what it was won for.
    ForecastAccuracy => "forecast_accuracy", Operational, Share;
    /// Value of the deals open at the end / the measure `quota`.
    PipelineCoverage => "pipeline_coverage", Operational, Number;
    /// People with a valid credential at the end.
    CertifiedPeople => "certified_people", Capability, Number;
    /// Required credentials held / required, none counted beyond its requirement.
    Coverage => "coverage", Capability, Share;
    /// Credentials valid at the end that run out within 90 days.
    ExpiringCredentials => "expiring_credentials", Capability, Number;
    /// Customers kept, as measured.
    RenewalRate => "renewal_rate", Customer, Number;
    /// Revenue kept without growth, as measured.
    GrossRevenueRetention => "gross_revenue_retention", Customer, Number;
    /// Revenue kept with growth, as measured.
    NetRevenueRetention => "net_revenue_retention", Customer, Number;
    /// Satisfaction, as measured.
    Satisfaction => "satisfaction", Customer, Number;
    /// Customers won minus lost, as measured.
    NetCustomerAdds => "net_customer_adds", Customer, Number;
    /// (Reported revenue − paid) / paid, over the MDF claims on activities of the period that
    /// report revenue.
    MdfRoi => "mdf_roi", Engagement, Share;
    /// MDF paid / MDF allocated, both in the period.
    MdfUtilisation => "mdf_utilisation", Engagement, Share;
    /// Co-op expired / accrued.
    Breakage => "breakage", Engagement, Share;
    /// Paid / leads, over the MDF claims on activities of the period that report leads.
    CostPerLead => "cost_per_lead", Engagement, Money;
    /// Plan reached, as measured.
    PlanAttainment => "plan_attainment", Engagement, Number;
}

impl Metric {
    /// The metric of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|metric| metric.as_str() == name)
    }
}
