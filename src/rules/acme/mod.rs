//! Causes in automated issuance (ACME).

pub mod staging_certificate;
