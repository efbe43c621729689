//! What the rules about certificates that software or a device comes with share: they differ in a
//! `Family`, the patterns are rows of the provider table.

use crate::case::Case;
use crate::evidence::{ObservationId, Says};
use crate::name::Name;
use crate::provider::Provider;
use crate::provider::table::{Basis, Kind};
use crate::rules::presented::{self, Presented};
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict};
use crate::rules::{tool, view};

/// One family of certificates that nobody meant to present.
pub(super) struct Family {
    /// The rows of the table.
    pub(super) kind: Kind,
    /// What such a certificate is called, after the article.
    pub(super) what: &'static str,
    /// The cause; `{host}` and `{provider}` are replaced.
    pub(super) cause: &'static str,
    /// The cure, where the row has none of its own.
    pub(super) remedy: &'static str,
    /// An address of a private network confirms it; without one it is less sure.
    pub(super) is_nearby: bool,
}

/// What a family says of a case.
pub(super) fn check(case: &Case<'_>, family: &Family) -> Verdict {
    let Some(host) = case.host.as_ref().filter(|host| host.ip().is_none()) else {
        return Verdict::NotApplicable;
    };
    let all = presented::of(case);
    let own: Vec<(&Presented<'_, '_>, &Provider)> =
        all.iter().filter_map(|it| Some((it, row_of(case, host, it, family.kind)?))).collect();
    let right = served_by_name(case, host);
    let may_name = |it: &Presented<'_, '_>| {
        !it.is_silent() && (right.is_none() || it.connection.is_some_and(|it| it.asks_for(host)))
    };
    if let Some((it, row)) = own.iter().find(|(it, _)| may_name(it)) {
        return found(case, host, it, row, family);
    }
    if let (Some((_, row)), Some((cites, title))) = (own.first(), right) {
        let because = format!("{} serves {title} to a handshake that names {host}", row.name);
        return Verdict::Clear { because, cites };
    }
    if let Some((_, row)) = own.first() {
        return Verdict::Unknown {
            missing: format!(
                "what {host} is served when its name is sent; without a name it is {} of {}",
                family.what, row.name
            ),
            ask: view::ask_for_certificate(host),
        };
    }
    let other = all.iter().find(|it| it.is_self_issued() || is_other_default(case, host, it, family.kind));
    if let Some(it) = other {
        let because = format!("{} is not {} (providers {})", it.title(), family.what, case.known.providers.as_of);
        return Verdict::Clear { because, cites: it.cites() };
    }
    if let Some(told) = told(case, host, family).filter(|_| all.is_empty()) {
        return told;
    }
    let said = view::said(case, Says::ChainUntrusted);
    match said.iter().find(|(_, verdict)| all.is_empty() && is_self_signed(&verdict.words)) {
        Some((_, verdict)) => Verdict::Unknown {
            missing: format!("the subject of the certificate that {} calls self-signed", verdict.client),
            ask: view::ask_for_certificate(host),
        },
        None => Verdict::NotApplicable,
    }
}

/// The certificate that a handshake with the host's name was served, if it is the host's own.
fn served_by_name(case: &Case<'_>, host: &Name) -> Option<(Vec<ObservationId>, String)> {
    let shown = view::shown(case);
    let right = tool::no_servername::named_for(host, &shown)?;
    Some((view::cites([right.connection.id, right.leaf.id]), right.label()))
}

/// The row of this kind whose own certificate it is: it does not cover the host, and no public authority
/// vouches for what a subject claims.
fn row_of<'c>(case: &Case<'c>, host: &Name, it: &Presented<'_, '_>, kind: Kind) -> Option<&'c Provider> {
    let row = case.known.providers.own_certificate(it.leaf.certificate, kind).filter(|_| it.is_wrong(host))?;
    let of_device = || case.known.providers.own_certificate(it.leaf.certificate, Kind::Appliance);
    if kind == Kind::Panel && of_device().is_some() {
        return None; // a device that says what it is may name itself localhost as a package does
    }
    let by_name = row.has_presented_names(it.leaf.certificate);
    (by_name || !it.is_publicly_issued(case)).then_some(row)
}

