//! `apigw.cname_to_stage_url`: the record points at the stage URL host.

use crate::case::{Alias, Case};
use crate::evidence::{ClientVerdict, ObservationId, Says};
use crate::name::Name;
use crate::provider::execute_api::{self, Role};
use crate::rules::view::{self, Coverage, ExecuteApiTarget, Shown};
use crate::rules::{Finding, Mark, Reason, Severity, Sign, Strength, Verdict, config, declare_rule};

declare_rule! {
    /// # What it finds
    ///
    /// The host is an alias of an API's stage URL host (`abc123.execute-api.us-east-1.amazonaws.com`)
    /// instead of the API Gateway domain name of its custom domain, and is served AWS's own
    /// certificate `*.execute-api.us-east-1.amazonaws.com`.
    ///
    /// # Why it matters
    ///
    /// The stage URL host presents AWS's certificate whatever name the client asks for. No
    /// certificate uploaded for the custom domain can ever be seen there.
    ///
    /// # What it needs
    ///
    /// The CNAME (capture, `dig`, or the record set of the hosted zone where no answer is here) and the
    /// certificate of a handshake that asked for the host. The region of both is the same. Without the
    /// certificate it is a warning about DNS. It is ruled out when the target is an API Gateway domain
    /// name (`d-…`) or a CloudFront distribution, when the certificate covers the host, and when the
    /// regions differ.
    ///
    /// # What to do
    ///
    /// Replace the target by the API Gateway domain name that
    /// `aws apigateway get-domain-name --domain-name HOST` prints as `regionalDomainName` or
    /// `distributionDomainName`, then verify with `dig +short HOST CNAME`. At a zone apex use an
    /// alias record instead of a CNAME.
    ///
    /// # References
    ///
    /// API Gateway developer guide, "Custom domain names"; RFC 1034 section 3.6.2.
    "apigw.cname_to_stage_url", "the record points at the stage URL host instead of the API Gateway domain name",
    since "0.1.0", cap 0.97, rank 500
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = case.host.as_ref().filter(|host| host.ip().is_none()) else {
        return Verdict::NotApplicable;
    };
    let targets = view::execute_api_targets(case);
    let stages: Vec<&ExecuteApiTarget<'_>> = targets.iter().filter(|it| it.target.role == Role::Stage).collect();
    let Some(first) = stages.first() else {
        return without_stage(case, host, &targets);
    };
    let is_reached = |it: &Shown<'_, '_>| it.is_wrong() && !view::is_dialed_elsewhere(case, it.connection);
    let shown: Vec<Shown<'_, '_>> = view::shown(case).into_iter().filter(is_reached).collect();
    for it in &shown {
        match view::target_for(&targets, it.connection) {
            Some(target) if target.target.role == Role::Stage && presents_default(it, target) => {
                return served(case, host, target, it);
            }
            _ => {}
        }
    }
    if let Some(verdict) = covered(case, host) {
        return verdict;
    }
    if let Some(it) = shown.first() {
        return another_certificate(first, it);
    }
    match named_by_client(case) {
        Some(said) => told(case, host, first, &said),
        None => dns_alone(case, host, first),
    }
}

/// Whether the certificate is the one that the target's front end presents for unknown names: API
/// Gateway's of the same region, or CloudFront's for an edge-optimized API.
fn presents_default(it: &Shown<'_, '_>, target: &ExecuteApiTarget<'_>) -> bool {
    let labels = it.leaf.labels();
    let own = target.target.default_certificate();
    view::default_of(it.leaf).is_some_and(|(label, ..)| label.eq_ignore_ascii_case(&own))
        || labels.contains(&"*.cloudfront.net")
}

fn covered(case: &Case<'_>, host: &Name) -> Option<Verdict> {
    let it = view::shown(case).into_iter().find(|it| it.coverage == Coverage::Covers)?;
    Some(Verdict::Clear {
        because: format!("the certificate presented covers {host}"),
        cites: view::cites([it.connection.id, it.leaf.id]),
    })
}

