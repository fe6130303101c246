//! RegisterCustomer: an end customer, before any deal on it. Nothing is created implicitly.

use super::{Customer, CustomerRejection, known, require_unmerged};
use crate::calendar::Zone;
use crate::rejection::AnyRejection;
use crate::{Context, Fact, Facts, Refusal};
use chl_commands::customer::RegisterCustomer;
use chl_events::customer::CustomerRegistered;

/// The longest domain name (RFC 1035).
const MAX_DOMAIN: usize = 253;

pub(super) fn decide(
    command: &RegisterCustomer,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let domain = command.domain.as_deref().map(domain).transpose()?;
    // A company that is registered now stands above nobody, so that no circle can arise.
    if let Some(parent) = &command.parent {
        known(facts, parent)?;
    }
    require_unmerged(facts, &command.customer)?;
    if facts.get::<Customer>(&command.customer)?.is_some() {
        return Err(CustomerRejection::Known { customer: command.customer.clone() }.into());
    }
    context.require_time()?;
    let event = CustomerRegistered {
        customer: command.customer.clone(),
        name: command.name.clone(),
        domain,
        country: command.country.clone(),
        parent: command.parent.clone(),
    };
    Ok(vec![Fact::new(Zone::Utc.day(context.time), event)])
}

/// A domain in small letters; names of other scripts are kept as they are written.
fn domain(text: &str) -> Result<String, AnyRejection> {
    let wrong = |problem: &str| AnyRejection::data("domain", problem);
    if text.is_empty() || text.len() > MAX_DOMAIN {
        return Err(wrong("must have 1 to 253 bytes"));
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '/' || c == '@') {
        return Err(wrong("must be a bare domain name such as acme.example"));
    }
    Ok(text.to_lowercase())
}

#[cfg(test)]
mod tests {
    use crate::given::given;
    use crate::story::{bad_field, customer, id};

    #[test]
    fn a_customer_is_registered_once() {
        let mut story = given().and(customer("acme"));
        story.when(customer("acme")).refused("customer.known");
    }

    #[test]
    fn a_parent_is_known_before_its_child() {
        let mut child = customer("acme-west");
        child.parent = Some(id("acme"));
        let mut story = given();
        story.when(child.clone()).refused("customer.unknown");
        let mut story = story.and(customer("acme")).and(child.clone());
        child.parent = Some(id("nobody"));
        story.when(child).refused("customer.unknown");
    }

    #[test]
    fn a_domain_is_a_bare_name() {
        let mut command = customer("acme");
        command.domain = Some("https://acme.example".into());
        bad_field(&given().when(command.clone()), "domain");
        command.domain = Some("ACME.example".into());
        let made = given().when(command).events();
        assert!(format!("{made:?}").contains("acme.example"));
    }
}
