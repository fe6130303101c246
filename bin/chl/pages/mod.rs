//! Pages for people: whole HTML documents that need nothing else, no script and no other file.

mod chart;
mod figures;
mod scorecard;

pub(crate) use scorecard::scorecard;
