//! `mail.shared_host_certificate`: a mail server presents its own name, not the customer's.

use super::{is_mail, port_of};
use crate::case::Case;
use crate::evidence::ObservationId;
use crate::name::{self, Name};
use crate::provider::table::Kind;
use crate::rules::view::{self, Shown};
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule};

declare_rule! {
    /// # What it finds
    ///
    /// A connection to a mail port, or with STARTTLS of a mail protocol, where the certificate names the
    /// mail server and not the name that the client used.
    ///
    /// # Why it matters
    ///
    /// One mail server serves many domains and has one certificate, for its own name. `mail.CUSTOMER` is
    /// an alias that it never had a certificate for.
    ///
    /// # What it needs
    ///
    /// The connection and the certificate. An MX record or an alias that names what the certificate covers
    /// proves it. A covering certificate rules it out.
    ///
    /// # What to do
    ///
    /// Use the server's own name in the mail client, or install certificates by server name (SNI) at the
    /// mail server. Verify with `openssl s_client -starttls smtp -servername`.
    ///
    /// # References
    ///
    /// RFC 8314; RFC 7817.
    "mail.shared_host_certificate", "a mail server presents the certificate of its own name",
    since "0.1.0", cap 0.93, rank 520
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = case.host.as_ref().filter(|host| host.ip().is_none()) else {
        return Verdict::NotApplicable;
    };
    if !case.connections.iter().any(|it| is_mail(case, it)) {
        return Verdict::NotApplicable;
    }
    let shown: Vec<Shown<'_, '_>> = view::shown(case).into_iter().filter(|it| is_mail(case, it.connection)).collect();
    let is_nobodys = |it: &&Shown<'_, '_>| is_default(case, it);
    if let Some(it) = shown.iter().find(|it| it.is_wrong() && !is_nobodys(it)) {
        return found(case, host, it);
    }
    if let Some(it) = shown.iter().find(is_nobodys) {
        return Verdict::Clear {
            because: format!("{} is no mail server's own name", it.label()),
            cites: vec![it.leaf.id, it.connection.id],
        };
    }
    match shown.iter().find(|it| it.coverage == view::Coverage::Covers) {
        Some(it) => Verdict::Clear {
            because: format!("the mail server's certificate covers {host}"),
            cites: vec![it.connection.id, it.leaf.id],
        },
        None => Verdict::Unknown {
            missing: format!("the certificate that the mail server presents for {host}"),
            ask: ask(case, host),
        },
    }
}

/// Whether the certificate is one that software or a front end presents when it has no other.
fn is_default(case: &Case<'_>, it: &Shown<'_, '_>) -> bool {
    let certificate = it.leaf.certificate;
    let is_self_issued = certificate.subject.is_some() && certificate.subject == certificate.issuer;
    let is_of = |kind: Kind| case.known.providers.own_certificate(certificate, kind).is_some();
    let kinds = [Kind::NoServerName, Kind::Ingress, Kind::Traefik, Kind::Appliance];
    it.is_wrong() && (kinds.into_iter().any(is_of) || (is_self_issued && is_of(Kind::Panel)))
}

fn ask(case: &Case<'_>, host: &Name) -> String {
    let mail = case.connections.iter().find(|it| is_mail(case, it));
    let port = mail.and_then(|it| port_of(case, it)).unwrap_or(25);
    let protocol = match port {
        465 | 993 | 995 => {
            return format!("openssl s_client -connect {host}:{port} -servername {host} -showcerts </dev/null");
        }
        110 => "pop3",
        143 => "imap",
        _ => "smtp",
    };
    format!("openssl s_client -connect {host}:{port} -starttls {protocol} -servername {host} -showcerts </dev/null")
}

fn found(case: &Case<'_>, host: &Name, it: &Shown<'_, '_>) -> Verdict {
    let label = it.label();
    let named = server_name(case, it);
    let strength = match (&named, it.shows_identifiers()) {
        (Some(_), true) => Strength::Proven,
        _ => Strength::Strong,
    };
    let own = named.as_ref().map_or_else(|| label.clone(), |(name, _)| name.to_string());
    let mut finding = Finding::new(format!("{host} is served the certificate of {label}"), Severity::Error, strength)
        .because(
            format!("The mail server presents the certificate of its own name, {label}; {host} is only another name for it."),
            format!("Let mail clients and MX records use the server's own name ({own}), or install a certificate for {host} by server name at the mail server."),
        )
        .verified_by(ask(case, host), format!("a certificate that covers {host}"))
        .reason(how(case, it), [it.connection.id])
        .reason(format!("the certificate presented names {}", it.leaf.labels().join(", ")), [it.leaf.id, it.connection.id])
        .mark(Mark::new(it.leaf.id, &label, Sign::Wrong, format!("does not cover {host}")));
    if let Some((name, id)) = named {
        finding = finding.reason(format!("DNS calls the mail server {name}, which the certificate covers"), [id]);
    }
    finding.found()
}

fn how(case: &Case<'_>, it: &Shown<'_, '_>) -> String {
    match (&it.connection.handshake.starttls, port_of(case, it.connection)) {
        (Some(protocol), _) => format!("the connection begins with STARTTLS of {protocol}"),
        (None, Some(port)) => format!("the connection is to port {port}"),
        (None, None) => "the connection is to a mail server".to_owned(),
    }
}

/// A name that MX records or aliases give the server and that the certificate covers.
fn server_name(case: &Case<'_>, it: &Shown<'_, '_>) -> Option<(Name, ObservationId)> {
    let san = it.leaf.certificate.san.as_ref()?;
    let covered = |name: &Name| san.dns.iter().any(|presented| name::match_dns(name, presented).is_ok());
    let aliases = case.resolutions.iter().flat_map(|resolution| &resolution.aliases);
    let alias =
        aliases.into_iter().find(|alias| covered(&alias.target)).map(|alias| (alias.target.clone(), alias.cites));
    let exchangers = || case.around.exchangers.iter().find(|(_, name)| covered(name));
    alias.or_else(|| exchangers().map(|(id, name)| (name.clone(), *id)))
}
