//! `sni.differs_from_host`: the server name and the Host header name different sites.

use crate::case::{Case, Connection, JoinedBy};
use crate::evidence::{HttpExchange, ObservationId};
use crate::name::Name;
use crate::rules::view::{self, Coverage};
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule, reach};

declare_rule! {
    /// # What it finds
    ///
    /// A connection whose server name (SNI) is not the name that the request or the check was for: a
    /// Host header of another site, or a check that dials one host and sends the name of another.
    ///
    /// # Why it matters
    ///
    /// The server chooses the certificate by the server name, before it sees the request. What it
    /// presents says nothing of the host in the header.
    ///
    /// # What it needs
    ///
    /// The server name and the Host header of one connection. A response of 421 makes it an error. It is
    /// ruled out where both are the same name, and where the certificate covers both.
    ///
    /// # What to do
    ///
    /// Send the server name of the wanted host: `curl --resolve` or `--connect-to` instead of
    /// `-H Host:`, `proxy_ssl_server_name on` in nginx, `-servername HOST` with openssl.
    ///
    /// # References
    ///
    /// RFC 6066 section 3; RFC 9110 section 15.5.20 (421).
    "sni.differs_from_host", "the server name and the Host header name different sites",
    since "0.1.0", cap 0.9, rank 220
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = reach::named(case) else {
        return Verdict::NotApplicable;
    };
    let mut clear = None;
    for connection in case.distinct() {
        let Some(sni) = connection.sni() else { continue };
        let exchange = reach::exchanges(case, connection).into_iter().find(|(_, it)| it.host.as_ref() == Some(host));
        match exchange {
            Some((id, it)) if sni != *host => {
                if let Some(verdict) = of_header(host, &sni, connection, id, it) {
                    return verdict;
                }
            }
            Some((id, _)) => {
                clear.get_or_insert_with(|| Verdict::Clear {
                    because: format!("SNI and Host are both {host}"),
                    cites: vec![connection.id, id],
                });
            }
            None => {}
        }
        let is_check = connection.joined_by == JoinedBy::Dialed && sni != *host && exchange.is_none();
        if let Some(verdict) = is_check.then(|| of_check(case, host, &sni, connection)).flatten() {
            return verdict;
        }
    }
    clear.unwrap_or_else(|| without_certificate(case, host))
}

/// A request for the host within a connection for another name.
fn of_header(
    host: &Name,
    sni: &Name,
    connection: &Connection<'_>,
    id: ObservationId,
    exchange: &HttpExchange,
) -> Option<Verdict> {
    let status = exchange.status.unwrap_or_default();
    let is_misdirected = status == 421;
    let leaf = connection.leaf();
    // HTTP/2 and HTTP/3 use a connection again for every name that its certificate covers (RFC 9113 section 9.1.1).
    let is_shared = matches!(exchange.version.as_deref(), Some("HTTP/2" | "HTTP/3"));
    if leaf.is_some_and(|leaf| view::coverage(leaf, host) == Coverage::Covers) && (is_shared || !is_misdirected) {
        let leaf = leaf?;
        let because = format!("the certificate presented for {sni} covers {host} as well");
        return Some(Verdict::Clear { because, cites: vec![leaf.id, connection.id] });
    }
    let severity = match status {
        421 => Severity::Error,
        400..=499 => Severity::Warning,
        _ => Severity::Note,
    };
    let mut finding = Finding::new(format!("{host} is requested in a connection that asked for {sni}"), severity, Strength::Proven)
        .because(
            format!("The client sent the server name {sni} and asked for {host} in the Host header. The certificate was chosen for {sni}; it says nothing of {host}."),
            format!("Send the server name {host}: curl --resolve {host}:443:ADDRESS https://{host}/ or --connect-to instead of -H Host; proxy_ssl_server_name on and proxy_ssl_name in nginx."),
        )
        .verified_by(reach::check_host(host), format!("a certificate that covers {host}"))
        .reason(format!("the ClientHello names {sni}"), [connection.id])
        .reason(format!("the request names {host} in its Host header"), [id])
        .mark(Mark::new(connection.id, sni.as_str(), Sign::Wrong, "the server name asked for"))
        .mark(Mark::new(id, host.as_str(), Sign::Wrong, "the host of the request"));
    if let Some(leaf) = leaf {
        let label = leaf.label();
        finding = finding.reason(format!("the certificate presented names {label}"), [leaf.id, connection.id]);
    }
    if is_misdirected {
        finding = finding.reason("the server answers 421, Misdirected Request", [id]);
    }
    Some(finding.found())
}

/// A check that dials the host and asks for another name, which the answer does not cover either.
fn of_check(case: &Case<'_>, host: &Name, sni: &Name, connection: &Connection<'_>) -> Option<Verdict> {
    let leaf = connection.leaf()?;
    let covers = |name: &Name| view::coverage(leaf, name) == Coverage::Covers;
    if covers(sni) || covers(host) || view::coverage(leaf, sni) == Coverage::Unknown {
        return None;
    }
    let label = leaf.label();
    let by_name = reach::right(case).into_iter().next();
    let strength = if by_name.is_some() { Strength::Strong } else { Strength::Consistent };
    let mut finding = Finding::new(format!("{host} is asked for {sni} and serves the certificate of {label}"), Severity::Warning, strength)
        .because(
            format!("The check dials {host} and sends the server name {sni}. The server presents {label}, which covers neither; what it serves for {host} is not in this handshake."),
            format!("Repeat the check with the name that is meant: openssl s_client -connect {host}:443 -servername {host}"),
        )
        .verified_by(reach::check_host(host), format!("a certificate that covers {host}"))
        .reason(format!("the check dials {host} and sends {sni}"), [connection.id])
        .reason(format!("the certificate presented names {label}"), [leaf.id, connection.id])
        .mark(Mark::new(connection.id, sni.as_str(), Sign::Wrong, format!("not the name that was dialled, {host}")));
    if let Some(it) = by_name {
        finding = finding.reason(
            format!("a handshake that sent {host} was served {}, which covers it", it.label()),
            [it.connection.id, it.leaf.id],
        );
    }
    Some(finding.found())
}

/// A 421 whose connection is not in the evidence, or a check whose answer does not show its identifiers.
fn without_certificate(case: &Case<'_>, host: &Name) -> Verdict {
    let all: Vec<_> = case.distinct().collect();
    let is_misdirected = case.exchanges.iter().any(|(_, it)| it.status == Some(421));
    if is_misdirected && all.iter().all(|it| it.sni().is_none()) {
        return Verdict::Unknown {
            missing: format!("the server name of the connection on which {host} was answered 421"),
            ask: format!("curl -v https://{host}/"),
        };
    }
    let unclear = all.iter().find(|it| {
        it.joined_by == JoinedBy::Dialed
            && it.sni().is_some_and(|sni| sni != *host)
            && it.leaf().is_some_and(|leaf| view::coverage(leaf, host) == Coverage::Unknown)
    });
    match unclear {
        Some(it) => Verdict::Unknown {
            missing: format!(
                "what {host} serves for its own name; the check sent {}",
                it.handshake.sni.clone().unwrap_or_default()
            ),
            ask: view::ask_for_identifiers(host),
        },
        None => Verdict::NotApplicable,
    }
}
