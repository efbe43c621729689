//! Causes in the test itself: a tool that did not ask for the host.

pub mod checked_the_target;
pub mod no_servername;
