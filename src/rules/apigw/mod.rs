//! Causes around Amazon API Gateway custom domain names.

pub mod cname_to_stage_url;
pub mod d_name_not_configured;
