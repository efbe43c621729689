//! Writes and reads facts.
