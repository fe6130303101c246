//! Partners: from prospect to active, and what becomes of some.

use super::agenda::{DAY, HOUR, YEAR_START};
use super::coop::Fund;
use super::names;
use super::programmes::{PROGRAMMES, TERRITORIES, TIERS};
use super::world::{Sender, Standing, Task, World, date, day, programme};
use serde_json::json;
use std::collections::BTreeMap;

/// A partner.
#[derive(Debug)]
pub(super) struct Partner {
    /// Its identifier.
    pub(super) id: String,
    /// Where it sells.
    pub(super) territory: &'static str,
    /// The programmes it is in, by place.
    pub(super) programmes: Vec<usize>,
    /// Where it stands.
    pub(super) standing: Standing,
    /// Its funds, by programme.
    pub(super) funds: BTreeMap<usize, Fund>,
    /// Whether it sells to other partners.
    pub(super) distributor: bool,
    links: Links,
}

#[derive(Debug, Default)]
struct Links {
    distributor: Option<String>,
    parent: Option<String>,
}

/// A step in a partner's life.
#[derive(Debug, Clone, Copy)]
pub(super) enum LifeStep {
    Recruit,
    Apply,
    Approve,
    Activate,
    Enrol,
    Link,
    Certify,
    Measure,
    Promote,
    Suspend,
    Reinstate,
    Terminate,
    Unlink,
}

/// How many of a hundred partners are distributors: every so-manieth.
const DISTRIBUTOR_EVERY: usize = 25;

impl World {
    /// Puts all partners down to be recruited: most as the year begins, the rest over it.
    pub(super) fn invite(&mut self, partners: usize) {
        for number in 0..partners {
            let distributor = number % DISTRIBUTOR_EVERY == 3;
            let early = distributor || self.dice.chance(850);
            let after = if early { self.days(0, 3) } else { self.days(5, 300) };
            let first = match self.dice.below(100) {
                0..55 => 0,
                55..80 => 1,
                _ => 2,
            };
            let mut programmes = vec![first];
            if self.dice.chance(180) {
                programmes.push((first + 1) % PROGRAMMES.len());
            }
            self.partners.push(Partner {
                id: format!("p-{:04}", number + 1),
                territory: self.dice.pick(&TERRITORIES),
                programmes,
                standing: Standing::Coming,
                funds: BTreeMap::new(),
                distributor,
                links: Links::default(),
            });
            self.agenda.put(YEAR_START + 9 * HOUR + after, Task::Life(number, LifeStep::Recruit));
        }
    }

    /// An active partner, a busy one more often; none when chance finds none.
    pub(super) fn active(&mut self) -> Option<usize> {
        (0..8).find_map(|_| {
            let place = self.dice.skewed(self.partners.len());
            let partner = self.partners.get(place)?;
            (partner.standing == Standing::Active && !partner.programmes.is_empty())
                .then_some(place)
        })
    }

    /// One of a partner's programmes, the first more often.
    pub(super) fn programme_of(&mut self, partner: usize) -> usize {
        let programmes = self.partners.get(partner).map_or(0, |partner| partner.programmes.len());
        let place = self.dice.skewed(programmes);
        let partner = self.partners.get(partner);
        partner.and_then(|partner| partner.programmes.get(place)).copied().unwrap_or(0)
    }

    /// The identifier of a partner.
    pub(super) fn partner_id(&self, partner: usize) -> String {
        self.partners.get(partner).map(|partner| partner.id.clone()).unwrap_or_default()
    }

