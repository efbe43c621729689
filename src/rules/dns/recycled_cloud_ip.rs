//! `dns.recycled_cloud_ip`: a fixed cloud address belongs to another tenant now.

use super::served;
use crate::case::Case;
use crate::name::Name;
use crate::provider::elb;
use crate::rules::view::{self, Coverage};
use crate::rules::{Mark, Sign, Strength, Verdict, declare_rule, net, reach};

declare_rule! {
    /// # What it finds
    ///
    /// An address record (or a fixed address) of a cloud provider behind which the certificate of an
    /// unrelated owner is served.
    ///
    /// # Why it matters
    ///
    /// Cloud addresses are given to the next customer when a machine or balancer is deleted. The record
    /// still leads there.
    ///
    /// # What it needs
    ///
    /// The address record, the certificate, and what shows the address to be a cloud's: its reverse name.
    /// It is ruled out when the certificate names the host's owner. A default site of the same server
    /// looks alike, so it is never proven.
    ///
    /// # What to do
    ///
    /// Replace the address by the provider's name for the resource, and never fix cloud addresses.
    /// `dig -x ADDRESS` says whose it is.
    ///
    /// # References
    ///
    /// RFC 1034 section 3.6; the providers' notes on dangling records.
    "dns.recycled_cloud_ip", "a fixed cloud address belongs to another tenant now", since "0.1.0", cap 0.75, rank 370
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = reach::named(case)
        .filter(|host| !elb::is_balancer(host) && case.resolutions.iter().all(|it| it.aliases.is_empty()))
    else {
        return Verdict::NotApplicable;
    };
    let wrong = reach::wrong(case);
    let Some(it) = wrong.iter().find(|it| it.coverage == Coverage::DoesNotCover && !is_explained(it)) else {
        return Verdict::NotApplicable;
    };
    let Some(address) = reach::address_of(case, it.connection).filter(|ip| !view::is_private(*ip) && !ip.is_loopback())
    else {
        return Verdict::NotApplicable;
    };
    let Some(answer) = case.resolutions.iter().find(|answer| answer.has_address(address)) else {
        return Verdict::NotApplicable;
    };
    let Some((id, name)) = case.around.records.reverse(address) else {
        return if reach::is_same_owner(it.leaf, host) || !reach::right(case).is_empty() {
            Verdict::NotApplicable
        } else {
            by_range(case, host, it, address).unwrap_or_else(|| unknown(address))
        };
    };
    if reach::is_same_owner(it.leaf, host) {
        return same_owner(host, it);
    }
    if !is_cloud(name) {
        return Verdict::Clear {
            because: format!("{address} is {name}, no cloud's name for its customers' machines"),
            cites: vec![*id],
        };
    }
    let strength = if reach::right(case).is_empty() { Strength::Strong } else { Strength::Consistent };
    served(host, it, strength)
        .because(
            format!("{host} leads to the fixed address {address}, which is a cloud's ({name}), and the server there presents the certificate of {}, another owner. Such addresses are given to the next customer.", it.label()),
            format!("Replace {address} in the record of {host} by the provider's name of the resource that is meant, or by its present address."),
        )
        .verified_by(format!("dig {host}; dig -x {address}"), "an address of the resource that is meant")
        .reason(format!("{host} has the address {address} and no alias"), answer.cites.clone())
        .reason(format!("the reverse name of {address} is {name}"), [*id])
        .mark(Mark::new(answer.answer, address.to_string(), Sign::Doubtful, "a fixed address of a cloud"))
        .mark(Mark::new(*id, name.as_str(), Sign::Doubtful, "a cloud's name for it"))
        .found()
}

/// What the published ranges say where no reverse name is here: an address of EC2 fits, and so does any
/// service that is run there.
fn by_range(case: &Case<'_>, host: &Name, it: &view::Shown<'_, '_>, address: std::net::IpAddr) -> Option<Verdict> {
    let ranges = case.known.aws_ranges.as_ref()?;
    let told = ranges.of(address).filter(|prefix| prefix.service == "EC2").and_then(|_| ranges.told(address))?;
    let answer = case.resolutions.iter().find(|answer| answer.has_address(address))?;
    let finding = served(host, it, Strength::Consistent)
        .because(
            format!("{host} leads to the fixed address {address}, one of a cloud's, and the server there presents the certificate of {}, another owner. Such addresses are given to the next customer.", it.label()),
            format!("Find out whose {address} is now; replace it in the record of {host} by the provider's name of the resource that is meant, or by its present address."),
        )
        .verified_by(format!("dig {host}; dig -x {address}"), "an address of the resource that is meant")
        .reason(format!("{host} has the address {address} and no alias"), answer.cites.clone())
        .reason(told, [answer.answer])
        .mark(Mark::new(answer.answer, address.to_string(), Sign::Doubtful, "a fixed address of a cloud"));
    Some(finding.found())
}

/// Whether the certificate says by itself whose default it is.
fn is_explained(it: &view::Shown<'_, '_>) -> bool {
    view::is_aws_default(it.leaf) || net::is_of_network(it.leaf)
}

fn unknown(address: std::net::IpAddr) -> Verdict {
    Verdict::Unknown {
        missing: format!("whose address {address} is"),
        ask: format!("dig -x {address}; whois {address}"),
    }
}

fn same_owner(host: &Name, it: &view::Shown<'_, '_>) -> Verdict {
    Verdict::Clear {
        because: format!("the certificate names {}, of the same owner as {host}", it.label()),
        cites: vec![it.leaf.id, it.connection.id],
    }
}

/// Whether a reverse name is one that a cloud gives to its customers' machines.
fn is_cloud(name: &Name) -> bool {
    CLOUDS.iter().any(|suffix| name.as_str().ends_with(suffix))
}

const CLOUDS: &[&str] = &[
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".googleusercontent.com",
    ".cloudapp.azure.com",
    ".linodeusercontent.com",
    ".members.linode.com",
    ".vultrusercontent.com",
    ".your-server.de",
    ".clients.your-server.de",
    ".scaleway.com",
    ".oraclecloud.com",
];
