//! What every node keeps as files: sealed blocks, keys with filters, the witness.
