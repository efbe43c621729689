//! `cert.revoked_alert`: a client says that the certificate is revoked.

use crate::case::Case;
use crate::evidence::ObservationId;
use crate::rules::presented;
use crate::rules::view;
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule};
use crate::tls::Side;

declare_rule! {
    /// # What it finds
    ///
    /// A client that answers the certificate with the alert certificate_revoked, or says so in its words.
    ///
    /// # Why it matters
    ///
    /// The authority has withdrawn the certificate: clients that look at revocation refuse it, the others go
    /// on, so the same site fails for some only.
    ///
    /// # What it needs
    ///
    /// The alert or the words. Whether it is revoked cannot be told offline. Another reason that the client
    /// gives rules it out; the alerts bad_certificate and certificate_unknown give none.
    ///
    /// # What to do
    ///
    /// Replace the certificate, with a new key if the old one was lost, and look at `openssl ocsp` or the
    /// authority's revocation list.
    ///
    /// # References
    ///
    /// RFC 5280 section 5.3.1; RFC 8446 section 6.2.
    "cert.revoked_alert", "a client says that the certificate is revoked", since "0.1.0", cap 0.8, rank 610
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = &case.host else {
        return Verdict::NotApplicable;
    };
    let alerts: Vec<(ObservationId, &str)> = case
        .connections
        .iter()
        .flat_map(|connection| &connection.alerts)
        .filter(|(_, alert)| alert.from == Side::Client)
        .filter_map(|(id, alert)| Some((*id, alert.description.as_deref()?)))
        .collect();
    if let Some((id, alert)) = alerts.iter().find(|(_, alert)| *alert == "certificate_revoked") {
        let text = "the client answers with the alert certificate_revoked".to_owned();
        return found(case, *id, alert, text, Strength::Proven);
    }
    let told = case.verdicts.iter().find(|(_, verdict)| verdict.words.to_lowercase().contains("revoked"));
    if let Some((id, verdict)) = told {
        let word = if verdict.words.contains("REVOKED") { "REVOKED" } else { "revoked" };
        let text = format!("{} says: {}", verdict.client, verdict.words);
        return found(case, *id, word, text, Strength::Strong);
    }
    if let Some((id, alert)) = alerts.iter().find(|(_, alert)| REASONS.contains(alert)) {
        return Verdict::Clear { because: format!("the client's alert is {alert}"), cites: vec![*id] };
    }
    let covered = view::covering(case).is_some();
    match alerts.iter().find(|(_, alert)| VAGUE.contains(alert)) {
        Some((_, alert)) if covered => Verdict::Unknown {
            missing: format!("why the client of {host} refuses the certificate; its alert {alert} does not say"),
            ask: "the client's own log, or openssl ocsp -issuer ISSUER.pem -cert LEAF.pem -url OCSP_URL".to_owned(),
        },
        _ => Verdict::NotApplicable,
    }
}

fn found(case: &Case<'_>, id: ObservationId, words: &str, text: String, strength: Strength) -> Verdict {
    let host = case.host.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut finding = Finding::new(
        format!("{host} is served a certificate that a client calls revoked"),
        Severity::Error,
        strength,
    )
    .because(
        "The authority has revoked the certificate, says the client; clients that look at revocation refuse it.",
        "Have the certificate issued again (with a new key if the old one was lost) and deploy it on every node.",
    )
    .verified_by("openssl ocsp -issuer ISSUER.pem -cert LEAF.pem -url OCSP_URL", "good")
    .reason(text, [id])
    .mark(Mark::new(id, words, Sign::Wrong, "the client's own reason"));
    if let Some(it) = presented::of(case).first() {
        let serial = it.leaf.certificate.serial.clone().unwrap_or_else(|| "unknown".to_owned());
        finding = finding.reason(format!("the certificate is {}, serial {serial}", it.label()), it.cites());
    }
    finding.found()
}

/// Alerts of a client that give another reason.
const REASONS: &[&str] = &["unknown_ca", "certificate_expired", "unsupported_certificate"];

/// Alerts of a client that give none.
const VAGUE: &[&str] = &["bad_certificate", "certificate_unknown"];
