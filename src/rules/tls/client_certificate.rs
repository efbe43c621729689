//! A server that asks for a client's certificate and gets none: what `tls.client_certificate_required`
//! and `apigw.mtls_client_cert` share.

use crate::case::{Case, Connection};
use crate::evidence::ObservationId;
use crate::name::Name;
use crate::rules::refusal;
use crate::rules::view;
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict};
use crate::tls::Side;

/// In what the two rules differ.
pub(in crate::rules) struct Server {
    /// The cure; `{host}` is replaced.
    pub(in crate::rules) remedy: &'static str,
    /// Whether the rule is about API Gateway.
    pub(in crate::rules) is_apigw: bool,
}

/// What a rule says of a case.
pub(in crate::rules) fn check(case: &Case<'_>, server: &Server) -> Verdict {
    let aws = refusal::aws(case);
    let Some(host) = case.host.as_ref().filter(|_| aws.is_some() == server.is_apigw) else {
        return Verdict::NotApplicable;
    };
    let asked = case.connections.iter().find(|it| it.handshake.certificate_requested);
    let proof = asked.and_then(refused).or_else(|| case.connections.iter().find_map(required));
    if let Some((connection, id, words)) = proof {
        return found(
            host,
            server,
            (id, &words),
            Some(connection),
            aws,
            format!("the server answered with the alert {words}"),
        );
    }
    if let Some((id, text)) = refusal::words(case).into_iter().find(|(_, text)| names_it(text)) {
        return found(host, server, (id, "certificate"), None, aws, text);
    }
    let Some(connection) = asked else {
        return Verdict::NotApplicable;
    };
    if !connection.handshake.client_chain.is_empty() {
        let because = "the client sent a certificate".to_owned();
        return Verdict::Clear { because, cites: vec![connection.id] };
    }
    match denied(case) {
        Some((id, status)) => {
            let text = format!("the server asked for a client certificate and answers {status}");
            of_answer(found(host, server, (id, &status.to_string()), Some(connection), aws, text), server, status)
        }
        None => Verdict::Unknown {
            missing: format!("whether {host} goes on without the client certificate that it asks for"),
            ask: format!("curl -v https://{host}/ and curl -v --cert CERT --key KEY https://{host}/"),
        },
    }
}

/// The alert with which a server ends a handshake in which it had asked for a certificate and got none.
fn refused<'c, 'e>(connection: &'c Connection<'e>) -> Option<(&'c Connection<'e>, ObservationId, String)> {
    let sent_none = connection.handshake.client_chain.is_empty();
    let is_fatal = |alert: &crate::tls::Alert| alert.from == Side::Server && alert.level.as_deref() != Some("warning");
    let (id, alert) = connection.alerts.iter().find(|(_, alert)| is_fatal(alert)).filter(|_| sent_none)?;
    let description = alert.description.clone().filter(|it| REFUSALS.contains(&it.as_str()))?;
    Some((connection, *id, description))
}

/// The alert certificate_required, which says it by itself (RFC 8446 section 6.2).
fn required<'c, 'e>(connection: &'c Connection<'e>) -> Option<(&'c Connection<'e>, ObservationId, String)> {
    let is_it = |alert: &crate::tls::Alert| {
        alert.from == Side::Server && alert.description.as_deref() == Some("certificate_required")
    };
    let (id, _) = connection.alerts.iter().find(|(_, alert)| is_it(alert))?;
    Some((connection, *id, "certificate_required".to_owned()))
}

fn names_it(text: &str) -> bool {
    let lower = text.to_lowercase().replace('_', " ");
    lower.contains("certificate required") || lower.contains("bad ssl client auth cert")
}

/// A status with which servers answer a request without the client certificate: 400 and 496 of nginx,
/// 403 of API Gateway and others.
fn denied(case: &Case<'_>) -> Option<(ObservationId, u16)> {
    case.exchanges.iter().find_map(|(id, it)| it.status.filter(|it| [400, 403, 496].contains(it)).map(|it| (*id, it)))
}

fn found(
    host: &Name,
    server: &Server,
    (id, words): (ObservationId, &str),
    connection: Option<&Connection<'_>>,
    aws: Option<(String, Vec<ObservationId>)>,
    text: String,
) -> Verdict {
    let proven = connection.is_some_and(|it| it.handshake.certificate_requested);
    let strength = if proven || words == "certificate_required" { Strength::Proven } else { Strength::Strong };
    let mut finding =
        Finding::new(format!("{host} asks for a client certificate and gets none"), Severity::Error, strength)
            .because(
                "The server asks clients for a certificate, this client has none to send, and the server does not go on without it. The server's own certificate is not the fault.",
                server.remedy.replace("{host}", host.as_str()),
            )
            .verified_by(format!("curl -v --cert CERT --key KEY https://{host}/"), "a response, and no alert")
            .reason(text, [id])
            .mark(Mark::new(id, words, Sign::Wrong, "no client certificate was sent"));
    if let Some(connection) = connection.filter(|it| it.handshake.certificate_requested) {
        finding = finding.reason("the server sent a CertificateRequest and the client no certificate", [connection.id]);
    }
    if let Some((text, cites)) = aws {
        finding = finding.reason(text, view::cites(cites));
    }
    finding.found()
}

/// The alerts with which servers refuse a client without a certificate.
/// The finding where a response came: the handshake is right. API Gateway asks only those whose certificate
/// it needs; another server may do without it, and forbids for other reasons as well.
fn of_answer(verdict: Verdict, server: &Server, status: u16) -> Verdict {
    let Verdict::Found(mut finding) = verdict else { return verdict };
    (finding.severity, finding.strength) = match status {
        FORBIDDEN if !server.is_apigw => (Severity::Note, Strength::Consistent),
        _ => (Severity::Warning, Strength::Strong),
    };
    Verdict::Found(finding)
}

const FORBIDDEN: u16 = 403;
const REFUSALS: &[&str] =
    &["certificate_required", "handshake_failure", "bad_certificate", "access_denied", "certificate_unknown"];
