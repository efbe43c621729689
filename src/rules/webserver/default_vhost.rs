//! `webserver.default_vhost`: the server presents another site's certificate.

use crate::case::{Case, Connection};
use crate::evidence::ObservationId;
use crate::name::{Name, Rejection};
use crate::provider::{elb, suffix};
use crate::rules::view::{self, Shown};
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule, lb, mail, port, presented, reach};

declare_rule! {
    /// # What it finds
    ///
    /// The client asked for the host at an address that DNS names, and the certificate of another site
    /// comes back.
    ///
    /// # Why it matters
    ///
    /// A web server without a TLS section for the name takes its first or default one. The site works over
    /// plain HTTP, and HTTPS shows the neighbour.
    ///
    /// # What it needs
    ///
    /// The address record, the SNI and the certificate. Another server name that is rightly served the same
    /// certificate at the same address proves it; a certificate of the same owner makes it strong. A
    /// certificate of somebody else alone is consistent with an address that went to another owner as well
    /// (`dns.recycled_cloud_ip`). A covering certificate rules it out.
    ///
    /// # What to do
    ///
    /// Add a TLS section for the host on the same address and port (`listen 443 ssl`, `server_name`,
    /// `ssl_certificate`), reload, and verify with `openssl s_client -servername`.
    ///
    /// # References
    ///
    /// nginx documentation, "Configuring HTTPS servers"; Apache httpd documentation, "SSL/TLS FAQ".
    "webserver.default_vhost", "the server presents another site's certificate",
    since "0.1.0", cap 0.6, rank 570
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = case.host.as_ref().filter(|host| host.ip().is_none() && !elb::is_balancer(host)) else {
        return Verdict::NotApplicable;
    };
    if is_elsewhere(case) {
        return Verdict::NotApplicable;
    }
    let shown = presented::distinct(reach::shown(case));
    let wrong: Vec<&Shown<'_, '_>> = shown
        .iter()
        .filter(|it| it.is_wrong() && !mail::is_mail(case, it.connection))
        .filter(|it| case.known.providers.of_certificate(it.leaf.certificate).is_none() && !is_self_issued(it))
        .collect();
    let asked = wrong.iter().filter(|it| it.connection.asks_for(host));
    let told = |it: &&&Shown<'_, '_>| (it.shows_identifiers(), record_of(case, host, it.connection).is_some());
    let Some(it) = asked.rev().max_by_key(told) else {
        return otherwise(case, host, &wrong);
    };
    if is_near_miss(host, it) {
        return Verdict::NotApplicable;
    }
    found(case, host, it)
}

/// Whether another product than a web server decides: API Gateway, a CDN, a platform, a balancer.
fn is_elsewhere(case: &Case<'_>) -> bool {
    let aliases = case.resolutions.iter().flat_map(|resolution| &resolution.aliases);
    aliases.into_iter().any(|alias| case.known.providers.of_host(&alias.target).is_some())
        || view::aws_target(case).is_some()
        || lb::default_certificate::leads_here(case)
}

fn is_self_issued(it: &Shown<'_, '_>) -> bool {
    let certificate = it.leaf.certificate;
    certificate.subject.is_some() && certificate.subject == certificate.issuer
}

/// Whether the certificate was meant for this host and misses it narrowly: the rules of `match` say how.
fn is_near_miss(host: &Name, it: &Shown<'_, '_>) -> bool {
    let other = host.as_str().strip_prefix("www.").map_or_else(|| format!("www.{host}"), str::to_owned);
    let tried = it.leaf.check(host).map(|check| check.tried).unwrap_or_default();
    tried.is_empty()
        || tried.iter().any(|tried| {
            !matches!(tried.rejection, Some(Rejection::OtherDomain | Rejection::IsIpEntry))
                || tried.presented.eq_ignore_ascii_case(&other)
                || !tried.presented.is_ascii()
        })
}

fn otherwise(case: &Case<'_>, host: &Name, wrong: &[&Shown<'_, '_>]) -> Verdict {
    if let Some(it) = wrong.first().filter(|it| view::sent_no_name(it.connection)) {
        return Verdict::Unknown {
            missing: format!("what the server presents when {host} is asked for; without a name it is {}", it.label()),
            ask: view::ask_for_certificate(host),
        };
    }
    let neighbour = view::covering(case).and_then(|it| Some((it, neighbour_of(case, it.connection, None)?)));
    match neighbour {
        Some((it, (other, name))) => Verdict::Clear {
            because: format!("the same address serves {name} and {host} certificates of their own"),
            cites: vec![it.connection.id, it.leaf.id, other.id],
        },
        None => Verdict::NotApplicable,
    }
}

