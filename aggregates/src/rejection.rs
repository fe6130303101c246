//! Rejections: business answers with stable codes, documented in order of precedence.

use serde::Serialize;

/// The classes of rejections; a lower one is reported first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// 1: the document is not one the catalog describes.
    Malformed,
    /// 2: the sender may not do this: role, ownership, four eyes.
    NotPermitted,
    /// 3: something it names does not exist.
    Unknown,
    /// 4: it was done already, in the business sense.
    AlreadyDone,
    /// 5: what it names is in another state.
    WrongState,
    /// 6: the terms do not allow it.
    Terms,
    /// 7: the money is not there, or is of another currency.
    Money,
}

/// What the reference says of a rejection code.
#[derive(Debug, Clone, Copy)]
pub struct CodeDoc {
    /// The stable code.
    pub code: &'static str,
    /// Its class.
    pub class: Class,
    /// What it means, and what to do.
    pub doc: &'static str,
}

/// One area's rejections, in order of precedence:
/// `Variant { fields } = "code", Class, "message with {fields}";`
#[macro_export]
macro_rules! rejections {
    ($(#[$adoc:meta])* $area:ident {
        $($(#[doc = $doc:literal])* $name:ident $({ $($field:ident: $type:ty),+ $(,)? })?
            = $code:literal, $class:ident, $message:literal;)+
    }) => {
        $(#[$adoc])*
        #[derive(Debug, Clone, PartialEq, thiserror::Error, serde::Serialize)]
        #[serde(untagged)]
        pub enum $area {
            $($(#[doc = $doc])* #[error($message)] $name $({
                $(#[doc = concat!("The value of `", stringify!($field), "`.")] $field: $type),+
            })?),+
        }

        impl $area {
            pub(crate) const CODES: &'static [$crate::CodeDoc] = &[$($crate::CodeDoc {
                code: $code,
                class: $crate::Class::$class,
                doc: concat!($($doc, "\n"),*),
            }),+];

            pub(crate) fn doc(&self) -> &'static $crate::CodeDoc {
                let code = match self { $(Self::$name { .. } => $code),+ };
                Self::CODES.iter().find(|doc| doc.code == code).expect("made by the same list")
            }
        }
    };
}
pub(crate) use rejections;

rejections! {
    /// Rejections that any command can meet.
    AnyRejection {
        /// The data names a field's value that the catalog's types cannot rule out but the domain
        /// does, such as an amount that is not positive. Mend the field.
        BadField { field: String, problem: String }
            = "command.malformed", Malformed, "{field}: {problem}";
        /// The programme is not published. Publish it first.
        UnknownProgramme { programme: chl_events::ProgrammeId }
            = "programme.unknown", Unknown, "no programme {programme} is published";
        /// The partner is not known. Recruit it first.
        UnknownPartner { partner: chl_events::PartnerId }
            = "partner.unknown", Unknown, "no partner {partner} is known";
        /// The customer is not registered. Nothing is created implicitly: register it first.
        UnknownCustomer { customer: chl_events::CustomerId }
            = "customer.unknown", Unknown, "no customer {customer} is registered";
        /// The customer was merged into another and goes by the survivor's name alone. Send the
        /// command again for the survivor.
        CustomerMerged { customer: chl_events::CustomerId, survivor: chl_events::CustomerId }
            = "customer.merged", Unknown, "customer {customer} was merged into {survivor}";
        /// The partner is not active: not yet, suspended or terminated.
        PartnerNotActive { partner: chl_events::PartnerId, state: &'static str }
            = "partner.not_active", WrongState, "partner {partner} is {state}, not active";
        /// The partner is not enrolled in the programme.
        NotEnrolled { partner: chl_events::PartnerId, programme: chl_events::ProgrammeId }
            = "partner.not_enrolled", WrongState, "partner {partner} is not enrolled in {programme}";
        /// No version of the programme is in force on the date that counts.
        NotInForce { programme: chl_events::ProgrammeId, on: chl_events::Date }
            = "programme.not_in_force", Terms, "no version of {programme} is in force on {on}";
        /// A date or time lies after the moment the ledger took the command.
        InFuture { field: &'static str, value: String }
            = "time.in_future", Terms, "{field} {value} lies in the future";
        /// The time lies before what is already recorded of the same thing. Decisions are taken in
        /// order; an operator may register a deal late with `backfill: true`.
        BeforeHistory { time: chl_events::Instant, latest: chl_events::Instant }
            = "time.before_history", Terms, "{time} lies before {latest}, which is already recorded";
        /// The money is of another currency than the fund, deal or budget.
        CurrencyDiffers { expected: chl_events::Currency, given: chl_events::Currency }
            = "money.currency_differs", Money, "the currency is {given}; {expected} is expected";
        /// A sum would leave the range of exact amounts.
        TooLarge { field: &'static str }
            = "money.too_large", Money, "{field} would leave the range of exact amounts";
    }
}

impl AnyRejection {
    /// Refuses a field of a command's data, by its path in the document.
    pub(crate) fn data(field: impl std::fmt::Display, problem: impl Into<String>) -> Self {
        Self::BadField { field: format!("data.{field}"), problem: problem.into() }
    }
}
