//! A server that refuses the versions or ciphers offered: what `tls.parameters_refused` and
//! `apigw.tls_policy_rejects` share.

use crate::case::Case;
use crate::evidence::ObservationId;
use crate::name::Name;
use crate::rules::refusal::{self, Refusal};
use crate::rules::view;
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict};
use crate::tls::SniState;

/// In what the two rules differ.
pub(in crate::rules) struct Server {
    /// The cause, after what was refused.
    pub(in crate::rules) cause: &'static str,
    /// The cure.
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
    let shown_by = aws.into_iter().next();
    let refusals = refusal::all(case);
    let of_parameters = refusals.iter().find(|it| PARAMETERS.contains(&it.description.as_str()));
    if let Some(it) = of_parameters {
        return of_refusal(case, host, server, it, shown_by);
    }
    if let Some((id, words)) = refusal::words(case).into_iter().find(|(_, words)| names_version(words)) {
        return found(host, server, (id, "version"), Strength::Strong, words, shown_by).found();
    }
    let vague = refusals.iter().find(|it| it.description == "handshake_failure");
    if let Some(it) = vague.filter(|it| it.connection.handshake.sni_state != SniState::Absent) {
        return of_handshake_failure(case, host, server, it, shown_by);
    }
    if let Some(it) = refusals.first() {
        let because = format!("the alert is {}, which does not speak of versions or ciphers", it.description);
        let because = if it.connection.handshake.sni_state == SniState::Absent {
            "the client that was refused sent no server name".to_owned()
        } else {
            because
        };
        return Verdict::Clear { because, cites: view::cites([it.alert, it.connection.id]) };
    }
    match refusal::words(case).first() {
        Some((_, words)) => Verdict::Unknown {
            missing: format!("the alert behind these words: {words}"),
            ask: refusal::ask_for_versions(host),
        },
        None => Verdict::NotApplicable,
    }
}

/// The alerts that speak of versions and ciphers.
const PARAMETERS: &[&str] = &["protocol_version", "insufficient_security"];

/// Words for the alert protocol_version; a client that refuses by itself says other ones.
fn names_version(words: &str) -> bool {
    let lower = words.to_lowercase().replace('_', " ");
    lower.contains("alert protocol version") || lower.contains("protocol version alert")
}

fn of_refusal(
    case: &Case<'_>,
    host: &Name,
    server: &Server,
    it: &Refusal<'_, '_>,
    shown_by: Option<(String, Vec<ObservationId>)>,
) -> Verdict {
    let other = other_versions(case, it);
    let strength = if other.is_some() { Strength::Proven } else { Strength::Strong };
    let text = format!("the server answered with the alert {}", it.description);
    let mut finding = found(host, server, (it.alert, &it.description), strength, text, shown_by);
    let offered = it.connection.handshake.versions.join(", ");
    if !offered.is_empty() {
        finding = finding.reason(format!("the client offered {offered}"), [it.connection.id]);
    }
    if let Some((id, text)) = other {
        finding = finding.reason(text, [id]);
    }
    finding.found()
}

fn of_handshake_failure(
    case: &Case<'_>,
    host: &Name,
    server: &Server,
    it: &Refusal<'_, '_>,
    shown_by: Option<(String, Vec<ObservationId>)>,
) -> Verdict {
    let Some((id, text)) = other_versions(case, it) else {
        return Verdict::Unknown {
            missing: format!(
                "whether other versions or ciphers are accepted for {host}; handshake_failure alone does not say"
            ),
            ask: refusal::ask_for_versions(host),
        };
    };
    let alert = "the server answered with the alert handshake_failure".to_owned();
    let mut finding =
        found(host, server, (it.alert, "handshake_failure"), Strength::Strong, alert, shown_by).reason(text, [id]);
    let offered = it.connection.handshake.versions.join(", ");
    if !offered.is_empty() {
        finding = finding.reason(format!("the client offered {offered}"), [it.connection.id]);
    }
    finding.found()
}

/// A handshake for the same name that the server answered, with a version that the refused client did
/// not offer.
fn other_versions(case: &Case<'_>, it: &Refusal<'_, '_>) -> Option<(ObservationId, String)> {
    let refused = it.connection.handshake;
    let other = refusal::answered(case, it.connection).filter(|other| other.handshake.sni == refused.sni)?;
    let version = other.handshake.version.clone()?;
    let is_new = !refused.versions.is_empty() && !refused.versions.contains(&version);
    is_new.then(|| (other.id, format!("a handshake with {version} is answered")))
}

fn found(
    host: &Name,
    server: &Server,
    (alert, words): (ObservationId, &str),
    strength: Strength,
    text: String,
    shown_by: Option<(String, Vec<ObservationId>)>,
) -> Finding {
    let finding = Finding::new(
        format!("{host}: the server refuses the versions or ciphers that the client offers"),
        Severity::Error,
        strength,
    )
    .because(server.cause, server.remedy)
    .verified_by(format!("openssl s_client -connect {host}:443 -servername {host} -tls1_2 </dev/null"), "a certificate")
    .reason(text, [alert])
    .mark(Mark::new(alert, words, Sign::Wrong, "the server ends the handshake"));
    match shown_by {
        Some((text, cites)) => finding.reason(text, cites),
        None => finding,
    }
}
