//! `mitm.local_antivirus`: a virus scanner on the client's machine ends TLS.

use super::{ANTIVIRUS, is_public, issuer, vendor};
use crate::case::{Case, Connection, Leaf};
use crate::name::Name;
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule, reach};
use crate::tls::Transport;

declare_rule! {
    /// # What it finds
    ///
    /// A tool that sees a certificate signed by a virus scanner for the host, while the wire carries the
    /// server's own.
    ///
    /// # Why it matters
    ///
    /// The scanner sits between the program and the network card. Programs with a trust store of their
    /// own refuse its certificates, and it can go on presenting a copy of a certificate that has been
    /// renewed since.
    ///
    /// # What it needs
    ///
    /// The tool's output with the scanner's name as issuer; a capture of the same host with another issuer
    /// proves it. The same certificate in both rules it out.
    ///
    /// # What to do
    ///
    /// Exclude the program or the host from the scanner's TLS filtering, or trust its root in the
    /// program's own store.
    ///
    /// # References
    ///
    /// The vendors' notes on SSL/TLS scanning; RFC 5280 section 6.
    "mitm.local_antivirus", "a virus scanner on the client's machine ends TLS", since "0.1.0", cap 0.9, rank 395
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = reach::named(case) else {
        return Verdict::NotApplicable;
    };
    let all: Vec<(&Connection<'_>, &Leaf<'_>)> = case
        .distinct()
        .filter(|it| it.asks_for(host))
        .filter_map(|it| Some((it, it.leaf().filter(|leaf| leaf.certificate.issuer.is_some())?)))
        .collect();
    let is_wire = |it: &Connection<'_>| it.handshake.transport != Transport::Text;
    let wire = all.iter().find(|(it, _)| is_wire(it));
    let of_tool = all.iter().filter(|(it, _)| !is_wire(it));
    if let Some((connection, leaf)) = of_tool.clone().find(|(_, leaf)| vendor(ANTIVIRUS, &issuer(leaf)).is_some()) {
        return found(case, host, connection, leaf, wire.copied());
    }
    if let Some((connection, leaf)) = of_tool.clone().next() {
        if let Some((on_wire, seen)) = wire.filter(|(_, seen)| seen.certificate.issuer == leaf.certificate.issuer) {
            let because = "the tool and the wire show the same issuer".to_owned();
            return Verdict::Clear { because, cites: vec![leaf.id, connection.id, seen.id, on_wire.id] };
        }
        let is_refused = reach::complaint(case, connection).is_some() && !is_public(connection, leaf);
        if is_refused && wire.is_none() {
            return Verdict::Unknown {
                missing: format!("the certificate on the wire; the tool shows the issuer {}", issuer(leaf)),
                ask: format!("tcpdump -s 0 -w wire.pcap host {host}, beside the same command"),
            };
        }
    }
    Verdict::NotApplicable
}

fn found(
    case: &Case<'_>,
    host: &Name,
    connection: &Connection<'_>,
    leaf: &Leaf<'_>,
    wire: Option<(&Connection<'_>, &Leaf<'_>)>,
) -> Verdict {
    let name = issuer(leaf);
    let product = vendor(ANTIVIRUS, &name).unwrap_or("a virus scanner");
    let wire = wire.filter(|(_, seen)| seen.certificate.issuer != leaf.certificate.issuer);
    let complaint = reach::complaint(case, connection);
    let is_at_fault = complaint.is_some() || reach::is_untold(case, connection);
    let severity = if is_at_fault { Severity::Error } else { Severity::Note };
    let strength = if wire.is_some() { Strength::Proven } else { Strength::Strong };
    let mut finding = Finding::new(format!("{host} is shown a certificate that {product} signed on the client's machine"), severity, strength)
        .because(
            format!("{product} ends the TLS connections of this machine itself and presents certificates signed by {name}. The server's certificate does not reach the program."),
            format!("Exclude the program or {host} from the TLS scanning of {product}, or trust its root in the program's own store."),
        )
        .verified_by(format!("openssl s_client -connect {host}:443 -servername {host} </dev/null | openssl x509 -noout -issuer"), "the server's own issuer")
        .reason(format!("the tool is shown the issuer {name}"), [leaf.id, connection.id])
        .mark(Mark::new(leaf.id, name.split("CN=").last().unwrap_or(&name), Sign::Wrong, format!("the root of {product}")));
    if let Some((on_wire, seen)) = wire {
        finding = finding.reason(format!("on the wire the issuer is {}", issuer(seen)), [seen.id, on_wire.id]).mark(
            Mark::new(
                seen.id,
                seen.labels().first().copied().unwrap_or_default(),
                Sign::Confirms,
                "what the server sends",
            ),
        );
    }
    if let Some((id, text)) = complaint {
        finding = finding.reason(text, [id]);
    }
    finding.found()
}
