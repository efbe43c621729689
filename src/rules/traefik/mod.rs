//! Causes in Traefik.

pub mod default_certificate;
