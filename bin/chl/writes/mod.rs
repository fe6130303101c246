//! What changes a ledger: commands, imports, the history itself.

mod answers;
mod computed;
mod decide;
mod demo;
mod import_csv;
mod import_log;
mod over_bus;
mod rebuild;
mod repair;
mod replay;
mod restore;
mod serve;
mod service;
mod several;
mod stop;
mod submit;

pub(crate) use computed::submit_computed;
pub(crate) use demo::Demo;
pub(crate) use import_csv::ImportCsv;
pub(crate) use import_log::ImportLog;
pub(crate) use rebuild::Rebuild;
pub(crate) use repair::Repair;
pub(crate) use restore::Restore;
pub(crate) use serve::Serve;
pub(crate) use stop::Stop;
pub(crate) use submit::Submit;
