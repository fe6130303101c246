//! Folds: events become rows of read models.
