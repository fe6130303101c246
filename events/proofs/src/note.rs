//! Signed notes (C2SP signed-note): a text, and below it a line for each signature.

use crate::key::{KeyId, PrivateKey, PublicKey};
use data_encoding::BASE64;
use std::{fmt, str::FromStr};

/// What a signature's line begins with.
const DASH: &str = "\u{2014} ";
/// More than any checkpoint needs, and a bound on what is read from others.
const MAX_NOTE_BYTES: usize = 64 * 1024;
/// The specification asks for sixteen at least.
const MAX_SIGNATURES: usize = 64;

/// Says why a text is no signed note, or is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// It has not the form of a signed note.
    #[error("no signed note: {0}")]
    Form(&'static str),
    /// A known key's signature is not of this text.
    #[error("the signature of {name} ({id}) is not of this text: it was changed")]
    Forged {
        /// The key's name.
        name: String,
        /// The key's id.
        id: KeyId,
    },
    /// None of the keys has signed it.
    #[error("none of the given keys has signed it, but {}", .0.join(", "))]
    Unsigned(Vec<String>),
}

/// A text with signatures, of which nothing is believed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct NoteSignature {
    name: String,
    id: KeyId,
    bytes: Vec<u8>,
}

impl Note {
    /// Signs a text, which ends in a newline, with each of the keys.
    pub fn sign<'a>(
        text: &str,
        keys: impl IntoIterator<Item = &'a PrivateKey>,
    ) -> Result<Self, NoteError> {
        let signature = |key: &PrivateKey| NoteSignature {
            name: key.public().name().to_owned(),
            id: key.public().id(),
            bytes: key.sign(text).to_vec(),
        };
        let signatures = keys.into_iter().map(signature).collect();
        // What is signed must be what others read.
        Self { text: text.to_owned(), signatures }.to_string().parse()
    }

    /// The text, once keys vouch for it: those that do, in the order of their lines.
    ///
    /// Signatures of keys that are not given count nothing; a wrong one of a given key is never
    /// passed over.
    pub fn verify<'a>(
        &self,
        keys: &'a [PublicKey],
    ) -> Result<(&str, Vec<&'a PublicKey>), NoteError> {
        let mut signed = Vec::new();
        for NoteSignature { name, id, bytes } in &self.signatures {
            let known = keys.iter().find(|key| key.name() == name && key.id() == *id);
            let Some(key) = known else { continue };
            if !key.signed(&self.text, bytes) {
                return Err(NoteError::Forged { name: name.clone(), id: *id });
            }
            signed.push(key);
        }
        if signed.is_empty() {
            let line = |signature: &NoteSignature| format!("{} ({})", signature.name, signature.id);
            return Err(NoteError::Unsigned(self.signatures.iter().map(line).collect()));
        }
        Ok((&self.text, signed))
    }

    /// The text, whoever wrote it.
    pub fn unverified_text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        for NoteSignature { name, id, bytes } in &self.signatures {
            let signature = BASE64.encode(&[&id.0, bytes.as_slice()].concat());
            writeln!(f, "{DASH}{name} {signature}")?;
        }
        Ok(())
    }
}

impl FromStr for Note {
    type Err = NoteError;

    fn from_str(whole: &str) -> Result<Self, NoteError> {
        if whole.len() > MAX_NOTE_BYTES {
            return Err(NoteError::Form("it is too long"));
        }
        if whole.chars().any(|c| c.is_ascii_control() && c != '\n') {
            return Err(NoteError::Form("it holds control characters"));
        }
        let (text, lines) =
            whole.rsplit_once("\n\n").ok_or(NoteError::Form("no empty line ends its text"))?;
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Form("its last line has no end"))?;
        let signatures = lines.split('\n').map(signature).collect::<Result<Vec<_>, _>>()?;
        if signatures.len() > MAX_SIGNATURES {
            return Err(NoteError::Form("it has too many signatures"));
        }
        Ok(Self { text: format!("{text}\n"), signatures })
    }
}

