//! The embedded log: its head in sled, its history in sealed files.
