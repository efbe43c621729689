//! `sni.unrelated_to_dialed_host`: the server name was never resolved to the address it was sent to.

use super::reverse_name;
use crate::case::{Case, Connection};
use crate::evidence::ObservationId;
use crate::name::Name;
use crate::provider::suffix;
use crate::rules::view::{self, Coverage};
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule, ech, proxy, reach};

declare_rule! {
    /// # What it finds
    ///
    /// A client that dialled one host and sent the server name of another, which DNS does not lead to
    /// that server, and that was refused or served a certificate which does not cover the name it sent.
    ///
    /// # Why it matters
    ///
    /// Some clients take the server name from a Host header (Node.js), from the reverse name of the
    /// address, or from the request they forward. The server answers for a name it does not have.
    ///
    /// # What it needs
    ///
    /// The server name sent, the host that was resolved or dialled, and the answer. A certificate that
    /// covers the dialled host, or DNS of the name sent that leads elsewhere, makes it strong; both prove
    /// it. A name that spells the dialled address, as reverse lookups give it, is no site's. It is ruled
    /// out when the name sent resolves to that address, or is covered.
    ///
    /// # What to do
    ///
    /// Set the server name explicitly (`servername` in Node.js, `proxy_ssl_name` in nginx), or remove the
    /// inbound Host header before the request is passed on.
    ///
    /// # References
    ///
    /// RFC 6066 section 3.
    "sni.unrelated_to_dialed_host", "the server name sent is not one that DNS leads to that server",
    since "0.1.0", cap 0.85, rank 230
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = reach::named(case) else {
        return Verdict::NotApplicable;
    };
    let mut other: Option<Verdict> = None;
    for connection in case.distinct() {
        let Some(sni) = connection.sni() else { continue };
        if let Some(found) = reverse_name::check(case, connection, &sni).filter(|_| sni == *host) {
            return found;
        }
        let Some(dialed) = dialed(case, connection, &sni).filter(|dialed| sni == *host || *dialed == *host) else {
            continue;
        };
        match judge(case, connection, &sni, &dialed) {
            found @ Verdict::Found(_) => return found,
            verdict => other = other.or(Some(verdict)),
        }
    }
    other.unwrap_or(Verdict::NotApplicable)
}

/// The host that a connection was dialled by, where it is not the server name sent.
fn dialed(case: &Case<'_>, connection: &Connection<'_>, sni: &Name) -> Option<Name> {
    let told = connection.handshake.dialed.as_deref().and_then(Name::parse);
    let dialed = told.or_else(|| {
        let (address, client) = (connection.server_ip()?, connection.client_ip()?);
        let answers = &case.around.answers;
        answers
            .asked_before(address, connection.source, client, connection.handshake.time)
            .map(|it| Name::clone(&it.host))
    })?;
    let is_suffixed = dialed.as_str().strip_prefix(sni.as_str()).is_some_and(|rest| rest.starts_with('.'));
    let is_name = dialed.ip().is_none() && !sni.as_str().contains('*');
    (dialed != *sni && is_name && !is_suffixed).then_some(dialed)
}

fn judge(case: &Case<'_>, connection: &Connection<'_>, sni: &Name, dialed: &Name) -> Verdict {
    let of_sni = case.around.answers.resolutions(sni, &[]);
    let address = connection.server_ip();
    let leads = of_sni.iter().find(|it| {
        address.is_some_and(|address| it.has_address(address)) || it.aliases.iter().any(|alias| alias.target == *dialed)
    });
    if let Some(it) = leads {
        return Verdict::Clear { because: format!("DNS leads {sni} to this server"), cites: it.cites.clone() };
    }
    let covers = |name: &Name| connection.leaf().is_some_and(|leaf| view::coverage(leaf, name) == Coverage::Covers);
    if let Some(leaf) = connection.leaf().filter(|_| covers(sni)) {
        let because = format!("the certificate presented covers {sni}");
        return Verdict::Clear { because, cites: vec![leaf.id, connection.id] };
    }
    if connection.handshake.ech.is_some() && ech::outer_name::is_public_name(case, sni, connection) {
        let because = format!("{sni} is only the public name of Encrypted ClientHello");
        return Verdict::Clear { because, cites: vec![connection.id] };
    }
    if let Some(cites) = proxy::tls_servername_leak::is_proxy(case, connection) {
        return Verdict::Clear { because: format!("{} is a proxy", reach::server(connection)), cites };
    }
    let refusal = reach::refusal(connection);
    if refusal.is_none() && !reach::is_wrong(connection) {
        return Verdict::NotApplicable;
    }
    let elsewhere = of_sni.iter().find(|it| !it.addresses.is_empty());
    let is_of_address = address.is_some_and(|address| reverse_name::is_name_of(sni, address));
    let strength = match (elsewhere.is_some() || is_of_address, covers(dialed)) {
        (true, true) => Strength::Proven,
        (true, false) | (false, true) => Strength::Strong,
        (false, false) if connection.handshake.dialed.is_some() => {
            return Verdict::Unknown {
                missing: format!("whether DNS leads {sni} to {dialed}"),
                ask: format!("dig {sni}"),
            };
        }
        (false, false) if suffix::owner(sni.as_str()) == suffix::owner(dialed.as_str()) => {
            return Verdict::NotApplicable;
        }
        (false, false) => Strength::Consistent,
    };
    found(case, connection, (sni, dialed), strength, refusal, elsewhere.map(|it| it.cites.clone()))
}

fn found(
    case: &Case<'_>,
    connection: &Connection<'_>,
    (sni, dialed): (&Name, &Name),
    strength: Strength,
    refusal: Option<(ObservationId, String)>,
    elsewhere: Option<Vec<ObservationId>>,
) -> Verdict {
    let server = reach::server(connection);
    let mut finding = Finding::new(format!("{dialed} was dialled and asked for {sni}"), Severity::Error, strength)
        .because(
            format!("The client connected to {server}, an address of {dialed}, and sent the server name {sni}. The server there does not serve {sni}."),
            format!("Make the client send the server name {dialed}: set it explicitly (servername in Node.js, proxy_ssl_name in nginx), or remove the inbound Host header before the request is passed on."),
        )
        .verified_by(reach::check_host(dialed), format!("a certificate that covers {dialed}"))
        .reason(format!("the ClientHello to {server} names {sni}"), [connection.id])
        .mark(Mark::new(connection.id, sni.as_str(), Sign::Wrong, format!("not {dialed}, whose server this is")));
    if let Some(cites) = dialed_by(case, connection, dialed) {
        finding = finding.reason(format!("the address is that of {dialed}"), cites);
    }
    if let Some(leaf) = connection.leaf() {
        let label = leaf.label();
        finding = finding
            .reason(format!("the certificate presented names {label}"), [leaf.id, connection.id])
            .mark(Mark::new(leaf.id, &label, Sign::Wrong, format!("does not cover {sni}")));
    }
    if let Some((id, alert)) = refusal {
        finding = finding.reason(format!("the server answers with the alert {alert}"), [id]);
    }
    if let Some(cites) = elsewhere {
        finding = finding.reason(format!("DNS leads {sni} to other addresses"), cites);
    }
    finding.found()
}

/// What says that the address is that of the dialled host.
fn dialed_by(case: &Case<'_>, connection: &Connection<'_>, dialed: &Name) -> Option<Vec<ObservationId>> {
    let address = connection.server_ip()?;
    let own = case.around.answers.resolutions(dialed, &[]);
    own.iter().find(|it| it.has_address(address)).map(|it| it.cites.clone())
}
