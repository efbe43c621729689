//! What exported configuration says of a case: the custom domain and its targets, the record in the
//! hosted zone, who answers for the zone, and the change that mends a record.

use serde_json::json;

use crate::case::Case;
use crate::evidence::cloud::{AcmCertificate, Api, CustomDomain, DomainTarget, RecordSet, VpcEndpoint};
use crate::evidence::{CloudMapping, Mapping, ObservationId};
use crate::name::{self, Name};
use crate::provider::dns_operator::{self, Operator};
use crate::rules::RecordChange;

fn pick<'e, T>(
    case: &Case<'e>,
    pick: impl Fn(&'e CloudMapping) -> Option<T>,
) -> impl Iterator<Item = (ObservationId, T)> {
    case.cloud.iter().filter_map(move |(id, it)| pick(it).map(|found| (*id, found)))
}

/// The custom domain of the host: the one of its name before a wildcard that covers it.
pub fn custom_domain<'e>(case: &Case<'e>) -> Option<(ObservationId, &'e CustomDomain)> {
    let host = case.host.as_ref()?;
    let all: Vec<(ObservationId, &CustomDomain)> = pick(case, |it| match &it.says {
        Mapping::CustomDomain(domain) => Some(domain),
        _ => None,
    })
    .collect();
    let exact = all.iter().find(|(_, it)| it.domain == *host).copied();
    exact.or_else(|| all.into_iter().find(|(_, it)| name::match_dns(host, it.domain.as_str()).is_ok()))
}

/// Where the record of the host should lead to, as `get-domain-name` says.
pub fn targets<'e>(case: &Case<'e>) -> Vec<(ObservationId, &'e DomainTarget)> {
    custom_domain(case).map(|(id, it)| it.targets.iter().map(|target| (id, target)).collect()).unwrap_or_default()
}

/// That no custom domain has the name of the host, in the account and region that were asked.
pub fn no_custom_domain<'e>(case: &Case<'e>) -> Option<(ObservationId, &'e CloudMapping)> {
    let host = case.host.as_ref()?;
    pick(case, |it| matches!(&it.says, Mapping::NoCustomDomain { domain } if domain == host).then_some(it)).next()
}

/// The record sets of the host that lead a client to its server: those of its own name, else those of
/// a wildcard.
pub fn records<'e>(case: &Case<'e>) -> Vec<(ObservationId, &'e RecordSet)> {
    let Some(host) = &case.host else {
        return Vec::new();
    };
    let leads = |set: &RecordSet| matches!(set.kind.as_str(), "A" | "AAAA" | "CNAME");
    let all: Vec<(ObservationId, &RecordSet)> = pick(case, |it| match &it.says {
        Mapping::Record(set) if leads(set) => Some(set),
        _ => None,
    })
    .collect();
    let own: Vec<_> = all.iter().filter(|(_, set)| set.owner == *host).copied().collect();
    if own.is_empty() {
        all.into_iter().filter(|(_, set)| name::match_dns(host, set.owner.as_str()).is_ok()).collect()
    } else {
        own
    }
}

/// Interface endpoints of execute-api in a region whose private DNS is on.
pub fn private_dns_endpoint<'e>(case: &Case<'e>, region: &str) -> Option<(ObservationId, &'e VpcEndpoint)> {
    let service = format!(".{region}.execute-api");
    pick(case, |it| match &it.says {
        Mapping::VpcEndpoint(endpoint) if endpoint.private_dns && endpoint.service.ends_with(&service) => {
            Some(endpoint)
        }
        _ => None,
    })
    .next()
}

/// A certificate in ACM by its ARN.
pub fn acm<'e>(case: &Case<'e>, arn: &str) -> Option<(ObservationId, &'e AcmCertificate)> {
    pick(case, |it| match &it.says {
        Mapping::AcmCertificate(certificate) if certificate.arn.as_deref() == Some(arn) => Some(certificate),
        _ => None,
    })
    .next()
}

/// The certificates in ACM.
pub fn acm_certificates<'e>(case: &Case<'e>) -> Vec<(ObservationId, &'e AcmCertificate)> {
    pick(case, |it| match &it.says {
        Mapping::AcmCertificate(certificate) => Some(certificate),
        _ => None,
    })
    .collect()
}

/// The distributions that list the host, or that have a name.
pub fn distribution<'e>(case: &Case<'e>, domain: &Name) -> Option<(ObservationId, &'e [String])> {
    pick(case, |it| match &it.says {
        Mapping::Distribution { domain: own, aliases, .. } if own == domain => Some(aliases.as_slice()),
        _ => None,
    })
    .next()
}

/// The API that a custom domain's mapping names.
pub fn mapped_api<'e>(case: &Case<'e>) -> Option<(ObservationId, ObservationId, &'e Api)> {
    let host = case.host.as_ref()?;
    let (mapping, id) = pick(case, |it| match &it.says {
        Mapping::ApiMapping { domain, api, .. } if domain.as_ref().is_none_or(|domain| domain == host) => Some(api),
        _ => None,
    })
    .next()?;
    let (found, api) = pick(case, |it| match &it.says {
        Mapping::Api(api) if api.id == *id => Some(api),
        _ => None,
    })
    .next()?;
    Some((mapping, found, api))
}

/// Who answers for the zone of the host, where one operator has all its known name servers.
pub fn operator(case: &Case<'_>) -> Option<(&'static Operator, Vec<ObservationId>)> {
    let delegation = case.delegation.as_ref()?;
    let mut operators = delegation.servers.iter().map(dns_operator::of);
    let first = operators.next()??;
    operators.all(|other| other == Some(first)).then(|| (first, delegation.cites.clone()))
}

