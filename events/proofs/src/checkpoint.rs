//! Checkpoints (C2SP tlog-checkpoint): which tree a ledger vouches for, as the text of a note.

use crate::{
    key::PublicKey,
    note::{Note, NoteError},
    tree::TreeHead,
};
use chl_events::Hash;
use data_encoding::BASE64;
use std::{fmt, str::FromStr};

/// Says why a text is no checkpoint, or is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// It has not the form of a checkpoint.
    #[error("no checkpoint: {0}")]
    Form(&'static str),
    /// It is no signed note, or its signatures do not hold.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// It was signed by a known key, but speaks for another ledger than that key's.
    #[error("a checkpoint of {origin:?}, signed by the key of {}", .signed.join(", "))]
    Origin {
        /// The ledger it speaks for.
        origin: String,
        /// The names of the keys.
        signed: Vec<String>,
    },
}

/// The tree of a ledger at a size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The ledger, by the name its keys sign under.
    pub origin: String,
    /// Its tree.
    pub tree: TreeHead,
}

impl Checkpoint {
    /// Reads a signed checkpoint that one of the keys vouches for.
    pub fn open(note: &Note, keys: &[PublicKey]) -> Result<Self, CheckpointError> {
        let (text, signed) = note.verify(keys)?;
        let checkpoint: Self = text.parse()?;
        if signed.iter().any(|key| key.name() == checkpoint.origin) {
            return Ok(checkpoint);
        }
        let signed = signed.iter().map(|key| key.name().to_owned()).collect();
        Err(CheckpointError::Origin { origin: checkpoint.origin, signed })
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, tree: TreeHead { size, root } } = self;
        write!(f, "{origin}\n{size}\n{}\n", BASE64.encode(&root.0))
    }
}

impl FromStr for Checkpoint {
    type Err = CheckpointError;

    /// Reads the text of a note; further lines, which others may add, are passed over.
    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let wrong = CheckpointError::Form;
        let lines = text.strip_suffix('\n').ok_or(wrong("its last line has no end"))?;
        let mut lines = lines.split('\n');
        let origin = lines.next().filter(|line| !line.is_empty()).ok_or(wrong("no origin"))?;
        let size = lines.next().and_then(decimal).ok_or(wrong("no size"))?;
        let root = lines.next().and_then(hash).ok_or(wrong("no root"))?;
        if lines.any(str::is_empty) {
            return Err(wrong("an empty line"));
        }
        Ok(Self { origin: origin.to_owned(), tree: TreeHead { size, root } })
    }
}

/// A number in the one way it is written.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

/// A hash in base64.
pub(crate) fn hash(text: &str) -> Option<Hash> {
    Some(Hash(BASE64.decode(text.as_bytes()).ok()?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::key::PrivateKey;

    /// The example of the specification.
    const TEXT: &str = "example.com/behind-the-sofa\n20852163\n\
                        CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    #[test]
    fn the_specifications_example_is_read_and_written() {
        let checkpoint: Checkpoint = TEXT.parse().unwrap();
        assert_eq!(checkpoint.origin, "example.com/behind-the-sofa");
        assert_eq!(checkpoint.tree.size, 20_852_163);
        assert_eq!(checkpoint.to_string(), TEXT);
        let extended = format!("{TEXT}what others add\n");
        assert_eq!(extended.parse::<Checkpoint>().unwrap(), checkpoint);
    }

    #[test]
    fn what_is_no_checkpoint_is_refused() {
        let cases = [
            TEXT.trim_end().to_owned(),
            TEXT.replace("example.com/behind-the-sofa", ""),
            TEXT.replace("20852163", "020852163"),
            TEXT.replace("20852163", "+20852163"),
            TEXT.replace("20852163", "99999999999999999999"),
            TEXT.replace("CsUY", "Cs"),
            TEXT.replace("q2I=", "q2J="),
            format!("{TEXT}\nmore\n"),
            "main\n1\n".to_owned(),
        ];
        for case in cases {
            let refused = case.parse::<Checkpoint>();
            assert!(matches!(refused, Err(CheckpointError::Form(_))), "{case:?}: {refused:?}");
        }
    }

    #[test]
    fn a_key_vouches_for_its_own_ledger_alone() {
        let other = PrivateKey::new("other", [1; 32]).unwrap();
        let note = Note::sign(TEXT, [&other]).unwrap();
        let refused = Checkpoint::open(&note, &[other.public().clone()]).unwrap_err();
        assert!(matches!(refused, CheckpointError::Origin { .. }), "{refused}");
        let own = PrivateKey::new("example.com/behind-the-sofa", [1; 32]).unwrap();
        let keys = [other.public().clone(), own.public().clone()];
        let note = Note::sign(TEXT, [&other, &own]).unwrap();
        assert_eq!(Checkpoint::open(&note, &keys).unwrap().to_string(), TEXT);
        assert!(matches!(Checkpoint::open(&note, &[]), Err(CheckpointError::Note(_))));
    }
}
