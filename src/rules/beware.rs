//! What is easily misread in the evidence of a case ([`of`]): words that sound like an answer and are
//! none.

use super::Reason;
use super::view::{self, Shown};
use crate::case::Case;
use crate::evidence::Says;
use crate::rules::config;

/// The cautions of a case, each with what it speaks of.
pub fn of(case: &Case<'_>) -> Vec<Reason> {
    trust_is_not_the_name(case).into_iter().chain(edge_with_http_api(case)).collect()
}

/// `Verify return code: 0 (ok)` beside a wrong certificate.
fn trust_is_not_the_name(case: &Case<'_>) -> Option<Reason> {
    let is_wrong = view::shown(case).iter().any(Shown::is_wrong);
    let said = view::said(case, Says::ChainTrusted);
    let (id, _) = said.first().filter(|(_, verdict)| is_wrong && verdict.client == "openssl")?;
    Some(Reason {
        text: "\"Verify return code: 0 (ok)\" speaks of the chain of trust only; openssl was not asked to check the name (-verify_hostname)".to_owned(),
        cites: vec![*id],
    })
}

/// Edge-optimized custom domain names serve REST APIs only (API Gateway developer guide).
fn edge_with_http_api(case: &Case<'_>) -> Option<Reason> {
    let (domain, custom) = config::custom_domain(case)?;
    let (mapping, found, api) = config::mapped_api(case)?;
    let is_edge = custom.targets.iter().any(|it| it.endpoint_type.as_deref() == Some("EDGE"));
    let protocol = api.protocol.as_deref().filter(|it| is_edge && *it != "REST")?;
    Some(Reason {
        text: format!(
            "{} is edge-optimized and mapped to {}, a {protocol} API: edge-optimized custom domain names serve REST APIs only; make it regional",
            custom.domain, api.id
        ),
        cites: view::cites([domain, mapping, found]),
    })
}
