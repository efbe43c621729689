//! `apigw.http_403_not_certificate`: the certificate is right, API Gateway answers 403.

use crate::case::Case;
use crate::evidence::{HttpExchange, ObservationId, Says};
use crate::name::Name;
use crate::rules::view;
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule};

declare_rule! {
    /// # What it finds
    ///
    /// The certificate covers the host, and API Gateway answers with 403.
    ///
    /// # Why it matters
    ///
    /// The fault lies behind TLS: no mapping for the path, the default endpoint switched off, a resource
    /// policy, an API key or a firewall rule. Nothing about the certificate will change it.
    ///
    /// # What it needs
    ///
    /// The response with `x-amzn-errortype` or `x-amz-apigw-id`, and the certificate. It is ruled out when
    /// the certificate does not cover the host.
    ///
    /// # What to do
    ///
    /// Look at the API mappings of the custom domain, `disableExecuteApiEndpoint`, the API key, the
    /// resource policy and AWS WAF.
    ///
    /// # References
    ///
    /// API Gateway developer guide, "Troubleshoot HTTP 403 errors".
    "apigw.http_403_not_certificate", "the certificate is right; API Gateway answers 403",
    since "0.1.0", cap 0.8, rank 800
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = &case.host else {
        return Verdict::NotApplicable;
    };
    let Some((id, exchange)) = case.exchanges.iter().find(|(_, it)| is_of_api_gateway(it)) else {
        return Verdict::NotApplicable;
    };
    if let Some(it) = view::shown(case).iter().find(|it| it.is_wrong()) {
        let because = format!("the certificate {} does not cover {host}", it.label());
        return Verdict::Clear { because, cites: vec![it.leaf.id] };
    }
    if let Some(it) = view::covering(case) {
        return found(host, *id, exchange, &it.label(), &[it.leaf.id, it.connection.id]);
    }
    if let Some((said, verdict)) = view::said(case, Says::NameMatches).first() {
        let label = verdict.presented.first().cloned().unwrap_or_else(|| host.to_string());
        return found(host, *id, exchange, &label, &[*said]);
    }
    Verdict::Unknown {
        missing: format!("whether the certificate that {host} is served covers it"),
        ask: view::ask_for_certificate(host),
    }
}

fn is_of_api_gateway(it: &HttpExchange) -> bool {
    it.status == Some(403) && (it.headers.contains_key("x-amzn-errortype") || it.headers.contains_key("x-amz-apigw-id"))
}

fn found(host: &Name, id: ObservationId, exchange: &HttpExchange, label: &str, cites: &[ObservationId]) -> Verdict {
    let kind = exchange.headers.get("x-amzn-errortype").cloned().unwrap_or_else(|| "403".to_owned());
    let what = if kind.starts_with("MissingAuthenticationToken") {
        "no route of the API has this method and path"
    } else {
        "no mapping for this path, the default endpoint switched off, a resource policy, an API key or AWS WAF"
    };
    Finding::new(format!("{host} is served a right certificate, and API Gateway answers 403"), Severity::Note, Strength::Proven)
        .because(
            format!("The certificate is right. API Gateway itself answers 403 ({kind}): {what}."),
            format!("Look at the API mappings of {host}, its routes, disableExecuteApiEndpoint, the API key, the resource policy and AWS WAF, not at the certificate."),
        )
        .verified_by(format!("curl -v https://{host}/"), "a status other than 403")
        .reason(format!("{label} covers {host}"), cites.to_vec())
        .reason(format!("the response is 403, {kind}"), [id])
        .mark(Mark::new(id, "403", Sign::Doubtful, "API Gateway answers, behind TLS"))
        .found()
}