    pub(super) fn live(&mut self, number: usize, step: LifeStep) {
        let id = self.partner_id(number);
        let data = json!({ "partner": id });
        match step {
            LifeStep::Recruit => self.recruit(number),
            LifeStep::Apply => {
                self.send("ApplyForProgramme", Sender::partner(&id), data);
                if self.dice.chance(980) {
                    let after = self.days(1, 2);
                    self.later(after, Task::Life(number, LifeStep::Approve));
                }
            }
            LifeStep::Approve => {
                let manager = self.manager(1);
                self.send("ApprovePartner", manager, data);
                if self.dice.chance(985) {
                    let after = self.days(1, 2);
                    self.later(after, Task::Life(number, LifeStep::Activate));
                }
            }
            LifeStep::Activate => self.activate(number),
            LifeStep::Enrol => self.enrol(number),
            LifeStep::Link => self.link(number),
            LifeStep::Unlink => self.unlink(number),
            LifeStep::Certify => self.certify(number),
            LifeStep::Measure => self.measure(number),
            LifeStep::Promote => self.promote(number),
            LifeStep::Suspend => {
                self.turn(number, "SuspendPartner", Standing::Suspended, "audit of proofs");
                if self.dice.chance(600) {
                    let after = self.days(10, 40);
                    self.later(after, Task::Life(number, LifeStep::Reinstate));
                }
            }
            LifeStep::Reinstate => {
                self.turn(number, "ReinstatePartner", Standing::Active, "audit passed");
            }
            LifeStep::Terminate => {
                self.turn(number, "TerminatePartner", Standing::Terminated, "contract ended");
            }
        }
    }

    fn recruit(&mut self, number: usize) {
        let Some(partner) = self.partners.get(number) else { return };
        let (id, territory, distributor) =
            (partner.id.clone(), partner.territory, partner.distributor);
        let person = !distributor && self.dice.chance(20);
        let types = match (distributor, person) {
            (true, _) => json!(["distributor"]),
            (false, true) => json!(["referral"]),
            (false, false) => {
                json!([self.dice.pick(&["reseller", "reseller", "var", "si", "msp", "mssp"])])
            }
        };
        let name = names::company(&mut self.dice);
        let data = json!({
            "partner": id, "name": name, "types": types,
            "country": self.dice.pick(&["US", "DE", "GB", "FR", "NL"]),
            "territories": [territory], "natural_person": person,
        });
        let manager = self.manager(1);
        self.send("RecruitPartner", manager, data);
        if self.dice.chance(980) {
            let after = self.days(0, 1);
            self.later(after, Task::Life(number, LifeStep::Apply));
        }
    }

    fn activate(&mut self, number: usize) {
        let id = self.partner_id(number);
        let manager = self.manager(1);
        self.send("ActivatePartner", manager, json!({ "partner": id }));
        self.later(HOUR, Task::Life(number, LifeStep::Enrol));
        if self.dice.chance(600) {
            self.later(DAY, Task::Life(number, LifeStep::Link));
        }
        for quarter in 0..4 {
            let after = self.days(88 * quarter + 5, 88 * quarter + 20);
            self.later(after, Task::Life(number, LifeStep::Measure));
        }
        for _ in 0..self.dice.below(4) {
            let after = self.days(3, 200);
            self.later(after, Task::Life(number, LifeStep::Certify));
        }
        if self.dice.chance(250) {
            let after = self.days(60, 250);
            self.later(after, Task::Life(number, LifeStep::Promote));
        }
        let fate = self.dice.below(1000);
        let after = self.days(70, 240);
        match fate {
            0..45 => self.later(after, Task::Life(number, LifeStep::Suspend)),
            45..85 => self.later(after, Task::Life(number, LifeStep::Terminate)),
            _ => {}
        }
    }

    fn enrol(&mut self, number: usize) {
        let Some(partner) = self.partners.get_mut(number) else { return };
        partner.standing = Standing::Active;
        let (id, programmes) = (partner.id.clone(), partner.programmes.clone());
        for place in programmes {
            let tier = self.dice.chance(400).then(|| self.dice.pick(&TIERS));
            let data = json!({ "partner": id, "programme": programme(place).id, "tier": tier });
            let manager = self.manager(1);
            self.send("EnrolPartner", manager, data);
        }
    }

