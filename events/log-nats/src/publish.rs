//! Sends blocks one behind the other without waiting for each answer.

use crate::{
    Fault,
    remote::{Remote, Sent},
};
use chl_events::Block;
use std::collections::VecDeque;

/// How many blocks are on their way at a time, each expecting the one before it.
pub(crate) const WINDOW: usize = 16;

/// What came of sending blocks.
pub(crate) struct Round {
    /// How many of the first are acknowledged.
    pub(crate) acknowledged: usize,
    /// What became of the first that is not.
    pub(crate) fault: Option<Fault>,
    /// Whether one that is not acknowledged may be stored all the same, now or later.
    pub(crate) doubtful: bool,
}

/// Sends blocks to stand behind message `base`. When one fails, those behind it fail by themselves,
/// unless other writers' messages make the stream just as long as one of them expects: such a
/// block is stored and void, since it continues nothing.
pub(crate) async fn publish(remote: &Remote, blocks: &[Block], base: u64) -> Round {
    let mut round = Round { acknowledged: 0, fault: None, doubtful: false };
    let mut flight: VecDeque<Sent> = VecDeque::with_capacity(WINDOW);
    for (after, block) in (base..).zip(blocks) {
        if flight.len() == WINDOW
            && let Some(sent) = flight.pop_front()
        {
            round.take(remote.answer(sent).await);
        }
        if round.fault.is_some() {
            break;
        }
        match remote.send(block, after).await {
            Ok(sent) => flight.push_back(sent),
            Err(fault) => round.fail(fault),
        }
    }
    for sent in flight {
        round.take(remote.answer(sent).await);
    }
    round
}

impl Round {
    fn take(&mut self, answer: Result<(), Fault>) {
        match answer {
            Ok(()) if self.fault.is_none() => self.acknowledged += 1,
            // Behind one whose answer was lost; the leader's head will show both.
            Ok(()) => self.doubtful = true,
            Err(fault) => self.fail(fault),
        }
    }

    fn fail(&mut self, fault: Fault) {
        self.doubtful |= fault.is_doubtful();
        self.fault.get_or_insert(fault);
    }
}
