//! `dns.https_rr_alt_endpoint`: an HTTPS record leads clients to another endpoint.

use std::net::IpAddr;

use super::{served, served_right};
use crate::case::Case;
use crate::dns::endpoint::Svcb;
use crate::evidence::ObservationId;
use crate::name::Name;
use crate::rules::view::{self, Shown};
use crate::rules::{Mark, Sign, Strength, Verdict, declare_rule, reach};

declare_rule! {
    /// # What it finds
    ///
    /// An HTTPS record of the host whose target, address hints or port differ from the A and AAAA
    /// records, and a connection that goes there and is served a wrong certificate.
    ///
    /// # Why it matters
    ///
    /// Browsers ask for HTTPS records and follow them; `curl`, `openssl` and monitors mostly do not. So
    /// the browser fails where every check is right.
    ///
    /// # What it needs
    ///
    /// The HTTPS record, the addresses, and a connection to the endpoint it names. A record that agrees
    /// with the addresses, or none, rules it out.
    ///
    /// # What to do
    ///
    /// Make the HTTPS record agree with the A and AAAA records, or install the certificate on the
    /// endpoint it names. Look at `dig HOST HTTPS`.
    ///
    /// # References
    ///
    /// RFC 9460 sections 2 and 7.3.
    "dns.https_rr_alt_endpoint", "an HTTPS record leads clients to another endpoint", since "0.1.0", cap 0.6, rank 345
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = reach::named(case) else {
        return Verdict::NotApplicable;
    };
    let records: Vec<(ObservationId, Svcb)> =
        case.around.records.https(host).into_iter().filter_map(|(id, data)| Some((id, Svcb::parse(&data)?))).collect();
    if records.is_empty() {
        return match case.around.records.asked_https(host) {
            Some(id) => Verdict::Clear { because: format!("{host} has no HTTPS record"), cites: vec![id] },
            None => Verdict::NotApplicable,
        };
    }
    let Some((id, endpoint)) = records.iter().find_map(|(id, record)| Some((*id, differing(case, host, record)?)))
    else {
        let cites = records.iter().map(|(id, _)| *id).collect();
        return Verdict::Clear { because: format!("the HTTPS record of {host} agrees with its addresses"), cites };
    };
    let wrong = reach::wrong(case);
    if let Some(it) = wrong.iter().find(|it| goes_to(it, &endpoint)) {
        return found(case, host, it, id, &endpoint);
    }
    let right = reach::right(case);
    if let Some(it) = right.iter().find(|it| goes_to(it, &endpoint)) {
        let because = format!("the endpoint of the HTTPS record presents a certificate that covers {host}");
        return Verdict::Clear { because, cites: vec![it.leaf.id, it.connection.id, id] };
    }
    let target = endpoint.addresses.first().map_or_else(|| host.to_string(), ToString::to_string);
    let port = endpoint.port.unwrap_or(443);
    Verdict::Unknown {
        missing: format!("what the endpoint that the HTTPS record of {host} names serves"),
        ask: format!(
            "openssl s_client -connect {target}:{port} -servername {host} </dev/null | openssl x509 -noout -ext subjectAltName"
        ),
    }
}

/// Where an HTTPS record leads that the addresses of the host do not.
struct Endpoint {
    addresses: Vec<IpAddr>,
    port: Option<u16>,
    words: String,
}

fn differing(case: &Case<'_>, host: &Name, record: &Svcb) -> Option<Endpoint> {
    let known: Vec<IpAddr> = case.resolutions.iter().flat_map(|it| it.addresses.iter().map(|it| it.0)).collect();
    let mut addresses: Vec<IpAddr> =
        record.hints.iter().copied().filter(|hint| !known.is_empty() && !known.contains(hint)).collect();
    let mut words: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    let is_alias =
        |target: &Name| case.resolutions.iter().any(|it| it.aliases.iter().any(|alias| alias.target == *target));
    if let Some(target) = record.target.as_ref().filter(|target| *target != host && !is_alias(target)) {
        words.push(target.to_string());
        addresses.extend(
            case.around.answers.resolutions(target, &[]).iter().flat_map(|it| it.addresses.iter().map(|it| it.0)),
        );
    }
    let port = record.port.filter(|port| *port != 443);
    words.extend(port.map(|port| format!("port {port}")));
    addresses.retain(|address| !known.contains(address));
    (!words.is_empty()).then(|| Endpoint { addresses, port, words: words.join(", ") })
}

fn goes_to(it: &Shown<'_, '_>, endpoint: &Endpoint) -> bool {
    it.connection
        .handshake
        .server
        .is_some_and(|server| endpoint.addresses.contains(&server.ip()) || endpoint.port == Some(server.port()))
}

fn found(case: &Case<'_>, host: &Name, it: &Shown<'_, '_>, id: ObservationId, endpoint: &Endpoint) -> Verdict {
    let finding = served(host, it, Strength::Proven)
        .because(
            format!("The HTTPS record of {host} leads to {}, and the address records do not. The endpoint there presents {}.", endpoint.words, it.label()),
            format!("Make the HTTPS record of {host} agree with its A and AAAA records, or install the certificate of {host} at {}.", reach::server(it.connection)),
        )
        .verified_by(format!("dig {host} HTTPS; dig {host}"), "the same endpoint")
        .reason(format!("the HTTPS record of {host} names {}", endpoint.words), [id])
        .reason("the addresses of the host are others", view::cites(case.resolutions.iter().filter(|it| !it.addresses.is_empty()).take(2).map(|it| it.answer).chain([it.connection.id])))
        .mark(Mark::new(id, endpoint.words.split(", ").next().unwrap_or_default(), Sign::Wrong, "not where the address records lead"));
    match reach::right(case).first() {
        Some(right) => served_right(finding, host, right).found(),
        None => finding.found(),
    }
}
