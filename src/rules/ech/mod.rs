//! Causes that lie in Encrypted ClientHello.

pub mod outer_name;
