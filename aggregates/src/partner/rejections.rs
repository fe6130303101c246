//! Rejections of partners.

use crate::rejection::rejections;
use chl_events::{Code, Date, PartnerId, Period, PersonId, ProgrammeId};

rejections! {
    /// Rejections of partners, in order of precedence.
    PartnerRejection {
        /// No scorecard of the partner, programme and period is published.
        ScorecardUnknown { partner: PartnerId, period: Period }
            = "partner.scorecard_unknown", Unknown,
            "no scorecard of {partner} is published for {period}";
        /// The published scorecard has no figure of this metric.
        MetricUnknown { metric: Code }
            = "partner.metric_unknown", Unknown, "the scorecard has no figure of {metric}";
        /// The log has no commit at the position at which the figures are said to stand.
        PositionUnknown { position: u64 }
            = "partner.position_unknown", Unknown, "no commit has position {position}";
        /// The programme has no version of this number.
        VersionUnknown { programme: ProgrammeId, version: u32 }
            = "partner.version_unknown", Unknown, "{programme} has no version {version}";
        /// The partner has been recruited already.
        Known { partner: PartnerId }
            = "partner.known", AlreadyDone, "partner {partner} has been recruited already";
        /// The partner took this step already.
        AlreadySo { partner: PartnerId, state: &'static str }
            = "partner.already_so", AlreadyDone, "partner {partner} is {state} already";
        /// The partner belongs to this parent already.
        ParentAttached { partner: PartnerId, parent: PartnerId }
            = "partner.parent_attached", AlreadyDone, "{partner} belongs to {parent} already";
        /// The partner buys through this distributor already.
        DistributorLinked { partner: PartnerId, distributor: PartnerId }
            = "partner.distributor_linked", AlreadyDone,
            "{partner} buys through {distributor} already";
        /// The partner is enrolled in this programme already.
        Enrolled { partner: PartnerId, programme: ProgrammeId }
            = "partner.enrolled", AlreadyDone, "{partner} is enrolled in {programme} already";
        /// The partner is at this tier already.
        TierGranted { partner: PartnerId, tier: Code }
            = "partner.tier_granted", AlreadyDone, "{partner} is at tier {tier} already";
        /// The person's credential is recorded with this date already.
        Certified { person: PersonId, credential: Code, valid_until: Date }
            = "partner.certified", AlreadyDone,
            "{person} is recorded with {credential} until {valid_until} already";
        /// The measure is recorded with this value already. Another value corrects it.
        Measured { partner: PartnerId, measure: Code }
            = "partner.measured", AlreadyDone,
            "{measure} of {partner} is recorded with this value already";
        /// The scorecard is published already. A figure that is wrong is disputed, and corrected.
        ScorecardPublished { partner: PartnerId, period: Period }
            = "partner.scorecard_published", AlreadyDone,
            "the scorecard of {partner} for {period} is published already";
        /// The figure is disputed already, and nobody has decided yet.
        MetricDisputed { metric: Code }
            = "partner.metric_disputed", AlreadyDone, "{metric} is disputed already";
        /// The figure was disputed and settled. A settlement is final.
        DisputeSettled { metric: Code }
            = "partner.dispute_settled", AlreadyDone, "the dispute about {metric} is settled";
        /// The partner's state does not allow this step: prospect, applied, approved, active,
        /// suspended and active again, terminated from any of them.
        WrongState { partner: PartnerId, state: &'static str, expected: &'static str }
            = "partner.wrong_state", WrongState, "{partner} is {state}, not {expected}";
        /// The partner left for good.
        Terminated { partner: PartnerId }
            = "partner.terminated", WrongState, "partner {partner} is terminated";
        /// The partner belongs to another parent. Detach it first: one parent at a time.
        OtherParent { partner: PartnerId, parent: PartnerId }
            = "partner.other_parent", WrongState, "{partner} belongs to {parent}";
        /// The partner does not belong to this parent.
        NotAttached { partner: PartnerId, parent: PartnerId }
            = "partner.not_attached", WrongState, "{partner} does not belong to {parent}";
        /// The partner does not buy through this distributor.
        NotLinked { partner: PartnerId, distributor: PartnerId }
            = "partner.not_linked", WrongState, "{partner} does not buy through {distributor}";
        /// The one to be linked is no distributor by its types.
        NoDistributor { distributor: PartnerId }
            = "partner.no_distributor", WrongState, "{distributor} is no distributor";
        /// Nobody disputes the figure.
        NotDisputed { metric: Code }
            = "partner.not_disputed", WrongState, "nobody disputes {metric}";
        /// The parent is the partner itself or stands below it.
        Cycle { partner: PartnerId, parent: PartnerId }
            = "partner.cycle", Terms, "{parent} stands below {partner}";
        /// The link would end before it began.
        BeforeStart { from: Date, started: Date }
            = "partner.before_start", Terms, "{from} lies before {started}, when it began";
        /// The programme's terms do not have this tier.
        TierUnknown { programme: ProgrammeId, tier: Code }
            = "partner.tier_unknown", Terms, "{programme} has no tier {tier}";
    }
}
