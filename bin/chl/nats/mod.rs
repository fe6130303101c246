//! The ledger on NATS: how the servers are reached, and what the bus leads to.

mod parked;
mod questions;
mod service;

pub(crate) use parked::Parked;
pub(crate) use questions::{AskedOfFeed, FEED};
pub(crate) use service::{BusOptions, OnNats};
