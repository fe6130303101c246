//! KeepCustomersApart: two customers that look alike are two.

use super::state::{Pair, require_undecided, two};
use crate::calendar::Zone;
use crate::conflict::duplicate_id;
use crate::{Context, Fact, Facts, Refusal};
use chl_commands::customer::KeepCustomersApart;
use chl_events::Sealable;
use chl_events::customer::CustomersKeptApart;

pub(super) fn decide(
    command: &KeepCustomersApart,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    two(facts, (&command.customer, &command.other), "other")?;
    let conflict = duplicate_id(&command.customer, &command.other);
    let present = facts.get::<Pair>(&conflict)?;
    require_undecided(&conflict, present.as_deref())?;
    context.require_time()?;
    if let Some(present) = present {
        context.require_order(present.latest)?;
    }
    let event = CustomersKeptApart {
        conflict,
        customer: command.customer.clone(),
        other: command.other.clone(),
        criterion: command.criterion,
        note: command.note.sealed().cloned(),
    };
    Ok(vec![Fact::new(Zone::Utc.day(context.time), event)])
}

#[cfg(test)]
mod tests {
    use crate::given::given;
    use crate::story::{bad_field, customer, kept_apart, merge, reported};

    #[test]
    fn a_pair_is_kept_apart_once() {
        let story = given().and(customer("acme")).and(customer("acme-inc"));
        let mut story = story.and(reported("acme", "acme-inc"));
        let early =
            story.clone().claiming("2026-02-28T09:00:00Z").when(kept_apart("acme", "acme-inc"));
        early.refused("time.before_history");
        assert_eq!(story.when(kept_apart("acme-inc", "acme")).names(), ["CustomersKeptApart"]);
        story.when(kept_apart("acme", "acme-inc")).refused("customer.kept_apart");
        story.when(kept_apart("acme", "nobody")).refused("customer.unknown");
        bad_field(&story.when(kept_apart("acme", "acme")), "other");
        // They are one after all.
        let mut story = story.and(merge("acme", "acme-inc"));
        story.when(kept_apart("acme", "acme-inc")).refused("customer.merged");
    }
}
