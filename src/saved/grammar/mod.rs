//! Grammars that several formats share.

pub mod address;
pub mod asked;
pub mod dn;
pub mod message;
pub mod phrases;
pub mod rr;
pub mod sentence;
pub mod short;
pub mod time;
pub mod words;
