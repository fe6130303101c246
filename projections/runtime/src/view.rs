//! The read models by name.

use chl_projections::{Posting, Row, Table};

macro_rules! views {
    ($($(#[$doc:meta])* $variant:ident => $table:expr),+ $(,)?) => {
        /// A read model.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum View {
            $($(#[$doc])* $variant),+
        }

        impl View {
            /// Every read model that has rows.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its shape.
            pub fn table(self) -> &'static Table {
                match self { $(Self::$variant => $table),+ }
            }
        }
    };
}

views! {
    /// What each fund holds, by lot and in total.
    Balances => chl_projections::BalanceRow::TABLE,
    /// Every posting line.
    Postings => Posting::TABLE,
    /// Deals.
    Deals => chl_projections::DealRow::TABLE,
    /// Conflicts.
    Conflicts => chl_projections::ConflictRow::TABLE,
    /// Customers, and which of them are one company.
    Customers => chl_projections::CustomerRow::TABLE,
    /// Claims.
    Claims => chl_projections::ClaimRow::TABLE,
    /// MDF requests.
    Requests => chl_projections::RequestRow::TABLE,
    /// Co-op lots.
    Lots => chl_projections::LotRow::TABLE,
    /// Partners.
    Partners => chl_projections::PartnerRow::TABLE,
    /// Tiers of partners, by date.
    Tiers => chl_projections::TierRow::TABLE,
    /// Credentials of people.
    Certifications => chl_projections::CertificationRow::TABLE,
    /// Measures of partners.
    Measures => chl_projections::MeasureRow::TABLE,
    /// Versions of programmes.
    Programmes => chl_projections::ProgrammeRow::TABLE,
    /// What partners sold and earned, by day.
    Days => chl_projections::DayRow::TABLE,
    /// Figures of published scorecards, and disputes about them.
    Figures => chl_projections::FigureRow::TABLE,
}

impl View {
    /// The name, as in SQL.
    pub fn name(self) -> &'static str {
        self.table().name
    }

    /// Some read models and those whose rows they need, in the order of all.
    pub(crate) fn with_needed(views: &[Self]) -> Vec<Self> {
        let needed = |view: &&Self| views.iter().any(|named| named.needs().contains(view));
        Self::ALL.iter().filter(needed).copied().collect()
    }

    /// The read models whose rows its own are folded with or shown from, itself included.
    fn needs(self) -> &'static [Self] {
        match self {
            Self::Customers | Self::Deals | Self::Conflicts => {
                &[Self::Customers, Self::Deals, Self::Conflicts]
            }
            Self::Claims | Self::Requests => &[Self::Claims, Self::Requests, Self::Lots],
            Self::Balances
            | Self::Postings
            | Self::Lots
            | Self::Partners
            | Self::Tiers
            | Self::Certifications
            | Self::Measures
            | Self::Programmes
            | Self::Days
            | Self::Figures => self.shows(),
        }
    }

    /// The read models its rows are shown from: beside its own those that computed columns look at.
    pub(crate) fn shows(self) -> &'static [Self] {
        match self {
            Self::Balances => &[Self::Balances, Self::Lots],
            Self::Postings => &[Self::Postings],
            Self::Customers => &[Self::Customers],
            Self::Deals => &[Self::Deals],
            Self::Conflicts => &[Self::Conflicts],
            Self::Claims => &[Self::Claims],
            Self::Requests => &[Self::Requests],
            Self::Lots => &[Self::Lots],
            Self::Partners => &[Self::Partners],
            Self::Tiers => &[Self::Tiers],
            Self::Certifications => &[Self::Certifications],
            Self::Measures => &[Self::Measures],
            Self::Programmes => &[Self::Programmes],
            Self::Days => &[Self::Days],
            Self::Figures => &[Self::Figures],
        }
    }

    /// The names of some, for people.
    pub(crate) fn names(views: &[Self]) -> String {
        views.iter().map(|view| view.name()).collect::<Vec<_>>().join(", ")
    }

    /// The read model of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|view| view.name() == name)
    }
}
