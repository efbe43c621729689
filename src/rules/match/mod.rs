//! Why no presented identifier of the customer's own certificate covers the host (RFC 9525 section 6).

use crate::case::Case;
use crate::evidence::{ClientVerdict, ObservationId, Says};
use crate::name::{Name, Rejection, Tried};
use crate::rules::view::{self, Coverage, Shown};
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict};

pub mod cn_only;
pub mod idn;
pub mod ip_san_missing;
pub mod unsupported_wildcard;
pub mod wildcard_depth;
pub mod wildcard_not_apex;
pub mod www_apex;

/// One way in which presented identifiers miss a host.
pub(super) struct Miss {
    /// The identifier that misses in this way, of a certificate where it is shown; `None` when none does.
    pub(super) of: fn(&Name, &[Tried], Option<&Shown<'_, '_>>) -> Option<String>,
    /// Whether a host can be missed in this way at all.
    pub(super) concerns: fn(&Name) -> bool,
    /// What is wrong; `{host}` and `{name}` are replaced.
    pub(super) cause: &'static str,
    /// The cure.
    pub(super) remedy: &'static str,
    /// The label under the identifier.
    pub(super) label: &'static str,
    /// Words of a client that mean this and nothing else, in lower case.
    pub(super) told_by: &'static [&'static str],
}

/// What one way of missing says of a case.
pub(super) fn check(case: &Case<'_>, miss: &Miss) -> Verdict {
    let Some(host) = case.host.as_ref().filter(|host| (miss.concerns)(host)) else {
        return Verdict::NotApplicable;
    };
    if let Some(it) = view::covering(case) {
        let because = format!("{} covers {host}", it.label());
        return Verdict::Clear { because, cites: vec![it.leaf.id, it.connection.id] };
    }
    let shown: Vec<Shown<'_, '_>> = view::shown(case).into_iter().filter(|it| !view::is_aws_default(it.leaf)).collect();
    for it in shown.iter().filter(|it| it.coverage == Coverage::DoesNotCover) {
        let tried = tried(host, it);
        if let Some(name) = (miss.of)(host, &tried, Some(it)) {
            return found(host, it, &name, miss);
        }
    }
    if let Some((id, verdict)) = told(case, miss) {
        return told_only(host, id, verdict, miss, "its name");
    }
    if shown.is_empty() {
        let said = view::said(case, Says::NameMismatch);
        let missed = said.iter().find_map(|(id, verdict)| {
            let is_odd = verdict.presented.iter().any(|name| name.eq_ignore_ascii_case(host.as_str()));
            let tried: Vec<Tried> = verdict.presented.iter().map(|name| by_name(host, name)).collect();
            let name = (miss.of)(host, &tried, None).filter(|_| !is_odd && !tried.is_empty())?;
            Some((*id, *verdict, name))
        });
        if let Some((id, verdict, name)) = missed {
            return told_only(host, id, verdict, miss, &name);
        }
    }
    match shown.iter().find(|it| !it.shows_identifiers()) {
        Some(it) => Verdict::Unknown {
            missing: format!("the presented identifiers of the certificate {}; a subject alone shows none", it.label()),
            ask: format!(
                "openssl s_client -connect {host}:443 -servername {host} </dev/null | openssl x509 -noout -ext subjectAltName"
            ),
        },
        None => Verdict::NotApplicable,
    }
}

/// The presented identifiers; where a text shows none and the client says that they do not cover the host,
/// the common name, which authorities always list among them.
fn tried(host: &Name, it: &Shown<'_, '_>) -> Vec<Tried> {
    match it.leaf.check(host) {
        Some(check) => check.tried,
        None => it.leaf.certificate.common_name().into_iter().map(|name| by_name(host, name)).collect(),
    }
}

fn by_name(host: &Name, name: &str) -> Tried {
    Tried { presented: name.to_owned(), rejection: crate::name::match_dns(host, name).err() }
}

fn found(host: &Name, it: &Shown<'_, '_>, name: &str, miss: &Miss) -> Verdict {
    let fill = |text: &str| text.replace("{host}", host.as_str()).replace("{name}", name);
    let asked = it.connection.asks_for(host) || host.ip().is_some();
    let strength = if asked && it.shows_identifiers() { Strength::Proven } else { Strength::Strong };
    let label = if it.label().is_empty() { name.to_owned() } else { it.label() };
    let mut finding = Finding::new(format!("{host} is served the certificate of {label}"), Severity::Error, strength)
        .because(fill(miss.cause), fill(miss.remedy))
        .verified_by(view::ask_for_identifiers(host), format!("an identifier that covers {host}"))
        .reason(fill(miss.cause), [it.leaf.id, it.connection.id])
        .mark(Mark::new(it.leaf.id, words(it, name), Sign::Wrong, fill(miss.label)));
    if it.connection.asks_for(host) {
        finding = finding
            .reason(format!("the client asked for {host}"), [it.connection.id])
            .mark(view::asked_mark(it.connection.id, host));
    }
    finding.found()
}

/// The words to mark: of a subject, which may hold the name in several attributes, its common name.
fn words(it: &Shown<'_, '_>, name: &str) -> String {
    let certificate = it.leaf.certificate;
    let common = format!("CN={name}");
    let is_shown = certificate.san.as_ref().is_none_or(|san| san.dns.is_empty() && san.ip.is_empty())
        && certificate.subject.as_ref().is_some_and(|subject| subject.contains(&common));
    if is_shown { common } else { name.to_owned() }
}

/// A client's words that mean this way of missing.
fn told<'e>(case: &Case<'e>, miss: &Miss) -> Option<(ObservationId, &'e ClientVerdict)> {
    let said = view::said(case, Says::NameMismatch);
    said.into_iter().map(|(id, verdict)| (id, *verdict)).find(|(_, verdict)| {
        let lower = verdict.words.to_lowercase();
        miss.told_by.iter().any(|words| lower.contains(words))
    })
}

/// The finding where a client says it and the certificate itself is not shown.
fn told_only(host: &Name, id: ObservationId, verdict: &ClientVerdict, miss: &Miss, name: &str) -> Verdict {
    let fill = |text: &str| text.replace("{host}", host.as_str()).replace("{name}", name);
    Finding::new(format!("{host} is served a certificate that does not cover it"), Severity::Error, Strength::Strong)
        .because(fill(miss.cause), fill(miss.remedy))
        .verified_by(view::ask_for_identifiers(host), format!("an identifier that covers {host}"))
        .reason(format!("{} says: {}", verdict.client, verdict.words), [id])
        .mark(Mark::new(id, host.as_str(), Sign::Wrong, fill(miss.label)))
        .found()
}

/// The first identifier rejected for this reason.
pub(super) fn rejected(tried: &[Tried], reason: Rejection) -> Option<String> {
    tried.iter().find(|tried| tried.rejection == Some(reason)).map(|tried| tried.presented.clone())
}
