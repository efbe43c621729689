//! Causes that lie in the client itself.

pub mod clock_wrong;
