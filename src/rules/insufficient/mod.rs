//! Why a certificate is not visible. No findings: they stand under `undecided` and name the outcome.

pub mod no_certificate_seen;
pub mod tls13_encrypted;
