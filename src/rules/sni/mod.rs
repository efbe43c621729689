//! Causes in the server name that a client sends, or does not.

pub mod absent;
pub mod required;
