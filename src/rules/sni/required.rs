//! `sni.required`: a server ends handshakes without a server name.

use crate::case::Case;
use crate::name::Name;
use crate::rules::refusal::{self, Refusal};
use crate::rules::view;
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule};
use crate::tls::{ChainState, SniState};

declare_rule! {
    /// # What it finds
    ///
    /// A ClientHello without a server name, answered with a fatal alert instead of a certificate.
    ///
    /// # Why it matters
    ///
    /// The server chooses the certificate by the server name alone and has no default one. Clients and
    /// health checks that send no name cannot connect.
    ///
    /// # What it needs
    ///
    /// The ClientHello and the alert. A handshake with the same server that sends a name and is answered
    /// proves it. It is ruled out when the refused client sent a name, or when one without a name is
    /// answered. Where DNS shows API Gateway or CloudFront it is `apigw.sni_required`.
    ///
    /// # What to do
    ///
    /// Make the client send the host's name, and do not connect by address. Verify with
    /// `openssl s_client -servername`.
    ///
    /// # References
    ///
    /// RFC 6066 section 3; RFC 8446 section 6.2.
    "sni.required", "the server refuses a handshake without a server name", since "0.1.0", cap 0.85, rank 191
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = case.host.as_ref().filter(|_| refusal::aws(case).is_none()) else {
        return Verdict::NotApplicable;
    };
    let silent: Vec<_> = case.connections.iter().filter(|it| view::sent_no_name(it)).collect();
    if let Some(it) = silent.iter().find(|it| it.handshake.chain_state == ChainState::Seen) {
        let because = "a handshake without a server name is answered with a certificate".to_owned();
        return Verdict::Clear { because, cites: vec![it.id] };
    }
    let refusals = refusal::all(case);
    if let Some(it) = refusals.iter().find(|it| view::sent_no_name(it.connection)) {
        return of_refusal(case, host, it);
    }
    if let Some(it) = refusals.iter().find(|it| it.connection.handshake.sni_state == SniState::Sent) {
        let because =
            format!("the client that was refused sent {}", it.connection.handshake.sni.clone().unwrap_or_default());
        return Verdict::Clear { because, cites: vec![it.connection.id] };
    }
    let said = refusal::words(case).into_iter().find(|(_, text)| refusal::is_about_name(text));
    match (silent.first(), said) {
        (Some(it), Some((id, text))) => headed(host, "unrecognized_name", Strength::Strong)
            .reason("the client sent no server name", [it.id])
            .reason(text, [id])
            .mark(Mark::new(it.id, "none", Sign::Wrong, "no server name was sent"))
            .mark(Mark::new(id, "unrecognized name", Sign::Wrong, "the server ends the handshake"))
            .found(),
        (Some(_), None) => Verdict::Unknown {
            missing: format!("how the server of {host} answers a client that sends no server name"),
            ask: format!("openssl s_client -connect {host}:443 -noservername </dev/null"),
        },
        (None, _) => Verdict::NotApplicable,
    }
}

/// The finding without its reasons.
fn headed(host: &Name, alert: &str, strength: Strength) -> Finding {
    let (cure, name) = match host.ip() {
        Some(_) => (
            "Use the host's name and not the address: for an address no client sends a server name.".to_owned(),
            "HOST".to_owned(),
        ),
        None => (
            format!(
                "Make the client send the server name {host} (-servername, proxy_ssl_server_name on, check-sni, …), and do not connect by address."
            ),
            host.to_string(),
        ),
    };
    let cause = format!(
        "The client sent no server name (SNI). The server has no certificate for such clients and ended the handshake ({alert})."
    );
    Finding::new(format!("{host}: the server refuses a client that sends no server name"), Severity::Error, strength)
        .because(cause, cure)
        .verified_by(
            format!("openssl s_client -connect {host}:443 -servername {name} </dev/null"),
            format!("a certificate that covers {name}"),
        )
}

fn of_refusal(case: &Case<'_>, host: &Name, it: &Refusal<'_, '_>) -> Verdict {
    let named = refusal::answered(case, it.connection).filter(|other| other.handshake.sni_state == SniState::Sent);
    let strength = match (named, it.description.as_str()) {
        (Some(_), _) => Strength::Proven,
        (None, "unrecognized_name") => Strength::Strong,
        (None, "handshake_failure" | "internal_error") => Strength::Consistent,
        _ => {
            let because = format!("the alert {} speaks of something else", it.description);
            return Verdict::Clear { because, cites: vec![it.alert] };
        }
    };
    let mut finding = headed(host, &it.description, strength)
        .reason("the client sent no server name", [it.connection.id])
        .reason(format!("the server answered with the alert {}", it.description), [it.alert])
        .mark(Mark::new(it.connection.id, "none", Sign::Wrong, "no server name was sent"))
        .mark(Mark::new(it.alert, it.description.clone(), Sign::Wrong, "the server ends the handshake"));
    if let Some(other) = named {
        let name = other.handshake.sni.clone().unwrap_or_default();
        finding = finding.reason(format!("a handshake that sent {name} was answered"), [other.id]);
    }
    finding.found()
}
