//! Facts of partners: life cycle, links, enrolments, certifications, measures, scorecards.

use crate::{
    Code, Date, Exact, Name, PartnerId, Period, PersonId, ProgrammeId, Sealed,
    event::area,
    posting::vocabulary,
    scorecard::{Figures, Ruling},
};

vocabulary! {
    /// What a partner is; a partner has a set of these.
    PartnerType {
        /// Buys from the vendor and sells to other partners.
        Distributor = 1 => "distributor",
        /// Resells.
        Reseller = 2 => "reseller",
        /// Value-added reseller.
        Var = 3 => "var",
        /// System integrator.
        SystemIntegrator = 4 => "si",
        /// Managed service provider.
        Msp = 5 => "msp",
        /// Managed security service provider.
        Mssp = 6 => "mssp",
        /// Consultant.
        Consultant = 7 => "consultant",
        /// Brings leads.
        Referral = 8 => "referral",
        /// Brings visitors.
        Affiliate = 9 => "affiliate",
        /// Sells in the vendor's name.
        Agent = 10 => "agent",
        /// Independent software vendor.
        Isv = 11 => "isv",
        /// Builds the product into its own.
        Oem = 12 => "oem",
        /// A marketplace.
        Marketplace = 13 => "marketplace",
        /// Recommends in public.
        Influencer = 14 => "influencer",
    }
}

area! {
    /// Facts of partners.
    PartnerEvent {
        /// A partner was recruited: a prospect.
        10, 1 => PartnerRecruited {
            /// The partner.
            partner: PartnerId,
            /// Its name; sealed for a natural person.
            name: Name,
            /// What it is.
            types: Vec<PartnerType>,
            /// ISO 3166 country.
            country: Option<Code>,
            /// Where it may sell; empty: anywhere.
            territories: Vec<Code>,
            /// Whether it is a person rather than a company.
            natural_person: bool,
        }
        /// A prospect applied for the programme.
        11, 1 => PartnerApplied {
            /// The partner.
            partner: PartnerId,
            /// In the sender's words.
            note: Option<Sealed>,
        }
        /// The application was approved.
        12, 1 => PartnerApproved {
            /// The partner.
            partner: PartnerId,
            /// In the sender's words.
            note: Option<Sealed>,
        }
        /// The partner became active: deals and claims are open to it.
        13, 1 => PartnerActivated {
            /// The partner.
            partner: PartnerId,
            /// In the sender's words.
            note: Option<Sealed>,
        }
        /// The partner was suspended: no new deals or claims.
        14, 1 => PartnerSuspended {
            /// The partner.
            partner: PartnerId,
            /// In the sender's words.
            note: Option<Sealed>,
        }
        /// The suspension ended.
        15, 1 => PartnerReinstated {
            /// The partner.
            partner: PartnerId,
            /// In the sender's words.
            note: Option<Sealed>,
        }
        /// The partner left for good; open claims run off for the programme's tail.
        16, 1 => PartnerTerminated {
            /// The partner.
            partner: PartnerId,
            /// In the sender's words.
            note: Option<Sealed>,
        }
        /// The partner belongs to a parent, for reports.
        17, 1 => ParentAttached {
            /// The child.
            partner: PartnerId,
            /// The parent.
            parent: PartnerId,
            /// From when on.
            from: Date,
        }
        /// The partner no longer belongs to the parent.
        18, 1 => ParentDetached {
            /// The child.
            partner: PartnerId,
            /// The former parent.
            parent: PartnerId,
            /// From when on.
            from: Date,
        }
        /// The partner buys through a distributor.
        19, 1 => DistributorLinked {
            /// The tier-2 partner.
            partner: PartnerId,
            /// The distributor.
            distributor: PartnerId,
            /// From when on.
            from: Date,
        }
        /// The partner no longer buys through the distributor.
        20, 1 => DistributorUnlinked {
            /// The tier-2 partner.
            partner: PartnerId,
            /// The distributor.
            distributor: PartnerId,
            /// From when on.
            from: Date,
        }
        /// The partner takes part in a programme.
        21, 1 => PartnerEnrolled {
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The tier it enters at, where the programme has tiers.
            tier: Option<Code>,
        }
        /// The partner was given a tier.
        22, 1 => TierGranted {
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The tier.
            tier: Code,
        }
        /// A person of the partner holds a credential.
        23, 1 => CertificationRecorded {
            /// The partner.
            partner: PartnerId,
            /// The person's pseudonym.
            person: PersonId,
            /// What the person holds.
            credential: Code,
            /// The last day it is valid.
            valid_until: Date,
        }
        /// A measure of the partner was recorded: satisfaction, quota, renewals and the like.
        24, 1 => MeasureRecorded {
            /// The partner.
            partner: PartnerId,
            /// What is measured.
            measure: Code,
            /// Over which days.
            period: Period,
            /// The value.
            value: Exact,
        }
        /// A partner's scorecard of a period was published: what stood in the log at a position.
        25, 1 => ScorecardPublished {
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The period.
            period: Period,
            /// The version of the terms it was graded by.
            programme_version: u32,
            /// The last commit that counted.
            position: u64,
            /// The figures.
            figures: Figures,
        }
        /// A figure of a published scorecard is disputed.
        26, 1 => ScorecardDisputed {
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The period.
            period: Period,
            /// The metric.
            metric: Code,
            /// In the partner's words.
            note: Option<Sealed>,
        }
        /// A dispute about a figure is over.
        27, 1 => ScorecardDisputeSettled {
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The period.
            period: Period,
            /// The metric.
            metric: Code,
            /// How.
            ruling: Ruling,
            /// The value in the place of the published one, where it is corrected.
            value: Option<Exact>,
            /// In the decider's words.
            note: Option<Sealed>,
        }
    }
}
