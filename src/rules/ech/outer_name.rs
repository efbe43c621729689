//! `ech.outer_name`: the visible server name is the public name of Encrypted ClientHello.

use crate::case::{Case, Connection};
use crate::dns::endpoint::Svcb;
use crate::evidence::{ClientVerdict, ObservationId};
use crate::name::Name;
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule, reach};

declare_rule! {
    /// # What it finds
    ///
    /// A ClientHello with the encrypted_client_hello extension whose visible server name is only the
    /// public name of the ECH configuration; or a client that reports an ECH fallback certificate error.
    ///
    /// # Why it matters
    ///
    /// The name that the client asked for is encrypted. Judging the certificate by the visible name
    /// blames the wrong site. Where a server does not have the ECH key, it answers for the public name,
    /// and the client reports that certificate.
    ///
    /// # What it needs
    ///
    /// The extension and a name that is known as a public name: from the HTTPS record of some host
    /// (`ech=`), or a provider's well-known one. Where the ClientHello names the number of an announced
    /// configuration, it is a real one. A name that the same client had resolved to that address is the
    /// one asked for: browsers send the extension with random content as well (GREASE).
    ///
    /// # What to do
    ///
    /// Do not judge by this name. If the client reports an ECH fallback error, remove or mend the `ech`
    /// parameter of the host's HTTPS record: `dig HOST HTTPS`.
    ///
    /// # References
    ///
    /// RFC 9849 (TLS Encrypted Client Hello); RFC 9460.
    "ech.outer_name", "the visible server name is only the public name of Encrypted ClientHello",
    since "0.1.0", cap 0.9, rank 240
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = reach::named(case) else {
        return Verdict::NotApplicable;
    };
    if let Some((id, verdict)) = case.verdicts.iter().find(|(_, it)| is_fallback(it)) {
        return fallback(case, host, *id, verdict);
    }
    let offered = case.connections.iter().filter(|it| it.handshake.ech.is_some() && it.asks_for(host));
    let (mut clear, mut unknown) = (None, None);
    for connection in offered {
        let by = public_name(case, host, connection);
        if let Some(by @ (PublicName::Announced(..) | PublicName::WellKnown)) = by {
            return hidden(host, connection, by);
        }
        if let Some(it) = case.resolutions.iter().find(|it| connection.server_ip().is_some_and(|ip| it.has_address(ip)))
        {
            clear = clear.or_else(|| Some(resolved(case, host, connection, it.answer)));
        } else if let Some(by) = by {
            return hidden(host, connection, by);
        }
        unknown = unknown.or(Some(Verdict::Unknown {
            missing: format!("whether {host} is the name asked for or the public name of an ECH configuration"),
            ask: format!("dig {host} HTTPS"),
        }));
    }
    clear.or(unknown).unwrap_or(Verdict::NotApplicable)
}

/// The name was resolved to the server that was asked. Where configurations are announced and the number
/// of none is in the ClientHello, its content is random.
fn resolved(case: &Case<'_>, host: &Name, connection: &Connection<'_>, answer: ObservationId) -> Verdict {
    let because = format!("{host} was resolved to this server: the extension hides no other name");
    let own = case.around.records.https(host).into_iter().find_map(|(id, data)| {
        let configs = Svcb::parse(&data)?.ech_configs();
        (!configs.is_empty()).then_some((id, configs))
    });
    let number = connection.handshake.ech_config;
    match (own, number) {
        (Some((id, configs)), Some(number)) if configs.iter().all(|(known, _)| *known != number) => Verdict::Clear {
            because: format!("{because}; its configuration {number} is none that the HTTPS record announces (GREASE)"),
            cites: if id == answer { vec![connection.id, id] } else { vec![connection.id, answer, id] },
        },
        _ => Verdict::Clear { because, cites: vec![connection.id, answer] },
    }
}

fn is_fallback(verdict: &ClientVerdict) -> bool {
    let holds = |text: &str| {
        text.contains("ECH_FALLBACK_CERTIFICATE") || text.contains("ECH_REJECTED") || text.contains("ECH_REQUIRED")
    };
    verdict.code.as_deref().is_some_and(holds) || holds(&verdict.words)
}

/// What shows a name to be a public name.
#[derive(Clone, Copy)]
enum PublicName {
    /// An HTTPS record announces a configuration with this number, which the ClientHello names.
    Announced(u8, ObservationId),
    /// An HTTPS record announces a configuration, and the ClientHello names another number, or it is not known.
    Record(ObservationId),
    WellKnown,
}

