//! `hosting.legacy_target`: the record uses a target that serves no certificates for custom names.

use super::Platform;
use crate::case::{Alias, Case};
use crate::name::Name;
use crate::provider::Role;
use crate::rules::view;
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule};

declare_rule! {
    /// # What it finds
    ///
    /// The record leads to a target of a hosting platform that serves no certificate for custom names:
    /// `NAME.herokuapp.com`, `nonssl.global.fastly.net`, an S3 website endpoint.
    ///
    /// # Why it matters
    ///
    /// The platform gives each custom name a target of its own, and only there its certificate is
    /// presented. The old target goes on working without TLS, so nobody notices.
    ///
    /// # What it needs
    ///
    /// The alias; the platform's own certificate proves it. A covering certificate, or a target of the new
    /// form, rules it out. The targets are data with a date: `whycert data`.
    ///
    /// # What to do
    ///
    /// Replace the target by the one that the platform shows for the name, and verify with
    /// `dig +short HOST CNAME`.
    ///
    /// # References
    ///
    /// The platform's documentation on custom domains.
    "hosting.legacy_target", "the record uses a target that serves no certificates for custom names",
    since "0.1.0", cap 0.85, rank 525
}

fn check(case: &Case<'_>) -> Verdict {
    let (Some(host), Some(platform)) = (&case.host, super::of(case)) else {
        return Verdict::NotApplicable;
    };
    match platform.alias {
        Some((alias, Role::Legacy)) => of_legacy(case, host, &platform, alias),
        Some((alias, _)) if platform.provider.has_legacy_targets() => Verdict::Clear {
            because: format!("{} is no old target of {}", alias.target, platform.provider.name),
            cites: vec![alias.cites],
        },
        None if platform.provider.has_legacy_targets() && case.resolutions.is_empty() => Verdict::Unknown {
            missing: format!(
                "where DNS sends {host}: an old target of {} presents this certificate",
                platform.provider.name
            ),
            ask: format!("dig {host} CNAME"),
        },
        _ => Verdict::NotApplicable,
    }
}

fn of_legacy(case: &Case<'_>, host: &Name, platform: &Platform<'_, '_>, alias: &Alias) -> Verdict {
    if let Some(clear) = super::covered(case).filter(|_| platform.served.is_none()) {
        return clear;
    }
    let provider = platform.provider;
    let is_overheard = case.resolutions.iter().all(|it| it.client.is_some()) && case.verdicts.is_empty();
    if case.connections.is_empty() && is_overheard {
        return Verdict::Unknown {
            missing: format!("whether clients speak TLS with {host}, whose record leads to {}", alias.target),
            ask: view::ask_for_certificate(host),
        };
    }
    let (severity, strength) = match &platform.served {
        Some(served) => (Severity::Error, platform.weighed(served.strength(host))),
        None => (Severity::Warning, Strength::Strong),
    };
    let headline = match &platform.served {
        Some(served) => format!("{host} is served the certificate of {}", served.label()),
        None => format!("the record of {host} leads to an old target of {}", provider.name),
    };
    let remedy = provider
        .remedy
        .clone()
        .unwrap_or_else(|| format!("Replace {} by the target that {} shows for {host}.", alias.target, provider.name));
    let mut finding = Finding::new(headline, severity, strength)
        .because(
            format!(
                "{} serves no certificates for custom names: {} gives each of them a target of its own.",
                alias.target, provider.name
            ),
            remedy,
        )
        .verified_by(format!("dig +short {host} CNAME"), format!("the target that {} shows for {host}", provider.name))
        .reason(
            format!(
                "{} is a {} to {}, an old target of {} (providers {})",
                alias.owner, alias.kind, alias.target, provider.name, case.known.providers.as_of
            ),
            [alias.cites],
        )
        .mark(Mark {
            beside: alias.kind.to_string(),
            ..Mark::new(alias.cites, alias.target.as_str(), Sign::Wrong, format!("an old target of {}", provider.name))
        });
    if platform.served.is_none() {
        finding = finding.confirmed_if(format!("the certificate does not cover {host}"));
    }
    if let Some(served) = &platform.served {
        let label = served.label();
        finding = finding.reason(platform.served_reason(case, &label), served.cites());
        if let Some(id) = served.cites().first() {
            finding = finding.mark(Mark::new(*id, &label, Sign::Wrong, format!("does not cover {host}")));
        }
    }
    finding.found()
}
