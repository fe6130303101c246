//! Commands on deals and conflicts.

use super::{Choice, Maker, said};
use crate::model::{
    naive::{Deal, DealState},
    sent::Sender,
    world,
};
use chl_events::DealId;
use rand::RngExt;
use serde_json::{Value, json};

impl Maker<'_> {
    pub(super) fn register_deal(&mut self) -> Option<Choice> {
        let (partner, programme) = (self.partner(), self.programme());
        let deal = if self.slip(2) {
            self.model.deals.keys().next()?.to_string()
        } else {
            format!("d-{}", self.next)
        };
        let customer = self.customer_of_deal();
        let line = if self.slip(2) { "toys" } else { self.word(&world::LINES[..2]) };
        let low = if self.slip(3) { 10 } else { 1_000 };
        let value = self.money(programme, low, 80_000);
        let mut data = json!({
            "deal": deal, "customer": customer, "partner": partner, "programme": programme,
            "product_line": line, "value": value,
            "expected_close": self.day(programme, 6, 90),
        });
        if self.slip(40) {
            data["territory"] = json!(self.word(&world::TERRITORIES));
        }
        if self.slip(2) {
            data["expected_close"] = json!(self.day(programme, 0, 4));
        }
        if programme == "euro" || self.slip(10) {
            data["contract"] = self.contract(programme);
        }
        let mut sender = self.own(&partner);
        if self.slip(6) {
            data["partner"] = Value::Null;
            data["route"] = json!("direct");
            sender = world::manager();
        } else if self.slip(5) {
            sender = world::operator();
        }
        said(sender, "RegisterDeal", data)
    }

    fn contract(&mut self, programme: &str) -> Value {
        let low = if self.slip(5) { 1_000 } else { 30_000 };
        let tcv = self.money(programme, low, 90_000);
        let signed =
            if self.slip(4) { self.day(programme, -80, 3) } else { self.day(programme, -20, 0) };
        if self.slip(50) {
            json!({"tcv": tcv, "perpetual": true, "signed_on": signed})
        } else {
            json!({"tcv": tcv, "months": self.rng.random_range(6..48)})
        }
    }

    /// A deal in one of these states, or now and then any.
    fn deal(&mut self, states: &[DealState]) -> Option<(DealId, Deal)> {
        let pair = |(id, deal): (&DealId, &Deal)| (id.clone(), deal.clone());
        let fits = self.model.deals.iter().filter(|(_, deal)| states.contains(&deal.state));
        let sensible = fits.map(pair).collect();
        let any = self.model.deals.iter().map(pair).collect();
        self.target(sensible, any)
    }

    fn of_deal(&mut self, deal: &Deal) -> Sender {
        match &deal.partner {
            Some(partner) => self.own(&partner.clone()),
            None => world::manager(),
        }
    }

    pub(super) fn decide_deal(&mut self) -> Option<Choice> {
        let (id, deal) = self.deal(&[DealState::Submitted])?;
        let name = if self.slip(75) { "ApproveDeal" } else { "RejectDeal" };
        let customer = if self.slip(2) { "c-4".into() } else { deal.customer.to_string() };
        said(self.managing(), name, json!({"deal": id, "customer": customer}))
    }

    pub(super) fn amend_deal(&mut self) -> Option<Choice> {
        use DealState::{Approved, Contested, Submitted};
        let (id, deal) = self.deal(&[Submitted, Approved, Contested])?;
        let low = if self.slip(10) { 10 } else { 6_000 };
        let programme = deal.programme.to_string();
        let value = self.money(&programme, low, 90_000);
        let note = self.slip(20).then_some("the customer wants more");
        let data = json!({"deal": id, "customer": deal.customer, "value": value, "note": note});
        said(self.of_deal(&deal), "AmendDeal", data)
    }

    pub(super) fn extend_deal(&mut self) -> Option<Choice> {
        let (id, deal) = self.deal(&[DealState::Approved])?;
        let data = json!({"deal": id, "customer": deal.customer});
        said(self.of_deal(&deal), "ExtendDeal", data)
    }

    pub(super) fn withdraw_deal(&mut self) -> Option<Choice> {
        use DealState::{Approved, Contested, Submitted};
        let (id, deal) = self.deal(&[Submitted, Approved, Contested])?;
        let data = json!({"deal": id, "customer": deal.customer});
        said(self.of_deal(&deal), "WithdrawDeal", data)
    }

    pub(super) fn close_deal(&mut self) -> Option<Choice> {
        use DealState::{Approved, Contested, Displaced, Expired, Submitted};
        let often = [Displaced, Contested, Approved, Displaced, Expired, Submitted];
        let here = |state: &DealState| self.model.deals.values().any(|deal| deal.state == *state);
        let here: Vec<DealState> = often.into_iter().filter(here).collect();
        let state = self.one_of(&here)?;
        let (id, deal) = self.deal(&[state])?;
        let programme = deal.programme.to_string();
        let closed_on =
            if self.slip(4) { self.day(&programme, 1, 5) } else { self.today(&programme) };
        let mut data = json!({"deal": id, "customer": deal.customer, "closed_on": closed_on});
        if self.slip(40) {
            data["loss_reason"] = json!("price");
            return said(self.of_deal(&deal), "MarkDealLost", data);
        }
        if self.slip(50) {
            data["value"] = self.money(&programme, 500, 90_000);
        }
        said(self.of_deal(&deal), "MarkDealWon", data)
    }

    pub(super) fn escalate(&mut self) -> Option<Choice> {
        let open = self.model.conflicts.iter().filter(|(_, one)| one.state == "open");
        let sensible: Vec<_> = open.map(|(id, one)| (id.clone(), one.customer.clone())).collect();
        let all = self.model.conflicts.iter();
        let any = all.map(|(id, one)| (id.clone(), one.customer.clone())).collect();
        let (conflict, customer) = self.target(sensible, any)?;
        let level = if self.slip(15) { self.rng.random_range(1..5) } else { 2 };
        let data = json!({"conflict": conflict, "customer": customer, "level": level});
        said(self.managing(), "EscalateConflict", data)
    }

    pub(super) fn resolve(&mut self) -> Option<Choice> {
        let key = |(id, one): (&chl_events::ConflictId, &crate::model::naive::Conflict)| {
            (id.clone(), one.customer.clone(), one.incumbent.clone(), one.challenger.clone())
        };
        let sensible =
            self.model.conflicts.iter().filter(|(_, one)| one.is_open()).map(key).collect();
        let any = self.model.conflicts.iter().map(key).collect();
        let (conflict, customer, incumbent, challenger) = self.target(sensible, any)?;
        let conflict = if self.slip(2) { "cf-nothing".into() } else { conflict.to_string() };
        let how = ["uphold_incumbent", "award_challenger", "joint", "split", "reject_both"];
        let resolution = self.word(&how);
        let criterion =
            self.word(&["customer_preference", "opportunity_history", "capability", "value_added"]);
        let mut data = json!({
            "conflict": conflict, "customer": customer, "resolution": resolution,
            "criterion": criterion, "note": "decided in the meeting of Tuesday",
        });
        if resolution == "split" {
            let partner =
                |id: &DealId| self.model.deals.get(id).and_then(|one| one.partner.clone());
            let (one, other) = (partner(&incumbent)?, partner(&challenger)?);
            let percent = if self.slip(10) { "59.99" } else { "60.00" };
            data["shares"] = json!([
                {"partner": one, "percent": percent}, {"partner": other, "percent": "40"},
            ]);
        }
        said(self.managing(), "ResolveConflict", data)
    }
}
