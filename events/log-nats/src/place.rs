//! Gives blocks their place in the stream, and settles every doubt before anything else is done.

use crate::{
    Fault, PlaceError,
    publish::publish,
    remote::{Patience, Remote},
};
use chl_events::Block;

/// Appends blocks behind message `base`, and returns once all of them are acknowledged or known
/// to be stored.
///
/// A block whose answer is missing is looked for at the stream's leader: it is there, or the
/// same bytes are sent again (which the fence makes harmless when the first ones arrive late
/// after all), or another message is there.
pub(crate) async fn place(remote: &Remote, blocks: &[Block], base: u64) -> Result<(), PlaceError> {
    let mut patience = Patience::new(remote.patience);
    let mut done = 0;
    let mut doubtful = false;
    loop {
        let rest = blocks.get(done..).unwrap_or_default();
        let round = publish(remote, rest, base + done as u64).await;
        done += round.acknowledged;
        doubtful |= round.doubtful;
        let Some(fault) = round.fault else {
            return Ok(());
        };
        if matches!(fault, Fault::Forbidden(_)) && !doubtful && done == 0 {
            return Err(PlaceError::Nothing(fault));
        }
        tracing::debug!(%fault, done, of = blocks.len(), "blocks are being settled");
        let group = Group { remote, blocks, base };
        done = group.settle(done, fault, doubtful, &mut patience).await?;
        if done == blocks.len() {
            return Ok(());
        }
    }
}

struct Group<'a> {
    remote: &'a Remote,
    blocks: &'a [Block],
    base: u64,
}

impl Group<'_> {
    /// Asks the leader how many of the blocks are stored, until it says so, and pauses before the
    /// rest may be sent again.
    async fn settle(
        &self,
        done: usize,
        mut fault: Fault,
        doubtful: bool,
        patience: &mut Patience,
    ) -> Result<usize, PlaceError> {
        loop {
            match self.stored(done).await {
                // With the head where it was, a refusal was a spurious one: the same once more.
                Ok(Found::Stored(stored)) if stored > done => return Ok(stored),
                Ok(Found::Stored(stored)) => {
                    if patience.again().await {
                        return Ok(stored);
                    }
                }
                Ok(Found::Other(sequence)) => {
                    return Err(PlaceError::Overtaken { stored: done, sequence });
                }
                Ok(Found::Below(found)) => {
                    // A leader that was deposed and does not know it yet may answer so.
                    if !patience.again().await {
                        let acknowledged = self.base + done as u64;
                        return Err(PlaceError::Lost { acknowledged, found });
                    }
                    continue;
                }
                Err(unanswered) => {
                    fault = unanswered;
                    if patience.again().await {
                        continue;
                    }
                }
            }
            return Err(if doubtful || done > 0 {
                PlaceError::Unsettled(fault)
            } else {
                PlaceError::Nothing(fault)
            });
        }
    }

    /// How many of the blocks stand in the stream, of which `done` are known to.
    async fn stored(&self, done: usize) -> Result<Found, Fault> {
        let last = self.remote.last().await?;
        let Some(behind) = last.checked_sub(self.base + done as u64) else {
            return Ok(Found::Below(last));
        };
        let behind = usize::try_from(behind).unwrap_or(usize::MAX);
        let mut stored = done;
        // One by one from the first: a later one may be there without it, and is void then.
        for block in self.blocks.iter().skip(done).take(behind) {
            let sequence = self.base + stored as u64 + 1;
            if block.bytes() != self.remote.message(sequence).await?.payload {
                let none = stored == done;
                return Ok(if none { Found::Other(sequence) } else { Found::Stored(stored) });
            }
            stored += 1;
        }
        Ok(Found::Stored(stored))
    }
}

enum Found {
    /// So many of ours.
    Stored(usize),
    /// A message that is not ours where the next of ours would be.
    Other(u64),
    /// The stream ends before what it had acknowledged.
    Below(u64),
}
