//! Causes around Amazon CloudFront.

pub mod alternate_name_missing;
