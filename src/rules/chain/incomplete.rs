//! `chain.incomplete`: the server does not send the intermediate certificate.

use crate::case::{Case, Connection};
use crate::evidence::{ObservationId, Says};
use crate::name::Name;
use crate::rules::view::{self, Coverage};
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule, issuers, presented};
use crate::tls::{ChainState, Side, Transport};
use crate::x509::details;
use crate::x509::roots::Roots;

declare_rule! {
    /// # What it finds
    ///
    /// The last certificate that the server sends was issued by one that is neither sent nor a trusted
    /// root. It is a warning where certificate timestamps show a public authority, and a note where the
    /// issuer can as well be a private root that is rightly left out (`chain.private_ca`).
    ///
    /// # Why it matters
    ///
    /// A client that has not met the intermediate before cannot build the chain and refuses; a browser that
    /// has it, or fetches it, works. So the same site fails for some clients only.
    ///
    /// # What it needs
    ///
    /// The chain as sent. A client that says so (`unable to get local issuer certificate`, the alert
    /// unknown_ca) proves it. It is ruled out when the chain sent leads to a root.
    ///
    /// # What to do
    ///
    /// Install the leaf together with its intermediate certificates (the file that authorities call
    /// fullchain).
    ///
    /// # References
    ///
    /// RFC 5280 section 6; RFC 8446 section 4.4.2.
    "chain.incomplete", "the server does not send its intermediate certificate",
    since "0.1.0", cap 0.95, rank 620
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = &case.host else {
        return Verdict::NotApplicable;
    };
    let refused = view::said(case, Says::ChainUntrusted);
    let shown: Vec<_> = view::shown(case).into_iter().filter(|it| it.coverage != Coverage::DoesNotCover).collect();
    let sent = shown
        .iter()
        .find(|it| it.connection.handshake.chain_state == ChainState::Seen && is_whole(case, it.connection));
    let Some(it) = sent else {
        return match refused.first() {
            Some((_, verdict)) => Verdict::Unknown {
                missing: format!("the certificates that {host} sends, which {} does not trust", verdict.client),
                ask: view::ask_for_certificate(host),
            },
            None => Verdict::NotApplicable,
        };
    };
    let mut last = it.leaf.certificate;
    let mut cites = vec![it.leaf.id];
    for leaf in it.connection.chain.iter().skip(1) {
        if leaf.certificate.subject == last.issuer && leaf.certificate.subject != last.subject {
            last = leaf.certificate;
            cites.push(leaf.id);
        }
    }
    let (Some(subject), Some(issuer)) = (&last.subject, &last.issuer) else {
        return Verdict::NotApplicable;
    };
    let roots = &case.known.roots;
    if subject == issuer || roots.has(issuer) || roots.has(subject) {
        let because = format!("the chain sent leads to {}", if subject == issuer { subject } else { issuer });
        return Verdict::Clear { because, cites };
    }
    let own = presented::of(case).into_iter().find(|own| issuers::is_untrusted_by_all(case, own));
    if let Some(own) = own {
        let because = format!("no client has the root of {issuer}, whatever is sent");
        return Verdict::Clear { because, cites: own.cites() };
    }
    let proof = refused.first().map(|(id, verdict)| (*id, format!("{} says: {}", verdict.client, verdict.words)));
    found((host, roots), it.connection, &cites, issuer, proof.or_else(|| unknown_ca(it.connection)))
}

/// Whether the evidence shows all certificates sent: a capture does, and s_client; curl names the leaf, and
/// x509 behind a pipe prints one.
fn is_whole(case: &Case<'_>, connection: &Connection<'_>) -> bool {
    match case.around.run(connection.source, connection.handshake.run).map(|(_, run)| run.tool.as_str()) {
        Some("openssl x509") => return false,
        // Code 21 is about a chain of one certificate (X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE).
        Some("openssl s_client") if says_alone(case, connection) => return true,
        _ => {}
    }
    let of_capture = connection.handshake.transport != Transport::Text;
    of_capture || connection.chain.len() > 1 || connection.leaf().is_some_and(|leaf| leaf.certificate.sha256.is_some())
}

/// Whether the s_client of a connection says that it was sent one certificate, whose issuer it does not have.
fn says_alone(case: &Case<'_>, connection: &Connection<'_>) -> bool {
    let said = view::said(case, Says::ChainUntrusted).into_iter();
    let is_here = |id: ObservationId| {
        let place = case.evidence.observation(id).and_then(|it| it.at.first());
        place.is_some_and(|place| place.source() == connection.source)
    };
    let mut own =
        said.filter(|(id, it)| it.run == connection.handshake.run && it.code.as_deref() == Some("21") && is_here(*id));
    connection.chain.len() == 1 && own.next().is_some()
}

fn unknown_ca(connection: &Connection<'_>) -> Option<(ObservationId, String)> {
    let (id, _) = connection
        .alerts
        .iter()
        .find(|(_, alert)| alert.from == Side::Client && alert.description.as_deref() == Some("unknown_ca"))?;
    Some((*id, "the client answers with the alert unknown_ca".to_owned()))
}

fn found(
    (host, roots): (&Name, &Roots),
    connection: &Connection<'_>,
    cites: &[ObservationId],
    issuer: &str,
    proof: Option<(ObservationId, String)>,
) -> Verdict {
    let is_public = crate::x509::roots::runs_a_root(issuer)
        || connection.leaf().and_then(|leaf| details::of(leaf.certificate)).is_some_and(|it| it.scts > 0);
    let (severity, strength) = match (&proof, cites.len()) {
        (Some(_), 1) if is_public => (Severity::Error, Strength::Proven),
        (Some(_), 1) => (Severity::Error, Strength::Strong),
        (Some(_), _) => (Severity::Error, Strength::Consistent),
        (None, 1) if is_public => (Severity::Warning, Strength::Strong),
        (None, _) => (Severity::Note, Strength::Consistent),
    };
    let sent = connection.chain.len();
    let mut finding = Finding::new(format!("{host} sends a chain without its intermediate certificate"), severity, strength)
        .because(
            format!("The server sends {sent} certificate{} and leaves out the one of the issuer, {issuer}. Clients that do not have it cannot build the chain.", if sent == 1 { "" } else { "s" }),
            "Install the leaf together with its intermediate certificates (the file that authorities call fullchain).",
        )
        .verified_by(
            view::ask_for_certificate(host),
            format!("a second certificate with the subject {issuer}"),
        )
        .reason(format!("the last certificate sent was issued by {issuer}, which is neither sent nor a root ({})", roots.dated()), cites.to_vec());
    if let Some(id) = cites.last() {
        finding = finding.mark(Mark::new(*id, issuer, Sign::Wrong, "its issuer is not sent"));
    }
    if let Some((id, words)) = proof {
        finding = finding.reason(words, [id]).mark(Mark::new(id, "unable", Sign::Wrong, "the chain cannot be built"));
    }
    finding.found()
}
