//! Events by area, each with a number and a version for ever.

use serde::{Deserialize, Serialize};

/// What is written beside an event's bytes: its number, the version of its struct, and its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventKind {
    /// The number of the type.
    pub tag: u16,
    /// The version of the frozen struct.
    pub version: u16,
    /// The name, as in JSON.
    pub name: &'static str,
}

/// Says why an event's bytes cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The pair of number and version is from a newer release, or damaged.
    #[error("an unknown event type {tag} version {version}")]
    Unknown {
        /// The number of the type.
        tag: u16,
        /// The version.
        version: u16,
    },
    /// The bytes do not decode.
    #[error("the bytes of {name}: {source}")]
    Bytes {
        /// The type's name.
        name: &'static str,
        /// What the codec says.
        source: postcard::Error,
    },
    /// Bytes are left over behind it.
    #[error("bytes are left over behind {0}")]
    Rest(&'static str),
}

/// Reads a frozen struct whole.
pub(crate) fn whole<'a, T: serde::Deserialize<'a>>(
    name: &'static str,
    data: &'a [u8],
) -> Result<T, DecodeError> {
    let (value, rest) =
        postcard::take_from_bytes(data).map_err(|source| DecodeError::Bytes { name, source })?;
    if rest.is_empty() { Ok(value) } else { Err(DecodeError::Rest(name)) }
}

/// One area's events: a frozen struct per line, `number, version => Name { fields }`.
macro_rules! area {
    ($(#[$doc:meta])* $area:ident {
        $($(#[$sdoc:meta])* $tag:literal, $version:literal => $name:ident {
            $($(#[$fdoc:meta])* $field:ident: $type:ty),+ $(,)?
        })+
    }) => {
        $(
            $(#[$sdoc])*
            #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
            #[derive(schemars::JsonSchema)]
            pub struct $name {
                $($(#[$fdoc])* pub $field: $type),+
            }

            impl From<$name> for $crate::Event {
                fn from(event: $name) -> Self {
                    $area::$name(event).into()
                }
            }
        )+

        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(tag = "type", content = "data")]
        pub enum $area {
            $($(#[$sdoc])* $name($name)),+
        }

        impl $area {
            /// Every type of the area.
            pub(crate) const KINDS: &'static [$crate::EventKind] = &[
                $($crate::EventKind { tag: $tag, version: $version, name: stringify!($name) }),+
            ];

            /// The JSON Schema of each type's fields.
            pub(crate) const SCHEMAS: &'static [fn() -> schemars::Schema] =
                &[$(|| schemars::schema_for!($name)),+];

            pub(crate) fn kind(&self) -> $crate::EventKind {
                match self {
                    $(Self::$name(_) => $crate::EventKind {
                        tag: $tag,
                        version: $version,
                        name: stringify!($name),
                    }),+
                }
            }

            pub(crate) fn encode(&self) -> Result<Vec<u8>, postcard::Error> {
                match self { $(Self::$name(event) => $crate::to_bytes(event)),+ }
            }

            pub(crate) fn decode(
                tag: u16,
                version: u16,
                data: &[u8],
            ) -> Option<Result<Self, $crate::DecodeError>> {
                match (tag, version) {
                    $(($tag, $version) => {
                        Some($crate::event::whole(stringify!($name), data).map(Self::$name))
                    })+
                    _ => None,
                }
            }
        }
    };
}
pub(crate) use area;

macro_rules! areas {
    ($($(#[$doc:meta])* $variant:ident($type:ty)),+ $(,)?) => {
        /// A fact of any area. As JSON: `{"type": name, "data": fields}`.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(untagged)]
        pub enum Event {
            $($(#[$doc])* $variant($type)),+
        }

        $(impl From<$type> for Event {
            fn from(event: $type) -> Self {
                Self::$variant(event)
            }
        })+

        impl Event {
            /// Every event type of every area.
            pub fn kinds() -> impl Iterator<Item = EventKind> {
                [$(<$type>::KINDS),+].into_iter().flatten().copied()
            }

            /// Every event type with the JSON Schema of its fields, as they are shown.
            pub fn schemas() -> impl Iterator<Item = (EventKind, schemars::Schema)> {
                let schemas = [$(<$type>::SCHEMAS),+].into_iter().flatten();
                Self::kinds().zip(schemas.map(|schema| schema()))
            }

            /// Its number, version and name.
            pub fn kind(&self) -> EventKind {
                match self { $(Self::$variant(event) => event.kind()),+ }
            }

            /// The bytes of its frozen struct.
            pub fn encode(&self) -> Result<Vec<u8>, postcard::Error> {
                match self { $(Self::$variant(event) => event.encode()),+ }
            }

            /// Reads an event of any version back as the newest.
            pub fn decode(tag: u16, version: u16, data: &[u8]) -> Result<Self, DecodeError> {
                $(if let Some(event) = <$type>::decode(tag, version, data) {
                    return event.map(Self::$variant);
                })+
                Err(DecodeError::Unknown { tag, version })
            }
        }
    };
}

areas! {
    /// The ledger itself.
    Ledger(crate::ledger::LedgerEvent),
    /// Partners.
    Partner(crate::partner::PartnerEvent),
    /// Programmes.
    Programme(crate::programme::ProgrammeEvent),
    /// Customers.
    Customer(crate::customer::CustomerEvent),
    /// Deals.
    Deal(crate::deal::DealEvent),
    /// Conflicts.
    Conflict(crate::conflict::ConflictEvent),
    /// MDF budgets.
    Budget(crate::budget::BudgetEvent),
    /// MDF allocations and requests.
    Mdf(crate::mdf::MdfEvent),
    /// Co-op lots and accruals.
    Coop(crate::coop::CoopEvent),
    /// Claims on a fund.
    Claim(crate::claim::ClaimEvent),
    /// Rebates.
    Rebate(crate::rebate::RebateEvent),
}
