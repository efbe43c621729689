//! `hosting.custom_domain_not_bound`: a hosting platform presents its own certificate.

use super::Platform;
use crate::case::{Alias, Case};
use crate::evidence::{ObservationId, Says};
use crate::name::{self, Name};
use crate::provider::{Role, cloudfront, elb, execute_api, suffix};
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule};
use crate::rules::{mail, reach, view};

declare_rule! {
    /// # What it finds
    ///
    /// The host leads to a hosting platform, the client asked for it, and the platform's own certificate
    /// comes back (`*.azurewebsites.net`, `*.github.io`, `*.netlify.app`, …). Of a platform that is not in the
    /// table: an alias leads to a name of another owner, and the certificate covers that name.
    ///
    /// # Why it matters
    ///
    /// The platform does not know the name: it was never attached, attached to another site, or its
    /// certificate is still being issued. A name that is missing and one that is pending look alike.
    ///
    /// # What it needs
    ///
    /// The certificate and the SNI; an alias to the platform proves it. With address records alone a
    /// record left over from earlier looks the same (`hosting.stale_ip_record`). A covering certificate
    /// rules it out. The platforms are data with a date: `whycert data`.
    ///
    /// # What to do
    ///
    /// Attach the name on the platform, finish its validation, wait for the certificate, and verify with
    /// `openssl s_client -servername`.
    ///
    /// # References
    ///
    /// The platform's documentation on custom domains.
    "hosting.custom_domain_not_bound", "a hosting platform does not know the host and presents its own certificate",
    since "0.1.0", cap 0.92, rank 530
}

fn check(case: &Case<'_>) -> Verdict {
    let (Some(host), Some(platform)) = (&case.host, super::of(case)) else {
        return of_unknown_platform(case).unwrap_or(Verdict::NotApplicable);
    };
    if let Some(clear) = super::covered(case).filter(|_| platform.served.is_none()) {
        return clear;
    }
    if let Some((alias, Role::Legacy)) = platform.alias {
        let because =
            format!("{} is an old target of {}: the record is the fault", alias.target, platform.provider.name);
        return Verdict::Clear { because, cites: vec![alias.cites] };
    }
    match &platform.served {
        Some(served) if served.is_silent() => Verdict::Unknown {
            missing: format!("what {} presents when {host} is asked for", platform.provider.name),
            ask: view::ask_for_certificate(host),
        },
        Some(served) => match also_right(case, served) {
            Some(right) => Verdict::Clear {
                because: format!("the same address presents a certificate that covers {host} as well"),
                cites: view::cites([right.connection.id, right.leaf.id]),
            },
            None => found(case, host, &platform),
        },
        None => match super::other_certificate(case) {
            Some(it) => Verdict::Clear {
                because: format!("{} is not the own certificate of {}", it.label(), platform.provider.name),
                cites: it.cites(),
            },
            None if !view::said(case, Says::NameMatches).is_empty() => Verdict::NotApplicable,
            None => Verdict::Unknown {
                missing: format!("the certificate that {} presents for {host}", platform.provider.name),
                ask: view::ask_for_certificate(host),
            },
        },
    }
}

/// A covering certificate that was presented at the same address: the domain is attached there.
fn also_right<'c, 'e>(case: &'c Case<'e>, served: &super::Served<'_, '_>) -> Option<view::Shown<'c, 'e>> {
    let super::Served::Shown(it) = served else { return None };
    let address = it.connection?.handshake.server?;
    view::covering(case).filter(|right| right.connection.handshake.server == Some(address))
}

