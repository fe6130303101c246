//! What changes a ledger: commands, imports, the history itself.

mod answers;
mod decide;
mod serve;
mod service;
mod submit;

pub(crate) use serve::Serve;
pub(crate) use submit::Submit;
