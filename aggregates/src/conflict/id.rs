//! The derived name of a conflict.

use chl_events::conflict::ConflictKind;
use chl_events::{ConflictId, CustomerId, DealId, PartnerId};
use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};

/// How many characters of the digest a name has: 130 bits.
const CHARS: usize = 26;

/// The name of the conflict into which a challenger comes: `cf-` and the first 26 characters of
/// the lowercase base32 (RFC 4648, no padding) of SHA-256 over the bytes of
/// `KIND/DEAL`, as in `partner_partner/d-1`.
///
/// Anybody can derive it, so that the challenger's registration names a conflict that is opened
/// in a later commit, and doing that twice is doing it once.
pub fn conflict_id(kind: ConflictKind, challenger: &DealId) -> ConflictId {
    named(&format!("{kind}/{challenger}"))
}

/// The name of the conflict into which a merge of customers brings a challenger: as
/// [`conflict_id`], over `KIND/DEAL/ABSORBED`. A customer is absorbed once, so that a deal that
/// was in a conflict before comes into another.
pub(crate) fn merge_conflict_id(
    kind: ConflictKind,
    challenger: &DealId,
    absorbed: &CustomerId,
) -> ConflictId {
    named(&format!("{kind}/{challenger}/{absorbed}"))
}

/// The name of the conflict about two customers that look like one: as [`conflict_id`], over
/// `possible_duplicate/CUSTOMER/CUSTOMER` in the order of their bytes.
pub fn duplicate_id(one: &CustomerId, other: &CustomerId) -> ConflictId {
    let (first, last) = if one <= other { (one, other) } else { (other, one) };
    named(&format!("{}/{first}/{last}", ConflictKind::PossibleDuplicate))
}

fn named(what: &str) -> ConflictId {
    let digest = Sha256::digest(what);
    let text = BASE32_NOPAD.encode(&digest).to_ascii_lowercase();
    let name: String = "cf-".chars().chain(text.chars().take(CHARS)).collect();
    ConflictId::new(name).expect("base32 and a hyphen are characters of identifiers")
}

/// Who meets whom: two partners, or the vendor's direct sales and a partner.
pub(crate) fn kind_of(
    incumbent: Option<&PartnerId>,
    challenger: Option<&PartnerId>,
) -> ConflictKind {
    match (incumbent, challenger) {
        (Some(_), Some(_)) => ConflictKind::PartnerPartner,
        (None, _) | (_, None) => ConflictKind::DirectPartner,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::id;

    #[test]
    fn a_name_is_derived_and_stays() {
        // printf %s partner_partner/d-2 | sha256sum, then base32, lowercase, 26 characters.
        let name = conflict_id(ConflictKind::PartnerPartner, &id("d-2"));
        assert_eq!(name.as_str(), "cf-55xuzymztyyxkyjuwlgfkcluo2");
        assert_ne!(name, conflict_id(ConflictKind::DirectPartner, &id("d-2")));
        let merged = merge_conflict_id(ConflictKind::PartnerPartner, &id("d-2"), &id("acme"));
        assert_ne!(name, merged);
    }

    #[test]
    fn a_pair_has_one_name_whichever_comes_first() {
        // printf %s possible_duplicate/acme/acme-inc | sha256sum, as above.
        let name = duplicate_id(&id("acme-inc"), &id("acme"));
        assert_eq!(name.as_str(), "cf-43ajxv3qypczqi2ih7opigrnns");
        assert_eq!(name, duplicate_id(&id("acme"), &id("acme-inc")));
        assert_ne!(name, duplicate_id(&id("acme"), &id("acme-west")));
    }
}
