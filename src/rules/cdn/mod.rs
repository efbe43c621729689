//! Causes between a content delivery network and its origin.

pub mod origin_cert_exposed;
