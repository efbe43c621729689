//! What the rules about address records share: the three readings that DNS answers cannot separate.

use std::net::IpAddr;

use crate::case::Case;
use crate::evidence::ObservationId;
use crate::evidence::cloud::RecordSet;
use crate::name::Name;
use crate::provider::elb;
use crate::provider::execute_api::{self, Role};
use crate::rules::view::{self, Shown};
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, config};

/// Whether address records of a host lead to API Gateway's front end.
pub(super) enum Reading<'e> {
    /// They do.
    Of(Box<Addresses<'e>>),
    /// They do not, or it cannot be told.
    Otherwise(Verdict),
}

/// Address records of a host, and what shows that API Gateway answers behind them.
pub(super) struct Addresses<'e> {
    host: Name,
    resolved: Vec<(IpAddr, ObservationId)>,
    served: Option<Served>,
    record: Option<(ObservationId, &'e RecordSet)>,
}

/// AWS's own certificate, seen or named by a client.
struct Served {
    label: String,
    cites: Vec<ObservationId>,
    is_proof: bool,
}

/// Reads a case.
pub(super) fn reading<'e>(case: &Case<'e>) -> Reading<'e> {
    let Some(host) = case.host.clone().filter(|host| host.ip().is_none() && !elb::is_balancer(host)) else {
        return Reading::Otherwise(Verdict::NotApplicable);
    };
    let served = served(case, &host);
    let record = config::records(case).into_iter().find(|(_, set)| set.kind != "CNAME");
    let alias_is_aws = record.is_some_and(|(_, set)| set.alias_target.as_ref().is_some_and(is_apigw_name));
    if let Some(alias) = case.resolutions.iter().flat_map(|it| &it.aliases).next() {
        let is_near = served.is_some() || alias_is_aws || !view::execute_api_targets(case).is_empty();
        let because = format!("{} is a CNAME to {}", alias.owner, alias.target);
        let clear = Verdict::Clear { because, cites: vec![alias.cites] };
        return Reading::Otherwise(if is_near { clear } else { Verdict::NotApplicable });
    }
    let addresses: Vec<(IpAddr, ObservationId)> =
        case.resolutions.iter().flat_map(|it| it.addresses.iter().copied()).collect();
    if let Some(it) = view::covering(case).filter(|_| record.is_some()) {
        let because = format!("the certificate presented covers {host}");
        return Reading::Otherwise(Verdict::Clear { because, cites: vec![it.connection.id, it.leaf.id] });
    }
    if let Some((address, id)) = addresses.first().filter(|_| addresses.iter().all(|it| view::is_private(it.0))) {
        let because = format!("{address} is private: an endpoint in a VPC, not API Gateway's public front end");
        let clear = Verdict::Clear { because, cites: vec![*id] };
        return Reading::Otherwise(if served.is_some() { clear } else { Verdict::NotApplicable });
    }
    if served.is_none() && !alias_is_aws {
        return Reading::Otherwise(Verdict::NotApplicable);
    }
    if addresses.is_empty() && record.is_none() {
        let ask = format!("dig {host}");
        return Reading::Otherwise(Verdict::Unknown { missing: format!("where DNS sends {host}"), ask });
    }
    Reading::Of(Box::new(Addresses { host, resolved: addresses, served, record }))
}

fn is_apigw_name(name: &Name) -> bool {
    execute_api::host(name).is_some() || crate::provider::cloudfront::is_distribution(name)
}

fn served(case: &Case<'_>, host: &Name) -> Option<Served> {
    let shown = view::shown(case);
    let default = |it: &&Shown<'_, '_>| it.is_wrong() && view::default_of(it.leaf).is_some();
    if let Some(it) = shown.iter().find(default) {
        let is_proof = it.connection.asks_for(host) && it.shows_identifiers();
        return Some(Served { label: it.label(), cites: vec![it.leaf.id, it.connection.id], is_proof });
    }
    let bare = view::shown_without_handshake(case);
    if let Some((leaf, _)) = bare.iter().find(|(leaf, _)| view::default_of(leaf).is_some()) {
        let label = leaf.labels().first().map(|label| (*label).to_owned())?;
        return Some(Served { label, cites: vec![leaf.id], is_proof: false });
    }
    let said = view::said(case, crate::evidence::Says::NameMismatch);
    let named = said.iter().find_map(|(id, verdict)| {
        let label = verdict.presented.iter().find(|name| execute_api::default_certificate(name).is_some())?;
        Some((*id, label.clone()))
    })?;
    Some(Served { label: named.1, cites: vec![named.0], is_proof: false })
}

