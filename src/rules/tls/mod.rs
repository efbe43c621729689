//! Causes that lie in the TLS session itself.

pub mod session_resumption;
