//! `apigw.sni_required`: the front end refuses a handshake without a server name that it knows.

use crate::case::{Case, Connection};
use crate::evidence::ObservationId;
use crate::name::Name;
use crate::provider::execute_api;
use crate::rules::view;
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule};
use crate::tls::{ChainState, Side, SniState};

declare_rule! {
    /// # What it finds
    ///
    /// A ClientHello without a server name, answered with a fatal alert instead of a certificate, by a
    /// server that DNS shows to be API Gateway or CloudFront.
    ///
    /// # Why it matters
    ///
    /// These front ends choose the certificate by the server name alone; without one they end the
    /// handshake.
    ///
    /// # What it needs
    ///
    /// The ClientHello, the alert, and an AWS name in DNS. A handshake that sends the name and is answered
    /// proves it. It is ruled out when a handshake without a name is answered with a certificate.
    ///
    /// # What to do
    ///
    /// Make the client send the host's name (`-servername`, `proxy_ssl_server_name on`, …) and do not
    /// connect by address.
    ///
    /// # References
    ///
    /// RFC 6066 section 3; RFC 8446 section 6.2.
    "apigw.sni_required", "the front end refuses a handshake without a server name",
    since "0.1.0", cap 0.85, rank 190
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = &case.host else {
        return Verdict::NotApplicable;
    };
    let Some((target, cites)) = view::aws_target(case).or_else(|| itself(case, host)) else {
        return Verdict::NotApplicable;
    };
    let silent: Vec<&Connection<'_>> = case.connections.iter().filter(|it| view::sent_no_name(it)).collect();
    if let Some(it) = silent.iter().find(|it| it.handshake.chain_state == ChainState::Seen) {
        let because = "a handshake without a server name is answered with a certificate".to_owned();
        return Verdict::Clear { because, cites: vec![it.id] };
    }
    for connection in &silent {
        if let Some(alert) = refusal(connection) {
            return found(case, host, &target, &cites, connection, &alert);
        }
    }
    if !silent.is_empty() {
        return Verdict::Unknown {
            missing: format!("how the server answers {host}'s client, which sends no server name"),
            ask: format!("openssl s_client -connect {host}:443 -noservername </dev/null"),
        };
    }
    let named = case.connections.iter().find(|it| it.handshake.sni_state == SniState::Sent);
    match named {
        Some(it) => Verdict::Clear {
            because: format!("SNI is {}", it.handshake.sni.clone().unwrap_or_default()),
            cites: vec![it.id],
        },
        None => Verdict::NotApplicable,
    }
}

/// The host where it is one of API Gateway's own, with a connection to it.
fn itself(case: &Case<'_>, host: &Name) -> Option<(Name, Vec<ObservationId>)> {
    let connection = case.connections.first().filter(|_| execute_api::host(host).is_some())?;
    Some((host.clone(), vec![connection.id]))
}

/// A fatal alert of the server, by name.
fn refusal(connection: &Connection<'_>) -> Option<(ObservationId, String)> {
    let fatal = connection.alerts.iter().find(|(_, alert)| {
        alert.from == Side::Server && alert.description.as_deref().is_some_and(|it| REFUSALS.contains(&it))
    });
    fatal.map(|(id, alert)| (*id, alert.description.clone().unwrap_or_default()))
}

fn leads(host: &Name, target: &Name) -> String {
    if host == target { format!("{host} is a host of API Gateway") } else { format!("{host} leads to {target}") }
}

fn found(
    case: &Case<'_>,
    host: &Name,
    target: &Name,
    cites: &[ObservationId],
    connection: &Connection<'_>,
    (alert, description): &(ObservationId, String),
) -> Verdict {
    let named = view::covering(case);
    let strength = if named.is_some() { Strength::Proven } else { Strength::Strong };
    let mut finding =
        Finding::new(format!("{host}: the server refuses a client that sends no server name"), Severity::Error, strength)
            .because(
                format!("The client sent no server name (SNI). The front end of {target} chooses the certificate by that name and ended the handshake ({description})."),
                format!("Make the client send the server name {host} (-servername, proxy_ssl_server_name on, …), and do not connect by address."),
            )
            .verified_by(
                format!("openssl s_client -connect {host}:443 -servername {host} </dev/null"),
                format!("a certificate that covers {host}"),
            )
            .reason(leads(host, target), cites.to_vec())
            .reason("the client sent no server name", [connection.id])
            .reason(format!("the server answered with the alert {description}"), [*alert])
            .mark(Mark::new(connection.id, "none", Sign::Wrong, "no server name was sent"))
            .mark(Mark::new(*alert, description, Sign::Wrong, "the server ends the handshake"));
    if let Some(it) = named {
        finding = finding.reason(
            format!("a handshake that sent {host} was served {}, which covers it", it.label()),
            [it.connection.id, it.leaf.id],
        );
    }
    finding.found()
}

/// The alerts with which servers refuse a missing or unknown name.
const REFUSALS: &[&str] = &["handshake_failure", "unrecognized_name", "internal_error"];