fn signature(line: &str) -> Result<NoteSignature, NoteError> {
    let wrong = || NoteError::Form("a line below its text is no signature");
    let (name, signature) =
        line.strip_prefix(DASH).and_then(|line| line.split_once(' ')).ok_or_else(wrong)?;
    let bytes = BASE64.decode(signature.as_bytes()).map_err(|_| wrong())?;
    let (id, bytes) = bytes.split_first_chunk::<4>().ok_or_else(wrong)?;
    if name.is_empty() || name.contains('+') || name.chars().any(char::is_whitespace) {
        return Err(wrong());
    }
    Ok(NoteSignature { name: name.to_owned(), id: KeyId(*id), bytes: bytes.to_vec() })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

    use super::*;

    const TEXT: &str = "If you think cryptography is the answer to your problem,\n\
                        then you don't know what your problem is.\n";
    /// As the first implementation of signed notes publishes it for its tests.
    const PUBLIC: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const SECRET: &str =
        "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    const LINE: &str = "\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN\
                        1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    fn published() -> String {
        format!("{TEXT}\n{LINE}")
    }

    #[test]
    fn the_published_note_comes_out_and_is_believed() {
        let key: PrivateKey = SECRET.parse().unwrap();
        let note = Note::sign(TEXT, [&key]).unwrap();
        assert_eq!(note.to_string(), published());
        let known = [PUBLIC.parse().unwrap()];
        let note: Note = published().parse().unwrap();
        assert_eq!(note.verify(&known).unwrap(), (TEXT, vec![&known[0]]));
    }

    #[test]
    fn a_note_is_believed_for_a_known_key_alone() {
        let (old, new) = (PrivateKey::new("main", [1; 32]), PrivateKey::new("main", [2; 32]));
        let (old, new) = (old.unwrap(), new.unwrap());
        let note = Note::sign("a\n", [&old, &new]).unwrap();
        for keys in [[old.public().clone()], [new.public().clone()]] {
            assert_eq!(note.verify(&keys).unwrap().1, [&keys[0]]);
        }
        let stranger = [PrivateKey::new("main", [3; 32]).unwrap().public().clone()];
        assert!(
            matches!(note.verify(&stranger).unwrap_err(), NoteError::Unsigned(by) if by.len() == 2)
        );
        assert!(matches!(note.verify(&[]).unwrap_err(), NoteError::Unsigned(_)));
        // One wrong signature of a known key is not outweighed by a right one.
        let text = note.to_string();
        let lines: Vec<&str> = text.lines().collect();
        let (mine, theirs) =
            (lines[2].rsplit_once(' ').unwrap(), lines[3].rsplit_once(' ').unwrap());
        let bytes = |line: &str| BASE64.decode(line.as_bytes()).unwrap();
        let mixed = [&bytes(mine.1)[..4], &bytes(theirs.1)[4..]].concat();
        let forged = text.replace(mine.1, &BASE64.encode(&mixed));
        let keys = [old.public().clone(), new.public().clone()];
        let refused = forged.parse::<Note>().unwrap().verify(&keys).unwrap_err();
        assert_eq!(refused, NoteError::Forged { name: "main".into(), id: old.public().id() });
    }

    #[test]
    fn no_changed_byte_is_believed() {
        let known = [PUBLIC.parse().unwrap()];
        let whole = published().into_bytes();
        for at in 0..whole.len() {
            for bit in [1, 0x20, 0x80] {
                let mut bytes = whole.clone();
                bytes[at] ^= bit;
                let believed = String::from_utf8(bytes).ok().and_then(|text| text.parse().ok());
                let believed = believed.map(|note: Note| note.verify(&known).is_ok());
                assert_ne!(believed, Some(true), "bit {bit} of byte {at}");
            }
        }
    }

    #[test]
    fn what_is_no_signed_note_is_refused() {
        let whole = published();
        let cases = [
            String::new(),
            TEXT.to_owned(),
            format!("{TEXT}\n"),
            whole.trim_end().to_owned(),
            whole.replace('\n', "\r\n"),
            whole.replace("\u{2014} ", "- "),
            whole.replace("PeterNeumann", "Peter+Neumann"),
            whole.replace("x08go", "x0"),
            format!("{whole}{}", LINE.repeat(64)),
            format!("{}\n{LINE}", TEXT.repeat(1000)),
        ];
        for case in cases {
            let refused = case.parse::<Note>();
            assert!(matches!(refused, Err(NoteError::Form(_))), "{case:.60}: {refused:?}");
        }
        let key: PrivateKey = SECRET.parse().unwrap();
        assert!(Note::sign("no end", [&key]).is_err());
        assert!(Note::sign(TEXT, []).is_err(), "a note without a signature is none");
    }
}
