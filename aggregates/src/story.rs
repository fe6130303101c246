//! Commands that stories begin with, with the least that they need.

use crate::given::{Given, Outcome, given};
use crate::{AnyRejection, Rejection, conflict};
use chl_commands::conflict::ResolveConflict;
use chl_commands::customer::{
    KeepCustomersApart, MergeCustomers, RegisterCustomer, ReportPossibleDuplicate,
};
use chl_commands::deal::{
    ApproveDeal, ExpireDeal, ExtendDeal, MarkDealLost, MarkDealWon, RegisterDeal, RejectDeal,
    WithdrawDeal,
};
use chl_commands::partner::{
    ActivatePartner, ApplyForProgramme, ApprovePartner, EnrolPartner, RecruitPartner,
};
use chl_commands::programme::PublishProgramme;
use chl_events::conflict::{ConflictKind, Criterion, Resolution};
use chl_events::customer::{Alike, ApartCriterion, Likeness};
use chl_events::partner::PartnerType;
use chl_events::terms::{ApprovalMode, DealTerms, Terms};
use chl_events::{ConflictId, Currency, DisplayName, FreeText, Money, Name};
use std::fmt::Debug;
use std::str::FromStr;

/// Any identifier, date, instant or number of a test, from its text.
#[track_caller]
pub(crate) fn id<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().expect("a literal of the test")
}

/// US dollars.
#[track_caller]
pub(crate) fn usd(amount: &str) -> Money {
    Money::parse(amount, currency("USD")).expect("a literal of the test")
}

#[track_caller]
pub(crate) fn currency(code: &str) -> Currency {
    Currency::new(code).expect("a literal of the test")
}

/// The command was refused as malformed, naming this field.
#[track_caller]
pub(crate) fn bad_field(outcome: &Outcome, expected: &str) {
    let Outcome::Rejected(Rejection::Any(AnyRejection::BadField { field, .. })) = outcome else {
        panic!("not refused for {expected}: {outcome:?}");
    };
    assert_eq!(*field, format!("data.{expected}"));
}

pub(crate) fn recruit(partner: &str) -> RecruitPartner {
    RecruitPartner {
        partner: id(partner),
        name: Name::Plain(DisplayName::new(partner).expect("a literal of the test")),
        types: vec![PartnerType::Reseller],
        country: None,
        territories: Vec::new(),
        natural_person: false,
    }
}

pub(crate) fn enrol(partner: &str, programme: &str) -> EnrolPartner {
    EnrolPartner { partner: id(partner), programme: id(programme), tier: None }
}

/// The first version of a programme in US dollars and UTC, in force since 2026.
pub(crate) fn publish(programme: &str, terms: Terms) -> PublishProgramme {
    PublishProgramme {
        programme: id(programme),
        version: 1,
        effective_from: id("2026-01-01"),
        currency: currency("USD"),
        time_zone: None,
        terms: Box::new(terms),
    }
}

pub(crate) fn customer(customer: &str) -> RegisterCustomer {
    RegisterCustomer {
        customer: id(customer),
        name: DisplayName::new(customer).expect("a literal of the test"),
        domain: None,
        country: None,
        parent: None,
    }
}

/// Two customers with similar names.
pub(crate) fn reported(customer: &str, other: &str) -> ReportPossibleDuplicate {
    ReportPossibleDuplicate {
        customer: id(customer),
        other: id(other),
        score: 90,
        evidence: vec![Alike { likeness: Likeness::SimilarName, score: 90 }],
    }
}

pub(crate) fn kept_apart(customer: &str, other: &str) -> KeepCustomersApart {
    KeepCustomersApart {
        customer: id(customer),
        other: id(other),
        criterion: Some(ApartCriterion::SeparateCompanies),
        note: FreeText::Plain("asked both".into()),
    }
}

pub(crate) fn merge(survivor: &str, absorbed: &str) -> MergeCustomers {
    MergeCustomers {
        survivor: id(survivor),
        absorbed: id(absorbed),
        note: FreeText::Plain("one tax number".into()),
    }
}

/// A deal of 50,000 dollars at customer `acme`, product line `gtx`, programme `prog`.
pub(crate) fn deal(deal: &str, partner: &str) -> RegisterDeal {
    RegisterDeal {
        deal: id(deal),
        customer: id("acme"),
        partner: Some(id(partner)),
        route: None,
        programme: id("prog"),
        product_line: id("gtx"),
        territory: None,
        value: usd("50000.00"),
        expected_close: None,
        contract: None,
    }
}

impl Given {
    /// An active partner, enrolled in a programme.
    #[track_caller]
    pub(crate) fn active(self, partner: &str, programme: &str) -> Given {
        let note = None;
        self.and(recruit(partner))
            .and(ApplyForProgramme { partner: id(partner), note: note.clone() })
            .and(ApprovePartner { partner: id(partner), note: note.clone() })
            .and(ActivatePartner { partner: id(partner), note })
            .and(enrol(partner, programme))
    }
}

/// A published programme `prog` and the active partners enrolled in it.
#[track_caller]
pub(crate) fn programme_with(terms: Terms, partners: &[&str]) -> Given {
    let story = given().and(publish("prog", terms));
    partners.iter().fold(story, |story, partner| story.active(partner, "prog"))
}

/// Terms with deal registration: approved by a person, 90 days, one extension of 30.
pub(crate) fn deal_terms(deal_registration: DealTerms) -> Terms {
    Terms { deal_registration: Some(deal_registration), ..Terms::default() }
}

/// Deal registration that the terms approve.
pub(crate) fn auto() -> DealTerms {
    DealTerms { approval: ApprovalMode::Auto, ..DealTerms::default() }
}

/// The programme `prog` with deal registration, the partners in it, and the customer `acme`.
#[track_caller]
pub(crate) fn market(terms: DealTerms, partners: &[&str]) -> Given {
    programme_with(deal_terms(terms), partners).and(customer("acme"))
}

macro_rules! deal_steps {
    ($($step:ident => $command:ident;)+) => {$(
        /// The step of a deal at `acme`.
        pub(crate) fn $step(deal: &str) -> $command {
            $command { deal: id(deal), customer: id("acme"), note: None }
        }
    )+};
}

deal_steps! {
    approve => ApproveDeal;
    reject => RejectDeal;
    withdraw => WithdrawDeal;
    extend => ExtendDeal;
}

pub(crate) fn expire(deal: &str) -> ExpireDeal {
    ExpireDeal { deal: id(deal), customer: id("acme") }
}

/// Won on 1 March 2026, at the registered value.
pub(crate) fn won(deal: &str) -> MarkDealWon {
    let closed_on = id("2026-03-01");
    MarkDealWon { deal: id(deal), customer: id("acme"), closed_on, value: None }
}

/// Lost on 1 March 2026.
pub(crate) fn lost(deal: &str) -> MarkDealLost {
    let closed_on = id("2026-03-01");
    MarkDealLost { deal: id(deal), customer: id("acme"), closed_on, loss_reason: None }
}

/// The name of the conflict of a partner's challenger with another partner.
pub(crate) fn conflict_of(challenger: &str) -> ConflictId {
    conflict::conflict_id(ConflictKind::PartnerPartner, &id(challenger))
}

/// Decides the conflict of a challenger for the customer's preference.
pub(crate) fn resolve(challenger: &str, resolution: Resolution) -> ResolveConflict {
    ResolveConflict {
        conflict: conflict_of(challenger),
        customer: id("acme"),
        resolution,
        criterion: Criterion::CustomerPreference,
        shares: Vec::new(),
        note: FreeText::Plain("asked them".into()),
    }
}
