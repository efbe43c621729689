//! Causes that lie in something that forced the address.

pub mod hosts_or_resolve;