/// The hosted zone of the host in Route 53, the public one, by the longest name.
fn hosted_zone(case: &Case<'_>) -> Option<String> {
    let host = case.host.as_ref()?;
    let zones = case.cloud.iter().filter_map(|(_, it)| match &it.says {
        Mapping::Zone { zone, id, private: false } if host == zone || host.is_below(zone) => {
            id.clone().map(|id| (zone.as_str().len(), id))
        }
        _ => None,
    });
    let by_record = records(case).into_iter().find_map(|(_, set)| set.zone_id.clone());
    by_record.or_else(|| zones.max().map(|(_, id)| id))
}

/// The change of a CNAME, with who makes it: the target that `get-domain-name` names, or `pattern` with
/// what is not known of it.
pub fn change_of_alias(case: &Case<'_>, owner: &Name, old: &Name, pattern: &str) -> RecordChange {
    let host = case.host.as_ref().unwrap_or(owner);
    let known = targets(case).into_iter().map(|(_, it)| it).find(|it| it.target != *old);
    let operator = operator(case).map(|it| it.0);
    let new = known.map_or_else(|| pattern.to_owned(), |it| it.target.to_string());
    let mut unknown = Vec::new();
    if known.is_none() {
        unknown.push(format!(
            "<id> is not in this evidence; `aws apigateway get-domain-name --domain-name {host}` prints it, or says that no custom domain has this name."
        ));
    }
    let in_route53 = operator.is_some_and(dns_operator::is_route53) || !records(case).is_empty();
    if operator.is_none() && records(case).is_empty() {
        unknown.push(format!("Who answers for the zone is not in this evidence; `dig NS {}` says.", parent_of(host)));
    }
    let intro = match (operator, in_route53) {
        (Some(operator), _) => format!("At {} ({}), change the record:", operator.name, operator.console),
        (None, true) => "In Route 53 (Hosted zones), change the record:".to_owned(),
        (None, false) if known.is_some() => "Change the record:".to_owned(),
        (None, false) => "Point the record at the API Gateway domain name of the custom domain:".to_owned(),
    };
    let batch = known.filter(|_| in_route53).and_then(|target| {
        let batch = json!({"Changes": [{"Action": "UPSERT", "ResourceRecordSet": {
            "Name": format!("{owner}."), "Type": "CNAME", "TTL": ttl_of(case, owner),
            "ResourceRecords": [{"Value": format!("{}.", target.target)}],
        }}]});
        change_batch(case, &batch)
    });
    RecordChange {
        intro,
        old: format!("{owner}. CNAME {old}."),
        new: format!("{owner}. CNAME {new}."),
        unknown: unknown.join(" "),
        operator: operator.map(|it| it.name.to_owned()).or_else(|| in_route53.then(|| "Amazon Route 53".to_owned())),
        batch,
    }
}

/// The time to live of the record as its zone holds it, where an export shows it: in an answer it has been running
/// down.
fn ttl_of(case: &Case<'_>, owner: &Name) -> u32 {
    let own = records(case).into_iter().find(|(_, set)| set.owner == *owner && set.kind == "CNAME");
    own.and_then(|(_, set)| set.ttl).unwrap_or(TTL_USUAL)
}

/// Route 53's default for a new record, in seconds.
const TTL_USUAL: u32 = 300;

/// The command that makes a change; none where a name would end its quotes.
fn change_batch(case: &Case<'_>, batch: &serde_json::Value) -> Option<String> {
    let is_id = |zone: &String| zone.chars().all(|c| c.is_ascii_alphanumeric());
    let zone = hosted_zone(case).filter(is_id).unwrap_or_else(|| "ZONE_ID".to_owned());
    let batch = batch.to_string();
    (!batch.contains('\''))
        .then(|| format!("aws route53 change-resource-record-sets --hosted-zone-id {zone} --change-batch '{batch}'"))
}

/// The change of an address or alias record into an alias of the right target.
pub fn change_of_addresses(case: &Case<'_>, old: &str) -> Option<RecordChange> {
    let host = case.host.as_ref()?;
    let (_, known) = targets(case).into_iter().next()?;
    let in_route53 = operator(case).is_some_and(|(it, _)| dns_operator::is_route53(it)) || !records(case).is_empty();
    let batch = known.hosted_zone.as_ref().filter(|_| in_route53).and_then(|alias_zone| {
        let batch = json!({"Changes": [{"Action": "UPSERT", "ResourceRecordSet": {
            "Name": format!("{host}."), "Type": "A",
            "AliasTarget": {"HostedZoneId": alias_zone, "DNSName": format!("{}.", known.target), "EvaluateTargetHealth": false},
        }}]});
        change_batch(case, &batch)
    });
    let kind = if in_route53 { "alias" } else { "CNAME" };
    Some(RecordChange {
        intro: "Change the record:".to_owned(),
        old: format!("{host}. {old}"),
        new: format!("{host}. {kind} {}.", known.target),
        unknown: String::new(),
        operator: operator(case).map(|(it, _)| it.name.to_owned()),
        batch,
    })
}

/// The zone to ask for name servers: the name without its first label, where something is left.
fn parent_of(host: &Name) -> String {
    match host.as_str().split_once('.') {
        Some((_, parent)) if parent.contains('.') => parent.to_owned(),
        _ => host.to_string(),
    }
}
