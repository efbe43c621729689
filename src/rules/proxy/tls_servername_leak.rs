//! `proxy.tls_servername_leak`: the TLS connection to a forward proxy carries the target's name.

use crate::case::{Case, Connection, Leaf, Origin};
use crate::evidence::ObservationId;
use crate::name::Name;
use crate::rules::view::{self, Coverage};
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule, reach};

declare_rule! {
    /// # What it finds
    ///
    /// A TLS connection to an HTTPS forward proxy that sends the server name of the site behind it, and
    /// gets the proxy's own certificate.
    ///
    /// # Why it matters
    ///
    /// With an `https://` proxy there are two TLS handshakes: the first is with the proxy and must name
    /// the proxy. A client that names the site there compares the proxy's certificate with the site.
    ///
    /// # What it needs
    ///
    /// The handshake and what shows that its server is a proxy: a CONNECT request to the same address and
    /// port, or a host that is called a proxy and whose certificate comes back. A CONNECT before the
    /// ClientHello rules it out.
    ///
    /// # What to do
    ///
    /// Fix or update the client's proxy agent so that its first handshake names the proxy, or use the
    /// proxy by `http://`.
    ///
    /// # References
    ///
    /// RFC 9110 section 9.3.6 (CONNECT); RFC 6066 section 3.
    "proxy.tls_servername_leak", "the TLS connection to a forward proxy carries the server name of the site behind it",
    since "0.1.0", cap 0.7, rank 225
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = reach::named(case) else {
        return Verdict::NotApplicable;
    };
    let mut other = None;
    for connection in case.distinct().filter(|it| it.asks_for(host)) {
        if connection.handshake.proxy_host.is_some() {
            let because = "a CONNECT request comes before the ClientHello".to_owned();
            other = other.or(Some(Verdict::Clear { because, cites: vec![connection.id] }));
            continue;
        }
        if !reach::is_wrong(connection) {
            continue;
        }
        if let (true, Some(Origin::Answered(it))) = (is_near_proxy(case, connection), case.origin(connection)) {
            let because = format!("{} is an address of {host} itself", reach::server(connection));
            other = other.or(Some(Verdict::Clear { because, cites: view::cites([it.answer, connection.id]) }));
            continue;
        }
        if let Some(signs) = signs(case, connection) {
            return found(host, connection, signs);
        }
        if is_proxy_port(connection) {
            other = other.or(Some(Verdict::Unknown {
                missing: format!("whether {} is a forward proxy", reach::server(connection)),
                ask: "env | grep -i proxy".to_owned(),
            }));
        }
    }
    other.unwrap_or(Verdict::NotApplicable)
}

/// What shows that the server of a connection is a proxy.
struct Signs {
    strength: Strength,
    text: String,
    cites: Vec<ObservationId>,
}

/// The observations that show the server of a connection to be a proxy, at least strongly.
pub(in crate::rules) fn is_proxy(case: &Case<'_>, connection: &Connection<'_>) -> Option<Vec<ObservationId>> {
    signs(case, connection).map(|signs| signs.cites)
}

fn signs(case: &Case<'_>, connection: &Connection<'_>) -> Option<Signs> {
    let server = connection.handshake.server?;
    let tunnel = case.around.with_server(server).find(|it| it.handshake.proxy_host.is_some());
    if let Some(tunnel) = tunnel {
        let text = format!("another connection asks {server} for a tunnel with CONNECT");
        return Some(Signs { strength: Strength::Proven, text, cites: vec![tunnel.id] });
    }
    let leaf = connection.leaf()?;
    let proxies = case.around.answers.hosts_at(server.ip());
    let named: Option<&Name> = proxies.into_iter().find(|name| is_called_proxy(name));
    let named = named.filter(|name| view::coverage(leaf, name) == Coverage::Covers);
    if let Some(name) = named {
        let text = format!("{} is an address of {name}, and its certificate comes back", server.ip());
        return Some(Signs { strength: Strength::Strong, text, cites: vec![leaf.id, connection.id] });
    }
    let label = leaf.labels().into_iter().find(|label| Name::parse(label).is_some_and(|name| is_called_proxy(&name)));
    let label = label.filter(|_| is_proxy_port(connection))?;
    let text = format!("port {} is one of proxies, and the certificate names {label}", server.port());
    Some(Signs { strength: Strength::Strong, text, cites: vec![leaf.id, connection.id] })
}

fn is_called_proxy(name: &Name) -> bool {
    let words = ["proxy", "squid", "zproxy"];
    name.labels().next().is_some_and(|label| {
        label.split(['-', '_']).any(|part| words.contains(&part.trim_end_matches(|c: char| c.is_ascii_digit())))
    })
}

/// Whether anything at all speaks of a proxy.
fn is_near_proxy(case: &Case<'_>, connection: &Connection<'_>) -> bool {
    is_proxy_port(connection) || signs(case, connection).is_some()
}

fn is_proxy_port(connection: &Connection<'_>) -> bool {
    connection.handshake.server.is_some_and(|server| PROXY_PORTS.contains(&server.port()))
}

fn found(host: &Name, connection: &Connection<'_>, signs: Signs) -> Verdict {
    let server = reach::server(connection);
    let label = connection.leaf().map(Leaf::label).unwrap_or_default();
    let mut finding = Finding::new(format!("{host} is served the certificate of {label} by a proxy"), Severity::Error, signs.strength)
        .because(
            format!("The client's TLS connection to the proxy {server} carries the server name {host}. The proxy answers with its own certificate, and the client compares that with {host}."),
            format!("Update the client's proxy agent: the handshake with the proxy must name the proxy, the one within the tunnel {host}. Or use the proxy by http://."),
        )
        .verified_by(
            format!("curl -v -x https://{label}:{} https://{host}/", connection.handshake.server.map_or(443, |it| it.port())),
            "two handshakes: the proxy's certificate for the proxy, the site's for the site",
        )
        .reason(format!("the ClientHello to {server} names {host}"), [connection.id])
        .reason(signs.text, signs.cites)
        .mark(Mark::new(connection.id, host.as_str(), Sign::Wrong, "the site behind the proxy, not the proxy"));
    if let Some(leaf) = connection.leaf() {
        finding = finding.mark(Mark::new(leaf.id, &label, Sign::Wrong, "the proxy's own certificate"));
    }
    finding.found()
}

/// The ports on which forward proxies listen by custom; 8080 and 8443 serve too much else.
const PROXY_PORTS: &[u16] = &[3128, 3129, 8888, 8118, 9090];
