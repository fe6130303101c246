//! Pages for people: HTML documents without a script; a scorecard needs no other file either.

mod chart;
pub(crate) mod console;
mod figures;
mod on_record;
mod scorecard;
mod words;

pub(crate) use scorecard::{Told, scorecard};
pub(crate) use words::titled;
