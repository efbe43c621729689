//! `sni.absent`: the client sent no server name, and got the server's default certificate.

use crate::case::Case;
use crate::evidence::{ClientVerdict, ObservationId, Says};
use crate::name::{self, Name};
use crate::provenance::Place;
use crate::rules::view::{self, Coverage, Shown};
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule, tool};
use crate::tls::SniState;

declare_rule! {
    /// # What it finds
    ///
    /// A ClientHello without the server_name extension, answered with a certificate that does not
    /// cover the host that the client had resolved.
    ///
    /// # Why it matters
    ///
    /// One address serves many names. Without a server name the server has to guess and presents its
    /// default certificate; DNS and the certificate of the host are right.
    ///
    /// # What it needs
    ///
    /// The ClientHello and the certificate. A second handshake that sends the name and is served a
    /// covering certificate proves it; a provider's known default makes it strong. Without the ClientHello, a
    /// front end that says in its certificate that no name was sent shows it as well. The words of a client
    /// that is known to go without (Postfix, Python before 2.7.9, Java before 7) fit it where a handshake with
    /// the name is served the right certificate. It is ruled out when the client sent the host's name. For
    /// an `openssl s_client` in a transcript the cause is `tool.no_servername`.
    ///
    /// # What to do
    ///
    /// Use a client or health check that sends the server name, or configure it there. Verify with
    /// `openssl s_client -connect HOST:443 -servername HOST`.
    ///
    /// # References
    ///
    /// RFC 6066 section 3.
    "sni.absent", "the client sent no server name and got the server's default certificate",
    since "0.1.0", cap 0.9, rank 200
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = case.host.as_ref().filter(|host| host.ip().is_none()) else {
        return Verdict::NotApplicable;
    };
    let shown = view::shown(case);
    let silent: Vec<&Shown<'_, '_>> = shown
        .iter()
        .filter(|it| view::sent_no_name(it.connection) && !tool::no_servername::is_s_client(case, it.connection))
        .collect();
    if let Some(it) = silent.iter().find(|it| it.is_wrong()) {
        let right = shown.iter().find(|it| it.coverage == Coverage::Covers && it.connection.asks_for(host));
        let wording = tool::no_servername::Wording {
            cause: format!("The client sent no server name (SNI), so the server presented its default certificate instead of the one for {host}."),
            remedy: "Use a client or health check that sends the server name, or configure it there; as a stopgap make the host's certificate the server's default.".to_owned(),
            reason: "the ClientHello has no server_name extension".to_owned(),
            shown_by: it.connection.id,
        };
        return tool::no_servername::served_default(case, host, it, right, &wording);
    }
    if let Some(verdict) = told_by_certificate(case, host, &shown) {
        return verdict;
    }
    let right = tool::no_servername::named_for(host, &shown);
    if let (Some(right), Some(said)) = (right, of_silent_client(case, host)) {
        return told(case, host, right, said);
    }
    let named = case.connections.iter().find(|it| it.asks_for(host));
    let is_open = |it: &Shown<'_, '_>| it.is_wrong() && it.connection.handshake.sni_state == SniState::Unknown;
    if let Some(connection) = named.filter(|_| silent.is_empty() && !shown.iter().any(is_open)) {
        return Verdict::Clear { because: format!("SNI is {host}"), cites: vec![connection.id] };
    }
    let silent_unseen = case.connections.iter().find(|it| {
        it.handshake.sni_state == SniState::Absent && it.leaf().is_none() && !tool::no_servername::is_s_client(case, it)
    });
    match silent_unseen {
        Some(_) => Verdict::Unknown {
            missing: format!("the certificate that a client without SNI is served instead of {host}'s"),
            ask: format!("openssl s_client -connect {host}:443 -noservername -showcerts </dev/null"),
        },
        None => Verdict::NotApplicable,
    }
}

/// The server says in its certificate that no name reached it, whatever the tool was to send.
fn told_by_certificate(case: &Case<'_>, host: &Name, shown: &[Shown<'_, '_>]) -> Option<Verdict> {
    let own = shown.iter().filter(|it| it.is_wrong() && !tool::no_servername::is_s_client(case, it.connection));
    let (it, row) = own.into_iter().find_map(|it| Some((it, tool::no_servername::says_no_name(case, it)?)))?;
    let right = shown.iter().find(|it| it.coverage == Coverage::Covers && it.connection.asks_for(host));
    let wording = tool::no_servername::Wording {
        cause: "The server itself says in its certificate that no server name (SNI) reached it: the client sent none, or something before the server ended TLS and sent none.".to_owned(),
        remedy: format!(
            "Make the client, or the proxy before the server, send the server name {host}. Java before 8u141 sends none where a program brings its own HostnameVerifier (JDK-8144566)."
        ),
        reason: tool::no_servername::certificate_says(case, it, row),
        shown_by: it.leaf.id,
    };
    Some(tool::no_servername::served_default(case, host, it, right, &wording))
}