fn found(case: &Case<'_>, host: &Name, platform: &Platform<'_, '_>) -> Verdict {
    let Some(served) = &platform.served else {
        return Verdict::NotApplicable;
    };
    let provider = platform.provider;
    let strength = match platform.alias {
        Some(_) => platform.weighed(served.strength(host)),
        None => Strength::Consistent,
    };
    let label = served.label();
    let remedy = provider.remedy.clone().unwrap_or_else(|| {
        format!("On {}: attach {host}, let DNS point where the platform says, finish the validation and wait until the certificate is issued.", provider.name)
    });
    let mut finding = Finding::new(format!("{host} is served the certificate of {label}"), Severity::Error, strength)
        .because(
            format!("{} answers and presents its own certificate: {host} is not attached there, or its certificate is not issued yet.", provider.name),
            remedy,
        )
        .verified_by(view::ask_for_identifiers(host), format!("an identifier that covers {host}"));
    if let Some((alias, _)) = platform.alias {
        finding = finding
            .reason(
                format!("{} is a {} to {}, a host of {}", alias.owner, alias.kind, alias.target, provider.name),
                [alias.cites],
            )
            .mark(Mark {
                beside: alias.kind.to_string(),
                ..Mark::new(alias.cites, alias.target.as_str(), Sign::Right, format!("a host of {}", provider.name))
            });
    }
    finding
        .reason(platform.served_reason(case, &label), served.cites())
        .mark(Mark::new(
            served.cites().first().copied().unwrap_or(ObservationId(0)),
            &label,
            Sign::Wrong,
            format!("does not cover {host}"),
        ))
        .found()
}

/// An alias that leads to a name of another owner, whom no table knows, and a certificate that covers that name.
fn of_unknown_platform(case: &Case<'_>) -> Option<Verdict> {
    let host = reach::named(case)?;
    let is_unknown = |alias: &&Alias| {
        case.known.providers.of_host(&alias.target).is_none()
            && execute_api::host(&alias.target).is_none()
            && !cloudfront::is_distribution(&alias.target)
            && !elb::is_balancer(&alias.target)
            && !suffix::have_one_owner(alias.target.as_str(), host.as_str())
    };
    let alias = case.resolutions.iter().filter_map(|it| it.aliases.last()).find(is_unknown)?;
    let (label, cites, strength) = certificate_of(case, host, &alias.target)?;
    let target = &alias.target;
    let finding = Finding::new(format!("{host} is served the certificate of {label}"), Severity::Error, strength)
        .because(
            format!("{host} is an alias of {target}, and the server there presents the certificate of that name: it does not know {host}, or has no certificate for it."),
            format!("Where {target} is run, add {host} as a domain of its own, with a certificate; where that cannot be done (a database, a broker), let clients call {target} itself."),
        )
        .verified_by(view::ask_for_identifiers(host), format!("an identifier that covers {host}"))
        .reason(format!("{} is a {} to {target}", alias.owner, alias.kind), [alias.cites])
        .mark(Mark {
            beside: alias.kind.to_string(),
            ..Mark::new(alias.cites, target.as_str(), Sign::Doubtful, "a name of another owner")
        })
        .reason(
            format!("the certificate presented covers {target} ({label})"),
            view::cites(cites.iter().copied().chain([alias.cites])),
        )
        .mark(Mark::new(*cites.first()?, &label, Sign::Wrong, format!("does not cover {host}")));
    Some(finding.found())
}

/// The certificate that covers the target and not the host: seen for the host, or in a client's words.
fn certificate_of(case: &Case<'_>, host: &Name, target: &Name) -> Option<(String, Vec<ObservationId>, Strength)> {
    if !reach::right(case).is_empty() {
        return None;
    }
    let seen = reach::wrong(case);
    if let Some(it) = seen.first() {
        let is_its = it.leaf.covers(target) == Some(true) && !mail::is_mail(case, it.connection);
        let is_direct = !view::is_dialed_elsewhere(case, it.connection);
        return (is_its && is_direct)
            .then(|| (it.label(), view::cites([it.leaf.id, it.connection.id]), Strength::Strong));
    }
    view::said(case, Says::NameMismatch).into_iter().find_map(|(id, said)| {
        let covering = said.presented.iter().find(|label| name::match_dns(target, label).is_ok())?;
        let is_host = said.presented.iter().any(|label| name::match_dns(host, label).is_ok());
        (!is_host).then(|| (covering.clone(), vec![id], Strength::Consistent))
    })
}
