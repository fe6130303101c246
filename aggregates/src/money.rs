//! Exact arithmetic on money: shares, bands, splits, rounding.
