//! What the bus counts: refusals, questions, the queue, events that left.
//!
//! Labels are words of this program and names it has answered to, never what a sender made up.

use chl_bus::Refusal;
use chl_events::Code;
use metrics::{Counter, Gauge, SharedString, Unit, counter, gauge, histogram};
use std::{sync::Arc, time::Duration};

const REFUSALS: &str = "chl_bus_refusals_total";
const QUESTIONS: &str = "chl_questions_total";
const QUESTION_SECONDS: &str = "chl_question_seconds";
const PENDING: &str = "chl_queue_pending";
const UNDER_WAY: &str = "chl_queue_under_way";
const REDELIVERED: &str = "chl_queue_redelivered_total";
const PARKED: &str = "chl_queue_parked_total";
const RESULTS: &str = "chl_queue_results_total";
const EVENTS: &str = "chl_events_out_total";
const EVENTS_POSITION: &str = "chl_events_out_position";

/// A question's view where it was not answered: it may be no view at all.
const NO_VIEW: &str = "none";

/// Counts for one ledger.
#[derive(Clone)]
pub(crate) struct Counts {
    ledger: SharedString,
}

impl Counts {
    /// Counts for the ledger of a name.
    pub(crate) fn of(ledger: &Code) -> Self {
        metrics::describe_counter!(REFUSALS, "What the bus let not in, by code.");
        metrics::describe_counter!(QUESTIONS, "Questions answered or refused, by view and code.");
        metrics::describe_histogram!(
            QUESTION_SECONDS,
            Unit::Seconds,
            "From the receipt of a question to its answer."
        );
        Self { ledger: SharedString::from(Arc::from(ledger.as_str())) }
    }

    /// A command or a question was let not in.
    pub(crate) fn refused(&self, refusal: &Refusal) {
        counter!(REFUSALS, "ledger" => self.ledger.clone(), "code" => refusal.code()).increment(1);
    }

    /// A question was answered, or refused with a code.
    pub(crate) fn asked(&self, view: Result<&str, &'static str>, took: Duration) {
        let (view, code) = match view {
            Ok(view) => (SharedString::from(view.to_owned()), ""),
            Err(code) => (SharedString::const_str(NO_VIEW), code),
        };
        let ledger = || self.ledger.clone();
        counter!(QUESTIONS, "ledger" => ledger(), "view" => view, "code" => code).increment(1);
        histogram!(QUESTION_SECONDS, "ledger" => ledger()).record(took);
    }

    /// Counts for the queue.
    pub(crate) fn queue(&self) -> QueueCounts {
        let whose = [("ledger", self.ledger.clone())];
        metrics::describe_gauge!(PENDING, "Commands in the queue that nobody has taken yet.");
        metrics::describe_gauge!(UNDER_WAY, "Commands taken from the queue and not done.");
        metrics::describe_counter!(REDELIVERED, "Commands of the queue that came again.");
        metrics::describe_counter!(PARKED, "Messages of the queue that are no commands, by code.");
        metrics::describe_counter!(RESULTS, "Answers kept in the results.");
        QueueCounts {
            ledger: self.ledger.clone(),
            pending: gauge!(PENDING, &whose),
            under_way: gauge!(UNDER_WAY, &whose),
            redelivered: counter!(REDELIVERED, &whose),
            results: counter!(RESULTS, &whose),
        }
    }

    /// Counts for events that leave.
    pub(crate) fn events(&self) -> EventCounts {
        let whose = [("ledger", self.ledger.clone())];
        metrics::describe_counter!(EVENTS, "Events that left and are safely out.");
        metrics::describe_gauge!(EVENTS_POSITION, "The position of the newest event safely out.");
        EventCounts { left: counter!(EVENTS, &whose), position: gauge!(EVENTS_POSITION, &whose) }
    }
}

/// Counts for the queue of one ledger.
pub(crate) struct QueueCounts {
    ledger: SharedString,
    pub(crate) pending: Gauge,
    pub(crate) under_way: Gauge,
    pub(crate) redelivered: Counter,
    pub(crate) results: Counter,
}

impl QueueCounts {
    /// A message was parked.
    pub(crate) fn parked(&self, code: &'static str) {
        counter!(PARKED, "ledger" => self.ledger.clone(), "code" => code).increment(1);
    }
}

/// Counts for the events of one ledger.
pub(crate) struct EventCounts {
    left: Counter,
    position: Gauge,
}

impl EventCounts {
    /// An event of the commit at a position is safely out.
    pub(crate) fn left(&self, position: u64) {
        self.left.increment(1);
        self.position.set(position as f64);
    }
}
