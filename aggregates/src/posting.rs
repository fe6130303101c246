//! Posting lines: balanced by construction.
