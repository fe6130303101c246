//! PublishProgramme: a version of the rules, checked as a whole and kept for ever.
//!
//! Rules are versioned configuration: every default is written out into the event, so that no
//! later release reads an old version in another way.

use super::{Programme, ProgrammeRejection, terms_check};
use crate::calendar::UTC;
use crate::{Context, Fact, Facts, Refusal};
use chl_commands::programme::PublishProgramme;
use chl_events::programme::ProgrammePublished;

pub(super) fn decide(
    command: &PublishProgramme,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let time_zone = command.time_zone.clone().unwrap_or_else(|| UTC.into());
    let terms = terms_check::with_defaults(&command.terms);
    terms_check::check(&terms, &time_zone)?;

    let newest = facts.get::<Programme>(&command.programme)?;
    let expected = newest.as_ref().map_or(1, |programme| programme.newest.saturating_add(1));
    if (1..expected).contains(&command.version) {
        return Err(ProgrammeRejection::VersionTaken {
            programme: command.programme.clone(),
            version: command.version,
        }
        .into());
    }
    if command.version != expected {
        let given = command.version;
        return Err(ProgrammeRejection::VersionGap { expected, given }.into());
    }
    if let Some(newest) = &newest {
        let (newest_from, given) = (newest.newest_from, command.effective_from);
        if given < newest_from {
            return Err(ProgrammeRejection::BeforeNewest { newest_from, given }.into());
        }
    }
    context.require_time()?;
    if let Some(newest) = &newest {
        let (expected, given) = (newest.currency, command.currency);
        if given != expected {
            return Err(ProgrammeRejection::CurrencyChanged { expected, given }.into());
        }
    }
    terms_check::check_currency(&terms, command.currency)?;

    let event = ProgrammePublished {
        programme: command.programme.clone(),
        version: command.version,
        effective_from: command.effective_from,
        currency: command.currency,
        time_zone,
        terms: Box::new(terms),
    };
    Ok(vec![Fact::new(command.effective_from, event)])
}

#[cfg(test)]
mod tests;
