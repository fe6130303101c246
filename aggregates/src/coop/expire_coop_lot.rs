//! ExpireCoopLot: what nobody claimed in time is breakage. Held money stays held.

use super::{CoopRejection, state};
use crate::posting::{Move, Posting};
use crate::{Context, Fact, Facts, Refusal, partner, programme};
use chl_commands::coop::ExpireCoopLot;
use chl_events::Fund;
use chl_events::coop::CoopLotExpired;

pub(super) fn decide(
    command: &ExpireCoopLot,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let ExpireCoopLot { partner, programme, lot: id } = command;
    partner::known(facts, partner)?;
    programme::known(facts, programme)?;
    let unknown = || CoopRejection::UnknownLot { lot: id.clone() };
    let lot = state::lot(facts, programme, partner, id)?.ok_or_else(unknown)?;
    if lot.expired {
        return Err(CoopRejection::LotExpired { lot: id.clone() }.into());
    }
    context.require_time()?;
    if context.time < lot.expires_at {
        return Err(CoopRejection::TooEarly { lot: id.clone(), due: lot.expires_at }.into());
    }

    let version = programme::version(facts, programme, lot.programme_version)?;
    let account = version.terms.incentive_account;
    let lines = Posting::of(Fund::Coop, partner)
        .add_to(Move::Expire(account), Some(id), lot.available)
        .lines();
    let event = CoopLotExpired {
        partner: partner.clone(),
        programme: programme.clone(),
        lot: id.clone(),
        amount: lot.available,
        at: lot.expires_at,
    };
    Ok(vec![Fact::posting(version.zone().day(lot.expires_at), event, lines)])
}

#[cfg(test)]
mod tests {
    use crate::fund_story::{
        accrue, approve, claim_on, coop_terms, expire, fund_of, reject, two_percent,
    };
    use crate::story::usd;
    use chl_events::Fund;
    use chl_events::terms::CoopTerms;

    const LOT: &str = "20260101-20260331";

    #[test]
    fn held_money_does_not_expire_until_it_is_released() {
        // Usable until 30 April; claims until 29 June, when the lot expires.
        let coop = CoopTerms { usage_months: 1, ..two_percent() };
        let mut story = fund_of(coop_terms(coop))
            .and(accrue("s", "100000"))
            .at("2026-06-29T23:00:00Z")
            .and(claim_on("c", "1000", "2026-04-30"))
            .at("2026-06-30T00:00:00Z");
        assert_eq!(story.when(expire(LOT)).names(), ["CoopLotExpired"]);
        assert_eq!(story.available(LOT), usd("0"));
        story.when(expire(LOT)).refused("coop.lot_expired");
        let mut other = story.clone().by_finance("fin");
        assert_eq!(
            story.by_manager("cm", 1).when(reject(Fund::Coop, "c")).names(),
            ["ClaimRejected"]
        );
        let approved = other.when(approve(Fund::Coop, "c", Some("200")));
        assert_eq!(approved.names(), ["ClaimApproved"]);
        assert_eq!(other.available(LOT), usd("0"));
    }
}
