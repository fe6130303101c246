//! The model of partners and programmes.

use super::{Check, Model, Verdict, Version, exact};
use crate::model::sent::Sent;
use chl_commands::{partner::Partner as Asked, programme};
use chl_events::{Code, Instant, PartnerId, ProgrammeId};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Where a partner stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PartnerState {
    Prospect,
    Applied,
    Approved,
    Active,
    Suspended,
    Terminated,
}

/// A partner.
#[derive(Debug, Clone)]
pub(crate) struct Partner {
    pub(crate) state: PartnerState,
    /// Programmes and the tier in each.
    pub(crate) enrolled: BTreeMap<ProgrammeId, Option<Code>>,
    /// Where it may sell; empty: anywhere.
    pub(crate) territories: BTreeSet<Code>,
    pub(crate) parent: Option<PartnerId>,
    pub(crate) distributors: BTreeSet<PartnerId>,
    pub(crate) terminated_at: Option<Instant>,
}

impl Model {
    pub(super) fn partner_command(&mut self, asked: &Asked, sent: &Sent) -> Check {
        use PartnerState::{Active, Applied, Approved, Prospect, Suspended, Terminated};
        match asked {
            Asked::RecruitPartner(c) => {
                self.deny(self.partners.contains_key(&c.partner), &[4])?;
                let partner = Partner {
                    state: Prospect,
                    enrolled: BTreeMap::new(),
                    territories: c.territories.iter().cloned().collect(),
                    parent: None,
                    distributors: BTreeSet::new(),
                    terminated_at: None,
                };
                self.partners.insert(c.partner.clone(), partner);
                Ok(())
            }
            Asked::ApplyForProgramme(c) => self.moves(&c.partner, &[Prospect], Applied),
            Asked::ApprovePartner(c) => self.moves(&c.partner, &[Applied], Approved),
            Asked::ActivatePartner(c) => self.moves(&c.partner, &[Approved], Active),
            Asked::SuspendPartner(c) => self.moves(&c.partner, &[Active], Suspended),
            Asked::ReinstatePartner(c) => self.moves(&c.partner, &[Suspended], Active),
            Asked::TerminatePartner(c) => {
                let any = [Prospect, Applied, Approved, Active, Suspended];
                self.moves(&c.partner, &any, Terminated)?;
                if let Some(partner) = self.partners.get_mut(&c.partner) {
                    partner.terminated_at = Some(sent.time());
                }
                Ok(())
            }
            Asked::AttachParent(c) => {
                self.partner(&c.partner)?;
                self.partner(&c.parent)?;
                // Dates of links may overlap or not; the model only goes one way.
                self.unsure(true)?;
                self.partner(&c.partner)?.parent = Some(c.parent.clone());
                Ok(())
            }
            Asked::DetachParent(c) => {
                self.unsure(true)?;
                self.partner(&c.partner)?.parent = None;
                Ok(())
            }
            Asked::LinkDistributor(c) => {
                self.unsure(true)?;
                self.partner(&c.partner)?.distributors.insert(c.distributor.clone());
                Ok(())
            }
            Asked::UnlinkDistributor(c) => {
                self.unsure(true)?;
                self.partner(&c.partner)?.distributors.remove(&c.distributor);
                Ok(())
            }
            Asked::EnrolPartner(c) => self.enrol(c, sent),
            Asked::GrantTier(c) => {
                self.known(&c.programme, &c.partner)?;
                let partner = self.partner(&c.partner)?.clone();
                self.unsure(partner.state != Active)?;
                self.deny(!partner.enrolled.contains_key(&c.programme), &[5])?;
                self.tier(&c.programme, &c.tier, sent)?;
                let enrolled = &mut self.partner(&c.partner)?.enrolled;
                let same = enrolled.get(&c.programme) == Some(&Some(c.tier.clone()));
                enrolled.insert(c.programme.clone(), Some(c.tier.clone()));
                self.unsure(same)
            }
            Asked::RecordCertification(c) => self.records(&c.partner),
            Asked::RecordMeasure(c) => self.records(&c.partner),
            Asked::PublishScorecard(c) => self.publish_scorecard(c, sent.at.date_utc()),
            Asked::DisputeScorecard(c) => self.dispute_scorecard(c),
            Asked::SettleScorecardDispute(c) => self.settle_scorecard(c),
        }
    }

    fn partner(&mut self, id: &PartnerId) -> Check<&mut Partner> {
        self.partners.get_mut(id).ok_or(Verdict::Refused(vec![3]))
    }

    fn moves(&mut self, id: &PartnerId, from: &[PartnerState], to: PartnerState) -> Check {
        let state = self.partner(id)?.state;
        // What is so already is done already; anything else is a wrong state.
        self.deny(!from.contains(&state), &[4, 5])?;
        self.partner(id)?.state = to;
        Ok(())
    }

    fn records(&mut self, id: &PartnerId) -> Check {
        self.partner(id)?;
        // Whether the same was recorded before the model does not keep.
        self.unsure(true)
    }

    fn enrol(&mut self, c: &chl_commands::partner::EnrolPartner, sent: &Sent) -> Check {
        self.known(&c.programme, &c.partner)?;
        let partner = self.partner(&c.partner)?.clone();
        self.unsure(!matches!(partner.state, PartnerState::Active | PartnerState::Terminated))?;
        self.deny(partner.enrolled.contains_key(&c.programme), &[4])?;
        self.deny(partner.state == PartnerState::Terminated, &[5])?;
        let zone = self.zone(&c.programme);
        let version = self.terms_at(&c.programme, exact::day(&zone, sent.time()))?;
        let tier = c.tier.clone().or_else(|| version.terms.tiers.first().cloned());
        if let Some(tier) = &c.tier {
            self.tier(&c.programme, tier, sent)?;
        }
        self.partner(&c.partner)?.enrolled.insert(c.programme.clone(), tier);
        Ok(())
    }

    fn tier(&self, programme: &ProgrammeId, tier: &Code, sent: &Sent) -> Check {
        let on = exact::day(&self.zone(programme), sent.time());
        let version = self.terms_at(programme, on)?;
        self.deny(!version.terms.tiers.contains(tier), &[3, 6])
    }

    pub(super) fn publish(&mut self, asked: &programme::Programme) -> Check {
        let programme::Programme::PublishProgramme(c) = asked;
        let coop = c.terms.coop.iter().flat_map(|coop| &coop.accrual);
        let mut first = coop.filter_map(|rate| rate.bands.first());
        self.deny(first.any(|band| band.from.get() != 0.into()), &[1, 6])?;
        let newest = self.programmes.get(&c.programme).and_then(|all| all.last());
        let (next, from) =
            newest.map_or((1, None), |one| (one.version + 1, Some(one.effective_from)));
        self.deny(c.version < next, &[4])?;
        self.deny(c.version > next, &[4, 5])?;
        self.deny(from.is_some_and(|from| c.effective_from < from), &[5, 6])?;
        let version = Version {
            version: c.version,
            effective_from: c.effective_from,
            currency: c.currency,
            zone: exact::zone(c.time_zone.as_deref().unwrap_or("UTC")),
            terms: Arc::new((*c.terms).clone()),
        };
        self.programmes.entry(c.programme.clone()).or_default().push(version);
        Ok(())
    }
}
