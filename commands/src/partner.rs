//! Commands on partners.

use crate::catalog::area;
use chl_events::{
    Code, Date, Exact, FreeText, Name, PartnerId, Period, PersonId, ProgrammeId, Stream,
    partner::PartnerType,
    scorecard::{Figures, Ruling},
};

area! {
    /// Commands on partners.
    Partner = "partner" {
        /// Recruits a partner: a prospect.
        10, 1 => RecruitPartner by [ChannelManager, Service]
            on |c| Some(Stream::Partner(c.partner.clone())); of |c| None; seals [] {
            /// The partner.
            partner: PartnerId,
            /// Its name; sealed for a natural person.
            name: Name,
            /// What it is: at least one type.
            #[schemars(length(min = 1, max = 14))]
            types: Vec<PartnerType>,
            /// ISO 3166 country.
            #[serde(default)]
            country: Option<Code>,
            /// Where it may sell; empty: anywhere.
            #[serde(default)]
            #[schemars(length(max = 256))]
            territories: Vec<Code>,
            /// Whether it is a person rather than a company.
            #[serde(default)]
            natural_person: bool,
        }
        /// Applies for the programme in a prospect's name.
        11, 1 => ApplyForProgramme by [Partner, ChannelManager, Service]
            on |c| Some(Stream::Partner(c.partner.clone())); of |c| Some(&c.partner); seals [note] {
            /// The partner.
            partner: PartnerId,
            /// A note.
            #[serde(default)]
            note: Option<FreeText>,
        }
        /// Approves an application.
        12, 1 => ApprovePartner by [ChannelManager]
            on |c| Some(Stream::Partner(c.partner.clone())); of |c| None; seals [note] {
            /// The partner.
            partner: PartnerId,
            /// A note.
            #[serde(default)]
            note: Option<FreeText>,
        }
        /// Activates an approved partner: deals and claims are open to it.
        13, 1 => ActivatePartner by [ChannelManager]
            on |c| Some(Stream::Partner(c.partner.clone())); of |c| None; seals [note] {
            /// The partner.
            partner: PartnerId,
            /// A note.
            #[serde(default)]
            note: Option<FreeText>,
        }
        /// Suspends an active partner: no new deals or claims.
        14, 1 => SuspendPartner by [ChannelManager, Finance]
            on |c| Some(Stream::Partner(c.partner.clone())); of |c| None; seals [note] {
            /// The partner.
            partner: PartnerId,
            /// A note.
            #[serde(default)]
            note: Option<FreeText>,
        }
        /// Ends a suspension.
        15, 1 => ReinstatePartner by [ChannelManager]
            on |c| Some(Stream::Partner(c.partner.clone())); of |c| None; seals [note] {
            /// The partner.
            partner: PartnerId,
            /// A note.
            #[serde(default)]
            note: Option<FreeText>,
        }
        /// Terminates a partner for good; open claims run off for the programme's tail.
        16, 1 => TerminatePartner by [ChannelManager]
            on |c| Some(Stream::Partner(c.partner.clone())); of |c| None; seals [note] {
            /// The partner.
            partner: PartnerId,
            /// A note.
            #[serde(default)]
            note: Option<FreeText>,
        }
        /// Attaches a partner to its parent, for reports.
        17, 1 => AttachParent by [ChannelManager, Service]
            on |c| Some(Stream::Partner(c.partner.clone())); of |c| None; seals [] {
            /// The child.
            partner: PartnerId,
            /// The parent.
            parent: PartnerId,
            /// From when on; absent: the day of the command's time.
            #[serde(default)]
            from: Option<Date>,
        }
        /// Detaches a partner from its parent.
        18, 1 => DetachParent by [ChannelManager, Service]
            on |c| Some(Stream::Partner(c.partner.clone())); of |c| None; seals [] {
            /// The child.
            partner: PartnerId,
            /// The parent.
            parent: PartnerId,
            /// From when on; absent: the day of the command's time.
            #[serde(default)]
            from: Option<Date>,
        }
        /// Links a tier-2 partner to the distributor it buys through.
        19, 1 => LinkDistributor by [ChannelManager, Service]
            on |c| Some(Stream::Partner(c.partner.clone())); of |c| None; seals [] {
            /// The tier-2 partner.
            partner: PartnerId,
            /// The distributor.
            distributor: PartnerId,
            /// From when on; absent: the day of the command's time.
            #[serde(default)]
            from: Option<Date>,
        }
        /// Unlinks a partner from a distributor.
        20, 1 => UnlinkDistributor by [ChannelManager, Service]
            on |c| Some(Stream::Partner(c.partner.clone())); of |c| None; seals [] {
            /// The tier-2 partner.
            partner: PartnerId,
            /// The distributor.
            distributor: PartnerId,
            /// From when on; absent: the day of the command's time.
            #[serde(default)]
            from: Option<Date>,
        }
        /// Enrols a partner in a programme.
        21, 1 => EnrolPartner by [ChannelManager, Service]
            on |c| Some(Stream::Partner(c.partner.clone())); of |c| None; seals [] {
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The tier it enters at; absent: the lowest, where the programme has tiers.
            #[serde(default)]
            tier: Option<Code>,
        }
        /// Gives an enrolled partner a tier.
        22, 1 => GrantTier by [ChannelManager]
            on |c| Some(Stream::Partner(c.partner.clone())); of |c| None; seals [] {
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The tier.
            tier: Code,
        }
        /// Records that a person of the partner holds a credential.
        23, 1 => RecordCertification by [ChannelManager, Service]
            on |c| Some(Stream::Partner(c.partner.clone())); of |c| None; seals [] {
            /// The partner.
            partner: PartnerId,
            /// The person's pseudonym.
            person: PersonId,
            /// What the person holds.
            credential: Code,
            /// The last day it is valid.
            valid_until: Date,
        }
        /// Records a measure of a partner: satisfaction, quota, renewals and the like.
        24, 1 => RecordMeasure by [ChannelManager, Service]
            on |c| Some(Stream::Partner(c.partner.clone())); of |c| None; seals [] {
            /// The partner.
            partner: PartnerId,
            /// What is measured.
            measure: Code,
            /// Over which days.
            period: Period,
            /// The value.
            value: Exact,
        }
        /// Publishes a partner's scorecard of a period, as it was computed at a position of the log;
        /// once.
        25, 1 => PublishScorecard by [ChannelManager, Service]
            on |c| Some(Stream::Partner(c.partner.clone())); of |c| None; seals [] {
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The period, which is over.
            period: Period,
            /// The version of the terms it is graded by.
            programme_version: u32,
            /// The last commit that counts.
            position: u64,
            /// The figures.
            figures: Figures,
        }
        /// Disputes a figure of a published scorecard; once.
        26, 1 => DisputeScorecard by [Partner, Service]
            on |c| Some(Stream::Partner(c.partner.clone())); of |c| Some(&c.partner); seals [note] {
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The period.
            period: Period,
            /// The metric.
            metric: Code,
            /// What is wrong with it.
            note: FreeText,
        }
        /// Decides a dispute about a figure of a scorecard.
        27, 1 => SettleScorecardDispute by [ChannelManager]
            on |c| Some(Stream::Partner(c.partner.clone())); of |c| None; seals [note] {
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
            /// The right value, where the published one is corrected.
            #[serde(default)]
            value: Option<Exact>,
            /// Why.
            note: FreeText,
        }
    }
}
