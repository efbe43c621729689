//! Causes in the chain of certificates.

pub mod incomplete;
