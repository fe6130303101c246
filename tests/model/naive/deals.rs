//! The model of deals and their slots.

use super::{Check, Model, PartnerState, Verdict, Version, exact};
use crate::model::sent::Sent;
use chl_commands::deal::{Deal as Asked, RegisterDeal};
use chl_events::{
    Code, ConflictId, CustomerId, Date, DealId, Instant, Money, PartnerId, ProgrammeId, Role,
    deal::{Contract, Route},
    terms::{ApprovalMode, ConflictRule, DealTerms, SlotRule, ValueBasis},
};

/// Where a deal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DealState {
    Submitted,
    Contested,
    Approved,
    Rejected,
    Won,
    Lost,
    Expired,
    Withdrawn,
    Displaced,
}

impl DealState {
    /// The word in tables.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Contested => "contested",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Won => "won",
            Self::Lost => "lost",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
            Self::Displaced => "displaced",
        }
    }
}

/// A deal.
#[derive(Debug, Clone)]
pub(crate) struct Deal {
    pub(crate) customer: CustomerId,
    /// None when the vendor sells itself.
    pub(crate) partner: Option<PartnerId>,
    pub(crate) programme: ProgrammeId,
    pub(crate) product_line: Code,
    pub(crate) territory: Option<Code>,
    pub(crate) value: Money,
    pub(crate) state: DealState,
    /// Whether it ever met another's guarded slot: it then guards nothing until it is approved.
    pub(crate) was_contested: bool,
    pub(crate) registered_at: Instant,
    pub(crate) approved_at: Option<Instant>,
    pub(crate) protected_until: Option<Instant>,
    pub(crate) extensions: u32,
    /// The terms it was registered under.
    pub(crate) version: Version,
    pub(crate) conflict: Option<ConflictId>,
    /// The order of registration.
    pub(crate) order: usize,
}

impl Deal {
    /// Its rules.
    pub(crate) fn terms(&self) -> &DealTerms {
        self.version.terms.deal_registration.as_ref().unwrap()
    }

    /// Whether it guards its slot: by protection, or pending and never contested.
    pub(crate) fn guards(&self) -> bool {
        match self.state {
            DealState::Approved => true,
            DealState::Submitted => !self.was_contested,
            DealState::Contested
            | DealState::Rejected
            | DealState::Won
            | DealState::Lost
            | DealState::Expired
            | DealState::Withdrawn
            | DealState::Displaced => false,
        }
    }
}

