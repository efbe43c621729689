//! `net.captive_portal`: the network answers for every name until somebody logs in.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::{names_one, texts};
use crate::case::{Case, Connection};
use crate::evidence::{HttpExchange, ObservationId};
use crate::name::Name;
use crate::provider::suffix;
use crate::rules::view::{self, Coverage, Shown};
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule, reach};

declare_rule! {
    /// # What it finds
    ///
    /// One certificate for all names that a client asks for within minutes, whoever owns them, and
    /// whatever addresses they have; or a request in clear that the network answers with a redirect to a login
    /// page.
    ///
    /// # Why it matters
    ///
    /// Hotspots and guest networks lead every connection to their login page until somebody logs in. No
    /// certificate can be right there.
    ///
    /// # What it needs
    ///
    /// Handshakes of the same client for names of other owners. Several addresses, a private one, a
    /// response of 511, a check of connectivity that is redirected, or a portal's certificate make it
    /// strong. A right certificate for another name in the same minutes rules it out. One name alone shows
    /// nothing, and a redirect without the name of a portal is how sites move.
    ///
    /// # What to do
    ///
    /// Log in to the network: open `http://example.com/` in a browser. Then test again.
    ///
    /// # References
    ///
    /// RFC 8952 (captive portal architecture); RFC 6585 section 6 (511).
    "net.captive_portal", "the network answers for every name until somebody logs in", since "0.1.0", cap 0.85, rank 380
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = reach::named(case) else {
        return Verdict::NotApplicable;
    };
    let wrong = reach::wrong(case);
    let Some(it) = wrong.iter().find(|it| {
        it.coverage == Coverage::DoesNotCover && !view::is_aws_default(it.leaf) && !reach::is_same_owner(it.leaf, host)
    }) else {
        return in_clear(case, host);
    };
    let near = reach::neighbours(case, it.connection);
    if let Some(other) = near.iter().find(|other| reach::is_right(other) && other.sni().is_some_and(|sni| sni != *host))
    {
        let because = format!(
            "in the same minutes the client was served a right certificate for {}",
            other.handshake.sni.clone().unwrap_or_default()
        );
        return Verdict::Clear { because, cites: vec![other.id, it.connection.id] };
    }
    let caught = caught(it, &near);
    let signs = signs(case, it, &caught);
    let strength = match (caught.owners.len(), signs.len()) {
        (3.., 2..) => Strength::Proven,
        (3.., 1) | (2, 1..) | (_, 2..) => Strength::Strong,
        (3.., 0) => Strength::Consistent,
        _ if it.connection.server_ip().is_some_and(view::is_private) || !signs.is_empty() => {
            return Verdict::Unknown {
                missing: format!("whether other names are answered with {} as well", it.label()),
                ask: "curl -vI http://example.com/; openssl s_client -connect www.wikipedia.org:443 -servername www.wikipedia.org </dev/null".to_owned(),
            };
        }
        _ => return Verdict::NotApplicable,
    };
    found(host, it, &caught, signs, strength)
}

/// Without a certificate to judge: a request in clear for the host that is led to a login page. A redirect alone is
/// how sites move; the page has a portal's name or a private address, or the host is one that redirects nobody.
fn in_clear(case: &Case<'_>, host: &Name) -> Verdict {
    if view::shown(case).iter().any(|it| it.coverage == Coverage::Covers) {
        return Verdict::NotApplicable;
    }
    let is_check = |id: ObservationId| case.around.redirected_checks.iter().any(|(known, ..)| *known == id);
    let is_portal =
        |to: &Name| to.ip().is_some_and(view::is_private) || names_one(PORTALS, &[to.to_string()]).is_some();
    let led = case.exchanges.iter().filter_map(|(id, it)| Some((*id, it.redirect()?)));
    let foreign = led.filter(|(_, to)| suffix::owner(to.as_str()) != suffix::owner(host.as_str()));
    let Some((id, to)) = foreign.into_iter().find(|(id, to)| is_check(*id) || is_portal(to)) else {
        return Verdict::NotApplicable;
    };
    Finding::new(
        format!("a request in clear for {host} is led to {to}, as a network does before a login"),
        Severity::Warning,
        Strength::Strong,
    )
    .because(
        format!("The network answers for {host} itself and leads the client to its login page ({to}). Until somebody logs in, TLS to {host} meets the same."),
        "Log in to the network first: open http://example.com/ in a browser, then test again.",
    )
    .verified_by("curl -sI http://example.com/", "no redirect")
    .confirmed_if(format!("the certificate does not cover {host} until the login"))
    .reason(format!("the response to the request in clear redirects to {to}"), [id])
    .mark(Mark::new(id, to.as_str(), Sign::Wrong, "not the host that was asked"))
    .found()
}

/// What one certificate was presented for.
struct Caught {
    /// A handshake for each owner, the host's first.
    owners: BTreeMap<String, (Name, ObservationId)>,
    addresses: BTreeSet<IpAddr>,
}

