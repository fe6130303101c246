//! ForgetPerson: which keys are destroyed, on record before they are.
//!
//! Who was meant is in neither command nor event by the time of the decision: the bus puts the
//! person's keys there. What was forgotten is kept as rows, so that a ledger that is opened with
//! keys from an older copy destroys them again.

use super::LedgerRejection;
use crate::context::sealed;
use crate::rejection::AnyRejection;
use crate::{Context, Fact, Facts, Refusal, RowsMut, Unavailable, rows};
use chl_commands::ledger::ForgetPerson;
use chl_events::ledger::PersonForgotten;
use chl_events::{KeyId, Stream};
use serde::{Deserialize, Serialize};

/// How often somebody was forgotten.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Forgettings {
    /// So often.
    pub count: u64,
}

/// What was destroyed when somebody was forgotten.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Forgetting {
    /// The names of the keys.
    pub keys: Vec<KeyId>,
}

/// Every key that was ever to be destroyed.
pub fn forgotten_keys(facts: Facts<'_>) -> Result<Vec<KeyId>, Unavailable> {
    let mut keys = Vec::new();
    for number in 0..count(facts)? {
        let forgetting = facts.get::<Forgetting>(number)?;
        keys.extend(forgetting.iter().flat_map(|forgetting| forgetting.keys.iter().copied()));
    }
    Ok(keys)
}

fn count(facts: Facts<'_>) -> Result<u64, Unavailable> {
    Ok(facts.get::<Forgettings>(Stream::Ledger)?.map_or(0, |forgettings| forgettings.count))
}

pub(super) fn decide(command: &ForgetPerson, context: &Context<'_>) -> Result<Vec<Fact>, Refusal> {
    let keys = command.person.keys();
    let keys = keys.ok_or_else(|| AnyRejection::data("person", "is kept by its keys only"))?;
    if keys.is_empty() {
        return Err(LedgerRejection::UnknownPerson.into());
    }
    context.require_time()?;
    let event = PersonForgotten { keys: keys.to_vec(), note: sealed(command.note.as_ref()) };
    Ok(vec![Fact::new(context.time.date_utc(), event)])
}

pub(super) fn evolve(event: &PersonForgotten, rows: &mut dyn RowsMut) -> Result<(), Unavailable> {
    let number = count(Facts(rows))?;
    rows::put(rows, number, Forgetting { keys: event.keys.clone() });
    rows::put(rows, Stream::Ledger, Forgettings { count: number.saturating_add(1) });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::forgotten_keys;
    use crate::given::given;
    use chl_commands::ledger::ForgetPerson;
    use chl_events::{FreeText, KeyId, Person, Whom};

    fn forget(person: Whom) -> ForgetPerson {
        ForgetPerson { person, note: Some(FreeText::Plain("asked to be".into())) }
    }

    #[test]
    fn what_is_destroyed_is_known_in_the_order_of_its_recording() {
        let (first, second) = (KeyId([1; 16]), KeyId([2; 16]));
        let story = given().and(forget(Whom::Keys(vec![first])));
        assert_eq!(
            story.events().map(|event| event.kind().name).collect::<Vec<_>>(),
            ["PersonForgotten"]
        );
        let story = story.and(forget(Whom::Keys(vec![second, KeyId([3; 16])])));
        let keys = forgotten_keys(story.facts()).expect("rows in memory are there");
        assert_eq!(keys, [first, second, KeyId([3; 16])]);
    }

    #[test]
    fn of_whom_nothing_is_held_nothing_is_forgotten() {
        let mut story = given();
        story.when(forget(Whom::Keys(Vec::new()))).refused("ledger.person_unknown");
        let named = Person::Actor("u-17".parse().expect("a literal"));
        story.when(forget(Whom::Person(named))).refused("command.malformed");
        let mut story = story.claiming("2026-03-02T09:00:00Z");
        story.when(forget(Whom::Keys(vec![KeyId([1; 16])]))).refused("time.in_future");
        assert_eq!(forgotten_keys(story.facts()).expect("rows in memory are there"), []);
    }
}