/// Whether the words of a client are explained by a missing server name.
pub(in crate::rules) fn is_told(case: &Case<'_>, host: &Name) -> bool {
    let shown = view::shown(case);
    let right = tool::no_servername::named_for(host, &shown).is_some();
    right && of_silent_client(case, host).is_some()
}

/// The words of a client that may have sent no name, about a handshake that nothing else shows.
fn of_silent_client<'e>(case: &Case<'e>, host: &Name) -> Option<(ObservationId, &'e ClientVerdict)> {
    let place = |id| case.evidence.observation(id).and_then(|it| it.at.first()).map(Place::source);
    let is_shown = |id, run| case.connections.iter().any(|it| it.handshake.run == run && Some(it.source) == place(id));
    let covers = |it: &ClientVerdict| it.presented.iter().any(|label| name::match_dns(host, label).is_ok());
    let said = view::said(case, Says::NameMismatch).into_iter().map(|(id, it)| (id, *it));
    said.into_iter().find(|(id, it)| habit(&it.client).is_some() && !covers(it) && !is_shown(*id, it.run))
}

/// When a client sends no server name, and what makes it send one.
fn habit(client: &str) -> Option<(&'static str, &'static str)> {
    let (_, when, cure) = HABITS.iter().find(|(of, ..)| *of == client)?;
    Some((when, cure))
}

fn told(case: &Case<'_>, host: &Name, right: &Shown<'_, '_>, (id, said): (ObservationId, &ClientVerdict)) -> Verdict {
    let (when, cure) = habit(&said.client).unwrap_or_default();
    let presented = said.presented.first();
    let label = presented.map_or_else(|| "another name".to_owned(), Clone::clone);
    let differs = |it: &Shown<'_, '_>| it.leaf.certificate.subject != right.leaf.certificate.subject;
    let is_other = |it: &Shown<'_, '_>| it.is_wrong() || (it.coverage == Coverage::Unknown && differs(it));
    let refused = match presented {
        Some(_) => format!("does not cover {host}"),
        None => format!("{} was shown another name", said.client),
    };
    let silent = view::shown(case).into_iter().find(|it| is_other(it) && view::sent_no_name(it.connection));
    let strength = if silent.is_some() { Strength::Strong } else { Strength::Consistent };
    let mut finding = Finding::new(
        format!("{host} is served the certificate of {label} where {} sends no server name", said.client),
        Severity::Error,
        strength,
    )
    .because(
        format!("{when}, and the server then presents its default certificate instead of the one for {host}. A handshake that sends the name is served the right one."),
        format!("{cure}; as a stopgap make the certificate of {host} the server's default."),
    )
    .verified_by(
        format!("openssl s_client -connect {host}:443 -noservername -showcerts </dev/null"),
        format!("the certificate that {} complains of", said.client),
    )
    .reason(format!("{} says: {}", said.client, said.words), [id])
    .mark(Mark::new(id, presented.map_or(host.as_str(), |it| it), Sign::Wrong, refused))
    .reason(
        format!("a handshake that sent {host} was served {}, which covers it", right.leaf.label()),
        view::cites([right.connection.id, right.leaf.id]),
    )
    .mark(Mark::new(right.leaf.id, right.leaf.label(), Sign::Confirms, "with the name: covers it"));
    if let Some(it) = silent {
        finding = finding.reason(
            format!("a handshake without a server name was served {}", it.leaf.label()),
            view::cites([it.connection.id, it.leaf.id]),
        );
    } else {
        finding.confirmed_if = Some(format!("{} really sent none", said.client));
    }
    finding.found()
}

/// Clients that go without a server name, when they do, and the cure.
const HABITS: &[(&str, &str, &str)] = &[
    ("java", "Java before 7 sends no server name (SNI)", "Run the client on a Java of today"),
    (
        "postfix",
        "Postfix sends no server name (SNI) unless smtp_tls_servername or a TLSA record makes it",
        "Set smtp_tls_servername = hostname, or servername=hostname for this destination in the TLS policy table",
    ),
    ("python", "Python before 2.7.9 sends no server name (SNI)", "Run the client on a Python of today"),
];