fn is_other_default(case: &Case<'_>, host: &Name, it: &Presented<'_, '_>, own: Kind) -> bool {
    let kinds = [Kind::Ingress, Kind::Traefik, Kind::Panel, Kind::Appliance];
    kinds.into_iter().any(|kind| kind != own && row_of(case, host, it, kind).is_some())
}

/// Whether a client's words say that the certificate signed itself.
pub(super) fn is_self_signed(words: &str) -> bool {
    let lower = words.to_lowercase();
    let words = ["self-signed", "self signed", "code: 18", "depth_zero_self_signed_cert"];
    words.iter().any(|it| lower.contains(it)) && !lower.contains("in certificate chain")
}

fn found(case: &Case<'_>, host: &Name, it: &Presented<'_, '_>, row: &Provider, family: &Family) -> Verdict {
    let private = view::private_address(case);
    let is_sure = row.basis != Basis::Recall && (!family.is_nearby || private.is_some());
    let is_filter = FILTERS.contains(&row.id.as_str()) && private.is_none();
    let strength = match it.strength(host) {
        _ if is_filter => Strength::Consistent,
        Strength::Proven if !is_sure => Strength::Strong,
        strength => strength,
    };
    let mut finding = headed(host, row, family, strength)
        .reason(
            format!(
                "{} is what {} presents by itself (providers {})",
                it.title(),
                row.name,
                case.known.providers.as_of
            ),
            it.cites(),
        )
        .mark(it.wrong_mark(host));
    if let Some(connection) = it.connection.filter(|connection| connection.asks_for(host)) {
        finding = finding
            .reason(format!("the client asked for {host}"), [connection.id])
            .mark(view::asked_mark(connection.id, host));
    }
    if let Some((address, id)) = private.filter(|_| family.is_nearby) {
        finding = finding.reason(format!("{address} is an address of a private network"), [id]);
    }
    finding.found()
}

/// The finding without its reasons.
fn headed(host: &Name, row: &Provider, family: &Family, strength: Strength) -> Finding {
    let fill = |text: &str| text.replace("{host}", host.as_str()).replace("{provider}", &row.name);
    Finding::new(format!("{host} is served {} of {}", family.what, row.name), Severity::Error, strength)
        .because(fill(family.cause), fill(row.remedy.as_deref().unwrap_or(family.remedy)))
        .verified_by(view::ask_for_identifiers(host), format!("an identifier that covers {host}"))
}

/// Where no certificate is shown: a client's message that names what only such a certificate presents. Of
/// clients that can be without server names it is one reading of two.
fn told(case: &Case<'_>, host: &Name, family: &Family) -> Option<Verdict> {
    view::said(case, Says::NameMismatch).into_iter().find_map(|(id, verdict)| {
        let row = case.known.providers.presenting(&verdict.presented, family.kind)?;
        let label = verdict.presented.first()?;
        let sends_names = SEND_NAMES.contains(&verdict.client.as_str());
        let strength = if sends_names && !family.is_nearby { Strength::Strong } else { Strength::Consistent };
        let text = format!(
            "{} says that the certificate is valid for {label}, which {} presents by itself (providers {})",
            verdict.client, row.name, case.known.providers.as_of
        );
        let mark = Mark::new(id, label, Sign::Wrong, format!("does not cover {host}"));
        Some(headed(host, row, family, strength).reason(text, [id]).mark(mark).found())
    })
}

/// Clients that send the name of every host, in all their versions.
const SEND_NAMES: &[&str] = &["go", "node", "npm", "browser", "chrome", "rust"];

/// Devices that filter as well: at a public address their own certificate is as well that of a blocked page.
pub(super) const FILTERS: &[&str] =
    &["device.fortinet", "device.sonicwall", "device.watchguard", "device.sophos", "device.paloalto"];