fn without_stage(case: &Case<'_>, host: &Name, targets: &[ExecuteApiTarget<'_>]) -> Verdict {
    if let Some(it) = targets.first() {
        let because = match it.target.role {
            Role::DomainName => format!("the target {} is an API Gateway domain name", it.alias.target),
            _ => format!("the target {} is not a stage URL host", it.alias.target),
        };
        return Verdict::Clear { because, cites: vec![it.alias.cites] };
    }
    if let Some(alias) = view::cloudfront_target(case) {
        let because = format!("the target {} is a CloudFront distribution", alias.target);
        return Verdict::Clear { because, cites: vec![alias.cites] };
    }
    if let Some(verdict) = by_zone(case, host) {
        return verdict;
    }
    if !serves_default(case) {
        return Verdict::NotApplicable;
    }
    if let Some(alias) = case.resolutions.iter().flat_map(|it| &it.aliases).next_back() {
        let because = format!("{host} is an alias of {}, not of an execute-api name", alias.target);
        return Verdict::Clear { because, cites: vec![alias.cites] };
    }
    if let Some((id, set)) = config::records(case).into_iter().find(|(_, set)| set.kind != "CNAME") {
        let kind = if set.alias_target.is_some() { "an alias" } else { "addresses" };
        return Verdict::Clear {
            because: format!("the hosted zone holds {kind} of {host}, no CNAME"),
            cites: vec![id],
        };
    }
    if case.resolutions.iter().any(|it| !it.addresses.is_empty()) {
        return Verdict::Unknown {
            missing: format!(
                "what the addresses of {host} come from: a fixed address, a Route 53 alias and a flattened CNAME look alike in DNS answers"
            ),
            ask: "aws route53 list-resource-record-sets --hosted-zone-id ZONE_ID".to_owned(),
        };
    }
    Verdict::Unknown { missing: format!("where DNS sends {host}"), ask: format!("dig {host}") }
}

/// No answer shows where clients are sent, but the hosted zone holds the alias, and API Gateway's certificate of the
/// same region comes back.
fn by_zone(case: &Case<'_>, host: &Name) -> Option<Verdict> {
    if !case.resolutions.is_empty() {
        return None;
    }
    let (alias, target) = config::records(case).into_iter().find_map(|(cites, set)| {
        let name = set.values.first().filter(|_| set.kind == "CNAME").and_then(|value| Name::parse(value))?;
        let target = execute_api::host(&name).filter(|it| it.role == Role::Stage)?;
        Some((Alias { owner: set.owner.clone(), kind: "CNAME".into(), target: name, ttl: set.ttl, cites }, target))
    })?;
    let own = target.default_certificate();
    let about = || about_dns(case, host, (&alias, &target, &[alias.cites]), Severity::Error, Strength::Strong);
    let is_own = |it: &&Shown<'_, '_>| {
        view::default_of(it.leaf).is_some_and(|(label, ..)| label.eq_ignore_ascii_case(&own)) && it.is_wrong()
    };
    if let Some(it) = view::shown(case).iter().find(is_own) {
        return Some(Verdict::Found(Box::new(with_certificate(about(), host, it))));
    }
    let named = |said: &ClientVerdict| said.presented.iter().any(|name| name.eq_ignore_ascii_case(&own));
    let (id, said) = view::said(case, Says::NameMismatch).into_iter().find(|(_, said)| named(said))?;
    Some(Verdict::Found(Box::new(with_words(about(), host, (id, &said.client, &said.words)))))
}

/// Whether a certificate of API Gateway's own was seen, or named by a client.
fn serves_default(case: &Case<'_>) -> bool {
    let seen = view::shown(case).iter().any(|it| view::default_of(it.leaf).is_some())
        || view::shown_without_handshake(case).iter().any(|(leaf, _)| view::default_of(leaf).is_some());
    let named = |name: &String| execute_api::default_certificate(name).is_some();
    seen || view::said(case, Says::NameMismatch).iter().any(|(_, said)| said.presented.iter().any(named))
}

