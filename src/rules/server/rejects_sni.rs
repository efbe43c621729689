//! `server.rejects_sni`: the server says that it does not know the name.

use crate::case::{Case, Connection, Leaf};
use crate::evidence::ObservationId;
use crate::name::Name;
use crate::rules::refusal;
use crate::rules::view::{self, Coverage};
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule};
use crate::tls::{Side, SniState};

declare_rule! {
    /// # What it finds
    ///
    /// The client asked for the host, and the server answered with the alert unrecognized_name.
    ///
    /// # Why it matters
    ///
    /// The server has no configuration for this name. As a fatal alert it ends the handshake without any
    /// certificate; as a warning the server goes on with its default one, which some clients (Java up to 8)
    /// take for fatal.
    ///
    /// # What it needs
    ///
    /// The SNI and the alert, or a client's words for it. It is ruled out when another alert came, or when
    /// a certificate for the host follows the warning.
    ///
    /// # What to do
    ///
    /// Add the name to the server's configuration (`server_name`, `ServerAlias`), or let DNS lead to the
    /// server that has it. Verify with `openssl s_client -servername`.
    ///
    /// # References
    ///
    /// RFC 6066 section 3; RFC 8446 section 6.2.
    "server.rejects_sni", "the server says that it does not know the name",
    since "0.1.0", cap 0.9, rank 180
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = &case.host else {
        return Verdict::NotApplicable;
    };
    let refusals = refusal::all(case);
    let unknown = |description: &str| description == "unrecognized_name";
    if let Some(it) = refusals.iter().find(|it| it.connection.asks_for(host) && unknown(&it.description)) {
        let text = "the server answered with the fatal alert unrecognized_name and no certificate";
        return found(host, text, Strength::Proven, it.alert, "unrecognized_name", Some(it.connection));
    }
    if let Some((connection, alert)) = warned(case, host) {
        return after_warning(host, connection, alert);
    }
    if let Some((id, text)) = refusal::words(case).into_iter().find(|(_, text)| refusal::is_about_name(text)) {
        let is_silent = |it: &&Connection<'_>| it.leaf().is_none() && it.handshake.sni_state != SniState::Sent;
        return match case.connections.iter().find(is_silent) {
            Some(it) => without_name(host, it),
            None => found(host, &text, Strength::Strong, id, "name", None),
        };
    }
    if let Some(it) = refusals.first() {
        let because = format!("the alert is {}", it.description);
        return Verdict::Clear { because, cites: view::cites([it.alert, it.connection.id]) };
    }
    match refusal::words(case).first() {
        Some((_, text)) => Verdict::Unknown {
            missing: format!("the alert behind these words: {text}"),
            ask: view::ask_for_certificate(host),
        },
        None => Verdict::NotApplicable,
    }
}

/// A client that sent no name, or of which nobody knows, was not refused for its name.
fn without_name(host: &Name, connection: &Connection<'_>) -> Verdict {
    if view::sent_no_name(connection) {
        return Verdict::Clear { because: "the client sent no server name".to_owned(), cites: vec![connection.id] };
    }
    Verdict::Unknown { missing: format!("whether the client sent {host}"), ask: view::ask_for_certificate(host) }
}

/// A handshake for the host with the alert as a warning.
fn warned<'c, 'e>(case: &'c Case<'e>, host: &Name) -> Option<(&'c Connection<'e>, ObservationId)> {
    case.connections.iter().filter(|it| it.asks_for(host)).find_map(|it| {
        let alert = it
            .alerts
            .iter()
            .find(|(_, alert)| alert.from == Side::Server && alert.description.as_deref() == Some("unrecognized_name"));
        alert.map(|(id, _)| (it, *id))
    })
}

fn after_warning(host: &Name, connection: &Connection<'_>, alert: ObservationId) -> Verdict {
    match connection.leaf().map(|leaf| (leaf, view::coverage(leaf, host))) {
        Some((leaf, Coverage::Covers)) => Verdict::Clear {
            because: format!("a certificate that covers {host} follows the warning"),
            cites: view::cites([alert, connection.id, leaf.id]),
        },
        Some((leaf, Coverage::Unknown)) => unseen_names(host, connection, leaf, alert),
        Some(_) => {
            let text = "the server warned with unrecognized_name and presented another name's certificate";
            found(host, text, Strength::Proven, alert, "unrecognized_name", Some(connection))
        }
        None => Verdict::Unknown {
            missing: format!("the certificate that follows the warning for {host}"),
            ask: view::ask_for_certificate(host),
        },
    }
}

/// After the warning comes a certificate of which only the subject is shown: the name is not known there, and
/// what the certificate covers is open.
fn unseen_names(host: &Name, connection: &Connection<'_>, leaf: &Leaf<'_>, alert: ObservationId) -> Verdict {
    let common = leaf.certificate.common_name();
    if common.is_some_and(|name| crate::name::match_dns(host, name).is_ok()) {
        return Verdict::Unknown {
            missing: format!("whether the certificate that follows the warning covers {host}"),
            ask: view::ask_for_identifiers(host),
        };
    }
    let text = "the server warned with unrecognized_name and went on with a certificate that it has for another name";
    match found(host, text, Strength::Strong, alert, "unrecognized name", Some(connection)) {
        Verdict::Found(finding) => {
            let title = common.map_or_else(|| leaf.label(), str::to_owned);
            let mut finding = finding.reason(format!("the certificate that follows is called {title}"), [leaf.id]);
            finding.severity = Severity::Warning;
            finding.confirmed_if(format!("the certificate does not cover {host}")).found()
        }
        other => other,
    }
}

fn found(
    host: &Name,
    text: &str,
    strength: Strength,
    alert: ObservationId,
    words: &str,
    connection: Option<&Connection<'_>>,
) -> Verdict {
    let mut finding = Finding::new(format!("the server does not know the name {host}"), Severity::Error, strength)
        .because(
            format!("The server that the client reached has no configuration for {host} and says so (unrecognized_name)."),
            format!("Add {host} to the server's configuration with its certificate, or let DNS lead to the server that has it: dig {host}."),
        )
        .verified_by(view::ask_for_certificate(host), format!("a certificate that covers {host}"))
        .reason(text, [alert])
        .mark(Mark::new(alert, words, Sign::Wrong, "the server does not know this name"));
    if let Some(connection) = connection {
        finding = finding
            .reason(format!("the client asked for {host}"), [connection.id])
            .mark(view::asked_mark(connection.id, host));
    }
    finding.found()
}
