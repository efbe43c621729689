//! Causes in the dates of a certificate.

pub mod dates;
pub mod expired;
pub mod not_yet_valid;
pub mod revoked_alert;
