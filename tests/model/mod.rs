//! What the whole-system tests share: commands as somebody sends them, a generator of histories, a
//! naive model of the domain, and the whole path from a line of JSON to the views.

pub(crate) mod checks;
pub(crate) mod coverage;
pub(crate) mod generate;
pub(crate) mod history;
pub(crate) mod naive;
pub(crate) mod path;
pub(crate) mod sent;
pub(crate) mod world;
