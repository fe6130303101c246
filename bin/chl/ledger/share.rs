//! Ledgers spread over processes: one that leads some already lets others take a free lease first.

use super::node::{LEASE, Node};
use crate::failure::Outcome;
use chl_bus_nats::Held;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Instant,
};

/// How many ledgers this process leads.
#[derive(Debug, Clone, Default)]
pub(crate) struct Share(Arc<AtomicU32>);

/// One of them; it counts until it is dropped.
pub(crate) struct Leading(Share);

impl Share {
    /// Takes the lease of a ledger, unless another node holds it, or may want it more: for each
    /// ledger that this process leads, it waits one more lease before it takes a free one. `free`
    /// says since when this one has been.
    pub(crate) fn take(
        &self,
        node: &mut Node,
        free: &mut Option<Instant>,
    ) -> Outcome<Option<((Held, Instant), Leading)>> {
        let leads = self.0.fetch_add(1, Ordering::AcqRel);
        let leading = Leading(self.clone());
        if leads > 0 {
            if !node.is_free()? {
                *free = None;
                return Ok(None);
            }
            let since = *free.get_or_insert_with(Instant::now);
            if since.elapsed() < LEASE * leads {
                return Ok(None);
            }
        }
        Ok(node.take_lease()?.map(|held| (held, leading)))
    }
}

impl Drop for Leading {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::AcqRel);
    }
}
