//! `mitm.tls_interception`: something on the path ends TLS and signs certificates of its own.

use std::collections::BTreeSet;

use super::{ANTIVIRUS, INSPECTORS, is_public, issuer, public_elsewhere, vendor};
use crate::case::{Case, Connection, Leaf};
use crate::limits::NEIGHBOURS_MAX;
use crate::name::Name;
use crate::provider::suffix;
use crate::rules::view::{self, Coverage};
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule, reach};

declare_rule! {
    /// # What it finds
    ///
    /// A certificate with the right names from an issuer that no public root stands behind, where that
    /// issuer is an inspection product's, signs for several owners, or is absent from the same host's
    /// certificate seen elsewhere.
    ///
    /// # Why it matters
    ///
    /// A proxy or firewall on the path ends TLS and signs a copy of each certificate. Clients that do not
    /// have its root refuse it. The server is not at fault, and its records are right.
    ///
    /// # What it needs
    ///
    /// The certificate and its issuer. An issuer that is merely unknown shows a private CA as well: names of
    /// several owners, a known product, or a second view tell them apart. A chain that leads to a public
    /// root rules it out. Dates and lengths say nothing, inspection products copy them.
    ///
    /// # What to do
    ///
    /// Install the organisation's inspection root for this client or runtime, or let the host bypass the
    /// inspection. Compare the issuer on another network.
    ///
    /// # References
    ///
    /// RFC 5280 section 6; RFC 8404 (effects of interception).
    "mitm.tls_interception", "something on the path ends TLS and signs certificates of its own",
    since "0.1.0", cap 0.92, rank 400
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = reach::named(case) else {
        return Verdict::NotApplicable;
    };
    let mut other: Option<Verdict> = None;
    let mut kinds = BTreeSet::new();
    for connection in case.distinct().filter(|it| it.asks_for(host)) {
        let alerts: Vec<Option<&str>> = connection.alerts.iter().map(|(_, it)| it.description.as_deref()).collect();
        if !kinds.insert((connection.source, connection.handshake.chain.as_slice(), alerts)) {
            continue;
        }
        let Some(leaf) = connection.leaf().filter(|leaf| leaf.certificate.issuer.is_some()) else { continue };
        if vendor(ANTIVIRUS, &issuer(leaf)).is_some() {
            continue;
        }
        if vendor(INSPECTORS, &issuer(leaf)).is_none() && is_public(connection, leaf) {
            let is_at_issue =
                view::coverage(leaf, host) != Coverage::Covers || reach::complaint(case, connection).is_some();
            other = other.or_else(|| is_at_issue.then(|| public(leaf, connection)));
            continue;
        }
        match judge(case, host, connection, leaf) {
            found @ Verdict::Found(_) => return found,
            Verdict::NotApplicable => {}
            verdict => other = other.or(Some(verdict)),
        }
    }
    other.unwrap_or(Verdict::NotApplicable)
}

fn public(leaf: &Leaf<'_>, connection: &Connection<'_>) -> Verdict {
    Verdict::Clear {
        because: format!("the issuer is a public one: {}", issuer(leaf)),
        cites: vec![leaf.id, connection.id],
    }
}

fn judge(case: &Case<'_>, host: &Name, connection: &Connection<'_>, leaf: &Leaf<'_>) -> Verdict {
    let name = issuer(leaf);
    let product = vendor(INSPECTORS, &name);
    let coverage = view::coverage(leaf, host);
    let is_right = coverage == Coverage::Covers
        || (coverage == Coverage::Unknown
            && leaf.labels().iter().any(|label| crate::name::match_dns(host, label).is_ok()));
    if !is_right && product.is_none() {
        return Verdict::NotApplicable;
    }
    let complaint = reach::complaint(case, connection);
    let owners = owners(case, &name);
    let elsewhere = public_elsewhere(case, connection);
    let is_rooted = is_self_made(connection) || complaint.is_some();
    let signs = [
        product.is_some(),
        product.is_some() && complaint.is_some(),
        is_of_many(owners.len(), complaint.is_some(), is_rooted),
        elsewhere.is_some(),
    ];
    let count = signs.into_iter().filter(|it| *it).count();
    let strength = match (count, is_right) {
        (0, _) if complaint.is_none() && !is_rooted => return Verdict::NotApplicable,
        (0, _) => {
            return Verdict::Unknown {
                missing: format!("whether {name} signs for other owners' names as well (interception) or for its own only (a private CA)"),
                ask: "openssl s_client -connect www.wikipedia.org:443 -servername www.wikipedia.org </dev/null | openssl x509 -noout -issuer".to_owned(),
            };
        }
        (_, false) => Strength::Consistent,
        (1, true) => Strength::Strong,
        (_, true) => Strength::Proven,
    };
    let is_at_fault = complaint.is_some() || (product.is_some() && is_right && reach::is_untold(case, connection));
    let severity = if is_at_fault { Severity::Error } else { Severity::Note };
    let by = product
        .map_or_else(|| "Something on the path".to_owned(), |product| format!("An inspection product ({product})"));
    let mut finding = Finding::new(format!("{host} is served a certificate that {} signed", short(&name)), severity, strength)
        .because(
            format!("{by} ends the client's TLS connection and presents a certificate of its own making, signed by {name}. It is not the server's certificate."),
            format!("Install the root of {} for this client or runtime, or let {host} bypass the inspection. The server and its records are not at fault.", short(&name)),
        )
        .verified_by(
            format!("openssl s_client -connect {host}:443 -servername {host} </dev/null | openssl x509 -noout -issuer"),
            "a public issuer, on a network without the inspection",
        )
        .reason(format!("the certificate for {host} is issued by {name}"), [leaf.id, connection.id])
        .mark(Mark::new(leaf.id, short(&name), Sign::Wrong, "no public root stands behind this issuer"));
    if let Some((other, public)) = elsewhere {
        finding = finding
            .reason(format!("another handshake for {host} shows the issuer {}", issuer(public)), [public.id, other.id]);
    }
    if let Some((name, id)) =
        owners.iter().find(|(name, _)| suffix::owner(name.as_str()) != suffix::owner(host.as_str()))
    {
        finding = finding.reason(format!("the same issuer signs for {name}, of another owner"), [*id]);
    }
    if let Some((id, text)) = complaint {
        finding = finding.reason(text, [id]);
    }
    finding.found()
}

/// Whether an issuer signs for more owners than one of its own would: two that a client refuses, or three
/// of a chain that ends in a root nobody knows. One organisation with a private CA has two domains soon.
fn is_of_many(owners: usize, is_refused: bool, is_rooted: bool) -> bool {
    (owners > 1 && is_refused) || (owners > 2 && is_rooted)
}

/// Whether the chain as sent ends in a certificate that signs itself and is no public root.
fn is_self_made(connection: &Connection<'_>) -> bool {
    connection.chain.len() > 1
        && connection
            .chain
            .last()
            .is_some_and(|top| top.certificate.subject.is_some() && top.certificate.subject == top.certificate.issuer)
}

/// One host per owner that an issuer signs a covering certificate for.
fn owners(case: &Case<'_>, issuer: &str) -> Vec<(Name, crate::evidence::ObservationId)> {
    case.around.owners_of(issuer).filter_map(|it| Some((it.sni()?, it.id))).take(NEIGHBOURS_MAX).collect()
}

/// The common name of an issuer, or all of it.
fn short(issuer: &str) -> String {
    let at = issuer.rfind("CN=");
    let name = at.and_then(|at| issuer.get(at.saturating_add(3)..)).unwrap_or(issuer);
    name.split(", ").next().unwrap_or(name).to_owned()
}
