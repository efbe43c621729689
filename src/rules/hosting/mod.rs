//! Causes on platforms that serve many customers' names: what they share is which platform a case is of.

use crate::case::{Alias, Case};
use crate::evidence::{ObservationId, Says};
use crate::name::{Name, Rejection};
use crate::provider::table::{Basis, Kind};
use crate::provider::{Provider, Role};
use crate::rules::Strength;
use crate::rules::presented::{self, Presented};
use crate::rules::view;

pub mod custom_domain_not_bound;
pub mod legacy_target;
pub mod stale_ip_record;

/// What shows a platform in a case.
pub(super) struct Platform<'c, 'e> {
    /// The platform.
    pub(super) provider: &'c Provider,
    /// The alias that leads to it, and what its target is there.
    pub(super) alias: Option<(&'c Alias, Role)>,
    /// The platform's own certificate, shown for the host.
    pub(super) served: Option<Served<'c, 'e>>,
}

/// A platform's own certificate.
pub(super) enum Served<'c, 'e> {
    /// Seen.
    Shown(Presented<'c, 'e>),
    /// Named by a client.
    Told { label: String, id: ObservationId },
}

impl Served<'_, '_> {
    pub(super) fn label(&self) -> String {
        match self {
            Self::Shown(it) => it.label(),
            Self::Told { label, .. } => label.clone(),
        }
    }

    pub(super) fn cites(&self) -> Vec<ObservationId> {
        match self {
            Self::Shown(it) => it.cites(),
            Self::Told { id, .. } => vec![*id],
        }
    }

    pub(super) fn is_silent(&self) -> bool {
        matches!(self, Self::Shown(it) if it.is_silent())
    }

    pub(super) fn strength(&self, host: &Name) -> Strength {
        match self {
            Self::Shown(it) => it.strength(host),
            Self::Told { .. } => Strength::Strong,
        }
    }
}

/// The platform of a case: the one whose certificate was shown before one that only DNS names.
pub(super) fn of<'c, 'e>(case: &'c Case<'e>) -> Option<Platform<'c, 'e>> {
    let host = case.host.as_ref().filter(|host| host.ip().is_none())?;
    let aliases: Vec<(&Alias, &Provider, Role)> = aliases(case);
    if let Some((provider, served)) = served(case, host) {
        // A name of the platform's own that is too deep for its wildcard is no custom domain.
        if crate::name::match_dns(host, &served.label()) == Err(Rejection::TooManyLabels) {
            return None;
        }
        let alias = aliases.iter().find(|(_, own, _)| own.id == provider.id).map(|(alias, _, role)| (*alias, *role));
        return Some(Platform { provider, alias, served: Some(served) });
    }
    let (alias, provider, role) = aliases.into_iter().next()?;
    Some(Platform { provider, alias: Some((alias, role)), served: None })
}

/// The aliases that lead to hosting platforms.
fn aliases<'c>(case: &'c Case<'_>) -> Vec<(&'c Alias, &'c Provider, Role)> {
    let all = case.resolutions.iter().flat_map(|resolution| &resolution.aliases);
    all.filter_map(|alias| {
        let (provider, role) = case.known.providers.of_host(&alias.target)?;
        (provider.kind == Kind::Hosting).then_some((alias, provider, role))
    })
    .collect()
}

fn served<'c, 'e>(case: &'c Case<'e>, host: &Name) -> Option<(&'c Provider, Served<'c, 'e>)> {
    let of = |it: &Presented<'_, '_>| case.known.providers.own_certificate(it.leaf.certificate, Kind::Hosting);
    let mut shown: Vec<Presented<'c, 'e>> =
        presented::of(case).into_iter().filter(|it| it.is_wrong(host) && of(it).is_some()).collect();
    shown.sort_by_key(Presented::is_silent);
    if let Some(it) = shown.into_iter().next() {
        return Some((of(&it)?, Served::Shown(it)));
    }
    view::said(case, Says::NameMismatch).into_iter().find_map(|(id, verdict)| {
        let provider = case.known.providers.presenting(&verdict.presented, Kind::Hosting)?;
        Some((provider, Served::Told { label: verdict.presented.first()?.clone(), id }))
    })
}

impl Platform<'_, '_> {
    /// A strength, less by one where the row is unverified.
    pub(super) fn weighed(&self, strength: Strength) -> Strength {
        if self.provider.basis == Basis::Recall { strength.max(Strength::Strong) } else { strength }
    }

    /// `*.herokuapp.com is Heroku's own certificate (providers 2026-11-22)`.
    pub(super) fn served_reason(&self, case: &Case<'_>, label: &str) -> String {
        format!("{label} is the own certificate of {} (providers {})", self.provider.name, case.known.providers.as_of)
    }
}

/// That a certificate which covers the host was presented.
pub(super) fn covered(case: &Case<'_>) -> Option<crate::rules::Verdict> {
    let host = case.host.as_ref()?;
    let it = view::covering(case)?;
    let because = format!("the certificate presented covers {host}");
    Some(crate::rules::Verdict::Clear { because, cites: vec![it.connection.id, it.leaf.id] })
}

/// A certificate that was shown and is not the platform's own.
pub(super) fn other_certificate<'c, 'e>(case: &'c Case<'e>) -> Option<Presented<'c, 'e>> {
    presented::of(case).into_iter().find(|it| !it.is_silent())
}
