//! `apigw.d_name_not_configured`: the record has the right form, but no custom domain answers there.

use crate::case::Case;
use crate::evidence::{ObservationId, Says};
use crate::name::Name;
use crate::provider::execute_api::{self, Role};
use crate::rules::view::{self, Coverage, ExecuteApiTarget, Shown};
use crate::rules::{Finding, Mark, Reason, Severity, Sign, Strength, Verdict, config, declare_rule};
use crate::tls::SniState;

declare_rule! {
    /// # What it finds
    ///
    /// The host is an alias of an API Gateway domain name (`d-….execute-api.REGION.amazonaws.com`),
    /// the client asked for the host, and still AWS's own certificate of that region comes back.
    ///
    /// # Why it matters
    ///
    /// The front end knows no custom domain of that name: it was deleted, never created, lives in
    /// another region or account, or the d- name belongs to another custom domain.
    ///
    /// # What it needs
    ///
    /// The CNAME, the SNI and the certificate. It is ruled out when the target has no d- label, when
    /// the certificate covers the host and when the address is private. A handshake without SNI
    /// does not decide it: everybody gets the default then.
    ///
    /// # What to do
    ///
    /// `aws apigateway get-domain-name --domain-name HOST` in the region of the target and in the
    /// account that should own it: create the custom domain if it is missing, correct the record if
    /// `regionalDomainName` is another name.
    ///
    /// # References
    ///
    /// API Gateway developer guide, "Custom domain names".
    "apigw.d_name_not_configured", "the record is right in form, but no custom domain of that name answers there",
    since "0.1.0", cap 0.85, rank 510
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = case.host.as_ref().filter(|host| host.ip().is_none() && !view::is_gone(case)) else {
        return Verdict::NotApplicable;
    };
    let targets = view::execute_api_targets(case);
    let Some(first) = targets.iter().find(|it| it.target.role == Role::DomainName) else {
        return without_d_name(case, host, &targets);
    };
    if let Some((address, id)) = view::private_address(case) {
        let because = format!("{address} is a private address: the call does not leave the network");
        return Verdict::Clear { because, cites: vec![id] };
    }
    let is_reached = |it: &Shown<'_, '_>| !view::is_dialed_elsewhere(case, it.connection);
    let shown: Vec<Shown<'_, '_>> = view::shown(case).into_iter().filter(is_reached).collect();
    let covering = shown.iter().find(|it| it.coverage == Coverage::Covers && it.connection.asks_for(host));
    let wrong = shown.iter().filter(|it| it.is_wrong());
    let default = wrong.clone().find_map(|it| {
        let target = view::target_for(&targets, it.connection).filter(|it| it.target.role == Role::DomainName)?;
        let is_own = view::default_of(it.leaf)?.0.eq_ignore_ascii_case(&target.target.default_certificate());
        (is_own && it.connection.handshake.sni_state != SniState::Absent).then_some((it, target))
    });
    match (default, covering) {
        (Some((it, target)), other) => served(case, host, target, it, other.is_some()),
        (None, Some(it)) => Verdict::Clear {
            because: format!("the certificate presented covers {host}"),
            cites: view::cites([it.connection.id, it.leaf.id]),
        },
        (None, None) => undecided(case, host, first, &wrong.collect::<Vec<_>>()),
    }
}

fn without_d_name(case: &Case<'_>, host: &Name, targets: &[ExecuteApiTarget<'_>]) -> Verdict {
    if let Some(it) = targets.first() {
        return Verdict::Clear { because: "the target has no d- label".to_owned(), cites: vec![it.alias.cites] };
    }
    let default = view::shown(case).iter().any(|it| view::default_of(it.leaf).is_some());
    if default && case.resolutions.is_empty() {
        return Verdict::Unknown { missing: format!("where DNS sends {host}"), ask: format!("dig {host}") };
    }
    Verdict::NotApplicable
}

fn undecided(case: &Case<'_>, host: &Name, target: &ExecuteApiTarget<'_>, wrong: &[&Shown<'_, '_>]) -> Verdict {
    if let Some(it) = wrong.iter().find(|it| it.connection.handshake.sni_state != SniState::Absent) {
        let presented = it.leaf.label();
        let because = format!("the certificate {presented} is not API Gateway's own of {}", target.target.region);
        return Verdict::Clear { because, cites: view::cites([it.connection.id, it.leaf.id]) };
    }
    if let Some(verdict) = told(case, host, target) {
        return verdict;
    }
    Verdict::Unknown {
        missing: format!("the certificate that {} presents when it is asked for {host}", target.alias.target),
        ask: view::ask_for_certificate(host),
    }
}

