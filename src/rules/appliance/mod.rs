//! Causes in devices that answer in place of the server.

pub mod factory_certificate;
