//! What depends on the moment somebody asks: ages, days left, effective states.

use crate::{
    BalanceRow, ClaimRow, ClaimState, ConflictRow, ConflictState, DealRow, DealState, LotRow,
    row::states,
};
use chl_events::{Date, Instant};

const MICROS_PER_DAY: i64 = 86_400_000_000;

states! {
    /// What a co-op lot is at a moment.
    LotState {
        /// Its earning period runs and it pays for nothing yet.
        Earning => "earning",
        /// It pays for activities of today.
        Usable => "usable",
        /// It pays only for claims on earlier activities.
        ClaimsOnly => "claims_only",
        /// Nothing is left of it.
        Exhausted => "exhausted",
        /// What was not held is lost.
        Expired => "expired",
        /// All of it became rebate.
        Converted => "converted",
    }
}

/// Whole UTC days from one moment to another.
fn days_between(from: Date, to: Date) -> i64 {
    i64::from(to.days()) - i64::from(from.days())
}

/// Whether a moment has passed, or is now.
fn is_over(until: Option<Instant>, now: Instant) -> bool {
    until.is_some_and(|until| until <= now)
}

impl DealState {
    /// The state at a moment: protection that has run out protects no more, and a deal whose
    /// incumbent's has run out is contested no more, even before the clock has recorded either.
    pub fn at(
        self,
        protected_until: Option<Instant>,
        contested_until: Option<Instant>,
        now: Instant,
    ) -> Self {
        if self == Self::Approved && is_over(protected_until, now) {
            Self::Expired
        } else if self == Self::Contested && is_over(contested_until, now) {
            Self::Submitted
        } else {
            self
        }
    }
}

impl ConflictState {
    /// Whether it waits for a decision.
    pub fn is_open(self) -> bool {
        match self {
            Self::Open | Self::Escalated => true,
            Self::Resolved | Self::Lapsed => false,
        }
    }

    /// The state at a moment: a conflict whose incumbent's protection has run out has lapsed, even
    /// before the clock has recorded it.
    pub fn at(self, lapses_at: Option<Instant>, now: Instant) -> Self {
        if self.is_open() && is_over(lapses_at, now) { Self::Lapsed } else { self }
    }
}

impl DealRow {
    /// What it is at a moment.
    pub fn state_at(&self, now: Instant) -> DealState {
        self.state.at(self.protected_until, self.contested_until, now)
    }

    /// How many whole days of protection are left; none when it is not protected.
    pub fn days_left(&self, now: Instant) -> Option<i64> {
        let until = self.protected_until.filter(|until| now < *until)?;
        let protected = self.state == DealState::Approved;
        protected.then(|| (until.micros() - now.micros()) / MICROS_PER_DAY)
    }

    /// How many days ago it was registered.
    pub fn age_days(&self, now: Instant) -> i64 {
        days_between(self.registered_at.date_utc(), now.date_utc())
    }
}

impl ConflictRow {
    /// What it is at a moment.
    pub fn state_at(&self, now: Instant) -> ConflictState {
        self.state.at(self.lapses_at, now)
    }

    /// How many days it has stood, or stood until it ended.
    pub fn age_days(&self, now: Instant) -> i64 {
        let lapsed = self.lapses_at.filter(|_| self.state != self.state_at(now));
        let end = self.ended_at.or(lapsed).unwrap_or(now);
        days_between(self.opened_at.date_utc(), end.date_utc())
    }

    /// Whether the level that is to decide should have done so.
    pub fn is_overdue(&self, now: Instant) -> bool {
        self.state_at(now).is_open() && is_over(self.due, now)
    }
}

impl ClaimRow {
    /// How many days ago it was sent in.
    pub fn age_days(&self, now: Instant) -> i64 {
        days_between(self.submitted_at.date_utc(), now.date_utc())
    }

    /// Whether somebody still has to decide or pay it.
    pub fn is_open(&self) -> bool {
        match self.state {
            ClaimState::Submitted | ClaimState::Disputed | ClaimState::Approved => true,
            ClaimState::Paid
            | ClaimState::Rejected
            | ClaimState::Final
            | ClaimState::Withdrawn
            | ClaimState::ClawedBack => false,
        }
    }
}

impl LotRow {
    /// What the lot is at a moment, by its dates, its ends and what is left of it.
    pub fn state_at(&self, now: Instant, balance: &BalanceRow) -> LotState {
        let today = now.date_utc();
        let left = balance.available.0 != 0 || balance.held.0 != 0;
        if self.converted_whole {
            LotState::Converted
        } else if self.expired_at.is_some() || self.expires_at <= now {
            LotState::Expired
        } else if !left && today > self.earning_until {
            LotState::Exhausted
        } else if today < self.usable_from {
            LotState::Earning
        } else if today <= self.usable_until {
            LotState::Usable
        } else {
            LotState::ClaimsOnly
        }
    }
}
