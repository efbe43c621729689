//! `h2.connection_coalescing`: a connection opened for another name was used again for the host.

use crate::case::{Case, Connection, JoinedBy, Leaf};
use crate::evidence::{HttpExchange, ObservationId};
use crate::name::Name;
use crate::rules::view::{self, Coverage};
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule, reach};

declare_rule! {
    /// # What it finds
    ///
    /// A request that the client sent on an HTTP/2 or HTTP/3 connection that it had opened for another
    /// name, whose certificate covers the host too: answered 421 it is a warning, else a note.
    ///
    /// # Why it matters
    ///
    /// A client may use a connection again for every name that its certificate covers and that resolves
    /// to its address. A server that configures each name apart answers 421, or answers for the wrong
    /// site. No certificate is at fault.
    ///
    /// # What it needs
    ///
    /// The request in the connection that carried it (a capture with keys), or a 421 response and no
    /// ClientHello for the host, and the other connection with a certificate that covers the host. A
    /// ClientHello with the host's name rules it out.
    ///
    /// # What to do
    ///
    /// Give the two names certificates of their own or addresses of their own; the 421 itself is right:
    /// the client tries again on a new connection. Look at the log of the browser (HAR or NetLog).
    ///
    /// # References
    ///
    /// RFC 9113 section 9.1.1; RFC 9110 section 15.5.20.
    "h2.connection_coalescing", "a connection that was opened for another name was used again for the host",
    since "0.1.0", cap 0.8, rank 245
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = reach::named(case) else {
        return Verdict::NotApplicable;
    };
    let misdirected = case.exchanges.iter().filter(|(_, it)| it.status == Some(421));
    for (id, it) in misdirected.clone().filter(|(_, it)| it.version.as_deref() != Some("HTTP/1.1")) {
        let own = carrier(case, *id, it).filter(|it| it.sni().is_some_and(|sni| sni != *host));
        if let Some(connection) = own {
            return found(case, host, *id, connection, true);
        }
    }
    let Some((id, _)) = misdirected.clone().next() else {
        return taken(case, host);
    };
    if let Some(connection) = case.connections.iter().find(|it| it.asks_for(host)) {
        let because = format!("a ClientHello asks for {host}");
        return Verdict::Clear { because, cites: vec![connection.id, *id] };
    }
    if let Some(connection) = case.connections.iter().find(|it| it.joined_by == JoinedBy::Header) {
        let because = "the request was sent in a connection of its own with a Host header for another site".to_owned();
        return Verdict::Clear { because, cites: vec![connection.id, *id] };
    }
    match reused(case, host) {
        Some(connection) => found(case, host, *id, connection, false),
        None => Verdict::Unknown {
            missing: format!("the connection on which {host} was answered 421, and its certificate"),
            ask: "the browser's NetLog (chrome://net-export) or HAR of the same attempt".to_owned(),
        },
    }
}

/// Where nothing was answered 421: a request on a connection for another name explains why none was opened for
/// the host.
fn taken(case: &Case<'_>, host: &Name) -> Verdict {
    if let Some((id, connection, leaf)) = shared_with(case) {
        let sni = connection.handshake.sni.clone().unwrap_or_default();
        return Finding::new(format!("{host} was requested on a connection opened for {sni}"), Severity::Note, Strength::Proven)
            .because(
                format!("The client opened a connection for {sni}, whose certificate covers {host} as well, and used it again for {host}."),
                format!("Nothing is to be done. Where {host} is answered by the wrong site, give {sni} and {host} certificates or addresses of their own."),
            )
            .verified_by(format!("curl -v https://{host}/"), "a handshake of its own, with the same certificate")
            .reason(format!("the connection asks for {sni}"), [connection.id])
            .reason(format!("a request in it names {host}"), [id])
            .reason(format!("its certificate covers {host} as well"), [leaf.id, connection.id])
            .mark(Mark::new(id, host.as_str(), Sign::Right, format!("on the connection for {sni}")))
            .found();
    }
    let mut carried = multiplexed(case, host).filter_map(|(id, it)| Some((id, carrier(case, id, it)?)));
    match carried.find(|(_, connection)| connection.sni().is_some_and(|sni| sni == *host)) {
        Some((id, connection)) => Verdict::Clear {
            because: format!("the request was sent on a connection that asks for {host}"),
            cites: vec![connection.id, id],
        },
        None => Verdict::NotApplicable,
    }
}

