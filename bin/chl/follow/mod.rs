//! `chl follow`: some read models in a file of their own, kept by a process of its own.

mod call;
mod kept;

pub(crate) use call::Follow;
