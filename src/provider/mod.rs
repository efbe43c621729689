//! Who a host name or a certificate belongs to, and what else judging knows beyond the evidence.
//!
//! [`table`] holds most providers as data; API Gateway, CloudFront, load balancers and DNS operators,
//! whose names say more than whose they are, have a file each. Shapes are matched, regions are not
//! enumerated: their list grows. A name that has the shape but an unusual length keeps its class and
//! says so (`usual_length`). [`knowledge`] puts all data sets together, with their dates.

pub mod aws_ranges;
pub mod cloudfront;
pub mod dns_operator;
pub mod elb;
pub mod execute_api;
pub mod knowledge;
pub mod network;
pub mod pattern;
pub mod suffix;
pub mod table;

pub use knowledge::Knowledge;
pub use table::{Provider, Role};
