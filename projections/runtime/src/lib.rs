//! Keeps read models: checkpoints, rebuild beside and switch, as of a position, SQLite.
