//! Causes in the chain of certificates.

pub mod incomplete;
pub mod misordered_or_extra;
pub mod private_ca;
pub mod self_signed;
pub mod trust;
