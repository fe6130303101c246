//! Sealing a command's texts before anybody decides on them or keeps them.

use crate::{
    answer::Failure,
    vault::{Place, Vault, VaultError},
};
use chl_commands::Command;
use chl_events::{FreeText, Origin, Person, Sealable, Sealed, Whom};

/// Seals every text of a command under its author's key, and a person's name under that person's;
/// where one is to be forgotten, that person's keys take the person's place.
pub(crate) fn seal(
    vault: &Vault,
    origin: &mut Origin,
    reason: Option<FreeText>,
    command: &mut Command,
) -> Result<(), Failure> {
    if let Some(whom) = command.forgets()
        && let Whom::Person(person) = whom
    {
        // Before anything is sealed: a text of this very command makes nobody known.
        *whom = Whom::Keys(vault.keys_of(person).map_err(unavailable)?);
    }
    let author = origin.on_behalf_of.as_ref().unwrap_or(&origin.actor).clone();
    let author = Person::Actor(author);
    let mut reason = reason;
    if let Some(reason) = reason.as_mut() {
        seal_text(vault, &author, place(origin, "reason"), reason)?;
    }
    if let Some((partner, name)) = command.person_name() {
        seal_text(vault, &Person::Partner(partner), place(origin, "name"), name)?;
    }
    for (index, text) in command.texts().into_iter().enumerate() {
        seal_text(vault, &author, place(origin, &text_field(index)), text)?;
    }
    origin.reason = reason.as_ref().and_then(|reason| reason.sealed()).cloned();
    Ok(())
}

fn place<'a>(origin: &'a Origin, field: &'a str) -> Place<'a> {
    Place { source: &origin.source, id: &origin.id, field }
}

/// The name of a command's text for its nonce: its place among the texts it has.
fn text_field(index: usize) -> String {
    format!("data/{index}")
}

fn seal_text(
    vault: &Vault,
    person: &Person,
    place: Place<'_>,
    text: &mut dyn Sealable,
) -> Result<(), Failure> {
    let Some(plain) = text.plain() else { return Ok(()) };
    let sealed = vault.seal(person, place, plain).map_err(unavailable)?;
    text.seal(sealed);
    Ok(())
}

fn unavailable(error: VaultError) -> Failure {
    Failure::VaultUnavailable(error.to_string())
}

/// Puts the texts of an earlier command into a later one where they say the same, or where nobody
/// can tell any more because their key is gone.
///
/// Afterwards the two are equal exactly when their contents count as the same.
pub(crate) fn align(
    vault: &Vault,
    origin: &Origin,
    earlier: (&mut Command, Option<&Sealed>),
    later: (&mut Command, &mut Option<FreeText>),
) -> Result<(), Failure> {
    if let (Some(sealed), Some(reason)) = (earlier.1, later.1.as_mut()) {
        align_text(vault, place(origin, "reason"), sealed, reason)?;
    }
    if let (Some((_, old)), Some((_, new))) = (earlier.0.person_name(), later.0.person_name())
        && let Some(sealed) = old.sealed()
    {
        align_text(vault, place(origin, "name"), sealed, new)?;
    }
    if let (Some(old), Some(new)) = (earlier.0.forgets(), later.0.forgets())
        && let Whom::Person(person) = new
    {
        // Of whom no key is there nobody can tell whether it is the same. A key there is now is of
        // another person, or of one who has acted since and is not forgotten.
        let keys = vault.keys_of(person).map_err(unavailable)?;
        *new = if keys.is_empty() { old.clone() } else { Whom::Keys(keys) };
    }
    let texts = earlier.0.texts().into_iter().zip(later.0.texts());
    for (index, (old, new)) in texts.enumerate() {
        if let Some(sealed) = old.sealed() {
            align_text(vault, place(origin, &text_field(index)), sealed, new)?;
        }
    }
    Ok(())
}

fn align_text(
    vault: &Vault,
    place: Place<'_>,
    earlier: &Sealed,
    later: &mut dyn Sealable,
) -> Result<(), Failure> {
    let Some(plain) = later.plain() else { return Ok(()) };
    let again = vault.seal_under(earlier.key, place, plain).map_err(unavailable)?;
    // A key that is gone leaves nothing to compare; another ciphertext is another text.
    later.seal(again.unwrap_or_else(|| earlier.clone()));
    Ok(())
}