impl Model {
    pub(super) fn deal_command(&mut self, asked: &Asked, sent: &Sent) -> Check {
        use DealState::{Approved, Contested, Displaced, Expired, Lost, Submitted, Won};
        match asked {
            Asked::RegisterDeal(c) => self.register(c, sent),
            Asked::ApproveDeal(c) => {
                let deal = self.deal(&c.deal, &c.customer, sent)?;
                self.deny(deal.state != Submitted, &[4, 5])?;
                // Only who was contested once looks at the slot again.
                let holder = self.holder(&deal, Some(&c.deal));
                let own = |(id, one): (&DealId, &Deal)| {
                    *id != c.deal
                        && one.partner == deal.partner
                        && one.guards()
                        && one.overlaps(&deal)
                };
                let owned = self.deals.iter().any(own);
                self.unsure(deal.was_contested && owned && holder.is_some())?;
                self.deny(deal.was_contested && holder.is_some(), &[5, 6])?;
                let partner = deal.partner.as_ref().and_then(|id| self.partners.get(id));
                self.unsure(partner.is_some_and(|one| one.state != PartnerState::Active))?;
                self.approve_deal(&c.deal, sent.time());
                Ok(())
            }
            Asked::RejectDeal(c) => {
                let deal = self.deal(&c.deal, &c.customer, sent)?;
                self.unsure(deal.state == Contested)?;
                self.deny(deal.state != Submitted, &[4, 5])?;
                self.end_deal(&c.deal, DealState::Rejected);
                Ok(())
            }
            Asked::AmendDeal(c) => {
                let deal = self.deal(&c.deal, &c.customer, sent)?;
                self.unsure(c.contract.is_some() || c.expected_close.is_some())?;
                let open = matches!(deal.state, Submitted | Contested | Approved);
                self.unsure(matches!(deal.state, Expired | Displaced))?;
                self.deny(!open, &[4, 5])?;
                let value = c.value.unwrap_or(deal.value);
                self.unsure(c.value.is_none())?;
                self.minimum(&deal.version, value, None, &[6])?;
                self.deny(value.currency() != deal.value.currency(), &[7])?;
                if let Some(deal) = self.deals.get_mut(&c.deal) {
                    deal.value = value;
                }
                Ok(())
            }
            Asked::WithdrawDeal(c) => {
                let deal = self.deal(&c.deal, &c.customer, sent)?;
                self.unsure(matches!(deal.state, Expired | Displaced))?;
                let open = matches!(deal.state, Submitted | Contested | Approved);
                self.deny(!open, &[4, 5])?;
                self.end_deal(&c.deal, DealState::Withdrawn);
                Ok(())
            }
            Asked::ExtendDeal(c) => {
                let deal = self.deal(&c.deal, &c.customer, sent)?;
                let partner = deal.partner.as_ref().and_then(|id| self.partners.get(id));
                self.unsure(partner.is_some_and(|one| one.state != PartnerState::Active))?;
                self.deny(deal.state != Approved, &[4, 5])?;
                self.deny(deal.extensions >= deal.terms().max_extensions, &[6])?;
                let (zone, days) = (deal.version.zone.clone(), deal.terms().extension_days);
                if let Some(deal) = self.deals.get_mut(&c.deal) {
                    deal.extensions += 1;
                    let until = deal.protected_until;
                    deal.protected_until = until.map(|at| exact::plus_days(&zone, at, days));
                }
                Ok(())
            }
            // The ledger's clock may have been there first.
            Asked::ExpireDeal(c) => {
                let deal = self.deal(&c.deal, &c.customer, sent)?;
                self.unsure(deal.state == Expired)?;
                self.deny(true, &[5, 6])
            }
            Asked::MarkDealWon(c) => {
                let value = c.value;
                self.close(&c.deal, &c.customer, c.closed_on, value, Won, sent)
            }
            Asked::MarkDealLost(c) => {
                self.close(&c.deal, &c.customer, c.closed_on, None, Lost, sent)
            }
        }
    }

    /// A deal of a customer; to a partner another partner's deal is not there.
    fn deal(&self, id: &DealId, customer: &CustomerId, sent: &Sent) -> Check<Deal> {
        let unknown = Verdict::Refused(vec![2, 3]);
        let deal = self.deals.get(id).filter(|deal| &deal.customer == customer);
        let deal = deal.ok_or(unknown)?;
        let foreign = sent.sender.role == Role::Partner && deal.partner != sent.sender.partner;
        self.deny(foreign, &[2, 3])?;
        Ok(deal.clone())
    }

