//! Commands on partners and programmes.

use super::{Choice, Maker, said};
use crate::model::{naive::PartnerState, world};
use rand::RngExt;
use serde_json::json;

/// Whether a step makes sense for a partner in a state.
type Fits = fn(PartnerState) -> bool;

impl Maker<'_> {
    /// A step of a partner's life; terminations are rare, and somebody new comes in their place.
    pub(super) fn life(&mut self) -> Option<Choice> {
        use PartnerState::{Active, Applied, Approved, Prospect, Suspended};
        let steps: [(&str, Fits); 6] = [
            ("ApplyForProgramme", |state| state == Prospect),
            ("ApprovePartner", |state| state == Applied),
            ("ActivatePartner", |state| state == Approved),
            ("ReinstatePartner", |state| state == Suspended),
            ("SuspendPartner", |state| state == Active),
            ("TerminatePartner", |state| {
                matches!(state, Suspended | Prospect | Applied | Approved)
            }),
        ];
        let (name, fits) = match self.rng.random_range(0..20) {
            0 => return self.recruit(),
            1..14 => self.one_of(steps.get(..4)?)?,
            14..17 => steps[4],
            _ => steps[5],
        };
        let any = self.model.partners.keys().cloned().collect();
        let partner = self.target(self.partners(fits), any)?;
        let note = self.slip(20).then_some("as agreed by telephone");
        said(self.managing(), name, json!({"partner": partner, "note": note}))
    }

    fn recruit(&mut self) -> Option<Choice> {
        let number = if self.slip(20) { 1 } else { self.next };
        let partner = world::partner(number);
        let person = self.slip(20);
        let data = json!({
            "partner": partner, "name": "Zoë Müller & Co", "types": ["agent"],
            "natural_person": person,
        });
        said(self.managing(), "RecruitPartner", data)
    }

    /// Links, measures, certifications.
    pub(super) fn partner_facts(&mut self) -> Option<Choice> {
        let partner = self.partner();
        let other = if self.slip(60) { world::partner(2) } else { self.partner() };
        let sender = self.managing();
        let kind = match self.rng.random_range(0..10) {
            6 | 7 => 1,
            8 | 9 => 3,
            kind => kind,
        };
        match kind {
            0 => said(sender, "AttachParent", json!({"partner": partner, "parent": other})),
            1 => {
                let mut children =
                    self.model.partners.iter().filter(|(_, one)| one.parent.is_some());
                let (partner, parent) = children
                    .next()
                    .map_or((partner, None), |(id, one)| (id.clone(), one.parent.clone()));
                let parent = parent.unwrap_or(other);
                said(sender, "DetachParent", json!({"partner": partner, "parent": parent}))
            }
            2 => said(sender, "LinkDistributor", json!({"partner": partner, "distributor": other})),
            3 => {
                let mut linked =
                    self.model.partners.iter().filter(|(_, one)| !one.distributors.is_empty());
                let (partner, linked) = linked.next().map_or((partner, None), |(id, one)| {
                    (id.clone(), one.distributors.first().cloned())
                });
                let distributor = linked.unwrap_or(other);
                let data = json!({"partner": partner, "distributor": distributor});
                said(sender, "UnlinkDistributor", data)
            }
            4 => {
                let data = json!({
                    "partner": partner, "person": "person-7", "credential": "cert-pro",
                    "valid_until": self.day("gold", -10, 400),
                });
                said(sender, "RecordCertification", data)
            }
            _ => {
                let data = json!({
                    "partner": partner, "measure": "satisfaction", "period": "2026-Q1",
                    "value": "0.85",
                });
                said(sender, "RecordMeasure", data)
            }
        }
    }

    pub(super) fn enrol(&mut self) -> Option<Choice> {
        let (partner, programme) = (self.partner(), self.programme());
        let tier = self.word(&["silver", "gold", "gold", "platinum"]);
        if self.slip(50) {
            let data = json!({"partner": partner, "programme": programme, "tier": tier});
            return said(self.managing(), "GrantTier", data);
        }
        let tier = (programme == "gold").then_some(tier);
        let data = json!({"partner": partner, "programme": programme, "tier": tier});
        said(self.managing(), "EnrolPartner", data)
    }

    /// The next version from today on; now and then one that is out already, or from too early.
    pub(super) fn publish(&mut self) -> Option<Choice> {
        let name = self.word(&["gold", "euro"]);
        let versions = self.model.programmes.get(&name.parse().ok()?)?;
        let newest = versions.last()?.version;
        let version = match self.rng.random_range(0..8) {
            0 => newest,
            1 => newest + 2,
            _ if newest >= 4 => return None,
            _ => newest + 1,
        };
        let from = if self.slip(10) { "2025-06-01".into() } else { self.today(name).to_string() };
        let mut data =
            if name == "gold" { world::gold(version, &from) } else { world::euro(version, &from) };
        if self.slip(20) {
            data["terms"]["coop"]["accrual"][0]["bands"][0]["from"] = json!("10");
        }
        said(self.managing(), "PublishProgramme", data)
    }
}