/// Whether a server name is known as a public name, so that it is not the one that was asked for.
pub(in crate::rules) fn is_public_name(case: &Case<'_>, host: &Name, connection: &Connection<'_>) -> bool {
    public_name(case, host, connection).is_some()
}

fn public_name(case: &Case<'_>, host: &Name, connection: &Connection<'_>) -> Option<PublicName> {
    let announced = case.around.records.ech(host);
    let same = announced.iter().find(|(number, _)| connection.handshake.ech_config == Some(*number));
    match (same, announced.first()) {
        (Some((number, id)), _) => Some(PublicName::Announced(*number, *id)),
        _ if WELL_KNOWN.contains(&host.as_str()) => Some(PublicName::WellKnown),
        (None, Some((_, id))) => Some(PublicName::Record(*id)),
        (None, None) => None,
    }
}

/// The visible name is a public name: a side fact, unless the answer shows that the server does not have
/// the key and the client is left with a certificate for that name.
fn hidden(host: &Name, connection: &Connection<'_>, by: PublicName) -> Verdict {
    let strength = match by {
        PublicName::Announced(..) => Strength::Proven,
        PublicName::WellKnown => Strength::Strong,
        PublicName::Record(_) => Strength::Consistent,
    };
    let refused = connection.leaf().filter(|_| reach::is_wrong(connection));
    let (severity, cause, remedy) = match refused {
        Some(_) => (
            Severity::Error,
            format!(
                "The client encrypted its ClientHello as an HTTPS record told it to; {host} is only the public name of that configuration. The server has no key for it and presents a certificate that does not cover {host} either."
            ),
            "Remove the ech parameter from the HTTPS record of the host that was asked for, or let it be served by the provider whose ECH configuration it names.",
        ),
        None => (
            Severity::Note,
            format!(
                "The ClientHello carries the encrypted_client_hello extension, and {host} is the public name of such a configuration. The name that the client asked for is encrypted."
            ),
            "Do not judge by this name; ask for the client's own log, or repeat without ECH.",
        ),
    };
    let mut finding =
        Finding::new(format!("{host} is only the public name of Encrypted ClientHello"), severity, strength)
            .because(cause, remedy)
            .verified_by("dig HOST HTTPS", format!("whether the ech parameter of HOST has the public name {host}"))
            .reason(
                format!("the ClientHello names {host} and has the encrypted_client_hello extension"),
                [connection.id],
            )
            .mark(Mark::new(
                connection.id,
                host.as_str(),
                Sign::Doubtful,
                "the outer name, not the one that was asked for",
            ));
    match by {
        PublicName::Announced(number, id) => {
            let text = format!(
                "an HTTPS record's ech parameter has the public name {host} and the configuration {number}, which the ClientHello names"
            );
            finding = finding.reason(text, [id, connection.id]);
        }
        PublicName::Record(id) => {
            finding = finding.reason(format!("an HTTPS record's ech parameter has the public name {host}"), [id]);
        }
        PublicName::WellKnown => {}
    }
    if let Some(leaf) = refused {
        let label = leaf.label();
        finding = finding.reason(format!("the certificate presented names {label}"), [leaf.id, connection.id]);
    }
    finding.found()
}

/// The client was shown the certificate of the public name, because the server has no ECH key.
fn fallback(case: &Case<'_>, host: &Name, id: ObservationId, verdict: &ClientVerdict) -> Verdict {
    let record = case.around.records.https(host).into_iter().find_map(|(id, data)| {
        let public = Svcb::parse(&data)?.ech_public_name()?;
        Some((id, public))
    });
    let strength = if record.is_some() { Strength::Proven } else { Strength::Strong };
    let mut finding = Finding::new(format!("{host}: the server does not take Encrypted ClientHello"), Severity::Error, strength)
        .because(
            format!("The client encrypted its ClientHello as an HTTPS record told it to, and the server of {host} has no key for it. It answered for the public name, and the client reports that certificate."),
            format!("Remove the ech parameter from the HTTPS record of {host}, or let {host} be served by the provider whose ECH configuration it names."),
        )
        .verified_by(format!("dig {host} HTTPS"), "no ech parameter, or the one of the provider that serves the host")
        .reason(format!("{} says: {}", verdict.client, verdict.words), [id])
        .mark(Mark::new(id, "ECH", Sign::Wrong, "the fallback certificate of ECH"));
    if let Some((id, public)) = record {
        finding = finding
            .reason(format!("the HTTPS record of {host} has an ech parameter with the public name {public}"), [id])
            .mark(Mark::new(id, "ech=", Sign::Wrong, format!("public name {public}")));
    }
    finding.found()
}

/// Public names that providers document.
const WELL_KNOWN: &[&str] = &["cloudflare-ech.com"];