fn another_certificate(target: &ExecuteApiTarget<'_>, it: &Shown<'_, '_>) -> Verdict {
    let cites = view::cites([target.alias.cites, it.leaf.id]);
    let because = match view::default_of(it.leaf) {
        Some((label, region, _)) if region != target.target.region => {
            format!("the certificate {label} is of another region than the target {}", target.alias.target)
        }
        _ => format!("the certificate {} is not API Gateway's own", it.leaf.label()),
    };
    Verdict::Clear { because, cites }
}

/// The stage URL host's own certificate was seen.
fn served(case: &Case<'_>, host: &Name, target: &ExecuteApiTarget<'_>, it: &Shown<'_, '_>) -> Verdict {
    let private = view::private_address(case).is_some();
    let strength = match (it.connection.asks_for(host), it.shows_identifiers()) {
        _ if private => Strength::Consistent,
        (true, true) => Strength::Proven,
        _ => Strength::Strong,
    };
    let finding = about_dns(case, host, (target.alias, &target.target, &cites_of(target)), Severity::Error, strength);
    Verdict::Found(Box::new(with_certificate(finding, host, it)))
}

/// A finding about DNS with the certificate that was seen.
fn with_certificate(mut finding: Finding, host: &Name, it: &Shown<'_, '_>) -> Finding {
    let label = it.leaf.label();
    finding.headline = format!("{host} is served the certificate of {label}");
    if it.connection.asks_for(host) {
        finding.reasons.push(Reason {
            text: format!("the client asked {} for {host}", server_of(it)),
            cites: vec![it.connection.id],
        });
        finding.marks.push(view::asked_mark(it.connection.id, host));
    }
    let rejection = it
        .leaf
        .check(host)
        .and_then(|check| check.tried.first().and_then(|tried| tried.rejection))
        .map_or_else(String::new, |rejection| format!(": {rejection}"));
    finding.reasons.push(Reason {
        text: format!("the certificate presented names only {label}"),
        cites: view::cites([it.leaf.id, it.connection.id]),
    });
    finding.marks.push(mark(it.leaf.id, &label, Sign::Wrong, &format!("does not cover {host}{rejection}")));
    finding
}

fn server_of(it: &Shown<'_, '_>) -> String {
    it.connection.handshake.server.map_or_else(|| "the server".to_owned(), |server| server.to_string())
}

/// A client's words that the name does not match.
struct Said {
    id: ObservationId,
    client: String,
    words: String,
}

fn named_by_client(case: &Case<'_>) -> Option<Said> {
    let said = view::said(case, Says::NameMismatch);
    let (id, verdict) = said.first()?;
    Some(Said { id: *id, client: verdict.client.clone(), words: verdict.words.clone() })
}

/// No certificate was seen, but a client says that it does not match.
fn told(case: &Case<'_>, host: &Name, target: &ExecuteApiTarget<'_>, said: &Said) -> Verdict {
    let strength = if view::private_address(case).is_some() { Strength::Consistent } else { Strength::Strong };
    let finding = about_dns(case, host, (target.alias, &target.target, &cites_of(target)), Severity::Error, strength);
    Verdict::Found(Box::new(with_words(finding, host, (said.id, &said.client, &said.words))))
}

/// A finding about DNS with the words of a client that refuses the certificate.
fn with_words(mut finding: Finding, host: &Name, (id, client, words): (ObservationId, &str, &str)) -> Finding {
    finding.headline = format!("{host} is an alias of a stage URL host, and {client} refuses its certificate");
    finding.reasons.push(Reason { text: format!("{client} says: {words}"), cites: vec![id] });
    finding.marks.push(mark(id, host.as_str(), Sign::Right, &format!("{client} says the same")));
    finding
}

/// Nothing shows the certificate: a fault in DNS alone.
fn dns_alone(case: &Case<'_>, host: &Name, target: &ExecuteApiTarget<'_>) -> Verdict {
    let strength = if view::private_address(case).is_some() { Strength::Consistent } else { Strength::Strong };
    let mut finding =
        about_dns(case, host, (target.alias, &target.target, &cites_of(target)), Severity::Warning, strength);
    finding.headline = format!("{host} is an alias of a stage URL host");
    finding.confirmed_if = Some(format!("the certificate is only for {}", target.target.default_certificate()));
    if let Some(mark) = finding.marks.first_mut() {
        mark.sign = Sign::Doubtful;
        "a stage URL host: this is suspicious, not proof".clone_into(&mut mark.label);
    }
    Verdict::Found(Box::new(finding))
}

