//! Causes in load balancers.

pub mod default_certificate;