/// Another name that the same server and port rightly answers: with this certificate, or with another.
fn neighbour_of<'c, 'e>(
    case: &'c Case<'e>,
    own: &Connection<'_>,
    leaf: Option<&str>,
) -> Option<(&'c Connection<'e>, Name)> {
    case.around.with_server(own.handshake.server?).find_map(|other| {
        let (name, shown) = (other.sni()?, other.leaf()?);
        let is_wanted = leaf.is_none_or(|leaf| leaf == shown.certificate.id());
        let covers = other.covers_sni() == Some(true);
        (is_wanted && covers && Some(&name) != own.sni().as_ref()).then_some((other, name))
    })
}

/// What leads the host to the server's address.
struct Way {
    id: ObservationId,
    /// An answer of DNS; else a client that was given the name alone and went to the address.
    is_answer: bool,
}

fn record_of(case: &Case<'_>, host: &Name, connection: &Connection<'_>) -> Option<Way> {
    let address = connection.server_ip()?;
    let mut answers = case.resolutions.iter().flat_map(|it| &it.addresses);
    if let Some((_, id)) = answers.find(|(known, _)| *known == address) {
        return Some(Way { id: *id, is_answer: true });
    }
    let goes_there = |other: &&Connection<'_>| {
        other.handshake.dialed.as_deref() == Some(host.as_str())
            && other.server_ip() == Some(address)
            && reach::forced(case, host, other, address).is_none()
    };
    case.connections.iter().find(goes_there).map(|other| Way { id: other.id, is_answer: false })
}

/// Where DNS is known already, the address that the check went to is what is missing.
fn undecided(case: &Case<'_>, host: &Name, it: &Shown<'_, '_>) -> Verdict {
    let is_dug = case.resolutions.iter().any(|answer| !answer.addresses.is_empty());
    let is_hidden = it.connection.server_ip().is_none();
    let ask =
        if is_dug && is_hidden { format!("curl -v https://{host}/") } else { format!("dig {host} A {host} AAAA") };
    Verdict::Unknown { missing: format!("whether DNS sends {host} to the server that presents {}", it.label()), ask }
}

fn found(case: &Case<'_>, host: &Name, it: &Shown<'_, '_>) -> Verdict {
    let record = record_of(case, host, it.connection);
    let neighbour = neighbour_of(case, it.connection, Some(it.leaf.certificate.id()));
    let labels = it.leaf.labels();
    let same_owner = labels.iter().any(|label| suffix::have_one_owner(label, host.as_str()));
    let is_dialed = it.connection.handshake.dialed == it.connection.handshake.sni && case.overrides.is_empty();
    let strength = match (&record, &neighbour, same_owner) {
        (Some(Way { is_answer: true, .. }), Some(_), _) => Strength::Proven,
        (Some(_), Some(_), _) | (Some(Way { is_answer: true, .. }), None, true) => Strength::Strong,
        (Some(Way { is_answer: true, .. }), None, false) | (Some(_), None, true) => Strength::Consistent,
        (None, _, true) if is_dialed => Strength::Consistent,
        _ => return undecided(case, host, it),
    };
    let label = it.label();
    let place = it.connection.server_ip().map_or_else(String::new, |ip| format!(" at {ip}"));
    let port = port::listened(it.connection.handshake);
    let remedy = match &it.connection.handshake.starttls {
        Some(_) => format!(
            "Issue the server a certificate that names {host} as well, or let clients call it by a name that it presents ({label})."
        ),
        None => format!(
            "Add a TLS section for {host} to the server (listen {port} ssl, server_name {host}, its certificate) on the same address and port, and reload it."
        ),
    };
    let mut finding = Finding::new(format!("{host} is served the certificate of {label}"), Severity::Error, strength)
        .because(
            format!("The server{place} has no certificate for {host} and presents that of another site, {label}."),
            remedy,
        )
        .verified_by(view::ask_for_identifiers(host), format!("an identifier that covers {host}"))
        .reason(format!("the client asked for {host}"), [it.connection.id])
        .reason(format!("the certificate presented names {}", labels.join(", ")), [it.leaf.id, it.connection.id])
        .mark(view::asked_mark(it.connection.id, host))
        .mark(Mark::new(it.leaf.id, &label, Sign::Wrong, format!("does not cover {host}")));
    if let Some(Way { id, is_answer }) = record {
        let who = if is_answer { "DNS sends" } else { "the client's resolver sends" };
        finding = finding.reason(format!("{who} {host} to the server{place}"), [id]);
    }
    if let Some((other, name)) = neighbour {
        finding = finding
            .reason(format!("the same server presents the same certificate for {name}, which it covers"), [other.id]);
    } else if same_owner {
        finding = finding.reason(
            format!("{label} belongs to the same registrable domain (public suffix list, psl {})", suffix::VERSION),
            [it.leaf.id],
        );
    }
    finding.found()
}
