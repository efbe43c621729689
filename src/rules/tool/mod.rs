//! Causes in the test itself: a tool that did not ask for the host.

pub mod no_servername;