    fn register(&mut self, c: &RegisterDeal, sent: &Sent) -> Check {
        let direct = c.route == Some(Route::Direct);
        self.deny(direct == c.partner.is_some(), &[1])?;
        self.deny(direct && sent.sender.role == Role::Partner, &[2])?;
        self.deny(!self.programmes.contains_key(&c.programme), &[3])?;
        let partner = match &c.partner {
            Some(partner) => Some(self.known(&c.programme, partner)?.clone()),
            None => None,
        };
        self.deny(!self.customers.contains(&c.customer), &[3])?;
        self.deny(self.deals.contains_key(&c.deal), &[4])?;
        if let Some(partner) = &c.partner {
            self.active(&c.programme, partner)?;
        }
        let on = exact::day(&self.zone(&c.programme), sent.time());
        let version = self.terms_at(&c.programme, on)?;
        let Some(terms) = version.terms.deal_registration.clone() else {
            return self.deny(true, &[5, 6]);
        };
        let territories = partner.map(|partner| partner.territories).unwrap_or_default();
        let outside = c.territory.as_ref().is_some_and(|one| !territories.contains(one));
        self.deny(outside && !territories.is_empty(), &[6])?;
        let foreign = !terms.product_lines.is_empty();
        self.deny(foreign && !terms.product_lines.contains(&c.product_line), &[6])?;
        let reserved = terms.reserved_accounts.iter().any(|one| self.survivor(one) == c.customer);
        self.deny(reserved && !direct, &[6])?;
        self.minimum(&version, c.value, c.contract.as_ref(), &[6])?;
        self.dates(&terms, c, on)?;
        let deal = Deal {
            customer: c.customer.clone(),
            partner: c.partner.clone(),
            programme: c.programme.clone(),
            product_line: c.product_line.clone(),
            territory: c.territory.clone(),
            value: c.value,
            state: DealState::Submitted,
            was_contested: false,
            registered_at: sent.time(),
            approved_at: None,
            protected_until: None,
            extensions: 0,
            version: version.clone(),
            conflict: None,
            order: self.deals.len(),
        };
        let own = |one: &Deal| one.partner == deal.partner && one.guards() && one.overlaps(&deal);
        let owned = self.deals.values().any(own);
        self.deny(terms.one_deal_per_slot && owned, &[5, 6])?;
        let tcv = c.contract.as_ref().map(|contract| contract.tcv.currency());
        let other = c.value.currency() != version.currency;
        self.deny(other || tcv.is_some_and(|tcv| tcv != version.currency), &[7])?;
        let holder = self.holder(&deal, None);
        // Whether a slot held jointly is another's or one's own the domain does not say.
        self.unsure(owned && holder.is_some())?;
        self.deals.insert(c.deal.clone(), deal);
        match holder {
            Some(incumbent) => self.contest(&c.deal, &incumbent, sent.time()),
            None => {
                let below = terms.auto_below.is_some_and(|limit| c.value.minor() < limit.minor());
                let auto = match terms.approval {
                    ApprovalMode::Auto => true,
                    ApprovalMode::Manual => false,
                    ApprovalMode::AutoBelow => below,
                };
                if auto {
                    self.approve_deal(&c.deal, sent.time());
                }
            }
        }
        Ok(())
    }

    /// The least value, held against the deal's or the annual contract value.
    fn minimum(
        &self,
        version: &Version,
        value: Money,
        contract: Option<&Contract>,
        classes: &[u8],
    ) -> Check {
        let terms = version.terms.deal_registration.clone().unwrap_or_default();
        let Some(minimum) = terms.minimum_value else { return Ok(()) };
        self.unsure(terms.minimum_basis == ValueBasis::Acv && contract.is_none())?;
        let annual = |contract: &Contract| match contract.months {
            Some(months) => (contract.tcv.minor() * 12, i128::from(months)),
            None => (contract.tcv.minor(), i128::from(terms.perpetual_years)),
        };
        let (over, under) = match (terms.minimum_basis, contract) {
            (ValueBasis::Acv, Some(contract)) => annual(contract),
            _ => (value.minor(), 1),
        };
        let tcv = contract.is_some_and(|one| one.tcv.currency() != version.currency);
        let other = tcv || value.currency() != version.currency;
        self.unsure(other && over < minimum.minor() * under)?;
        self.deny(over < minimum.minor() * under, classes)
    }

    fn dates(&self, terms: &DealTerms, c: &RegisterDeal, on: Date) -> Check {
        if let Some(days) = terms.register_before_close_days {
            let close = c.expected_close;
            self.unsure(close.is_none())?;
            self.deny(close.is_some_and(|close| exact::later(on, days) > close), &[6])?;
        }
        let signed = c.contract.as_ref().and_then(|contract| contract.signed_on);
        self.deny(signed.is_some_and(|signed| signed > on), &[6])?;
        if let Some(days) = terms.register_within_days_of_signature {
            self.deny(signed.is_some_and(|signed| on > exact::later(signed, days)), &[6])?;
        }
        Ok(())
    }