impl Addresses<'_> {
    /// As a rule about fixed addresses reads them.
    pub(super) fn found_as_fixed(&self, case: &Case<'_>) -> Verdict {
        match self.record {
            Some((id, set)) if set.alias_target.is_some() => {
                Verdict::Clear { because: format!("the hosted zone holds an alias of {}", self.host), cites: vec![id] }
            }
            Some((id, set)) => {
                let strength = if self.is_proof() { Strength::Proven } else { Strength::Strong };
                self.finding(strength)
                    .because(FIXED_CAUSE, self.fixed_remedy())
                    .reason(format!("the hosted zone holds {} {}", set.kind, set.values.join(", ")), [id])
                    .mark(Mark::new(
                        id,
                        set.values.first().cloned().unwrap_or_default(),
                        Sign::Wrong,
                        "a fixed address",
                    ))
                    .change(config::change_of_addresses(case, &format!("{} {}", set.kind, set.values.join(" "))))
                    .found()
            }
            None => {
                self.ranged(case, self.finding(Strength::Consistent).because(FIXED_CAUSE, self.fixed_remedy())).found()
            }
        }
    }

    /// As a rule about alias targets reads them.
    pub(super) fn found_as_alias(&self, case: &Case<'_>) -> Verdict {
        let Some((id, set)) = self.record else {
            let remedy = format!(
                "Look at {} where its zone is kept: if it is an alias or a CNAME that is answered with addresses, edit its target to the API Gateway domain name of the custom domain.",
                self.host
            );
            return self.ranged(case, self.finding(Strength::Consistent).because(ALIAS_CAUSE, remedy)).found();
        };
        let Some(target) = &set.alias_target else {
            let because = format!("the hosted zone holds addresses of {}, no alias", self.host);
            return Verdict::Clear { because, cites: vec![id] };
        };
        let expected = config::targets(case);
        if let Some((domain, _)) = expected.iter().find(|(_, it)| it.target == *target) {
            let because = format!("the alias leads to {target}, the custom domain's own name");
            return Verdict::Clear { because, cites: vec![id, *domain] };
        }
        let is_stage = execute_api::host(target).is_some_and(|it| it.role == Role::Stage);
        if !is_stage && expected.is_empty() {
            return Verdict::Unknown {
                missing: format!("whether {target} is the API Gateway domain name of {}", self.host),
                ask: format!("aws apigateway get-domain-name --domain-name {}", self.host),
            };
        }
        let strength = if self.is_proof() { Strength::Proven } else { Strength::Strong };
        let right = expected.first().map_or_else(
            || "the API Gateway domain name of the custom domain".to_owned(),
            |(_, it)| it.target.to_string(),
        );
        let label = if is_stage { "the API's stage URL host" } else { "not the custom domain's own name" };
        let mut finding = self
            .finding(strength)
            .because(
                format!("The alias of {} leads to {target}, {label}.", self.host),
                format!(
                    "Edit the alias of {} so that its target is {right}, with that name's hosted zone id.",
                    self.host
                ),
            )
            .reason(format!("the hosted zone holds an alias of {} to {target}", self.host), [id])
            .mark(Mark::new(id, target.as_str(), Sign::Wrong, label))
            .change(config::change_of_addresses(case, &format!("alias {target}.")));
        if let Some((domain, it)) = expected.first() {
            finding = finding
                .reason(format!("get-domain-name says that {} is the target", it.target), [*domain])
                .mark(Mark::new(*domain, it.target.as_str(), Sign::Confirms, "the name that the alias should hold"));
        }
        finding.found()
    }

    /// With whose the address is, where the user brought Amazon's published ranges.
    fn ranged(&self, case: &Case<'_>, finding: Finding) -> Finding {
        let ranges = case.known.aws_ranges.as_ref();
        let told = self.resolved.iter().find_map(|(address, id)| Some((ranges?.told(*address)?, *id)));
        match told {
            Some((text, id)) => finding.reason(text, [id]),
            None => finding,
        }
    }

    fn is_proof(&self) -> bool {
        self.served.as_ref().is_some_and(|served| served.is_proof)
    }

    fn fixed_remedy(&self) -> String {
        format!(
            "Delete the address records of {} and create an alias (Route 53) or a CNAME to the API Gateway domain name; its addresses change and carry AWS's own certificate for names that no custom domain has.",
            self.host
        )
    }

    fn finding(&self, strength: Strength) -> Finding {
        let host = &self.host;
        let severity = if self.served.is_some() { Severity::Error } else { Severity::Warning };
        let headline = match &self.served {
            Some(served) => format!("{host} is served the certificate of {}", served.label),
            None => format!("the record of {host} leads to API Gateway by the wrong name"),
        };
        let mut finding = Finding::new(headline, severity, strength)
            .verified_by(format!("dig {host}"), "addresses of the API Gateway domain name of the custom domain");
        if let Some((address, id)) = self.resolved.first() {
            finding = finding
                .reason(
                    format!("{host} has addresses ({address}) and no CNAME: a fixed address, a Route 53 alias or a flattened CNAME"),
                    self.resolved.iter().map(|it| it.1),
                )
                .mark(Mark::new(*id, address.to_string(), Sign::Doubtful, "fixed, an alias or a flattened CNAME: DNS cannot tell"));
        }
        if self.served.is_none() {
            finding = finding.confirmed_if("the certificate names only AWS's own execute-api names");
        }
        if let Some(served) = &self.served {
            finding =
                finding.reason(format!("the certificate presented names only {}", served.label), served.cites.clone());
            if let Some(id) = served.cites.first() {
                finding = finding.mark(Mark::new(*id, &served.label, Sign::Wrong, format!("does not cover {host}")));
            }
        }
        finding
    }
}

const FIXED_CAUSE: &str = "The record holds addresses of API Gateway's front end. They belong to no custom domain, change all the time, and carry AWS's own certificate for names that the front end does not know.";
const ALIAS_CAUSE: &str = "Read as a Route 53 alias, the record leads to a name that is not the API Gateway domain name of the custom domain; an alias is answered with addresses, so DNS does not show where it leads.";
