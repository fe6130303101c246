//! What the program knows without a ledger: the catalog, the codes, terms, the shells.

mod asyncapi;
pub(crate) mod codes;
pub(crate) mod completions;
mod openapi;
mod page;
pub(crate) mod programme;
pub(crate) mod programme_diff;
pub(crate) mod schema;
mod schemas;
mod shapes;

pub(crate) use openapi::document as openapi;
