//! Receipts (C2SP tlog-proof): an entry, where it stands, and a signed checkpoint over it, in one
//! small text that is verified without the ledger.
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! extra base64(the entry's exact bytes)
//! index POSITION
//! base64(hash), a line each: the inclusion proof from the leaf up
//! (an empty line)
//! the signed checkpoint
//! ```

use crate::{
    checkpoint::{Checkpoint, CheckpointError, decimal, hash},
    key::PublicKey,
    note::{Note, NoteError},
    tree::{Proof, ProofError, check_inclusion},
};
use chl_events::MAX_COMMIT_BYTES;
use data_encoding::BASE64;
use std::{fmt, str::FromStr};

const FORM: &str = "c2sp.org/tlog-proof@v1";
/// No tree is higher.
const MAX_HASHES: usize = 63;

/// Says why a text is no receipt, or is not believed.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    /// It has not the form of a receipt.
    #[error("no receipt: {0}")]
    Form(&'static str),
    /// Its checkpoint has not the form of a signed note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Its checkpoint is not believed.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Its entry does not stand where it says.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

/// An entry with its proof, of which nothing is believed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The entry's exact bytes.
    pub entry: Vec<u8>,
    /// Where it stands in the log.
    pub position: u64,
    /// The inclusion proof.
    pub proof: Proof,
    /// The signed checkpoint.
    pub note: Note,
}

impl Receipt {
    /// Verifies all of it; gives the checkpoint that vouches for the entry.
    pub fn verify(&self, keys: &[PublicKey]) -> Result<Checkpoint, ReceiptError> {
        let checkpoint = Checkpoint::open(&self.note, keys)?;
        check_inclusion(&self.entry, self.position, &checkpoint.tree, &self.proof)?;
        Ok(checkpoint)
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { entry, position, proof, note } = self;
        writeln!(f, "{FORM}\nextra {}\nindex {position}", BASE64.encode(entry))?;
        for hash in proof {
            writeln!(f, "{}", BASE64.encode(&hash.0))?;
        }
        write!(f, "\n{note}")
    }
}

impl FromStr for Receipt {
    type Err = ReceiptError;

    fn from_str(text: &str) -> Result<Self, ReceiptError> {
        let wrong = ReceiptError::Form;
        let (head, note) = text.split_once("\n\n").ok_or(wrong("no empty line ends its proof"))?;
        let mut lines = head.split('\n');
        if lines.next() != Some(FORM) {
            return Err(wrong("it does not begin with c2sp.org/tlog-proof@v1"));
        }
        let entry = lines.next().and_then(|line| line.strip_prefix("extra "));
        let entry = entry.and_then(|entry| BASE64.decode(entry.as_bytes()).ok());
        let entry = entry.filter(|entry| entry.len() <= MAX_COMMIT_BYTES);
        let entry = entry.ok_or(wrong("its second line holds no entry"))?;
        let position = lines.next().and_then(|line| line.strip_prefix("index "));
        let position = position.and_then(decimal).ok_or(wrong("its third line holds no index"))?;
        let proof: Proof = lines
            .map(|line| hash(line).ok_or(wrong("a line of its proof is no hash")))
            .collect::<Result<_, _>>()?;
        if proof.len() > MAX_HASHES {
            return Err(wrong("its proof is longer than any"));
        }
        Ok(Self { entry, position, proof, note: note.parse()? })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

    use super::*;
    use crate::{
        key::PrivateKey,
        tree::{Nodes, TreeHead, prove_inclusion, root_at},
    };
    use chl_events::Hash;
    use chl_log::{conformance::naive_root, leaf_hash};
    use std::convert::Infallible;

    /// A tree of four entries.
    struct Four;

    fn entry(number: u64) -> Vec<u8> {
        format!("entry {number}").into_bytes()
    }

    impl Nodes for Four {
        type Error = Infallible;

        fn node(&self, level: u32, index: u64) -> Result<Hash, Infallible> {
            let entries: Vec<_> = (index << level..(index + 1) << level).map(entry).collect();
            Ok(naive_root(&entries))
        }
    }

    fn receipt(key: &PrivateKey) -> Receipt {
        let tree = TreeHead { size: 4, root: root_at(&Four, 4).unwrap() };
        let checkpoint = Checkpoint { origin: "main".into(), tree };
        Receipt {
            entry: entry(2),
            position: 2,
            proof: prove_inclusion(&Four, 4, 2).unwrap(),
            note: Note::sign(&checkpoint.to_string(), [key]).unwrap(),
        }
    }

    #[test]
    fn a_receipt_is_read_back_and_verified_by_its_key_alone() {
        let key = PrivateKey::new("main", [5; 32]).unwrap();
        let receipt = receipt(&key);
        let text = receipt.to_string();
        let again: Receipt = text.parse().unwrap();
        assert_eq!(again, receipt);
        assert_eq!(again.proof.first(), Some(&leaf_hash(&entry(3))));
        let checkpoint = again.verify(&[key.public().clone()]).unwrap();
        assert_eq!((checkpoint.origin.as_str(), checkpoint.tree.size), ("main", 4));
        let other = [PrivateKey::new("main", [6; 32]).unwrap().public().clone()];
        assert!(matches!(again.verify(&other), Err(ReceiptError::Checkpoint(_))));
        let moved = Receipt { position: 1, ..again };
        let refused = moved.verify(&[key.public().clone()]).unwrap_err();
        assert!(matches!(refused, ReceiptError::Proof(_)), "{refused}");
    }

    #[test]
    fn no_changed_byte_is_believed() {
        let key = PrivateKey::new("main", [5; 32]).unwrap();
        let (text, known) = (receipt(&key).to_string().into_bytes(), [key.public().clone()]);
        for at in 0..text.len() {
            for bit in [1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80] {
                let mut bytes = text.clone();
                bytes[at] ^= bit;
                let read = String::from_utf8(bytes).ok().and_then(|text| text.parse().ok());
                let believed = read.is_some_and(|read: Receipt| read.verify(&known).is_ok());
                assert!(!believed, "bit {bit} of byte {at}");
            }
        }
        for end in 0..text.len() {
            let short = String::from_utf8(text[..end].to_vec()).unwrap_or_default();
            let believed = short.parse::<Receipt>().is_ok_and(|read| read.verify(&known).is_ok());
            assert!(!believed, "cut at {end}");
        }
    }

    #[test]
    fn what_is_no_receipt_is_refused() {
        let text = receipt(&PrivateKey::new("main", [5; 32]).unwrap()).to_string();
        let hash = text.lines().nth(3).unwrap();
        let cases = [
            String::new(),
            text.replace("@v1", "@v2"),
            text.replace("extra ", "entry "),
            text.replace("index 2", "index 02"),
            text.replace("index 2\n", ""),
            text.replace(hash, "AAAA"),
            text.replace(hash, &format!("{hash}\n").repeat(64)),
            text.replace("extra ", &format!("extra {}", "AAAA".repeat(MAX_COMMIT_BYTES / 3 + 1))),
        ];
        for case in cases {
            let refused = case.parse::<Receipt>();
            assert!(matches!(refused, Err(ReceiptError::Form(_))), "{case:.60}: {refused:?}");
        }
    }
}
