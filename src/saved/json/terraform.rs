//! Terraform's state of AWS resources, by the attributes of each: `terraform.tfstate`, `terraform show -json`, and
//! what `hcl` makes of `terraform state show` and of a plan.
//!
//! The state is what was in force when Terraform last read it. What a plan will change, and what a configuration or
//! a template of CloudFormation asks for, is in force nowhere yet, and is no fact ([`is_wish`]).

use super::Shape;
use super::document::Object;
use crate::evidence::Mapping;
use crate::evidence::cloud::{AcmCertificate, CustomDomain, DomainTarget, RecordSet};
use crate::name::Name;
use crate::provenance::GapReason;
use crate::saved::grammar::rr;

/// `aws_route53_record`.
pub static RECORD: Shape = Shape {
    id: "terraform aws_route53_record",
    is: |object| {
        object.has(&["fqdn", "type", "zone_id"]) || (object.has(&["id", "records"]) && of_id(object).is_some())
    },
    read: |object, _| {
        let alias = first(object, "alias");
        let of_id = of_id(object);
        Some(Mapping::Record(RecordSet {
            owner: object.name("fqdn").or_else(|| Some(of_id.clone()?.0))?,
            kind: object.text("type").or_else(|| Some(of_id.clone()?.1))?,
            ttl: object.number("ttl").filter(|ttl| *ttl > 0),
            values: object.texts("records"),
            alias_target: alias.as_ref().and_then(|it| it.name("name")),
            alias_zone: alias.as_ref().and_then(|it| it.text("zone_id")),
            set_identifier: object.text("set_identifier"),
            name_server: None,
            zone_id: object.text("zone_id"),
        }))
    },
};

/// `aws_api_gateway_domain_name`.
pub static DOMAIN_NAME: Shape = Shape {
    id: "terraform aws_api_gateway_domain_name",
    is: |object| {
        object.has(&["domain_name", "endpoint_configuration"])
            && ["regional_domain_name", "cloudfront_domain_name"].iter().any(|key| object.has(&[key]))
    },
    read: domain_name,
};

/// `aws_apigatewayv2_domain_name`.
pub static DOMAIN_NAME_V2: Shape = Shape {
    id: "terraform aws_apigatewayv2_domain_name",
    is: |object| object.has(&["domain_name", "domain_name_configuration"]),
    read: |object, _| {
        let configurations = object.list("domain_name_configuration").into_iter().filter_map(Object::of);
        let targets = configurations.filter_map(|it| {
            Some(DomainTarget {
                target: it.name("target_domain_name")?,
                endpoint_type: it.text("endpoint_type"),
                status: None,
                certificate_arn: it.text("certificate_arn"),
                hosted_zone: it.text("hosted_zone_id"),
            })
        });
        Some(Mapping::CustomDomain(CustomDomain {
            domain: object.name("domain_name")?,
            targets: targets.collect(),
            id: None,
        }))
    },
};

/// `aws_acm_certificate`.
pub static CERTIFICATE: Shape = Shape {
    id: "terraform aws_acm_certificate",
    is: |object| object.has(&["arn", "domain_name", "subject_alternative_names"]),
    read: |object, _| {
        Some(Mapping::AcmCertificate(AcmCertificate {
            arn: object.text("arn"),
            names: object.texts("subject_alternative_names"),
            status: object.text("status"),
            not_before: object.time("not_before"),
            not_after: object.time("not_after"),
            serial: None,
            sha256: None,
        }))
    },
};

/// `aws_route53_zone`.
pub static ZONE: Shape = Shape {
    id: "terraform aws_route53_zone",
    is: |object| object.has(&["name", "zone_id", "name_servers"]),
    read: |object, _| {
        Some(Mapping::Zone {
            zone: object.name("name")?,
            id: object.text("zone_id"),
            private: !object.list("vpc").is_empty(),
        })
    },
};

fn domain_name(object: &Object<'_>, _: &[String]) -> Option<Mapping> {
    let types = first(object, "endpoint_configuration").map(|it| it.texts("types")).unwrap_or_default();
    let private = types.iter().find(|kind| *kind == "PRIVATE").cloned();
    let regional = object.name("regional_domain_name").map(|target| DomainTarget {
        target,
        endpoint_type: private.clone().or_else(|| Some("REGIONAL".to_owned())),
        status: None,
        certificate_arn: object.text("regional_certificate_arn"),
        hosted_zone: object.text("regional_zone_id"),
    });
    let edge = object.name("cloudfront_domain_name").map(|target| DomainTarget {
        target,
        endpoint_type: Some("EDGE".to_owned()),
        status: None,
        certificate_arn: object.text("certificate_arn"),
        hosted_zone: object.text("cloudfront_zone_id"),
    });
    Some(Mapping::CustomDomain(CustomDomain {
        domain: object.name("domain_name")?,
        targets: regional.into_iter().chain(edge).collect(),
        id: object.text("domain_name_id"),
    }))
}

/// `Z0123456789_www.example.com_CNAME`: what the id of a record says where a plan hides the rest.
fn of_id(object: &Object<'_>) -> Option<(Name, String)> {
    let id = object.text("id")?;
    let (zone, rest) = id.split_once('_')?;
    let (owner, kind) = rest.rsplit_once('_')?;
    let is_zone = zone.starts_with('Z') && zone.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    (is_zone && rr::is_kind(kind)).then_some((Name::parse(owner)?, kind.to_owned()))
}

/// The only block of its name, which the state keeps as a list.
fn first<'o>(object: &Object<'o>, key: &str) -> Option<Object<'o>> {
    object.list(key).into_iter().find_map(Object::of)
}

/// What a document only asks for: a plan, a template of CloudFormation.
pub fn is_wish(object: &Object<'_>) -> bool {
    object.has(&["AWSTemplateFormatVersion"])
        || (object.has(&["Type", "Properties"]) && object.text("Type").is_some_and(|it| it.starts_with("AWS::")))
        || object.has(&["planned_values"])
}

/// Whether a line begins a template of CloudFormation in YAML.
pub fn begins_template(line: &str) -> bool {
    line.starts_with("AWSTemplateFormatVersion:")
}

/// Why what is only asked for is no fact.
pub fn wish() -> GapReason {
    let why = "what it asks for is in force only once it is applied; ask for terraform state show with the resource's \
               address, or for aws route53 list-resource-record-sets and aws apigateway get-domain-name"
        .to_owned();
    GapReason::Undecoded { what: "plan or template".to_owned(), why }
}
