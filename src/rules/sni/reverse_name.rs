//! A server name that is the name of the address itself, as a reverse lookup gives it: what
//! `sni.unrelated_to_dialed_host` says of it.

use std::net::IpAddr;

use crate::case::{Case, Connection};
use crate::name::Name;
use crate::rules::view::{self, Coverage};
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, reach};

/// A handshake to an address, dialled as such, that sent the address's own name and was refused for it or served
/// another's certificate.
pub(super) fn check(case: &Case<'_>, connection: &Connection<'_>, sni: &Name) -> Option<Verdict> {
    let told = connection.handshake.dialed.as_deref()?;
    let address = told.parse::<IpAddr>().ok().filter(|address| is_name_of(sni, *address))?;
    let refusal = reach::refusal(connection);
    let leaf = connection.leaf().filter(|leaf| view::coverage(leaf, sni) == Coverage::DoesNotCover);
    if refusal.is_none() && leaf.is_none() {
        return None;
    }
    let mut meant = case.around.answers.hosts_at(address).filter(|name| *name != sni);
    let meant = meant.next().filter(|_| meant.next().is_none());
    let is_about_name = refusal.as_ref().is_some_and(|(_, alert)| alert == "unrecognized_name");
    let is_edge = sni.as_str().ends_with(".r.cloudfront.net");
    let is_known = meant.is_some() || is_about_name || is_edge || leaf.is_some();
    let strength = if is_known { Strength::Strong } else { Strength::Consistent };
    let name = meant.map_or_else(|| "HOST".to_owned(), ToString::to_string);
    let mut finding = Finding::new(
        format!("{sni} was sent as the server name: it names the address, not the host that was meant"),
        Severity::Error,
        strength,
    )
    .because(
        format!("The server name sent to {address} is the name that a reverse lookup gives for that address. It names a machine of the network's operator; a server knows the sites it serves by their own names, and has nothing for this one."),
        format!("Send the name of the site as the server name, and do not derive it from the address: openssl s_client -connect {address}:443 -servername {name}"),
    )
    .verified_by(
        format!("openssl s_client -connect {address}:443 -servername {name} </dev/null"),
        format!("a certificate that covers {}", meant.map_or("the site's name", |name| name.as_str())),
    )
    .reason(format!("the client dialled {address} and sent {sni}, which spells the address"), [connection.id])
    .mark(Mark {
        beside: "-servername".to_owned(),
        ..Mark::new(connection.id, sni.as_str(), Sign::Wrong, "the name of the address, not of a site")
    });
    if let Some((id, alert)) = refusal {
        finding = finding.reason(format!("the server answers with the alert {alert}"), [id]);
    }
    if let Some(leaf) = leaf {
        let label = leaf.label();
        finding = finding
            .reason(format!("the certificate presented names {label}"), [leaf.id, connection.id])
            .mark(Mark::new(leaf.id, &label, Sign::Wrong, format!("does not cover {sni}")));
    }
    let answered = meant.map(|name| case.around.answers.resolutions(name, &[]));
    if let Some(it) = answered.iter().flatten().find(|it| it.has_address(address)) {
        finding = finding.reason(format!("DNS leads {name} to {address}"), it.cites.clone());
    }
    Some(finding.found())
}

/// Whether a name spells an address as operators' reverse zones do: its numbers in a row, forwards or backwards,
/// between dots or hyphens.
pub(super) fn is_name_of(name: &Name, address: IpAddr) -> bool {
    let IpAddr::V4(v4) = address else { return false };
    let mut octets: Vec<String> = v4.octets().iter().map(u8::to_string).collect();
    let parts: Vec<&str> = name.as_str().split(['.', '-']).collect();
    let spells = |octets: &[String]| parts.windows(octets.len()).any(|row| row == octets);
    let forwards = spells(&octets);
    octets.reverse();
    forwards || spells(&octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_addresses_spell_all_four_numbers() {
        for (name, address, expected) in [
            ("server-54-222-19-212.iad12.r.cloudfront.net", "54.222.19.212", true),
            ("ec2-203-0-113-9.compute-1.amazonaws.com", "203.0.113.9", true),
            ("9.113.0.203.in-addr.example", "203.0.113.9", true),
            ("static.9.113.0.203.clients.host.example", "203.0.113.9", true),
            ("server-54-222-19-21.iad12.r.cloudfront.net", "54.222.19.212", false),
            ("www.example.com", "54.222.19.212", false),
            ("1-2-3.example", "1.2.3.4", false),
        ] {
            let name = Name::parse(name).unwrap();
            assert_eq!(is_name_of(&name, address.parse().unwrap()), expected, "{name}");
        }
    }
}
