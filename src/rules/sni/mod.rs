//! Causes in the server name that a client sends, or does not.

pub mod absent;
pub mod differs_from_host;
pub mod ip_literal_url;
pub mod required;
mod reverse_name;
pub mod unrelated_to_dialed_host;
