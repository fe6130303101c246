//! Commands on customers.

use super::{Choice, Maker, said};
use crate::model::world;
use chl_events::CustomerId;
use rand::RngExt;
use serde_json::json;

impl Maker<'_> {
    pub(super) fn customer(&mut self) -> Option<Choice> {
        let customer = if self.slip(30) { "c-1".into() } else { format!("c-{}", self.next) };
        let data = json!({"customer": customer, "name": "Новая компания", "domain": "example.org"});
        said(world::portal(), "RegisterCustomer", data)
    }

    /// A customer to register a deal on: few, so that partners meet; now and then one that was
    /// merged, is reserved, or that nobody knows.
    pub(super) fn customer_of_deal(&mut self) -> CustomerId {
        let merged: Vec<CustomerId> = self.model.merged.keys().cloned().collect();
        match self.rng.random_range(0..100) {
            0 => "c-unknown".parse().unwrap(),
            1 => "c-reserved".parse().unwrap(),
            2 => self.one_of(&merged).unwrap_or_else(|| "c-1".parse().unwrap()),
            3..23 => self.any_customer().unwrap_or_else(|| "c-1".parse().unwrap()),
            _ => self.met_at(),
        }
    }

    /// One of the few that partners meet at, by the name it goes by now.
    fn met_at(&mut self) -> CustomerId {
        let customer = self.word(&world::CUSTOMERS[..3]).parse().unwrap();
        self.model.survivor(&customer)
    }

    /// Any customer; seldom the one that is the vendor's own.
    fn any_customer(&mut self) -> Option<CustomerId> {
        let own = self.slip(3);
        let mine = |one: &&CustomerId| own || one.as_str() != "c-reserved";
        let all: Vec<CustomerId> = self.model.customers.iter().filter(mine).cloned().collect();
        self.one_of(&all)
    }

    /// Two customers, of which somebody has said before that they look alike, or any.
    fn two(&mut self, state: &str) -> Option<(CustomerId, CustomerId)> {
        let pairs = self.model.pairs.iter().filter(|(_, is)| **is == state);
        let said: Vec<_> = pairs.map(|(pair, _)| pair.clone()).collect();
        match self.one_of(&said) {
            Some((one, other)) if self.slip(60) => {
                Some(if self.slip(50) { (one, other) } else { (other, one) })
            }
            _ => Some((self.any_customer()?, self.any_customer()?)),
        }
    }

    pub(super) fn report_duplicate(&mut self) -> Option<Choice> {
        let (customer, other) = self.two("lapsed")?;
        let score = if self.slip(3) { 101 } else { self.rng.random_range(60..=100) };
        let data = json!({
            "customer": customer, "other": other, "score": score,
            "evidence": [{"likeness": "similar_name", "score": 88}],
        });
        said(world::portal(), "ReportPossibleDuplicate", data)
    }

    pub(super) fn keep_apart(&mut self) -> Option<Choice> {
        let (customer, other) = self.two("open")?;
        let criterion = self.slip(50).then_some("separate_companies");
        let data = json!({
            "customer": customer, "other": other, "criterion": criterion,
            "note": "two tax numbers",
        });
        said(self.managing(), "KeepCustomersApart", data)
    }

    pub(super) fn merge(&mut self) -> Option<Choice> {
        let state = self.word(&["open", "resolved"]);
        let pair = self.two(state)?;
        let (survivor, absorbed) =
            if self.slip(25) { (self.met_at(), self.met_at()) } else { pair };
        let data = json!({"survivor": survivor, "absorbed": absorbed, "note": "one tax number"});
        said(self.managing(), "MergeCustomers", data)
    }
}
