//! ApproveClaim: what is held becomes payable, all or part; the rest goes back. Never one's own.

use super::case::{self, at_most, check_amount};
use super::state::{self, author, take_from};
use super::{ClaimRejection, ClaimState};
use crate::context::sealed;
use crate::posting::{Move, Posting};
use crate::{Context, Fact, Facts, Refusal, RowsMut, Unavailable, money};
use chl_commands::claim::ApproveClaim;
use chl_events::Commit;
use chl_events::claim::ClaimApproved;

pub(super) fn decide(
    command: &ApproveClaim,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let ApproveClaim { claim: id, partner, programme, fund, amount, note } = command;
    check_amount(*amount)?;
    let claim = state::named(facts, id, partner, programme, *fund)?;
    let imported = context.is_imported();
    if !imported && claim.authors.contains(context.author()) {
        return Err(ClaimRejection::OwnClaim { claim: id.clone() }.into());
    }
    if claim.state != ClaimState::Submitted {
        return Err(claim.wrong_state(id));
    }
    let case = case::open(facts, &claim, context)?;
    case.check_tail(facts, &claim, context)?;
    let held = claim.sum(|part| part.held);
    let over = |held, given| ClaimRejection::OverHeld { held, given };
    let amount = at_most(*amount, held, over)?;

    let (parts, released) = take_from(&claim.by_lot(|part| part.held), amount);
    let lines = Posting::of(*fund, partner).add_parts(Move::Approve, &parts);
    let (mut lines, expired) = case.release(facts, &claim, lines, &released)?;
    let unreserved = case::unreserved(facts, &claim, amount)?;
    if let Some(unreserved) = unreserved {
        lines = lines.add(Move::Spend, amount).add(Move::Unreserve, unreserved);
    }
    let event = ClaimApproved {
        claim: id.clone(),
        partner: partner.clone(),
        programme: programme.clone(),
        fund: *fund,
        amount,
        parts,
        released,
        expired,
        unreserved,
        imported,
        note: sealed(note.as_ref()),
    };
    Ok(vec![Fact::posting(case.today, event, lines.lines())])
}

pub(super) fn evolve(
    event: &ClaimApproved,
    commit: &Commit,
    rows: &mut dyn RowsMut,
) -> Result<(), Unavailable> {
    let before = state::of_fact(&*rows, &event.claim)?;
    case::hold_ended(&before, &event.released, event.amount, commit, rows)?;
    state::change(rows, &event.claim, commit, |claim| {
        state::move_parts(claim, &event.parts, |part, amount| {
            money::take(&mut part.held, amount);
            money::add(&mut part.payable, amount);
        });
        state::move_parts(claim, &event.released, |part, amount| {
            money::take(&mut part.held, amount);
        });
        claim.state = ClaimState::Approved;
        claim.approved_by = (!event.imported).then(|| author(commit));
    })
}

#[cfg(test)]
mod tests {
    use crate::fund_story::{
        accrue, approve, claim, coop_terms, fund_of, p, prog, proof, two_percent, withdraw,
    };
    use crate::given::Given;
    use crate::story::{id, usd};
    use chl_commands::claim::AddProof;
    use chl_commands::partner::TerminatePartner;
    use chl_events::Fund::{Coop, Mdf};
    use chl_events::claim::ClaimEvent;
    use chl_events::{Event, Fund};

    const LOT: &str = "20260101-20260331";

    fn claimed() -> Given {
        fund_of(coop_terms(two_percent())).and(accrue("s", "1000")).and(claim("c", "20"))
    }

    #[test]
    fn the_rest_goes_back() {
        let mut story = claimed().by_manager("cm", 1).and(approve(Coop, "c", Some("7")));
        assert_eq!(story.available(LOT), usd("13"));
        story.when(approve(Coop, "c", None)).refused("claim.wrong_state");
        story.when(withdraw(Coop, "c")).refused("claim.wrong_state");
    }

    #[test]
    fn nobody_approves_their_own() {
        let mut story = claimed();
        story.when(approve(Coop, "c", None)).refused("claim.own_claim");
        // An import that does not name who approved is believed, and marked.
        let made = story.sent_from("/import/crm").when(approve(Coop, "c", None)).events();
        let imported = made.iter().any(|event| {
            matches!(event, Event::Claim(ClaimEvent::ClaimApproved(event)) if event.imported)
        });
        assert!(imported);
    }

    #[test]
    fn amounts_and_claims_that_are_not_there() {
        let mut story = claimed().by_manager("cm", 1);
        story.when(approve(Coop, "c", Some("10.01"))).refused("claim.over_held");
        story.when(approve(Coop, "c", Some("0"))).refused("command.malformed");
        story.when(approve(Coop, "d", None)).refused("claim.unknown");
        story.when(approve(Mdf, "c", None)).refused("claim.unknown");
        let early = story.claiming("2026-03-01T08:59:59Z").when(approve(Coop, "c", None));
        early.refused("time.before_history");
    }

    #[test]
    fn open_claims_of_a_partner_that_left_run_off() {
        let story = claimed().and(TerminatePartner { partner: p(), note: None });
        let mut story = story.by_manager("cm", 1).at("2026-05-30T08:59:59Z");
        assert_eq!(
            story.clone().when(approve(Coop, "c", None)).names().last(),
            Some(&"ClaimApproved")
        );
        story = story.at("2026-05-30T09:00:00Z");
        story.when(approve(Coop, "c", None)).refused("claim.tail_over");
        story.and(withdraw(Coop, "c"));
    }

    #[test]
    fn proof_comes_later() {
        let add = |digit| AddProof {
            claim: id("c"),
            partner: p(),
            programme: prog(),
            fund: Fund::Coop,
            proof: vec![proof("invoice", digit)],
            outcome: None,
        };
        let mut story = claimed().and(add('a'));
        story.when(add('a')).refused("claim.invoice_taken");
        let nothing = AddProof { proof: Vec::new(), ..add('a') };
        story.when(nothing).refused("command.malformed");
        let many = AddProof { proof: vec![proof("photo", 'b'); 32], ..add('a') };
        story.when(many).refused("command.malformed");
        let mut story = story.and(withdraw(Coop, "c"));
        story.when(add('b')).refused("claim.wrong_state");
    }
}
