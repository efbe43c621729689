//! Causes in what a server does with a name.

pub mod rejects_sni;