fn caught(it: &Shown<'_, '_>, near: &[&Connection<'_>]) -> Caught {
    let mut caught = Caught { owners: BTreeMap::new(), addresses: BTreeSet::new() };
    let same = near.iter().copied().filter(|other| {
        other.leaf().is_some_and(|leaf| leaf.certificate.id() == it.leaf.certificate.id() || is_same_text(leaf, it))
            && reach::is_wrong(other)
    });
    for connection in std::iter::once(it.connection).chain(same) {
        caught.addresses.extend(connection.server_ip());
        if let Some(sni) = connection.sni() {
            caught.owners.entry(suffix::owner(sni.as_str())).or_insert((sni, connection.id));
        }
    }
    caught
}

/// Whether two certificates that only texts describe are the same: by subject, issuer and dates.
fn is_same_text(leaf: &crate::case::Leaf<'_>, it: &Shown<'_, '_>) -> bool {
    let (one, other) = (leaf.certificate, it.leaf.certificate);
    (one.sha256.is_none() || other.sha256.is_none())
        && one.subject.is_some()
        && (&one.subject, &one.issuer, one.not_after) == (&other.subject, &other.issuer, other.not_after)
}

/// A sign in words, what shows it, and what to underline.
type Told = (String, Vec<ObservationId>, Option<Mark>);

/// A check of connectivity by the same client in the same minutes that was redirected, its host and whereto.
fn redirected_check(case: &Case<'_>, connection: &Connection<'_>) -> Option<(ObservationId, Name, Name)> {
    let is_same = |it: &HttpExchange| {
        let client = it.client.map(|client| client.ip());
        let is_own = client.is_none() || connection.client_ip().is_none() || client == connection.client_ip();
        let times = it.time.zip(connection.handshake.time);
        is_own && times.is_none_or(|(one, other)| one.seconds.abs_diff(other.seconds) <= reach::NEAR_SECONDS)
    };
    let of_source = case.around.redirected_checks.iter().filter(|(_, source, _)| *source == connection.source);
    of_source.filter(|(_, _, it)| is_same(it)).find_map(|(id, _, it)| Some((*id, it.host.clone()?, it.redirect()?)))
}

/// What makes a shared certificate a portal's, each with what shows it.
fn signs(case: &Case<'_>, it: &Shown<'_, '_>, caught: &Caught) -> Vec<Told> {
    let mut signs = Vec::new();
    if caught.addresses.len() > 1 {
        let cites = caught.owners.values().map(|(_, id)| *id).take(4).collect();
        signs.push((
            format!("the same certificate comes from {} different addresses", caught.addresses.len()),
            cites,
            None,
        ));
    }
    if let Some(address) = it.connection.server_ip().filter(|ip| view::is_private(*ip)) {
        signs.push((format!("{address} is a private address"), vec![it.connection.id], None));
    }
    if let Some((id, status)) =
        case.exchanges.iter().find_map(|(id, exchange)| Some((*id, exchange.status.filter(|it| *it == 511)?)))
    {
        signs.push((format!("the response is {status}, Network Authentication Required"), vec![id], None));
    }
    if let Some((id, asked, to)) = redirected_check(case, it.connection) {
        let mark = Mark::new(id, to.as_str(), Sign::Wrong, format!("not {asked}, which redirects nobody"));
        signs.push((format!("a request in clear for {asked} is redirected to {to}"), vec![id], Some(mark)));
    }
    if let Some(word) = names_one(PORTALS, &texts(it.leaf)) {
        signs.push((format!("the certificate is a portal's ({word})"), vec![it.leaf.id], None));
        if PRODUCTS.contains(&word) {
            signs.push((format!("{word} is the name of a portal product"), vec![it.leaf.id], None));
        }
    }
    signs
}

fn found(host: &Name, it: &Shown<'_, '_>, caught: &Caught, signs: Vec<Told>, strength: Strength) -> Verdict {
    let label = it.label();
    let others: Vec<String> = caught
        .owners
        .values()
        .map(|(name, _)| name.to_string())
        .filter(|name| *name != host.as_str())
        .take(3)
        .collect();
    let mut finding = Finding::new(
        format!("{host} is served the certificate of {label}, as all names are here"),
        Severity::Error,
        strength,
    )
    .because(
        format!("The network leads every connection to its login page ({label}) until somebody logs in."),
        "Log in to the network first: open http://example.com/ in a browser, then test again.",
    )
    .verified_by(reach::check_host(host), format!("a certificate that covers {host}, after the login"))
    .reason(format!("the certificate presented names {label}"), [it.leaf.id, it.connection.id])
    .mark(Mark::new(it.leaf.id, &label, Sign::Wrong, "presented for every name"));
    if !others.is_empty() {
        let cites = caught.owners.values().map(|(_, id)| *id).take(4);
        finding = finding.reason(format!("the same certificate is presented for {}", others.join(", ")), cites);
    }
    for (text, cites, mark) in signs {
        finding = finding.reason(text, cites);
        finding.marks.extend(mark);
    }
    finding.found()
}

/// Words of portals' certificates; the products among them are used for nothing else.
pub(super) const PORTALS: &[&str] = &[
    "arubanetworks.com",
    "securelogin",
    "network-auth.com",
    "captive",
    "hotspot",
    "guest-wifi",
    "guestwifi",
    "guest.wifi",
    "wifi-login",
    "login.wifi",
    "portal.wifi",
    "cloudguest",
    "nomadix",
    "coova",
];
const PRODUCTS: &[&str] = &["arubanetworks.com", "securelogin", "network-auth.com", "nomadix", "coova", "captive"];
