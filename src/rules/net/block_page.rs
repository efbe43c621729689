//! `net.block_page`: a filter answers for a name that it blocks.

use std::net::{IpAddr, Ipv4Addr};

use super::{names_one, texts};
use crate::case::{Case, Connection, Leaf};
use crate::evidence::ObservationId;
use crate::name::Name;
use crate::provider::table::Kind;
use crate::rules::defaults;
use crate::rules::view::{self, Coverage};
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule, reach};

declare_rule! {
    /// # What it finds
    ///
    /// A filter's certificate for one host, or an answer of DNS that leads to a filter's block page.
    ///
    /// # Why it matters
    ///
    /// The filter shows a page that says the site is blocked, and has no certificate for the site. Other
    /// sites work. The server is not at fault.
    ///
    /// # What it needs
    ///
    /// A certificate whose names or issuer are a filter's, or the address of a filter's block page in the
    /// answer; both prove it. A right certificate of the host rules it out.
    ///
    /// # What to do
    ///
    /// Ask those who run the filter to allow the host. Compare `dig HOST` with another resolver.
    ///
    /// # References
    ///
    /// The filters' own lists of block page addresses.
    "net.block_page", "a filter answers for a name that it blocks", since "0.1.0", cap 0.8, rank 385
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = reach::named(case) else {
        return Verdict::NotApplicable;
    };
    let blocked =
        case.resolutions.iter().flat_map(|it| &it.addresses).find(|(address, _)| is_block_page(*address)).copied();
    let mut other: Option<Verdict> = None;
    for connection in case.distinct().filter(|it| it.asks_for(host)) {
        let Some(leaf) = connection.leaf() else { continue };
        let at_page = connection.server_ip().is_some_and(is_block_page);
        let coverage = view::coverage(leaf, host);
        // A text that shows the subject alone, of the right name: that is inspection, which blocks nothing.
        let covers = coverage == Coverage::Covers || (coverage == Coverage::Unknown && leaf.is_called(host));
        let may_be = at_page || !covers;
        let word = if may_be && !view::is_aws_default(leaf) { names_one(FILTERS, &texts(leaf)) } else { None };
        match (word, at_page) {
            (Some(word), true) => return found(host, connection, leaf.id, word, Strength::Proven),
            (Some(word), false) if !covers => {
                let device = case.known.providers.own_certificate(leaf.certificate, Kind::Appliance);
                let is_device = device.is_some_and(|row| defaults::FILTERS.contains(&row.id.as_str()));
                let strength = if is_device { Strength::Consistent } else { Strength::Strong };
                return found(host, connection, leaf.id, word, strength);
            }
            (None, true) if !covers => {
                return found(host, connection, leaf.id, "the address of a block page", Strength::Strong);
            }
            _ if covers => {
                other = other.or(Some(Verdict::Clear {
                    because: format!("the certificate presented names {host}"),
                    cites: vec![leaf.id, connection.id],
                }));
            }
            _ => {}
        }
    }
    match (other, blocked) {
        (_, Some((address, _))) if case.connections.iter().all(|it| it.leaf().is_none()) => Verdict::Unknown {
            missing: format!("what {address}, an address that filters answer with, presents for {host}"),
            ask: format!("dig @1.1.1.1 {host}; {}", view::ask_for_identifiers(host)),
        },
        (Some(clear), _) if !reach::wrong(case).is_empty() || blocked.is_some() => clear,
        _ => Verdict::NotApplicable,
    }
}

fn found(host: &Name, connection: &Connection<'_>, leaf: ObservationId, word: &str, strength: Strength) -> Verdict {
    let server = reach::server(connection);
    let label = connection.leaf().map(Leaf::label).unwrap_or_default();
    Finding::new(
        format!("{host} is served the certificate of {label} by a filter's block page"),
        Severity::Error,
        strength,
    )
    .because(
        format!(
            "A filter blocks {host} and answers in its place ({word}), with a certificate that is not the site's own."
        ),
        format!("Ask those who run the filter to allow {host}; the server is not at fault."),
    )
    .verified_by(format!("dig {host}; dig @1.1.1.1 {host}"), "the same answer, once the host is allowed")
    .reason(format!("{server} presents the certificate {label}"), [leaf, connection.id])
    .reason(format!("it is a filter's: {word}"), [leaf])
    .mark(Mark::new(leaf, &label, Sign::Wrong, "a filter's certificate"))
    .found()
}

/// Addresses that filters answer with in place of a blocked site: Cisco Umbrella's block pages, and
/// the unspecified address of DNS sinkholes.
fn is_block_page(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            v4 == Ipv4Addr::UNSPECIFIED
                || (v4.octets().starts_with(&[146, 112, 61]) && (104..=110).contains(&v4.octets()[3]))
        }
        IpAddr::V6(v6) => v6.is_unspecified(),
    }
}

/// Words of filters' certificates.
pub(super) const FILTERS: &[&str] = &[
    "opendns",
    "cisco umbrella",
    "fortiguard",
    "fortigate",
    "fortinet",
    "blockpage",
    "block-page",
    "block.page",
    "blocked",
    "webfilter",
    "web filter",
    "websense",
    "forcepoint",
    "netsweeper",
    "smoothwall",
    "securly",
    "lightspeed systems",
    "contentkeeper",
    "safedns",
    "cleanbrowsing",
    "sonicwall",
    "barracuda",
    "iboss",
];
