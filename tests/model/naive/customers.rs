//! The model of customers: who is known, who looks like whom, who became one.

use super::{Check, Deal, DealState, Model};
use chl_commands::customer::{Customer as Asked, MergeCustomers};
use chl_events::{ConflictId, CustomerId, DealId, terms::ConflictRule};

/// Two customers, in the order of their names.
pub(crate) type Pair = (CustomerId, CustomerId);

fn pair(one: &CustomerId, other: &CustomerId) -> Pair {
    let (one, other) = (one.clone(), other.clone());
    if one <= other { (one, other) } else { (other, one) }
}

/// The most deals of which one merge says that they meet another.
const MOST_MEETINGS: usize = 21;

impl Model {
    pub(super) fn customer_command(&mut self, asked: &Asked) -> Check {
        match asked {
            Asked::RegisterCustomer(c) => {
                self.deny(self.merged.contains_key(&c.customer), &[3])?;
                self.deny(self.customers.contains(&c.customer), &[4])?;
                self.unsure(c.parent.is_some())?;
                self.customers.insert(c.customer.clone());
                Ok(())
            }
            Asked::ReportPossibleDuplicate(c) => {
                self.deny(c.score > 100, &[1])?;
                self.two(&c.customer, &c.other)?;
                let pair = pair(&c.customer, &c.other);
                self.deny(self.pairs.contains_key(&pair), &[4])?;
                self.pairs.insert(pair, "open");
                Ok(())
            }
            Asked::KeepCustomersApart(c) => {
                self.two(&c.customer, &c.other)?;
                let pair = pair(&c.customer, &c.other);
                self.deny(self.pairs.get(&pair) == Some(&"resolved"), &[4])?;
                self.pairs.insert(pair, "resolved");
                Ok(())
            }
            Asked::MergeCustomers(c) => self.merge(c),
            Asked::AbsorbCustomer(_) => self.deny(true, &[2]),
        }
    }

    /// Who a customer is by now.
    pub(crate) fn survivor(&self, customer: &CustomerId) -> CustomerId {
        let mut now = customer;
        while let Some(next) = self.merged.get(now) {
            now = next;
        }
        now.clone()
    }

    fn two(&self, one: &CustomerId, other: &CustomerId) -> Check {
        self.deny(one == other, &[1])?;
        let known = |customer| self.customers.contains(customer);
        self.deny(!known(one) || !known(other), &[3])
    }

    fn merge(&mut self, c: &MergeCustomers) -> Check {
        let MergeCustomers { survivor, absorbed, .. } = c;
        self.two(survivor, absorbed)?;
        let meetings = self.meetings(c);
        self.deny(meetings.len() > MOST_MEETINGS, &[6])?;
        self.customers.remove(absorbed);
        self.merged.insert(absorbed.clone(), survivor.clone());
        for (of, state) in
            self.pairs.iter_mut().filter(|((one, other), _)| [one, other].contains(&absorbed))
        {
            if *of == pair(survivor, absorbed) {
                *state = "resolved";
            } else if *state == "open" {
                *state = "lapsed";
            }
        }
        for deal in self.deals.values_mut().filter(|deal| deal.customer == *absorbed) {
            deal.customer = survivor.clone();
        }
        for conflict in self.conflicts.values_mut().filter(|one| one.customer == *absorbed) {
            conflict.customer = survivor.clone();
        }
        for (incumbent, challenger) in meetings {
            let name = super::merge_conflict_name(&challenger, absorbed);
            self.meet(&name, &challenger, &incumbent);
        }
        Ok(())
    }

    /// Who of the one customer would have been contested by whom of the other, had they been one:
    /// deals in the order of their registration, each against those that still guard.
    fn meetings(&self, c: &MergeCustomers) -> Vec<(DealId, DealId)> {
        let of_either = |deal: &Deal| [&c.survivor, &c.absorbed].contains(&&deal.customer);
        let mut guarding: Vec<_> =
            self.deals.iter().filter(|(_, one)| one.guards() && of_either(one)).collect();
        guarding.sort_by_key(|(id, deal)| (deal.registered_at, (*id).clone()));
        let mut kept: Vec<(&DealId, &Deal)> = Vec::new();
        let mut meetings = Vec::new();
        for (id, deal) in guarding {
            let overlapping: Vec<_> =
                kept.iter().filter(|(_, one)| one.overlaps_elsewhere(deal)).collect();
            let own = overlapping.iter().any(|(_, one)| one.partner == deal.partner);
            let first = overlapping.iter().find(|(_, one)| one.customer != deal.customer);
            match first.filter(|_| !own) {
                Some((incumbent, other)) => {
                    meetings.push(((*incumbent).clone(), id.clone()));
                    if other.terms().conflict_rule == ConflictRule::Joint {
                        kept.push((id, deal));
                    }
                }
                None => kept.push((id, deal)),
            }
        }
        meetings
    }

    fn meet(&mut self, name: &ConflictId, challenger: &DealId, incumbent: &DealId) {
        let rule = self.deals.get(incumbent).map(|deal| deal.terms().conflict_rule);
        self.open_conflict(name, challenger, incumbent);
        if rule == Some(ConflictRule::Joint) {
            self.resolved(name);
            return;
        }
        if let Some(deal) = self.deals.get_mut(challenger) {
            deal.state = DealState::Contested;
            deal.was_contested = true;
            deal.conflict = Some(name.clone());
        }
        self.lapse_challenges(challenger);
    }
}
