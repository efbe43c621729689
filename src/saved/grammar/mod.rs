//! Grammars that several formats share.

pub mod dn;
pub mod rr;
pub mod time;
pub mod words;