    /// The first of another route that guards a slot this deal overlaps.
    pub(crate) fn holder(&self, deal: &Deal, except: Option<&DealId>) -> Option<DealId> {
        let holds = |(id, one): &(&DealId, &Deal)| {
            Some(*id) != except && one.partner != deal.partner && one.guards() && one.overlaps(deal)
        };
        let first = self.deals.iter().filter(holds).min_by_key(|(_, one)| one.order);
        first.map(|(id, _)| id.clone())
    }

    /// A contested registration: the conflict is opened by a policy, at once.
    fn contest(&mut self, challenger: &DealId, incumbent: &DealId, now: Instant) {
        let rule = self.deals.get(incumbent).map(|deal| deal.terms().conflict_rule);
        let conflict = super::conflict_name(challenger);
        self.open_conflict(&conflict, challenger, incumbent);
        if let Some(deal) = self.deals.get_mut(challenger) {
            deal.state = DealState::Contested;
            deal.was_contested = true;
            deal.conflict = Some(conflict.clone());
        }
        if rule == Some(ConflictRule::Joint) {
            self.resolved(&conflict);
            self.approve_deal(challenger, now);
        }
    }

    /// Approves a deal: protected for its window from now on.
    pub(super) fn approve_deal(&mut self, id: &DealId, now: Instant) {
        let Some(deal) = self.deals.get(id) else { return };
        let on = exact::day(&deal.version.zone, now);
        let version = self.terms_at(&deal.programme, on).unwrap_or(deal.version.clone());
        // Extension and expiry follow the terms of the approval.
        let terms = version.terms.deal_registration.clone();
        let days = terms.map_or(deal.terms().protection_days, |terms| terms.protection_days);
        if let Some(deal) = self.deals.get_mut(id) {
            deal.state = DealState::Approved;
            deal.approved_at = Some(now);
            deal.protected_until = Some(exact::plus_days(&version.zone, now, days));
            if version.terms.deal_registration.is_some() {
                deal.version = version;
            }
        }
    }

    /// Ends a deal; conflicts that hang on it lapse.
    pub(super) fn end_deal(&mut self, id: &DealId, state: DealState) {
        if let Some(deal) = self.deals.get_mut(id) {
            deal.state = state;
        }
        self.lapse_conflicts(id);
    }

    fn close(
        &mut self,
        id: &DealId,
        customer: &CustomerId,
        closed_on: Date,
        value: Option<Money>,
        state: DealState,
        sent: &Sent,
    ) -> Check {
        use DealState::{Approved, Contested, Displaced, Expired, Submitted};
        let deal = self.deal(id, customer, sent)?;
        let open = matches!(deal.state, Submitted | Contested | Approved | Displaced | Expired);
        self.deny(!open, &[4, 5])?;
        self.deny(closed_on > exact::day(&deal.version.zone, sent.at), &[6])?;
        self.unsure(closed_on < exact::day(&deal.version.zone, deal.registered_at))?;
        let other = value.is_some_and(|value| value.currency() != deal.value.currency());
        self.deny(other, &[7])?;
        self.end_deal(id, state);
        Ok(())
    }

    pub(super) fn expire_deals(&mut self, now: Instant) {
        let due = |deal: &Deal| {
            deal.state == DealState::Approved
                && deal.protected_until.is_some_and(|until| until <= now)
        };
        let due: Vec<DealId> =
            self.deals.iter().filter(|(_, deal)| due(deal)).map(|(id, _)| id.clone()).collect();
        for id in due {
            self.end_deal(&id, DealState::Expired);
        }
    }
}

impl Deal {
    /// Whether a newcomer's slot overlaps the one this deal guards.
    pub(crate) fn overlaps(&self, new: &Self) -> bool {
        self.customer == new.customer && self.overlaps_elsewhere(new)
    }

    /// The same, if their customers were one.
    pub(super) fn overlaps_elsewhere(&self, new: &Self) -> bool {
        let by_territory = self.terms().slot == SlotRule::Territory;
        let apart = match (&self.territory, &new.territory) {
            (Some(mine), Some(other)) => mine != other,
            _ => false,
        };
        self.product_line == new.product_line && !(by_territory && apart)
    }
}