/// A connection for another name, and its certificate, on which the host was requested and which may be used
/// for it: with the request.
pub(in crate::rules) fn shared_with<'c, 'e>(
    case: &'c Case<'e>,
) -> Option<(ObservationId, &'c Connection<'e>, &'c Leaf<'e>)> {
    let host = reach::named(case)?;
    multiplexed(case, host).find_map(|(id, it)| {
        let connection = carrier(case, id, it).filter(|it| it.sni().is_some_and(|sni| sni != *host))?;
        let leaf = connection.leaf().filter(|leaf| view::coverage(leaf, host) == Coverage::Covers)?;
        Some((id, connection, leaf))
    })
}

/// The exchanges for a host that shared a connection, or could have.
fn multiplexed<'c, 'e>(case: &'c Case<'e>, host: &'c Name) -> impl Iterator<Item = (ObservationId, &'e HttpExchange)> {
    let all = case.exchanges.iter().filter(|(_, it)| it.host.as_ref() == Some(host));
    all.filter(|(_, it)| matches!(it.version.as_deref(), Some("HTTP/2" | "HTTP/3"))).map(|(id, it)| (*id, *it))
}

/// The connection of a capture that carried an exchange.
fn carrier<'c, 'e>(case: &'c Case<'e>, id: ObservationId, it: &HttpExchange) -> Option<&'c Connection<'e>> {
    let source = case.evidence.observation(id)?.at.first()?.source();
    let client = it.client?;
    case.around
        .of_client(source, client.ip())
        .find(|connection| connection.handshake.client == Some(client) && connection.handshake.server == it.server)
}

/// A connection opened for another name whose certificate covers the host: at an address of the host,
/// or of the same source where addresses are not known.
fn reused<'c, 'e>(case: &'c Case<'e>, host: &Name) -> Option<&'c Connection<'e>> {
    let covers = |it: &&Connection<'e>| {
        it.sni().is_some_and(|sni| sni != *host)
            && it.leaf().is_some_and(|leaf| view::coverage(leaf, host) == Coverage::Covers)
            && reach::is_right(it)
    };
    let addresses = case.resolutions.iter().flat_map(|it| &it.addresses);
    let at_address = addresses.into_iter().find_map(|(address, _)| case.around.at_address(*address).find(covers));
    at_address.or_else(|| {
        let all = case.around.handshakes.all().iter().take(crate::limits::NEIGHBOURS_MAX);
        let known = case.resolutions.iter().any(|it| !it.addresses.is_empty());
        all.filter(|_| !known).find(covers)
    })
}

fn found(case: &Case<'_>, host: &Name, id: ObservationId, connection: &Connection<'_>, is_carrier: bool) -> Verdict {
    let sni = connection.handshake.sni.clone().unwrap_or_default();
    let resolved = case.resolutions.iter().find(|it| connection.server_ip().is_some_and(|ip| it.has_address(ip)));
    let covers = connection.leaf().is_some_and(|leaf| view::coverage(leaf, host) == Coverage::Covers);
    let strength = match (is_carrier, resolved.is_some()) {
        (true, _) if covers => Strength::Proven,
        (true, _) | (false, true) => Strength::Strong,
        (false, false) => Strength::Consistent,
    };
    let mut finding = Finding::new(format!("{host} was requested on a connection opened for {sni}"), Severity::Warning, strength)
        .because(
            format!("The request was sent on a connection that was opened for {sni}. Its server has a certificate that covers {host} as well, so the client used the connection again, and the server answered 421."),
            format!("Nothing is wrong with the certificate. Give {sni} and {host} certificates or addresses of their own, or leave the 421: clients try again on a new connection."),
        )
        .verified_by(format!("curl -v https://{host}/"), "a handshake of its own, and no 421")
        .reason(format!("the response for {host} is 421, Misdirected Request"), [id])
        .reason(format!("a connection asks for {sni}"), [connection.id])
        .mark(Mark::new(id, "421", Sign::Wrong, "the server does not take this host on this connection"));
    if let Some(leaf) = connection.leaf().filter(|_| covers) {
        finding = finding.reason(format!("its certificate covers {host} as well"), [leaf.id, connection.id]);
    }
    if let Some(it) = resolved {
        finding = finding.reason(format!("{host} resolves to the address of that connection"), it.cites.clone());
    }
    finding.found()
}