    fn link(&mut self, number: usize) {
        let ready = |partner: &Partner| partner.standing == Standing::Active;
        let distributors: Vec<usize> = (0..self.partners.len())
            .skip(3)
            .step_by(DISTRIBUTOR_EVERY)
            .filter(|place| *place != number && self.partners.get(*place).is_some_and(ready))
            .collect();
        let id = self.partner_id(number);
        if !distributors.is_empty() {
            let distributor = self.dice.pick(&distributors);
            let distributor = self.partner_id(distributor);
            let data = json!({ "partner": id, "distributor": distributor });
            self.send("LinkDistributor", Sender::service("/crm-sync"), data);
            self.note(number, |links| links.distributor = Some(distributor));
        }
        // Only a later partner has an earlier one as its parent, so that there is no circle.
        let parent = self.partners.get(number / 2).filter(|parent| number > 8 && ready(parent));
        let parent = parent.map(|parent| parent.id.clone());
        if let Some(parent) = parent.filter(|_| self.dice.chance(300)) {
            let data = json!({ "partner": id, "parent": parent });
            self.send("AttachParent", Sender::service("/crm-sync"), data);
            self.note(number, |links| links.parent = Some(parent));
        }
        if self.dice.chance(300) {
            let after = self.days(60, 250);
            self.later(after, Task::Life(number, LifeStep::Unlink));
        }
    }

    fn note(&mut self, number: usize, change: impl FnOnce(&mut Links)) {
        if let Some(partner) = self.partners.get_mut(number) {
            change(&mut partner.links);
        }
    }

    fn unlink(&mut self, number: usize) {
        let Some(partner) = self.partners.get_mut(number) else { return };
        if partner.standing == Standing::Terminated {
            return;
        }
        let id = partner.id.clone();
        let links = std::mem::take(&mut partner.links);
        if let Some(distributor) = links.distributor {
            let data = json!({ "partner": id, "distributor": distributor });
            self.send("UnlinkDistributor", Sender::service("/crm-sync"), data);
        }
        if let Some(parent) = links.parent {
            let data = json!({ "partner": id, "parent": parent });
            self.send("DetachParent", Sender::service("/crm-sync"), data);
        }
    }

    fn certify(&mut self, number: usize) {
        if self.is_gone(number) {
            return;
        }
        let valid_until = date(day(self.now) + 365);
        let data = json!({
            "partner": self.partner_id(number), "person": self.name("pe"),
            "credential": self.dice.pick(&["sales_associate", "sales_associate", "engineer"]),
            "valid_until": valid_until,
        });
        self.send("RecordCertification", Sender::service("/academy"), data);
    }

    /// Measures of the quarter that ended before.
    fn measure(&mut self, number: usize) {
        if self.is_gone(number) {
            return;
        }
        let ended = (day(self.now) - day(YEAR_START)) / 91;
        let period = match ended {
            i32::MIN..=0 => "2024-Q4".to_owned(),
            quarter => format!("2025-Q{}", quarter.min(4)),
        };
        let measures = ["satisfaction", "renewal_rate", "plan_attainment"];
        for measure in measures {
            let value = format!("0.{}", self.dice.between(55, 99));
            let data = json!({
                "partner": self.partner_id(number), "measure": measure, "period": period,
                "value": value,
            });
            self.send("RecordMeasure", Sender::service("/crm-sync"), data);
        }
    }

    fn promote(&mut self, number: usize) {
        if self.is_gone(number) {
            return;
        }
        let place = self.programme_of(number);
        let data = json!({
            "partner": self.partner_id(number), "programme": programme(place).id,
            "tier": self.dice.pick(&TIERS),
        });
        let manager = self.manager(2);
        self.send("GrantTier", manager, data);
    }

    fn is_gone(&self, number: usize) -> bool {
        self.partners.get(number).is_none_or(|p| p.standing == Standing::Terminated)
    }

    fn turn(&mut self, number: usize, kind: &str, to: Standing, note: &str) {
        let Some(partner) = self.partners.get_mut(number) else { return };
        partner.standing = to;
        let data = json!({ "partner": partner.id, "note": note });
        let manager = self.manager(2);
        self.send(kind, manager, data);
    }
}
