//! Pairs: from customers to those that look like one company.

use crate::{
    blocks,
    name::Name,
    score::{Rarity, Traits, alike},
};
use chl_events::{
    Code, CustomerId,
    customer::{Alike, Likeness},
};
use std::collections::BTreeMap;

/// So many customers may share a domain that speaks for a likeness: one that more have is a mail
/// provider's or a marketplace's.
const MAX_DOMAIN: u32 = 8;

/// What is known of a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The customer.
    pub customer: CustomerId,
    /// Its name.
    pub name: String,
    /// Its internet domain.
    pub domain: Option<String>,
    /// ISO 3166 country.
    pub country: Option<Code>,
    /// The company it belongs to.
    pub parent: Option<CustomerId>,
}

/// Two customers that look like one company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookAlike {
    /// The one whose name comes first.
    pub customer: CustomerId,
    /// The other.
    pub other: CustomerId,
    /// How much they look alike: from 0 to 100.
    pub score: u8,
    /// In what.
    pub evidence: Vec<Alike>,
}

/// The pairs of a score or a higher one, the most alike first, then by their names.
pub fn find(known: &[Known], min_score: u8) -> Vec<LookAlike> {
    let names: Vec<Name> = known.iter().map(|one| Name::new(&one.name)).collect();
    let rarity = Rarity::of(names.iter());
    let mut shared: BTreeMap<String, u32> = BTreeMap::new();
    let domains: Vec<Option<String>> =
        known.iter().map(|one| one.domain.as_deref().map(domain)).collect();
    for domain in domains.iter().flatten() {
        *shared.entry(domain.clone()).or_default() += 1;
    }
    let telling = |domain: &Option<String>| -> bool {
        domain.as_ref().and_then(|one| shared.get(one)).is_some_and(|count| *count <= MAX_DOMAIN)
    };
    let traits: Vec<Traits<'_>> = known
        .iter()
        .zip(&domains)
        .map(|(one, domain)| Traits {
            domain: domain.as_deref().filter(|_| telling(domain)),
            country: one.country.as_ref().map(Code::as_str),
            parent: one.parent.as_ref().map(CustomerId::as_str),
            id: one.customer.as_str(),
        })
        .collect();
    let keyed = names.iter().zip(traits.iter().map(|one| one.domain));
    let pairs = blocks::pairs(keyed, &rarity).into_iter();
    let scored = pairs.filter_map(|(one, other)| {
        let side = |at: u32| {
            let at = usize::try_from(at).ok()?;
            Some((known.get(at)?, (names.get(at)?, traits.get(at)?)))
        };
        let ((one, of_one), (other, of_other)) = (side(one)?, side(other)?);
        let (score, evidence) = alike(of_one, of_other, &rarity);
        let by_name = evidence.iter().any(|alike| is_of_name(alike.likeness));
        (score >= min_score && by_name).then(|| look_alike(one, other, score, evidence))
    });
    let mut found: Vec<LookAlike> = scored.collect();
    found.sort_by(|one, other| {
        let key = |one: &LookAlike| (one.customer.clone(), one.other.clone());
        other.score.cmp(&one.score).then_with(|| key(one).cmp(&key(other)))
    });
    found
}

fn look_alike(one: &Known, other: &Known, score: u8, evidence: Vec<Alike>) -> LookAlike {
    let (one, other) = (one.customer.clone(), other.customer.clone());
    let (customer, other) = if one <= other { (one, other) } else { (other, one) };
    LookAlike { customer, other, score, evidence }
}

/// Whether a likeness is one of names: what two companies share is no company.
fn is_of_name(likeness: Likeness) -> bool {
    match likeness {
        Likeness::SameName
        | Likeness::SameWords
        | Likeness::SimilarName
        | Likeness::AbbreviatedName => true,
        Likeness::SameDomain
        | Likeness::SameParent
        | Likeness::ParentAndChild
        | Likeness::SameCountry => false,
    }
}

/// A domain without what every site begins with.
fn domain(text: &str) -> String {
    let text = text.trim_end_matches('.').to_lowercase();
    text.strip_prefix("www.").unwrap_or(&text).into()
}
