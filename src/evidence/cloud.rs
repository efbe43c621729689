//! What exported configuration says ([`CloudMapping`]): custom domains and their targets, DNS records,
//! zones and name servers, certificates, VPC endpoints, APIs, distributions.
//!
//! The names of the fields follow the AWS API models; a registration's are those of RFC 9083.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::name::Name;
use crate::provenance::Time;

/// One object of exported configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CloudMapping {
    /// What it says.
    #[serde(flatten)]
    pub says: Mapping,
    /// The region, as far as the command line or the object's own ARN says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The run that printed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<u32>,
}

/// What an object of exported configuration says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Mapping {
    /// An API Gateway custom domain name with its targets.
    CustomDomain(CustomDomain),
    /// `get-domain-name` says that no custom domain of this name is in the account and region.
    NoCustomDomain {
        /// The name asked for.
        domain: Name,
    },
    /// An API with its default endpoint.
    Api(Api),
    /// A mapping of a custom domain to an API's stage.
    ApiMapping {
        /// The custom domain, when the command line names it.
        domain: Option<Name>,
        /// The API's id.
        api: String,
        /// The stage.
        stage: Option<String>,
    },
    /// A record set of a hosted zone.
    Record(RecordSet),
    /// A hosted zone.
    Zone {
        /// The zone's name.
        zone: Name,
        /// Its id.
        id: Option<String>,
        /// It is answered inside VPCs only.
        private: bool,
    },
    /// The name servers of a domain, as its registrar or registry lists them.
    NameServers {
        /// The registered domain.
        domain: Name,
        /// Its name servers.
        servers: Vec<Name>,
        /// The registrar.
        registrar: Option<String>,
    },
    /// A certificate in ACM.
    AcmCertificate(AcmCertificate),
    /// An interface VPC endpoint.
    VpcEndpoint(VpcEndpoint),
    /// A CloudFront distribution.
    Distribution {
        /// Its own name, such as `d111111abcdef8.cloudfront.net`.
        domain: Name,
        /// Its alternate domain names.
        aliases: Vec<String>,
        /// `Deployed` or `InProgress`.
        status: Option<String>,
    },
    /// A network interface, such as that of a VPC endpoint.
    NetworkInterface {
        /// `VPC Endpoint Interface vpce-…`, or what its maker wrote.
        description: Option<String>,
        /// Its private addresses.
        addresses: Vec<IpAddr>,
    },
    /// A load balancer.
    LoadBalancer {
        /// Its DNS name.
        domain: Name,
        /// `application`, `network` or `gateway`.
        kind: Option<String>,
    },
    /// A listener of a load balancer.
    Listener {
        /// The balancer's ARN.
        load_balancer: Option<String>,
        /// `HTTPS`, `TLS`, `TCP`, …
        protocol: Option<String>,
        /// The port.
        port: Option<u32>,
        /// The ARNs of its certificates.
        certificates: Vec<String>,
    },
}

/// An API Gateway custom domain name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CustomDomain {
    /// The name: where a record should lead away from.
    pub domain: Name,
    /// Where its record should lead to.
    pub targets: Vec<DomainTarget>,
    /// `domainNameId` of a private custom domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// One endpoint of a custom domain name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct DomainTarget {
    /// `regionalDomainName`, `distributionDomainName` or `ApiGatewayDomainName`.
    pub target: Name,
    /// `REGIONAL`, `EDGE` or `PRIVATE`.
    pub endpoint_type: Option<String>,
    /// `AVAILABLE`, `UPDATING`, `PENDING`, …
    pub status: Option<String>,
    /// The ARN of its certificate.
    pub certificate_arn: Option<String>,
    /// The hosted zone id that an alias record to it names.
    pub hosted_zone: Option<String>,
}

/// An API and its default endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Api {
    /// Its id, the first label of its stage URL host.
    pub id: String,
    /// `REST`, `HTTP` or `WEBSOCKET`.
    pub protocol: Option<String>,
    /// `REGIONAL`, `EDGE`, `PRIVATE`.
    pub endpoint_types: Vec<String>,
    /// The default endpoint is switched off.
    pub execute_api_disabled: Option<bool>,
}

/// A record set of a hosted zone, as Route 53 keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RecordSet {
    /// The owner; `*` unescaped.
    pub owner: Name,
    /// `A`, `CNAME`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// In seconds; an alias has none.
    pub ttl: Option<u32>,
    /// The values in presentation form.
    pub values: Vec<String>,
    /// The alias target, which no DNS answer shows.
    pub alias_target: Option<Name>,
    /// The hosted zone id of the alias target.
    pub alias_zone: Option<String>,
    /// Weighted, latency and other record sets of one owner differ in this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_identifier: Option<String>,
    /// The name server that answered (`test-dns-answer`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_server: Option<Name>,
    /// The hosted zone, when the command line names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone_id: Option<String>,
}

/// A certificate in ACM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AcmCertificate {
    /// Its ARN.
    pub arn: Option<String>,
    /// The names it covers.
    pub names: Vec<String>,
    /// `ISSUED`, `EXPIRED`, `PENDING_VALIDATION`, …
    pub status: Option<String>,
    /// Start of validity.
    pub not_before: Option<Time>,
    /// End of validity.
    pub not_after: Option<Time>,
    /// The serial number in lower-case hexadecimal.
    pub serial: Option<String>,
    /// `get-certificate`: the digest of the certificate itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// An interface VPC endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct VpcEndpoint {
    /// Its id.
    pub id: String,
    /// The service, such as `com.amazonaws.us-east-1.execute-api`.
    pub service: String,
    /// Names of the service resolve to the endpoint inside the VPC.
    pub private_dns: bool,
    /// Its DNS names.
    pub dns_names: Vec<String>,
}

impl CloudMapping {
    /// The host that it speaks of.
    pub fn host(&self) -> Option<&Name> {
        match &self.says {
            Mapping::CustomDomain(it) => Some(&it.domain),
            Mapping::NoCustomDomain { domain } => Some(domain),
            Mapping::ApiMapping { domain, .. } => domain.as_ref(),
            Mapping::Record(it) => Some(&it.owner),
            _ => None,
        }
    }
}
