//! OpenConflict: the policy's answer to a contested registration, with the evidence.
//!
//! The incumbent's terms name the rule. Under `joint` the conflict is opened and decided at once,
//! by the terms and without a person: the challenger is protected beside the incumbent.

use super::{Conflict, ConflictRejection, Opening};
use crate::deal::{self, Deal, DealState, Occupant};
use crate::{Context, Fact, Facts, Refusal, programme};
use chl_commands::conflict::OpenConflict;
use chl_events::Date;
use chl_events::conflict::{ConflictLapsed, LapseCause};
use chl_events::terms::ConflictRule;

pub(super) fn decide(
    command: &OpenConflict,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let (challenger, _) = deal::named(facts, context, &command.challenger, &command.customer)?;
    if facts.get::<Conflict>(&command.conflict)?.is_some() {
        let conflict = command.conflict.clone();
        return Err(ConflictRejection::AlreadyOpen { conflict }.into());
    }
    let not_contested =
        || ConflictRejection::NotContested { challenger: command.challenger.clone() };
    let named = challenger.conflict.as_ref() == Some(&command.conflict);
    if challenger.state != DealState::Contested || !named {
        return Err(not_contested().into());
    }
    // What the registration met is still there: nothing is decided in between.
    let (guard, matched) = match deal::occupant(facts, challenger.place(), context.time)? {
        Occupant::Another(guard, matched) => (guard, matched),
        Occupant::Oneself(_) | Occupant::Nobody => {
            deal::last_other(facts, challenger.place())?.ok_or_else(not_contested)?
        }
    };
    let version = programme::version(facts, &guard.programme, guard.version)?;
    let opening = Opening {
        conflict: command.conflict.clone(),
        customer: &command.customer,
        guard: &guard,
        version: &version,
        challenger: (&command.challenger, &challenger),
        matched,
    };
    let mut made = vec![opening.opened(context.time)];
    let still_guards = facts.get::<Deal>(&guard.deal)?.is_some_and(|deal| deal.guards);
    if !still_guards {
        made.push(lapsed(command, opening.day(context.time)));
    } else if opening.rule() == ConflictRule::Joint {
        made.push(opening.joint(context.time));
        let own = programme::terms_in_force(facts, &challenger.programme, context.time)?;
        let (deal, customer) = (&command.challenger, &command.customer);
        let conflict = Some(command.conflict.clone());
        made.push(deal::approval(deal, customer, &own, context, true, conflict)?);
    }
    Ok(made)
}

/// A late registration may meet a guard that has ended since: there is nothing to decide.
fn lapsed(command: &OpenConflict, on: Date) -> Fact {
    let event = ConflictLapsed {
        conflict: command.conflict.clone(),
        customer: command.customer.clone(),
        cause: LapseCause::IncumbentEnded,
    };
    Fact::new(on, event)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::{auto, conflict_of, deal, id, market, resolve, won};
    use chl_events::conflict::Resolution;
    use chl_events::terms::DealTerms;

    fn open(conflict: &str, challenger: &str) -> OpenConflict {
        OpenConflict {
            conflict: conflict_of(conflict),
            customer: id("acme"),
            challenger: id(challenger),
        }
    }

    #[test]
    fn the_evidence_is_what_stood_on_the_slot() {
        let story = market(auto(), &["p1", "p2"]).and(deal("d1", "p1"));
        let mut story = story.at("2026-03-10T12:00:00Z");
        let made = format!("{:?}", story.when(deal("d2", "p2")));
        for part in [
            "kind: PartnerPartner",
            "rule: FirstRegistered",
            "guarded_since: 2026-03-01T09:00:00Z",
            "guarded_until: Some(2026-05-30T09:00:00Z)",
            "challenged_at: 2026-03-10T12:00:00Z",
            "matched: ProductLine",
            "level: 1",
            "due: Some(2026-03-24T12:00:00Z)",
        ] {
            assert!(made.contains(part), "{part} is missing in {made}");
        }
    }

    #[test]
    fn joint_terms_decide_at_once() {
        let terms = DealTerms { conflict_rule: ConflictRule::Joint, ..auto() };
        let mut story = market(terms, &["p1", "p2"]).and(deal("d1", "p1"));
        let made = story.when(deal("d2", "p2"));
        assert_eq!(
            made.names(),
            ["DealRegistered", "ConflictOpened", "ConflictResolved", "DealApproved"],
        );
        assert!(format!("{made:?}").contains("criterion: Terms"));
        story.when(resolve("d2", Resolution::Joint)).refused("conflict.already_resolved");
        assert_eq!(story.when(won("d2")).names(), ["DealWon", "ProtectionEnded"]);
    }

    #[test]
    fn a_conflict_is_opened_once_and_only_where_one_is() {
        let story = market(auto(), &["p1", "p2"]).and(deal("d1", "p1")).and(deal("d2", "p2"));
        let mut story = story;
        story.when(open("d2", "d2")).refused("conflict.already_open");
        story.when(open("d1", "d1")).refused("conflict.not_contested");
        story.when(open("d9", "d9")).refused("deal.unknown");
    }
}
