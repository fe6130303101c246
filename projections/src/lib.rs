//! Read models as pure folds: commits become rows.
//!
//! Floor 2 of the house: no I/O, no clock, nothing but events. [`fold`] takes one commit and
//! changes rows through the [`Store`] port, one row at a time by its key, so that whoever keeps
//! the rows decides how many of them are in memory. Each file has one read model: its [`Row`], whose
//! columns are what tables, JSON, CSV and SQL show, and its fold. Rows hold facts and instants; what
//! depends on now is computed when somebody asks. Scorecards are no rows but a pure function over
//! rows, for any period: [`scorecards`].

mod asked;
mod balances;
mod cell;
mod claimed;
mod claims;
mod conflicts;
mod customers;
mod days;
mod deals;
mod duplicates;
mod fact;
mod figures;
mod fold;
mod grounds;
mod keeps;
mod lots;
mod memory;
mod merges;
mod partners;
mod postings;
mod programmes;
mod requests;
mod row;
mod store;

pub mod scorecards;

pub use asked::LotState;
pub use balances::{BalanceRow, TOTAL};
pub use cell::{Cell, Column, Field, Kind, Link, List, Minor, Table};
pub use claims::{ClaimRow, ClaimState};
pub use conflicts::{ConflictRow, ConflictState};
pub use customers::CustomerRow;
pub use days::DayRow;
pub use deals::{DealRow, DealState};
pub use figures::{DisputeState, FigureRow};
pub use fold::{fold, fold_event, fold_postings, fold_rows};
pub use grounds::{Ground, Grounds};
pub use keeps::{FoldError, FoldFailed, Keeps, StoreError};
pub use lots::LotRow;
pub use memory::{MemoryStore, MemoryTable};
pub use partners::{CertificationRow, MeasureRow, PartnerRow, PartnerState, TierRow};
pub use postings::{KeepsPostings, Posting};
pub use programmes::ProgrammeRow;
pub use requests::{RequestRow, RequestState};
pub use row::Row;
pub use store::Store;