/// A client names API Gateway's own certificate as what it was served.
fn told(case: &Case<'_>, host: &Name, target: &ExecuteApiTarget<'_>) -> Option<Verdict> {
    let own = target.target.default_certificate();
    let said = view::said(case, Says::NameMismatch);
    let (id, verdict) = said.iter().find(|(_, verdict)| {
        verdict
            .presented
            .iter()
            .any(|name| execute_api::default_certificate(name).is_some() && name.eq_ignore_ascii_case(&own))
    })?;
    let mut finding = about_dns(case, host, target, Strength::Strong);
    finding.headline = format!("{host} is served the certificate of {own}");
    finding.reasons.push(Reason { text: format!("{} says: {}", verdict.client, verdict.words), cites: vec![*id] });
    finding.marks.push(mark(*id, &own, Sign::Wrong, &format!("does not cover {host}")));
    Some(Verdict::Found(Box::new(finding)))
}

fn served(
    case: &Case<'_>,
    host: &Name,
    target: &ExecuteApiTarget<'_>,
    it: &Shown<'_, '_>,
    also_covered: bool,
) -> Verdict {
    let asked = it.connection.asks_for(host);
    let strength = match (asked, it.shows_identifiers()) {
        _ if also_covered || !asked => Strength::Consistent,
        (_, true) => Strength::Proven,
        (_, false) => Strength::Strong,
    };
    let label = it.leaf.label();
    let mut finding = about_dns(case, host, target, strength);
    finding.headline = format!("{host} is served the certificate of {label}");
    if asked {
        finding.reasons.push(Reason { text: format!("the client asked for {host}"), cites: vec![it.connection.id] });
        finding.marks.push(view::asked_mark(it.connection.id, host));
    }
    finding.reasons.push(Reason {
        text: format!("the certificate presented names only {label}"),
        cites: view::cites([it.leaf.id, it.connection.id]),
    });
    finding.marks.push(mark(it.leaf.id, &label, Sign::Wrong, &format!("does not cover {host}: other domain")));
    Verdict::Found(Box::new(finding))
}

fn about_dns(case: &Case<'_>, host: &Name, target: &ExecuteApiTarget<'_>, strength: Strength) -> Finding {
    let alias = target.alias;
    let region = &target.target.region;
    let finding = Finding::new("", Severity::Error, strength)
        .because(
            format!(
                "The record has the right form, but the front end of {region} knows no custom domain named {host} and presents AWS's own certificate."
            ),
            format!(
                "Look for the custom domain {host} in region {region} and in the account that should own it: create it with a certificate of that region if it is missing; if its API Gateway domain name is not {}, correct the record.",
                alias.target
            ),
        )
        .verified_by(
            format!("aws apigateway get-domain-name --region {region} --domain-name {host}"),
            format!("regionalDomainName is {}", alias.target),
        )
        .reason(
            format!("{} is a CNAME to {}, an API Gateway domain name", alias.owner, alias.target),
            target.resolution.aliases.iter().map(|it| it.cites),
        )
        .mark(Mark {
            beside: "CNAME".to_owned(),
            ..mark(
                alias.cites,
                &target.target.id,
                Sign::Right,
                "an API Gateway domain name: the right kind of target",
            )
        });
    with_configuration(case, host, target, finding)
}

/// What `get-domain-name` adds: that the custom domain is missing, or has another target.
fn with_configuration(case: &Case<'_>, host: &Name, target: &ExecuteApiTarget<'_>, mut finding: Finding) -> Finding {
    let alias = target.alias;
    if let Some((id, it)) = config::no_custom_domain(case) {
        let place = it.region.as_ref().map_or_else(String::new, |region| format!(" in {region}"));
        finding = finding.reason(format!("get-domain-name finds no custom domain {host}{place}"), [id]);
        finding.cause =
            format!("The record has the right form, but there is no custom domain {host}{place} in the account asked.");
        return finding;
    }
    let targets = config::targets(case);
    let Some((id, expected)) = targets.first().filter(|_| targets.iter().all(|(_, it)| it.target != alias.target))
    else {
        return finding;
    };
    finding.cause = format!(
        "The record leads to {}, which is not the API Gateway domain name of {host}: that is {}.",
        alias.target, expected.target
    );
    finding.remedy = format!("Change the record of {} from {} to {}.", alias.owner, alias.target, expected.target);
    let change = config::change_of_alias(case, &alias.owner, &alias.target, expected.target.as_str());
    finding
        .verified_by(format!("dig +short {} CNAME", alias.owner), format!("{}.", expected.target))
        .reason(format!("get-domain-name says that {} is the target", expected.target), [*id])
        .mark(mark(*id, expected.target.as_str(), Sign::Confirms, "the name that the CNAME should hold"))
        .change(Some(change))
}

fn mark(on: ObservationId, words: &str, sign: Sign, label: &str) -> Mark {
    Mark::new(on, words, sign, label)
}
