//! Who a host name or a certificate belongs to, by the shape of the name alone.
//!
//! One file per provider. Shapes are matched, regions are not enumerated: their list grows. A name
//! that has the shape but an unusual length keeps its class and says so (`usual_length`).

pub mod cloudfront;
pub mod dns_operator;
pub mod elb;
pub mod execute_api;
