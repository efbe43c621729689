//! `aws apigateway` (REST, keys in lowerCamelCase) and `aws apigatewayv2` (UpperCamelCase).

use super::Shape;
use super::document::Object;
use crate::evidence::Mapping;
use crate::evidence::cloud::{Api, CustomDomain, DomainTarget};
use crate::name::Name;
use crate::saved::command;
use crate::saved::grammar::address;

/// `get-domain-name`, an item of `get-domain-names`.
pub static DOMAIN_NAME: Shape = Shape {
    id: "apigateway domain name",
    is: |object| {
        object.has(&["domainName"])
            && ["regionalDomainName", "distributionDomainName", "endpointConfiguration", "domainNameStatus"]
                .iter()
                .any(|key| object.has(&[key]))
    },
    read: domain_name,
};

/// The same of version 2.
pub static DOMAIN_NAME_V2: Shape = Shape {
    id: "apigatewayv2 domain name",
    is: |object| object.has(&["DomainName", "DomainNameConfigurations"]),
    read: domain_name_v2,
};

/// An item of `get-rest-apis`.
pub static REST_API: Shape = Shape {
    id: "apigateway REST API",
    is: |object| {
        object.has(&["id"])
            && ["rootResourceId", "apiKeySource", "disableExecuteApiEndpoint"].iter().any(|key| object.has(&[key]))
    },
    read: |object, _| {
        Some(Mapping::Api(Api {
            id: object.text("id")?,
            protocol: Some("REST".to_owned()),
            endpoint_types: object.object("endpointConfiguration").map(|it| it.texts("types")).unwrap_or_default(),
            execute_api_disabled: object.boolean("disableExecuteApiEndpoint"),
        }))
    },
};

/// An item of `apigatewayv2 get-apis`.
pub static API_V2: Shape = Shape {
    id: "apigatewayv2 API",
    is: |object| object.has(&["ApiId", "ProtocolType"]),
    read: |object, _| {
        Some(Mapping::Api(Api {
            id: object.text("ApiId")?,
            protocol: object.text("ProtocolType"),
            endpoint_types: vec!["REGIONAL".to_owned()],
            execute_api_disabled: object.boolean("DisableExecuteApiEndpoint"),
        }))
    },
};

/// An item of `get-base-path-mappings`.
pub static BASE_PATH_MAPPING: Shape = Shape {
    id: "apigateway base path mapping",
    is: |object| object.has(&["restApiId", "basePath"]),
    read: |object, words| {
        Some(Mapping::ApiMapping {
            domain: domain_asked(words),
            api: object.text("restApiId")?,
            stage: object.text("stage"),
        })
    },
};

/// An item of `apigatewayv2 get-api-mappings`.
pub static API_MAPPING: Shape = Shape {
    id: "apigatewayv2 API mapping",
    is: |object| object.has(&["ApiId", "ApiMappingId"]),
    read: |object, words| {
        Some(Mapping::ApiMapping {
            domain: domain_asked(words),
            api: object.text("ApiId")?,
            stage: object.text("Stage"),
        })
    },
};

fn domain_asked(words: &[String]) -> Option<Name> {
    command::value(words, &["--domain-name"]).and_then(address::host)
}

fn domain_name(object: &Object<'_>, _: &[String]) -> Option<Mapping> {
    let types = object.object("endpointConfiguration").map(|it| it.texts("types")).unwrap_or_default();
    let status = object.text("domainNameStatus");
    let private = types.iter().find(|kind| *kind == "PRIVATE").cloned();
    let regional = object.name("regionalDomainName").map(|target| DomainTarget {
        target,
        endpoint_type: private.clone().or_else(|| Some("REGIONAL".to_owned())),
        status: status.clone(),
        certificate_arn: object.text("regionalCertificateArn"),
        hosted_zone: object.text("regionalHostedZoneId"),
    });
    let edge = object.name("distributionDomainName").map(|target| DomainTarget {
        target,
        endpoint_type: Some("EDGE".to_owned()),
        status: status.clone(),
        certificate_arn: object.text("certificateArn"),
        hosted_zone: object.text("distributionHostedZoneId"),
    });
    Some(Mapping::CustomDomain(CustomDomain {
        domain: object.name("domainName")?,
        targets: regional.into_iter().chain(edge).collect(),
        id: object.text("domainNameId"),
    }))
}

fn domain_name_v2(object: &Object<'_>, _: &[String]) -> Option<Mapping> {
    let configurations = object.list("DomainNameConfigurations").into_iter().filter_map(Object::of);
    let targets = configurations.filter_map(|it| {
        Some(DomainTarget {
            target: it.name("ApiGatewayDomainName")?,
            endpoint_type: it.text("EndpointType"),
            status: it.text("DomainNameStatus"),
            certificate_arn: it.text("CertificateArn"),
            hosted_zone: it.text("HostedZoneId"),
        })
    });
    Some(Mapping::CustomDomain(CustomDomain {
        domain: object.name("DomainName")?,
        targets: targets.collect(),
        id: None,
    }))
}
