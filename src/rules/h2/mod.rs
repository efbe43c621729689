//! Causes that lie in HTTP/2.

pub mod connection_coalescing;
