//! `sni.ip_literal_url`: the client was given an address instead of a name.

use crate::case::Case;
use crate::rules::view::Coverage;
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule, reach};
use crate::tls::SniState;

declare_rule! {
    /// # What it finds
    ///
    /// A URL or a command with an IP address in place of the host name. Such a client sends no server
    /// name, and the certificate that comes back has no iPAddress entry for the address.
    ///
    /// # Why it matters
    ///
    /// The server name extension has no form for addresses, so the server presents its default
    /// certificate, and only an iPAddress entry can cover an address. The site under its name is not at
    /// fault.
    ///
    /// # What it needs
    ///
    /// The handshake without a server name and the certificate's identifiers. A handshake to the same
    /// address that sends a name and is served a covering certificate proves it. An iPAddress entry for
    /// the address rules it out.
    ///
    /// # What to do
    ///
    /// Use the host's name. To reach one address of it, keep the name:
    /// `curl --resolve HOST:443:ADDRESS https://HOST/`.
    ///
    /// # References
    ///
    /// RFC 6066 section 3; RFC 9525 section 6.4.
    "sni.ip_literal_url", "the client was given an address instead of a name, and sent no server name",
    since "0.1.0", cap 0.95, rank 210
}

fn check(case: &Case<'_>) -> Verdict {
    let Some((host, address)) = case.host.as_ref().and_then(|host| Some((host, host.ip()?))) else {
        return Verdict::NotApplicable;
    };
    let silent: Vec<_> =
        reach::shown(case).into_iter().filter(|it| it.connection.handshake.sni_state == SniState::Absent).collect();
    if let Some(it) = silent.iter().find(|it| it.coverage == Coverage::Covers) {
        let because = format!("the certificate has an iPAddress entry for {address}");
        return Verdict::Clear { because, cites: vec![it.leaf.id, it.connection.id] };
    }
    let Some(it) = silent.iter().find(|it| it.coverage == Coverage::DoesNotCover) else {
        return match silent.first() {
            Some(it) => Verdict::Unknown {
                missing: format!("the presented identifiers of the certificate {} that {address} serves", it.label()),
                ask: format!(
                    "openssl s_client -connect {host}:443 </dev/null | openssl x509 -noout -ext subjectAltName"
                ),
            },
            None => Verdict::NotApplicable,
        };
    };
    let by_name = case.around.at_address(address).find(|other| reach::is_right(other));
    let strength = if by_name.is_some() { Strength::Proven } else { Strength::Strong };
    let name = by_name.and_then(|other| other.handshake.sni.clone());
    let shown = name.clone().unwrap_or_else(|| "HOST".to_owned());
    let mut finding = Finding::new(format!("{address} is served the certificate of {}", it.label()), Severity::Error, strength)
        .because(
            format!("The client was given the address {address} and not a name. It sends no server name for an address, so the server presents its default certificate, which does not list the address."),
            format!("Use the host's name; to reach this address, keep the name: curl --resolve {shown}:443:{address} https://{shown}/"),
        )
        .verified_by(format!("curl -v --resolve {shown}:443:{address} https://{shown}/"), "a certificate that covers the name")
        .reason(format!("the client asked {} by its address and sent no server name", reach::server(it.connection)), [it.connection.id])
        .reason(format!("the certificate presented names {} and no address {address}", it.label()), [it.leaf.id, it.connection.id])
        .mark(Mark::new(it.leaf.id, it.label(), Sign::Wrong, format!("no iPAddress entry for {address}")));
    if let (Some(other), Some(name)) = (by_name, name) {
        finding = finding.reason(
            format!("a handshake with the same address that sent {name} was served a certificate that covers it"),
            [other.id],
        );
    }
    finding.found()
}
