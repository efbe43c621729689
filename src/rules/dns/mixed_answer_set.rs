//! `dns.mixed_answer_set`: one of the host's addresses is not the host's.

use std::net::IpAddr;

use super::{served, served_right};
use crate::case::{Case, Resolution};
use crate::name::Name;
use crate::rules::view::{self, Shown};
use crate::rules::{Mark, Sign, Strength, Verdict, declare_rule, reach};

declare_rule! {
    /// # What it finds
    ///
    /// An answer with several addresses of one family, of which some serve a certificate that covers the
    /// host and another serves that of somebody else.
    ///
    /// # Why it matters
    ///
    /// Clients take one of the addresses by chance, so the fault comes and goes. Mostly one address was
    /// left over from a former server or provider.
    ///
    /// # What it needs
    ///
    /// Connections to two of the addresses and their certificates. The same certificate from all tested
    /// addresses rules it out; nodes of one owner that differ are `deploy.nodes_differ`.
    ///
    /// # What to do
    ///
    /// Remove the address that does not belong, then test each that is left:
    /// `openssl s_client -connect ADDRESS:443 -servername HOST`.
    ///
    /// # References
    ///
    /// RFC 2181 section 5 (RRsets); RFC 1794.
    "dns.mixed_answer_set", "one of the host's addresses is not the host's", since "0.1.0", cap 0.85, rank 330
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = reach::named(case) else {
        return Verdict::NotApplicable;
    };
    let (wrong, right) = (reach::wrong(case), reach::right(case));
    for bad in wrong.iter().filter(|it| !view::is_aws_default(it.leaf)) {
        let Some(address) = bad.connection.server_ip() else { continue };
        if right.iter().any(|it| it.connection.server_ip() == Some(address)) {
            continue;
        }
        let good = right.iter().find_map(|it| {
            let other = it.connection.server_ip().filter(|other| other.is_ipv4() == address.is_ipv4())?;
            let set = case.resolutions.iter().find(|set| set.has_address(address) && set.has_address(other))?;
            Some((it, set))
        });
        if let Some((good, set)) = good {
            return found(host, bad, good, set, address);
        }
    }
    let all: Vec<&Shown<'_, '_>> = wrong.iter().chain(&right).collect();
    alike(case, host, &all)
}

/// Several addresses of one answer that serve the same certificate, or only one that was tested.
fn alike(case: &Case<'_>, host: &Name, all: &[&Shown<'_, '_>]) -> Verdict {
    for it in all {
        let Some(address) = it.connection.server_ip() else { continue };
        let Some(set) =
            case.resolutions.iter().find(|set| set.has_address(address) && set.addresses_like(address).count() > 1)
        else {
            continue;
        };
        let same = all.iter().find(|other| {
            let ip = other.connection.server_ip();
            ip != Some(address)
                && ip.is_some_and(|ip| set.has_address(ip))
                && other.leaf.certificate.id() == it.leaf.certificate.id()
        });
        if let Some(other) = same {
            return Verdict::Clear {
                because: format!(
                    "{} and {} present the same certificate",
                    reach::server(it.connection),
                    reach::server(other.connection)
                ),
                cites: view::cites([it.leaf.id, it.connection.id, other.connection.id]),
            };
        }
        if it.is_wrong() && !set.is_rotating(host) && !view::is_aws_default(it.leaf) {
            let tested: Vec<IpAddr> = all.iter().filter_map(|it| it.connection.server_ip()).collect();
            if let Some(untested) = set.addresses_like(address).find(|other| !tested.contains(other)) {
                return Verdict::Unknown {
                    missing: format!("what the other addresses of {host} serve; only {address} was tested"),
                    ask: reach::ask_address(host, untested),
                };
            }
        }
    }
    Verdict::NotApplicable
}

fn found(host: &Name, bad: &Shown<'_, '_>, good: &Shown<'_, '_>, set: &Resolution, address: IpAddr) -> Verdict {
    let strength = if reach::is_same_owner(bad.leaf, host) { Strength::Consistent } else { Strength::Proven };
    let finding = served(host, bad, strength)
        .because(
            format!("DNS gives several addresses for {host}. {address} serves the certificate of {}, {} the right one, so the fault comes and goes with the address that a client takes.", bad.label(), reach::server(good.connection)),
            format!("Remove {address} from the record of {host}, or find out why it is there."),
        )
        .verified_by(format!("dig +short {host}; {}", reach::ask_address(host, address)), format!("{address} is gone, or covers {host}"))
        .reason(format!("one answer holds {address} and {}", good.connection.server_ip().map(|ip| ip.to_string()).unwrap_or_default()), set.cites.clone())
        .mark(Mark::new(set.answer, address.to_string(), Sign::Wrong, "the address that serves another certificate"));
    served_right(finding, host, good).found()
}
