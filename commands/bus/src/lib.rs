//! From a line of JSON to a durable answer: authorise, seal, decide, append.
