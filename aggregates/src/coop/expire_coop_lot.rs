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
