//! `docs/asyncapi.json`: what a ledger speaks on NATS, as an AsyncAPI 3.0 document.
//!
//! All of it is made of the catalogs of commands and events: what they have is in it, and what is in
//! it they have. [`channels`] has the subjects, [`messages`] what travels on them.

mod channels;
mod document;
mod messages;

pub(super) use document::document;
