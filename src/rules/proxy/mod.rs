//! Causes that lie in a forward proxy.

pub mod tls_servername_leak;
