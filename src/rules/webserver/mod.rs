//! Causes in the configuration of web servers.

pub mod default_vhost;