/// The answers that hold the aliases of a resolution.
fn cites_of(target: &ExecuteApiTarget<'_>) -> Vec<ObservationId> {
    target.resolution.aliases.iter().map(|it| it.cites).collect()
}

/// An alias, what its target is, and what shows it.
type AliasShown<'s> = (&'s Alias, &'s execute_api::Host, &'s [ObservationId]);

/// What DNS or the hosted zone shows, the cause and the cure: the same whatever shows the certificate.
fn about_dns(
    case: &Case<'_>,
    host: &Name,
    (alias, target, cites): AliasShown<'_>,
    severity: Severity,
    strength: Strength,
) -> Finding {
    let region_and_suffix = format!("execute-api.{}.{}", target.region, target.suffix);
    let owner = &alias.owner;
    let ttl = alias.ttl.map_or_else(String::new, |ttl| format!(" (after {ttl} s, the TTL)"));
    let expected = config::targets(case).into_iter().find(|(_, it)| it.target != alias.target);
    let remedy = expected.map_or_else(
        || {
            format!(
                "Point {owner} at the API Gateway domain name of the custom domain instead of {}; `aws apigateway get-domain-name --domain-name {host}` prints it.",
                alias.target
            )
        },
        |(_, it)| format!("Change the record of {owner} from {} to {}.", alias.target, it.target),
    );
    let change = config::change_of_alias(case, owner, &alias.target, &format!("d-<id>.{region_and_suffix}"));
    let by = change.operator.as_ref().map_or_else(String::new, |operator| format!(" {operator} answers for the zone."));
    let mut finding = Finding::new("", severity, strength)
        .because(
            "The CNAME points at the stage URL host. That host presents AWS's own certificate, whatever name the client asks for.",
            format!("{remedy}{by}"),
        )
        .verified_by(
            format!("dig +short {owner} CNAME"),
            expected.map_or_else(
                || format!("a name that starts with d-, or a CloudFront name{ttl}"),
                |(_, it)| format!("{}.{ttl}", it.target),
            ),
        )
        .reason(
            format!("{owner} is a CNAME to {}, an API's stage URL host", alias.target),
            cites.iter().copied(),
        )
        .mark(Mark {
            beside: "CNAME".to_owned(),
            ..mark(
                alias.cites,
                &target.id,
                Sign::Wrong,
                "this is the API's stage URL host; an API Gateway domain name would start with d-",
            )
        })
        .change(Some(change));
    if let Some((id, it)) = expected {
        finding = finding
            .reason(format!("get-domain-name says that the record should lead to {}", it.target), [id])
            .mark(mark(id, it.target.as_str(), Sign::Confirms, "the name that the CNAME should hold"));
    }
    if let Some((id, set)) = config::records(case)
        .into_iter()
        .find(|(_, set)| set.values.iter().any(|value| Name::parse(value).as_ref() == Some(&alias.target)))
        .filter(|(id, _)| *id != alias.cites)
    {
        finding = finding
            .reason(format!("the hosted zone holds {} {}", set.kind, set.values.join(" ")), [id])
            .mark(mark(id, alias.target.as_str(), Sign::Wrong, "the record to change"));
    }
    if let Some((operator, cites)) = config::operator(case) {
        let server = case.delegation.as_ref().and_then(|it| it.servers.first());
        let label = format!("{} answers for the zone", operator.name);
        if let (Some(id), Some(server)) = (cites.first(), server) {
            finding = finding.mark(mark(*id, server.as_str(), Sign::Right, &label));
        }
        finding = finding.reason(label, cites);
    }
    finding
}

fn mark(on: ObservationId, words: &str, sign: Sign, label: &str) -> Mark {
    Mark::new(on, words, sign, label)
}
