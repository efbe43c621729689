//! Causes around Amazon API Gateway custom domain names.

pub mod a_record_static_ip;
pub mod acm_cert_not_covering;
pub mod alias_target_wrong;
pub mod cname_to_stage_url;
pub mod d_name_dangling;
pub mod d_name_not_configured;
pub mod edge_not_ready;
pub mod endpoint_type_migrated;
pub mod http_403_not_certificate;
pub mod mtls_client_cert;
pub mod nlb_in_front_of_endpoint;
pub mod private_dns_capture;
pub mod private_domain_no_association;
pub mod region_disagreement;
pub mod sni_required;
pub mod tls_policy_rejects;
mod addresses;
