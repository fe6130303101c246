//! Intents: command types, the envelope and the catalog.
