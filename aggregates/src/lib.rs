//! Decisions: states, rules, posting lines, policies and what is due.
